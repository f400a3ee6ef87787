/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The host MCU has the last word. AT+USEROTA no longer upgrades: the module asks, and upgrades when
 * the host MCU says so, perhaps after it has saved its work. The new image is kept only if the host
 * MCU says that the product works with it; else the next restart brings the old one back.
 *
 *   AT+USEROTA=<url_len>    prompt, URL, then OK and the line +OTAASK:<url_len>
 *   AT+OTAOK                upgrade now: OK and a restart, or ERROR
 *   AT+OTANO                forget it
 *   AT+OTAKEEP              the new image works
 *
 * Run it like `aloft module`; see docs/guide/integrate.md.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "aloft/module.h"
#include "aloft/upgrade.h"

#include "virtual_main.h"

#define URL_BYTES   2048
#define URL_IDLE_MS 60000 /* a host MCU that dies amid a URL must not keep the port */

struct host_says {
    uint8_t url[URL_BYTES];
    size_t url_len; /* 0 = no question is open */
    bool is_kept;
};

/* All bytes of the URL are there. The question must not come before the OK, so both are printed
 * here. */
static enum aloft_reply ask(struct aloft_module *m, uint8_t *buf, size_t len)
{
    struct host_says *host = aloft_module_user(m);

    (void)buf; /* it is host->url */
    host->url_len = len;
    aloft_at_print(m, "\r\nRecv ");
    aloft_at_print_int(m, (int32_t)len);
    aloft_at_print(m, " bytes\r\n\r\nOK\r\n+OTAASK:");
    aloft_at_print_int(m, (int32_t)len);
    aloft_at_print(m, "\r\n");
    return ALOFT_REPLY_SILENT;
}

/* The name of one of the library's commands: the integrator's table is looked up first. */
static enum aloft_reply set_userota(struct aloft_module *m, const struct aloft_params *params)
{
    struct host_says *host = aloft_module_user(m);
    const struct aloft_param *len = &params->items[0];

    /* While an upgrade runs the URL is in use. */
    if (params->count != 1 || len->kind != ALOFT_PARAM_INTEGER || len->number < 1 ||
        len->number > URL_BYTES || aloft_upgrade_is_running(m)) {
        return ALOFT_REPLY_ERROR;
    }
    host->url_len = 0;
    return aloft_at_take_data(m, host->url, (size_t)len->number, URL_IDLE_MS, ask);
}

/* AT+OTAOK ends here. */
static void take_news(struct aloft_module *m, enum aloft_upgrade_news news)
{
    if (news == ALOFT_UPGRADE_DONE) {
        aloft_at_finish(m, ALOFT_REPLY_RESTART);
    } else if (news == ALOFT_UPGRADE_FAILED) {
        aloft_at_finish(m, ALOFT_REPLY_ERROR);
    }
}

static enum aloft_reply execute_ok(struct aloft_module *m, const struct aloft_params *params)
{
    struct host_says *host = aloft_module_user(m);
    size_t len = host->url_len;

    (void)params;
    host->url_len = 0;
    if (len == 0 ||
        aloft_upgrade_from_url(m, (const char *)host->url, len, take_news) != ALOFT_ERR_OK) {
        return ALOFT_REPLY_ERROR;
    }
    return ALOFT_REPLY_LATER;
}

static enum aloft_reply execute_no(struct aloft_module *m, const struct aloft_params *params)
{
    struct host_says *host = aloft_module_user(m);
    bool was_asked = host->url_len > 0;

    (void)params;
    host->url_len = 0;
    return was_asked ? ALOFT_REPLY_OK : ALOFT_REPLY_ERROR;
}

static enum aloft_reply execute_keep(struct aloft_module *m, const struct aloft_params *params)
{
    struct host_says *host = aloft_module_user(m);

    (void)params;
    host->is_kept = true;
    return ALOFT_REPLY_OK;
}

/* The check of a new image: asked again and again until it says true. */
static bool is_kept(struct aloft_module *m, void *ctx)
{
    const struct host_says *host = ctx;

    (void)m;
    return host->is_kept;
}

static const struct aloft_command commands[] = {
    {.name = "+USEROTA", .set = set_userota},
    {.name = "+OTAOK", .execute = execute_ok},
    {.name = "+OTANO", .execute = execute_no},
    {.name = "+OTAKEEP", .execute = execute_keep},
};

static void customize(struct aloft_module_config *config, void *ctx)
{
    memset(ctx, 0, sizeof(struct host_says)); /* a restart forgets, as it does on a chip */
    config->commands = commands;
    config->n_commands = sizeof commands / sizeof commands[0];
    config->user = ctx;
    config->confirm.check = is_kept;
    config->confirm.check_ctx = ctx;
}

int main(int argc, char **argv)
{
    struct host_says host;

    return virtual_main(argc, argv, customize, &host);
}
