/* SPDX-License-Identifier: Apache-2.0 */
#include "command/families.h"

#include "aloft/bytes.h"
#include "aloft/module.h"

#include "at/engine.h"
#include "at/params.h"
#include "log.h"

/* The format of the AT port (facts/at-commands.md 1.1, 4): AT+UART_CUR until the next restart,
 * AT+UART_DEF and its alias AT+UART from every boot on. All three switch at once, behind their
 * OK. */

#define CHIP_ID_C2 0x000c /* facts/at-commands.md 5.3. */

#define BAUD_MIN    80
#define BAUD_MAX    5000000
#define BAUD_MAX_C2 2500000

#define DRAIN_MS 3000 /* Like the wait before a restart. */

static const char key_format[] = "uart.def";

/* Layout of key_format: stored, never renumber. */
enum {
    FORMAT_LAYOUT = 1,
    FORMAT_LAYOUT_OFF = 0,
    FORMAT_BAUD_OFF = 1,
    FORMAT_DATA_OFF = 5,
    FORMAT_STOP_OFF = 6,
    FORMAT_PARITY_OFF = 7,
    FORMAT_FLOW_OFF = 8,
    FORMAT_BYTES = 9,
};

static bool load_format(struct aloft_module *m, struct aloft_uart_format *ret_format)
{
    uint8_t stored[FORMAT_BYTES];
    size_t len = sizeof stored;
    enum aloft_err err = m->port->settings.get(m->port->ctx, key_format, stored, &len);

    if (err != ALOFT_ERR_OK || len != sizeof stored || stored[FORMAT_LAYOUT_OFF] != FORMAT_LAYOUT) {
        return false;
    }
    *ret_format = (struct aloft_uart_format){
        .baud = aloft_get_le32(stored + FORMAT_BAUD_OFF),
        .data_bits = stored[FORMAT_DATA_OFF],
        .stop_bits = stored[FORMAT_STOP_OFF],
        .parity = stored[FORMAT_PARITY_OFF],
        .flow = stored[FORMAT_FLOW_OFF],
    };
    return true;
}

static enum aloft_err save_format(struct aloft_module *m, const struct aloft_uart_format *format)
{
    uint8_t stored[FORMAT_BYTES];

    stored[FORMAT_LAYOUT_OFF] = FORMAT_LAYOUT;
    aloft_put_le32(stored + FORMAT_BAUD_OFF, format->baud);
    stored[FORMAT_DATA_OFF] = format->data_bits;
    stored[FORMAT_STOP_OFF] = format->stop_bits;
    stored[FORMAT_PARITY_OFF] = format->parity;
    stored[FORMAT_FLOW_OFF] = format->flow;
    return m->port->settings.set(m->port->ctx, key_format, stored, sizeof stored);
}

static enum aloft_reply print_format(struct aloft_module *m, const char *name,
                                     const struct aloft_uart_format *format)
{
    const uint32_t values[] = {format->baud, format->data_bits, format->stop_bits, format->parity,
                               format->flow};

    aloft_at_print(m, name);
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        aloft_at_print(m, i == 0 ? ":" : ",");
        aloft_at_print_uint(m, values[i]);
    }
    aloft_at_print(m, "\r\n");
    return ALOFT_REPLY_OK;
}

static enum aloft_reply print_present(struct aloft_module *m, const char *name)
{
    struct aloft_uart_format format;

    m->port->uart.get_format(m->port->ctx, &format);
    return print_format(m, name, &format);
}

static enum aloft_reply query_uart_cur(struct aloft_module *m, const struct aloft_params *params)
{
    (void)params;
    return print_present(m, "+UART_CUR");
}

/* Facts leave open what the alias answers: as in the vendor's source, its own name and the present
 * format. */
static enum aloft_reply query_uart(struct aloft_module *m, const struct aloft_params *params)
{
    (void)params;
    return print_present(m, "+UART");
}

static enum aloft_reply query_uart_def(struct aloft_module *m, const struct aloft_params *params)
{
    struct aloft_uart_format format = m->uart.factory;

