/* SPDX-License-Identifier: Apache-2.0 */
#include "command/families.h"

#include "aloft/module.h"

#include "at/engine.h"
#include "http/client.h"
#include "http/json.h"
#include "log.h"
#include "upgrade/engine.h"
#include "upgrade/proof.h"

/* AT+CIPFWVER? (facts/at-commands.md 2.3): versions are printed as they come in, so a long list
 * needs no memory. */

#define LINE_BYTES 128                         /* The longest line, facts/at-commands.md 2.3. */
#define LIST_MS    (3 * ALOFT_CONFIG_STALL_MS) /* A list is short; this ends an endless one. */

static enum aloft_reply query(struct aloft_module *m, const struct aloft_params *params)
{
    const struct aloft_http_request request = {
        .ask = ALOFT_HTTP_ASK_LIST,
        .mode = m->config.tls.host != NULL ? 1 : 0,
        .deadline_ms = m->now_ms + LIST_MS,
    };

    (void)params;
    aloft_proof_yield(m);
    if (aloft_upgrade_is_running(m) || aloft_http_begin(m, &request) != ALOFT_ERR_OK) {
        return ALOFT_REPLY_ERROR;
    }
    m->ciupdate.is_listing = true;
    return ALOFT_REPLY_LATER;
}

/* Nothing that could look like another line to the host MCU. */
static bool is_printable(const char *text)
{
    const char *c = text;

    while (*c >= ' ' && *c < 0x7F && *c != '"' && *c != '\\') {
        c++;
    }
    return c > text && *c == '\0';
}

static void print_version(struct aloft_module *m, const char *version)
{
    if (is_printable(version)) {
        aloft_at_print(m, "+CIPFWVER:\"");
        aloft_at_print(m, version);
        aloft_at_print(m, "\"\r\n");
    }
}

/* AGAIN: more bytes or more room in the TX buffer are needed. CLOSED: the list is complete. */
static enum aloft_err print_waiting(struct aloft_module *m)
{
    enum aloft_err err = ALOFT_ERR_OK;

    while (err == ALOFT_ERR_OK) {
        size_t len = 0;
        size_t used = 0;
        const uint8_t *body = aloft_http_body(m, &len);
        if (aloft_at_print_room(m) < LINE_BYTES) {
            return ALOFT_ERR_AGAIN;
        }
        err = aloft_json_feed(&m->http.json, body, len, &used);
        aloft_http_consume(m, used);
        if (err == ALOFT_ERR_OK) {
            print_version(m, m->http.json.text);
        }
    }
    return err;
}

static uint32_t end_list(struct aloft_module *m, enum aloft_err err)
{
    aloft_http_end(m);
    m->ciupdate.is_listing = false;
    if (err != ALOFT_ERR_OK) {
        aloft_log_err(m, "versions.failed", err);
    }
    aloft_at_finish(m, err == ALOFT_ERR_OK ? ALOFT_REPLY_OK : ALOFT_REPLY_ERROR);
    return 0;
}

static uint32_t step(struct aloft_module *m)
{
    size_t len = 0;

    if (!m->ciupdate.is_listing || m->http.phase < ALOFT_HTTP_BODY) {
        return UINT32_MAX;
    }
    if (m->http.phase == ALOFT_HTTP_FAILED) {
        return end_list(m, m->http.err);
    }
    enum aloft_err err = print_waiting(m);
    (void)aloft_http_body(m, &len);
    if (err == ALOFT_ERR_CLOSED) {
        return end_list(m, ALOFT_ERR_OK);
    }
    if (err != ALOFT_ERR_AGAIN) {
        return end_list(m, err);
    }
    if (m->http.phase == ALOFT_HTTP_DONE && len == 0) {
        return end_list(m, ALOFT_ERR_TRUNCATED);
    }
    return len > 0 ? ALOFT_AT_TX_POLL_MS : UINT32_MAX;
}

static const struct aloft_command commands[] = {
    {.name = "+CIPFWVER", .query = query},
};

const struct aloft_family aloft_cipfwver_family = {
    .commands = commands,
    .n_commands = sizeof commands / sizeof commands[0],
    .step = step,
};
