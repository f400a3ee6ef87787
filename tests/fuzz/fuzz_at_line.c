/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz.h"

#include <string.h>

#include "aloft/command.h"

#include "fake_port.h"

/* Parsers: module/src/at/line.c module/src/at/params.c module/src/at/message.c */

/* Arbitrary UART input meets a whole module. FF bytes stand for time and for what else the world
 * does between two portions, so that commands end, time out and restart. */

#define CHANCE 0xFF

#define MEMORY_BYTES 300

static uint8_t s_data[64];
static uint8_t s_filters[MEMORY_BYTES];
static uint8_t s_user_ram[MEMORY_BYTES];
static char s_head[MEMORY_BYTES];

static enum aloft_reply data_is_there(struct aloft_module *m, uint8_t *buf, size_t len)
{
    MUST(buf == s_data && len >= 1 && len <= sizeof s_data);
    aloft_at_print_bytes(m, buf, len);
    return buf[0] < 0x40 ? ALOFT_REPLY_OK : ALOFT_REPLY_LATER;
}

static void check_params(const struct aloft_params *params)
{
    MUST(params->count >= 1 && params->count <= ALOFT_CONFIG_PARAMS);
    for (size_t i = 0; i < params->count; i++) {
        const struct aloft_param *param = &params->items[i];
        MUST(param->text_len <= ALOFT_CONFIG_LINE_BYTES && param->text[param->text_len] == '\0');
        MUST(param->kind == ALOFT_PARAM_STRING || param->text_len == 0);
        for (size_t at = 0; at < param->text_len; at++) {
            MUST(param->text[at] != '\0');
        }
    }
}

static enum aloft_reply set_data(struct aloft_module *m, const struct aloft_params *params)
{
    check_params(params);
    int32_t len = params->items[0].number;
    if (len < 0 || (size_t)len > sizeof s_data) {
        return ALOFT_REPLY_ERROR;
    }
    return aloft_at_take_data(m, s_data, (size_t)len, 1000, data_is_there);
}

static const struct aloft_command s_commands[] = {{"+D", NULL, NULL, set_data, NULL}};

static void let_something_happen(struct fake_port *f, uint8_t what)
{
    f->wifi.status.state = what % (ALOFT_WIFI_DISCONNECTED + 1);
    f->wifi.n_clients = what % (FAKE_CLIENTS + 1);
    f->wifi.n_aps = what % (FAKE_APS + 1);
    f->wifi.n_scan_agains = what % 4;
    f->uart.is_draining = (what & 0x40) != 0;
    f->uart.room = (what & 0x80) != 0 ? 0 : FAKE_UART_UNLIMITED;
    f->uart.out_len = 0; /* The bytes themselves are checked by the unit tests. */
    f->now_ms += what * 100u;
    MUST(aloft_module_step(&f->module, f->now_ms) <= 250 || f->boot.n_restarts == 1);
    if ((what & 0x20) != 0) {
        aloft_at_finish(&f->module, ALOFT_REPLY_ERROR);
    }
}

/* One port for all inputs, as new each time: 4 MiB of flash for each would take most of the time.
 */
static struct fake_port *renew_port(void)
{
    static struct fake_port *s_port;

    if (s_port == NULL) {
        s_port = fake_port_new();
    }
    memset(&s_port->wifi, 0, sizeof s_port->wifi);
    memset(s_port->settings, 0, sizeof s_port->settings);
    s_port->boot.n_restarts = 0;
    s_port->uart.out_len = 0;
    s_port->uart.n_read = 0;
    s_port->uart.room = FAKE_UART_UNLIMITED;
    s_port->uart.is_draining = false;
    s_port->now_ms = 0;
    return s_port;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fake_port *f = renew_port();
    struct aloft_module_config config = fake_port_config();
    size_t start = 0;

    config.filter_buf = s_filters;
    config.filter_cap = sizeof s_filters;
    config.user_ram = s_user_ram;
    config.user_ram_cap = sizeof s_user_ram;
    config.head_buf = s_head;
    config.head_cap = sizeof s_head;
    config.commands = s_commands;
    config.n_commands = sizeof s_commands / sizeof s_commands[0];
    fake_port_boot(f, &config);
    for (size_t at = 0; at < size; at++) {
        if (data[at] == CHANCE) {
            aloft_module_feed(&f->module, data + start, at - start);
            let_something_happen(f, at + 1 < size ? data[at + 1] : 0);
            at++;
            start = at + 1;
        }
    }
    if (start < size) {
        aloft_module_feed(&f->module, data + start, size - start);
    }
    f->uart.room = FAKE_UART_UNLIMITED;
    MUST(aloft_module_step(&f->module, f->now_ms) <= 250 || f->boot.n_restarts == 1);
    MUST(f->boot.n_restarts <= 1);
    return 0;
}