    (void)params;
    (void)load_format(m, &format); /* Nothing stored: the factory's. */
    return print_format(m, "+UART_DEF", &format);
}

static bool get_format(struct aloft_module *m, const struct aloft_params *params,
                       struct aloft_uart_format *ret_format)
{
    const struct aloft_int_range ranges[] = {
        {BAUD_MIN, m->chip->id == CHIP_ID_C2 ? BAUD_MAX_C2 : BAUD_MAX},
        {5, 8},
        {1, 3},
        {0, 2},
        {0, 3}};
    enum { N_VALUES = sizeof ranges / sizeof ranges[0] };
    int32_t values[N_VALUES];

    if (!aloft_params_check_count(m, params, N_VALUES, N_VALUES)) {
        return false;
    }
    for (uint8_t i = 0; i < N_VALUES; i++) {
        if (!aloft_params_get_int(m, params, i, &ranges[i], &values[i])) {
            return false;
        }
    }
    *ret_format = (struct aloft_uart_format){
        .baud = (uint32_t)values[0],
        .data_bits = (uint8_t)values[1],
        .stop_bits = (uint8_t)values[2],
        .parity = (uint8_t)values[3],
        .flow = (uint8_t)values[4],
    };
    return true;
}

static enum aloft_reply switch_format(struct aloft_module *m,
                                      const struct aloft_uart_format *format)
{
    m->uart.format = *format;
    m->uart.has_format_to_set = true;
    m->uart.deadline_ms = m->now_ms + DRAIN_MS;
    return ALOFT_REPLY_OK;
}

static enum aloft_reply set_uart_cur(struct aloft_module *m, const struct aloft_params *params)
{
    struct aloft_uart_format format;

    return get_format(m, params, &format) ? switch_format(m, &format) : ALOFT_REPLY_ERROR;
}

/* Not subject to AT+SYSSTORE. What cannot be stored is not switched to either. */
static enum aloft_reply set_uart_def(struct aloft_module *m, const struct aloft_params *params)
{
    struct aloft_uart_format format;

    if (!get_format(m, params, &format)) {
        return ALOFT_REPLY_ERROR;
    }
    enum aloft_err err = save_format(m, &format);
    if (err != ALOFT_ERR_OK) {
        aloft_log_err(m, "settings.store_failed", err);
        return ALOFT_REPLY_ERROR;
    }
    return switch_format(m, &format);
}

static void apply_format(struct aloft_module *m, const struct aloft_uart_format *format)
{
    enum aloft_err err = m->port->uart.set_format(m->port->ctx, format);

    if (err != ALOFT_ERR_OK) {
        aloft_log_err(m, "uart.format_refused", err);
    }
}

/* Before `ready`. */
static void init(struct aloft_module *m)
{
    struct aloft_uart_format format;

    m->port->uart.get_format(m->port->ctx, &m->uart.factory);
    if (load_format(m, &format)) {
        apply_format(m, &format);
    }
}

/* The OK leaves at the old rate. */
static uint32_t step(struct aloft_module *m)
{
    if (!m->uart.has_format_to_set) {
        return UINT32_MAX;
    }
    aloft_at_flush(m);
    if (!aloft_at_is_drained(m) && m->now_ms < m->uart.deadline_ms) {
        return ALOFT_AT_TX_POLL_MS;
    }
    m->uart.has_format_to_set = false;
    apply_format(m, &m->uart.format);
    return UINT32_MAX;
}

/* clang-format off */
static const struct aloft_command commands[] = {
    {"+UART",     NULL, query_uart,     set_uart_def, NULL},
    {"+UART_CUR", NULL, query_uart_cur, set_uart_cur, NULL},
    {"+UART_DEF", NULL, query_uart_def, set_uart_def, NULL},
};
/* clang-format on */

const struct aloft_family aloft_uart_family = {
    .commands = commands,
    .n_commands = sizeof commands / sizeof commands[0],
    .init = init,
    .step = step,
};
