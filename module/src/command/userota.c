/* SPDX-License-Identifier: Apache-2.0 */
#include "command/families.h"

#include "aloft/limits.h"
#include "aloft/module.h"

#include "at/params.h"
#include "command/http_preset.h"
#include "log.h"

/* AT+USEROTA (facts/at-commands.md 2.1), without the defects of 6.2: the URL phase ends, a stall
 * ends, and a URL may have all of its 8192 bytes. Only `ota` is written, never a user partition. */

static void print_progress(struct aloft_module *m, uint32_t bytes, uint32_t total)
{
    aloft_at_print(m, "+USEROTA:");
    aloft_at_print_int(m, (int32_t)bytes);
    aloft_at_print(m, ",");
    aloft_at_print_int(m, (int32_t)total);
    aloft_at_print(m, "\r\n");
    m->userota.printed_bytes = bytes;
}

static void report_progress(struct aloft_module *m, uint32_t least_bytes)
{
    uint32_t bytes = 0;
    uint32_t total = 0;

    aloft_upgrade_progress(m, &bytes, &total);
    if (m->config.userota_prints_progress && bytes >= m->userota.printed_bytes + least_bytes) {
        print_progress(m, bytes, total);
    }
}

static void take_news(struct aloft_module *m, enum aloft_upgrade_news news)
{
    if (news == ALOFT_UPGRADE_DONE) {
        report_progress(m, 1);
        aloft_at_finish(m, ALOFT_REPLY_RESTART);
    } else if (news == ALOFT_UPGRADE_FAILED) {
        aloft_at_finish(m, ALOFT_REPLY_ERROR);
    }
    m->userota.is_running = news != ALOFT_UPGRADE_DONE && news != ALOFT_UPGRADE_FAILED;
}

static enum aloft_reply take_url(struct aloft_module *m, uint8_t *buf, size_t len)
{
    aloft_at_print(m, "\r\nRecv ");
    aloft_at_print_int(m, (int32_t)len);
    aloft_at_print(m, " bytes\r\n");
    enum aloft_err err = aloft_upgrade_from_url(m, (const char *)buf, len, take_news);
    if (err != ALOFT_ERR_OK) {
        aloft_log_err(m, "userota.refused", err);
    }
    /* A line end behind the URL, in the same portion, is surplus of this command even if it fails
     * at once: ERROR waits for the next step. */
    m->userota = (struct aloft_userota_state){
        .is_running = err == ALOFT_ERR_OK,
        .is_refused = err != ALOFT_ERR_OK,
    };
    return ALOFT_REPLY_LATER;
}

static enum aloft_reply set(struct aloft_module *m, const struct aloft_params *params)
{
    size_t cap = m->config.url_cap < ALOFT_URL_MAX ? m->config.url_cap : ALOFT_URL_MAX;
    const struct aloft_int_range lens = {1, (int32_t)cap};
    int32_t len = 0;

    /* The buffer may still be read by an upgrade that somebody else began. */
    if (!aloft_params_check_count(m, params, 1, 1) || m->config.url_buf == NULL ||
        !aloft_params_get_int(m, params, 0, &lens, &len) || aloft_upgrade_is_running(m)) {
        return ALOFT_REPLY_ERROR;
    }
    aloft_http_preset_forget_url(m);
    return aloft_at_take_data(m, (uint8_t *)m->config.url_buf, (size_t)len,
                              ALOFT_CONFIG_URL_IDLE_MS, take_url);
}

/* The engine is stepped by the family of AT+CIUPDATE. */
static uint32_t step(struct aloft_module *m)
{
    if (m->userota.is_running) {
        report_progress(m, ALOFT_CONFIG_PROGRESS_BYTES);
    }
    if (m->userota.is_refused) {
        m->userota.is_refused = false;
        aloft_at_finish(m, ALOFT_REPLY_ERROR);
    }
    return UINT32_MAX;
}

static const struct aloft_command commands[] = {
    {.name = "+USEROTA", .set = set},
};

const struct aloft_family aloft_userota_family = {
    .commands = commands,
    .n_commands = sizeof commands / sizeof commands[0],
    .step = step,
};
