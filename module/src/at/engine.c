/* SPDX-License-Identifier: Apache-2.0 */
#include "at/engine.h"

#include <string.h>

#include "aloft/module.h"

#include "at/line.h"
#include "at/message.h"
#include "at/params.h"
#include "at/table.h"
#include "command/families.h"

/*
 * One command at a time (facts/at-commands.md 1.2 to 1.9). The phase tells what input means:
 * a line to execute, a line to answer with `busy`, raw data of the running command, or nothing.
 * Handlers run inside aloft_module_feed(), as soon as their CR LF is there, so that it does not
 * matter in which portions the bytes arrive.
 */

#define DRAIN_MS    3000 /* Longest wait for the UART before a restart (facts 2.1, step 7). */
#define FAIL_MODULE 0x01000000u

static const char prefix[] = "AT";
static const char forced_restart[] = "AT+RST";

enum aloft_reply aloft_at_fail(struct aloft_module *m, enum aloft_at_fail why, uint16_t extension)
{
    m->at.fail_code = FAIL_MODULE | (uint32_t)why << 16 | extension;
    return ALOFT_REPLY_ERROR;
}

static void print_fail_code(struct aloft_module *m)
{
    if (m->at.has_syslog) {
        aloft_at_print(m, "ERR CODE:0x");
        aloft_at_print_hex(m, m->at.fail_code, 8);
        aloft_at_print(m, "\r\n");
    }
}

void aloft_at_restart(struct aloft_module *m)
{
    m->at.phase = ALOFT_AT_RESTARTING;
    m->at.restart_deadline_ms = m->now_ms + DRAIN_MS;
}

void aloft_at_finish(struct aloft_module *m, enum aloft_reply reply)
{
    bool is_running = m->at.phase == ALOFT_AT_RUNNING || m->at.phase == ALOFT_AT_DATA;

    if (!is_running || reply == ALOFT_REPLY_LATER) {
        return;
    }
    m->at.phase = ALOFT_AT_IDLE;
    memset(&m->at.data, 0, sizeof m->at.data);
    /* Surplus of a data phase must not stand in front of the next command. */
    aloft_line_drop(&m->at.line);
    if (reply == ALOFT_REPLY_ERROR) {
        print_fail_code(m);
        aloft_at_print_message(m, "\r\nERROR\r\n");
    } else if (reply != ALOFT_REPLY_SILENT) {
        aloft_at_print_message(m, "\r\nOK\r\n");
    }
    if (reply == ALOFT_REPLY_RESTART) {
        aloft_at_restart(m);
    }
}

enum aloft_reply aloft_at_take_data(struct aloft_module *m, uint8_t *buf, size_t len,
                                    uint32_t idle_ms, aloft_data_fn *done)
{
    if (m->at.phase != ALOFT_AT_RUNNING || len == 0) {
        return ALOFT_REPLY_ERROR;
    }
    m->at.data = (struct aloft_at_data){
        .buf = buf,
        .len = len,
        .idle_ms = idle_ms,
        .deadline_ms = m->now_ms + idle_ms,
        .done = done,
    };
    m->at.phase = ALOFT_AT_DATA;
    aloft_at_print(m, "\r\nOK\r\n\r\n>");
    return ALOFT_REPLY_LATER;
}

/* `rest` is what stands behind the command's name, up to `end`. */
static enum aloft_reply call_form(struct aloft_module *m, const struct aloft_command *command,
                                  char *rest, const char *end)
{
    struct aloft_params params = {.count = 0};
    aloft_command_fn *form = command->set;

    if (rest == end) {
        form = command->execute;
    } else if (*rest == '?') {
        form = command->query;
    } else if (end - rest == 2 && rest[1] == '?') {
        form = command->test;
    } else if (!aloft_params_parse(rest + 1, (size_t)(end - rest - 1), &params) && form != NULL) {
        return aloft_at_fail(m, ALOFT_AT_FAIL_COUNT,
                             ALOFT_CONFIG_PARAMS << 8 | (ALOFT_CONFIG_PARAMS + 1));
    }
    return form != NULL ? form(m, &params) : aloft_at_fail(m, ALOFT_AT_FAIL_FORM, 0);
}

static enum aloft_reply execute_line(struct aloft_module *m, struct aloft_at_line *line)
{
    const char *end = line->text + line->len;
    size_t prefix_len = sizeof prefix - 1;

    if (line->len < prefix_len || !aloft_table_is_same(m, line->text, prefix, prefix_len)) {
        return aloft_at_fail(m, ALOFT_AT_FAIL_NO_AT, 0);
    }
    char *name = line->text + prefix_len;
    char *rest = name;
    while (rest < end && *rest != '=' && *rest != '?') {
        rest++;
    }
    const struct aloft_command *command = aloft_table_find(m, name, (size_t)(rest - name));
    /* A question mark ends the line, or it is a stray byte and the command is another one. */
    if (command == NULL || (*rest == '?' && rest + 1 != end)) {
        return aloft_at_fail(m, ALOFT_AT_FAIL_UNKNOWN, 0);
    }
    return call_form(m, command, rest, end);
}

void aloft_at_force_restart(struct aloft_module *m)
{
    aloft_at_print(m, "\r\nWill force to restart!!!\r\n");
    aloft_at_restart(m);
}

