/* SPDX-License-Identifier: Apache-2.0 */
#include "command/families.h"

#include "aloft/module.h"

#include "at/engine.h"
#include "at/message.h"
#include "at/params.h"
#include "command/http_preset.h"
#include "http/client.h"
#include "log.h"
#include "upgrade/engine.h"
#include "upgrade/proof.h"

/* AT+HTTPCGET and AT+HTTPGETSIZE (facts/at-commands.md 4). Ranges the facts leave open are the
 * vendor manual's. The size is asked for by HEAD. */

#define URL_MAX      ALOFT_CONFIG_LINE_BYTES
#define STALL_MS     5000
#define BUFFER_MAX   10240
#define BUFFER_BYTES 2048
#define LINE_MORE    32     /* Of a `+HTTPCGET:` line beside its data. */
#define FAIL_HTTP    0x7000 /* Error code, plus the status of an answer: facts 1.6. */
#define PIECE_MAX    (ALOFT_CONFIG_TX_BYTES - LINE_MORE)

enum job {
    JOB_NONE,
    JOB_SIZE,
    JOB_GET,
};

enum { URL, TX_BYTES, RX_BYTES, TIMEOUT, PARAMS_MAX };

struct options {
    const char *url;
    size_t url_len;
    int32_t rx_bytes;
    int32_t stall_ms;
};

/* An omitted number, or 0, is the default. */
static bool get_number(struct aloft_module *m, const struct aloft_params *params, uint8_t index,
                       int32_t max, int32_t *ret_value)
{
    const struct aloft_int_range range = {0, max};
    int32_t value = 0;

    if (aloft_params_has(params, index) &&
        !aloft_params_get_int(m, params, index, &range, &value)) {
        return false;
    }
    *ret_value = value > 0 ? value : *ret_value;
    return true;
}

static bool get_options(struct aloft_module *m, const struct aloft_params *params,
                        struct options *ret_options)
{
    int32_t tx_bytes = BUFFER_BYTES; /* Checked only: the client has one buffer, of its own size. */

    *ret_options = (struct options){.rx_bytes = BUFFER_BYTES, .stall_ms = STALL_MS};
    if (!aloft_params_check_count(m, params, 1, PARAMS_MAX) ||
        !aloft_params_get_text(m, params, URL, URL_MAX, &ret_options->url) ||
        !get_number(m, params, TX_BYTES, BUFFER_MAX, &tx_bytes) ||
        !get_number(m, params, RX_BYTES, BUFFER_MAX, &ret_options->rx_bytes) ||
        !get_number(m, params, TIMEOUT, 180000, &ret_options->stall_ms)) {
        return false;
    }
    ret_options->url_len = params->items[URL].text_len;
    if (ret_options->url_len == 0) {
        ret_options->url = aloft_http_preset_url(m, &ret_options->url_len);
    }
    return ret_options->url != NULL;
}

static enum aloft_reply begin(struct aloft_module *m, const struct aloft_params *params,
                              enum job job)
{
    struct options o;

    if (!get_options(m, params, &o)) {
        return ALOFT_REPLY_ERROR;
    }
    const struct aloft_http_request request = {
        .ask = ALOFT_HTTP_ASK_URL,
        .url = o.url,
        .url_len = o.url_len,
        .is_head = job == JOB_SIZE,
        .headers = aloft_http_preset_headers(m),
        .stall_ms = (uint32_t)o.stall_ms,
        .deadline_ms = m->now_ms + ALOFT_CONFIG_TOTAL_MS,
    };
    aloft_proof_yield(m);
    if (aloft_upgrade_is_running(m)) {
        return ALOFT_REPLY_ERROR;
    }
    enum aloft_err err = aloft_http_begin(m, &request);
    if (err != ALOFT_ERR_OK) {
        aloft_log_err(m, "http.refused", err);
        return aloft_at_fail(m, ALOFT_AT_FAIL_INVALID, URL);
    }
    m->http_command.fetch = (uint8_t)job;
    m->http_command.piece = (uint16_t)(o.rx_bytes < PIECE_MAX ? o.rx_bytes : PIECE_MAX);
    return ALOFT_REPLY_LATER;
}