static void answer_busy(struct aloft_module *m, const struct aloft_at_line *line)
{
    size_t len = sizeof forced_restart - 1;

    if (line->len == len && aloft_table_is_same(m, line->text + line->start, forced_restart, len)) {
        aloft_at_force_restart(m);
        return;
    }
    uint32_t code_of_running = m->at.fail_code;
    (void)aloft_at_fail(m, ALOFT_AT_FAIL_BUSY, 0);
    print_fail_code(m);
    m->at.fail_code = code_of_running;
    aloft_at_print_message(m, "\r\nbusy p...\r\n");
}

static void take_line(struct aloft_module *m, enum aloft_line_event event)
{
    if (m->at.phase == ALOFT_AT_RUNNING) {
        answer_busy(m, &m->at.line);
        return;
    }
    m->at.phase = ALOFT_AT_RUNNING;
    (void)aloft_at_fail(m, ALOFT_AT_FAIL_EXECUTION, 0);
    if (event == ALOFT_LINE_TOO_LONG) {
        aloft_at_finish(m, aloft_at_fail(m, ALOFT_AT_FAIL_LINE_END, 0));
        return;
    }
    aloft_at_finish(m, execute_line(m, &m->at.line));
    if (m->at.phase == ALOFT_AT_RUNNING || m->at.phase == ALOFT_AT_DATA) {
        aloft_line_keep(&m->at.line);
    }
}

static size_t take_data(struct aloft_module *m, const uint8_t *buf, size_t len)
{
    struct aloft_at_data *data = &m->at.data;
    size_t n = data->len - data->n_got;

    n = len < n ? len : n;
    memcpy(data->buf + data->n_got, buf, n);
    data->n_got += n;
    data->deadline_ms = m->now_ms + data->idle_ms;
    if (data->n_got == data->len) {
        m->at.phase = ALOFT_AT_RUNNING;
        aloft_at_finish(m, data->done(m, data->buf, data->len));
    }
    return n;
}

static void take_byte(struct aloft_module *m, uint8_t byte)
{
    if (m->at.has_echo) {
        aloft_at_print_bytes(m, &byte, 1);
    }
    enum aloft_line_event event = aloft_line_add(&m->at.line, byte);
    if (event != ALOFT_LINE_MORE) {
        take_line(m, event);
        aloft_line_clear(&m->at.line);
    }
}

void aloft_at_feed(struct aloft_module *m, const uint8_t *buf, size_t len)
{
    size_t at = 0;

    while (at < len && aloft_at_is_serving(m)) {
        if (m->at.phase == ALOFT_AT_DATA) {
            at += take_data(m, buf + at, len - at);
        } else {
            take_byte(m, buf[at++]);
        }
    }
    aloft_at_flush(m);
}

void aloft_at_init(struct aloft_module *m)
{
    m->at.phase = ALOFT_AT_BOOTING;
    m->at.has_echo = true;
}

bool aloft_at_is_serving(const struct aloft_module *m)
{
    return m->at.phase == ALOFT_AT_IDLE || m->at.phase == ALOFT_AT_RUNNING ||
           m->at.phase == ALOFT_AT_DATA;
}

static void finish_boot(struct aloft_module *m)
{
    for (size_t i = 0; i < aloft_n_families; i++) {
        if (aloft_families[i]->boot != NULL) {
            aloft_families[i]->boot(m);
        }
    }
    if (m->at.phase == ALOFT_AT_BOOTING) { /* No family began a restart. */
        aloft_at_print(m, "\r\nready\r\n");
        m->at.phase = ALOFT_AT_IDLE;
    }
}

void aloft_at_begin_step(struct aloft_module *m)
{
    const struct aloft_at_data *data = &m->at.data;

    if (m->at.phase == ALOFT_AT_BOOTING) {
        finish_boot(m);
    } else if (m->at.phase == ALOFT_AT_DATA && data->idle_ms > 0 &&
               m->now_ms >= data->deadline_ms) {
        aloft_at_finish(m, ALOFT_REPLY_ERROR);
    }
}

static void stop_families(struct aloft_module *m)
{
    for (size_t i = 0; i < aloft_n_families; i++) {
        if (aloft_families[i]->stop != NULL) {
            aloft_families[i]->stop(m);
        }
    }
}

static uint32_t step_restart(struct aloft_module *m)
{
    if (aloft_at_is_drained(m) || m->now_ms >= m->at.restart_deadline_ms) {
        m->at.phase = ALOFT_AT_HALTED;
        stop_families(m);
        m->port->boot.restart(m->port->ctx);
        return UINT32_MAX;
    }
    return ALOFT_AT_TX_POLL_MS;
}

uint32_t aloft_at_end_step(struct aloft_module *m)
{
    aloft_at_flush(m);
    if (m->at.phase == ALOFT_AT_RESTARTING) {
        return step_restart(m);
    }
    if (m->at.tx.len > 0 || m->at.lent.len > 0) {
        return ALOFT_AT_TX_POLL_MS;
    }
    if (m->at.phase == ALOFT_AT_DATA && m->at.data.idle_ms > 0) {
        /* Not over: begin_step() has just looked. */
        return (uint32_t)(m->at.data.deadline_ms - m->now_ms);
    }
    return UINT32_MAX;
}