static enum aloft_reply set_httpgetsize(struct aloft_module *m, const struct aloft_params *params)
{
    return begin(m, params, JOB_SIZE);
}

static enum aloft_reply set_httpcget(struct aloft_module *m, const struct aloft_params *params)
{
    return begin(m, params, JOB_GET);
}

static uint32_t finish(struct aloft_module *m, enum aloft_reply reply)
{
    aloft_http_end(m);
    m->http_command.fetch = JOB_NONE;
    aloft_at_finish(m, reply);
    return 0;
}

static uint32_t finish_failed(struct aloft_module *m)
{
    const struct aloft_http_state *h = &m->http;
    bool has_status = h->err == ALOFT_ERR_HTTP_STATUS || h->err == ALOFT_ERR_REDIRECT;

    aloft_log_err(m, "http.failed", h->err);
    return finish(m, aloft_at_fail(m, ALOFT_AT_FAIL_EXECUTION,
                                   (uint16_t)(FAIL_HTTP + (has_status ? h->status : 0))));
}

/* A size nobody tells, or of more than 32 bits, is an error. */
static uint32_t step_size(struct aloft_module *m)
{
    uint64_t bytes;

    if (m->http.phase == ALOFT_HTTP_FAILED) {
        return finish_failed(m);
    }
    if (!aloft_http_body_bytes(m, &bytes) || bytes > UINT32_MAX) {
        return finish(m, ALOFT_REPLY_ERROR);
    }
    aloft_at_print(m, "+HTTPGETSIZE:");
    aloft_at_print_uint(m, (uint32_t)bytes);
    aloft_at_print(m, "\r\n");
    return finish(m, ALOFT_REPLY_OK);
}

/* All that came is printed. */
static uint32_t end_get(struct aloft_module *m)
{
    if (m->http.phase == ALOFT_HTTP_FAILED) {
        return finish_failed(m);
    }
    return m->http.phase == ALOFT_HTTP_DONE ? finish(m, ALOFT_REPLY_OK) : UINT32_MAX;
}

/* Each line goes into an empty TX buffer as a whole, so that no other line can stand within. */
static uint32_t step_get(struct aloft_module *m)
{
    size_t len;
    const uint8_t *body = aloft_http_body(m, &len);

    if (len == 0) {
        return end_get(m);
    }
    aloft_at_flush(m);
    if (aloft_at_print_room(m) < ALOFT_CONFIG_TX_BYTES) {
        return ALOFT_AT_TX_POLL_MS;
    }
    len = len < m->http_command.piece ? len : m->http_command.piece;
    aloft_at_begin_message(m);
    aloft_at_print(m, "+HTTPCGET:");
    aloft_at_print_uint(m, (uint32_t)len);
    aloft_at_print(m, ",");
    aloft_at_print_bytes(m, body, len);
    aloft_at_print(m, "\r\n");
    aloft_at_end_message(m);
    aloft_http_consume(m, len);
    return 0;
}

static uint32_t step(struct aloft_module *m)
{
    if (m->http_command.fetch == JOB_NONE || m->http.phase < ALOFT_HTTP_BODY) {
        return UINT32_MAX;
    }
    return m->http_command.fetch == JOB_SIZE ? step_size(m) : step_get(m);
}

/* clang-format off */
static const struct aloft_command commands[] = {
    {"+HTTPGETSIZE", NULL, NULL, set_httpgetsize, NULL},
    {"+HTTPCGET",    NULL, NULL, set_httpcget,    NULL},
};
/* clang-format on */

const struct aloft_family aloft_http_family = {
    .commands = commands,
    .n_commands = sizeof commands / sizeof commands[0],
    .step = step,
};
