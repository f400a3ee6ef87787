/* SPDX-License-Identifier: Apache-2.0 */
#include "command/basic.h"

#include <string.h>

#include "aloft/module.h"

#include "at/engine.h"
#include "at/params.h"
#include "at/table.h"
#include "command/families.h"
#include "log.h"
#include "upgrade/proof.h"

/* Commands every module has (facts/at-commands.md 4). */

#define CHIP_ID_C3 0x0005 /* facts/at-commands.md 5.3. */
#define CHIP_ID_C2 0x000c

#define LISTING_LINE_MORE 40 /* Bytes of a +CMD line beside the command's name, generous. */

static const struct aloft_int_range zero_or_one = {0, 1};

static enum aloft_reply execute_nothing(struct aloft_module *m, const struct aloft_params *params)
{
    (void)m;
    (void)params;
    return ALOFT_REPLY_OK;
}

static enum aloft_reply execute_echo_off(struct aloft_module *m, const struct aloft_params *params)
{
    (void)params;
    m->at.has_echo = false;
    return ALOFT_REPLY_OK;
}

static enum aloft_reply execute_echo_on(struct aloft_module *m, const struct aloft_params *params)
{
    (void)params;
    m->at.has_echo = true;
    return ALOFT_REPLY_OK;
}

/* The four lines, byte exact: facts/at-commands.md 4, AT+GMR. Texts in `parts` up to NULL. */
static void print_parts(struct aloft_module *m, const char *const *parts)
{
    for (; *parts != NULL; parts++) {
        aloft_at_print(m, *parts);
    }
}

static enum aloft_reply execute_gmr(struct aloft_module *m, const struct aloft_params *params)
{
    struct aloft_firmware_info info;

    (void)params;
    m->port->firmware_info(m->port->ctx, &info);
    /* clang-format off */
    const char *const parts[] = {
        "AT version:", info.at_version, "(", info.at_commit, " - ", m->chip->at_name, " - ",
        info.compile_date, " ", info.compile_time, ")\r\n",
        "SDK version:", info.sdk_version, "\r\n",
        "compile time(", info.compile_commit, "):", info.compile_date, " ", info.compile_time,
        "\r\n",
        "Bin version:", info.app_version, "(", m->config.module_name, ")\r\n",
        NULL,
    };
    /* clang-format on */
    print_parts(m, parts);
    return ALOFT_REPLY_OK;
}

static enum aloft_reply execute_rst(struct aloft_module *m, const struct aloft_params *params)
{
    (void)m;
    (void)params;
    return ALOFT_REPLY_RESTART;
}

/* Only C2 and C3 have this form. 1, the download mode of the boot ROM, is an error: the port cannot
 * enter it, and OK would promise a chip that waits for a flasher. */
static enum aloft_reply set_rst(struct aloft_module *m, const struct aloft_params *params)
{
    int32_t mode;

    if (m->chip->id != CHIP_ID_C2 && m->chip->id != CHIP_ID_C3) {
        return aloft_at_fail(m, ALOFT_AT_FAIL_FORM, 0);
    }
    if (!aloft_params_check_count(m, params, 1, 1) ||
        !aloft_params_get_int(m, params, 0, &zero_or_one, &mode)) {
        return ALOFT_REPLY_ERROR;
    }
    return mode == 0 ? ALOFT_REPLY_RESTART : ALOFT_REPLY_ERROR;
}

static enum aloft_reply execute_restore(struct aloft_module *m, const struct aloft_params *params)
{
    (void)params;
    enum aloft_err err = aloft_proof_remove_others(m);
    if (err != ALOFT_ERR_OK) {
        aloft_log_err(m, "settings.remove_failed", err);
        return ALOFT_REPLY_ERROR;
    }
    return ALOFT_REPLY_RESTART;
}

static enum aloft_reply query_cmd(struct aloft_module *m, const struct aloft_params *params)
{
    (void)params;
    m->basic.is_listing = true;
    m->basic.n_listed = 0;
    return ALOFT_REPLY_LATER;
}

static void print_command(struct aloft_module *m, const struct aloft_command *command)
{
    const bool forms[] = {command->test != NULL, command->query != NULL, command->set != NULL,
                          command->execute != NULL};

    aloft_at_print(m, "+CMD:");
    aloft_at_print_int(m, m->basic.n_listed);
    aloft_at_print(m, ",\"AT");
    aloft_at_print(m, command->name);
    aloft_at_print(m, "\"");
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        aloft_at_print(m, forms[i] ? ",1" : ",0");
    }
    aloft_at_print(m, "\r\n");
}

/* As many lines as there is room for; the rest when the UART has taken these. */
static void step_listing(struct aloft_module *m)
{
    const struct aloft_command *command;

    while ((command = aloft_table_at(m, m->basic.n_listed)) != NULL) {
        size_t needed = strlen(command->name) + LISTING_LINE_MORE;
        /* A name longer than the whole buffer is cut rather than waited for without end. */
        if (aloft_at_print_room(m) < needed && aloft_at_print_room(m) < ALOFT_CONFIG_TX_BYTES) {
            return;
        }
        print_command(m, command);
        m->basic.n_listed++;
    }
    if (aloft_at_print_room(m) >= LISTING_LINE_MORE) {
        m->basic.is_listing = false;
        aloft_at_finish(m, ALOFT_REPLY_OK);
    }
}

static void print_switch(struct aloft_module *m, const char *name, bool is_on)
{
    aloft_at_print(m, name);
    aloft_at_print(m, is_on ? ":1\r\n" : ":0\r\n");
}

static enum aloft_reply set_switch(struct aloft_module *m, const struct aloft_params *params,
                                   bool *ret_is_on)
{
    int32_t value;

    if (!aloft_params_check_count(m, params, 1, 1) ||
        !aloft_params_get_int(m, params, 0, &zero_or_one, &value)) {
        return ALOFT_REPLY_ERROR;
    }
    *ret_is_on = value == 1;
    return ALOFT_REPLY_OK;
}

static enum aloft_reply query_syslog(struct aloft_module *m, const struct aloft_params *params)
{
    (void)params;
    print_switch(m, "+SYSLOG", m->at.has_syslog);
    return ALOFT_REPLY_OK;
}

static enum aloft_reply set_syslog(struct aloft_module *m, const struct aloft_params *params)
{
    return set_switch(m, params, &m->at.has_syslog);
}

static enum aloft_reply query_sysstore(struct aloft_module *m, const struct aloft_params *params)
{
    (void)params;
    print_switch(m, "+SYSSTORE", m->basic.has_store);
    return ALOFT_REPLY_OK;
}

/* Not stored itself: 1 at every boot (facts/at-commands.md 4). */
static enum aloft_reply set_sysstore(struct aloft_module *m, const struct aloft_params *params)
{
    return set_switch(m, params, &m->basic.has_store);
}

bool aloft_basic_has_store(const struct aloft_module *m)
{
    return m->basic.has_store;
}

static void init_basic(struct aloft_module *m)
{
    m->basic.has_store = true;
}

static uint32_t step_basic(struct aloft_module *m)
{
    if (m->basic.is_listing) {
        step_listing(m);
    }
    return m->basic.is_listing ? ALOFT_AT_TX_POLL_MS : UINT32_MAX;
}

/* clang-format off */
static const struct aloft_command commands[] = {
    /* name        test  query           set           execute */
    {"",           NULL, NULL,           NULL,         execute_nothing},
    {"E0",         NULL, NULL,           NULL,         execute_echo_off},
    {"E1",         NULL, NULL,           NULL,         execute_echo_on},
    {"+GMR",       NULL, NULL,           NULL,         execute_gmr},
    {"+RST",       NULL, NULL,           set_rst,      execute_rst},
    {"+RESTORE",   NULL, NULL,           NULL,         execute_restore},
    {"+CMD",       NULL, query_cmd,      NULL,         NULL},
    {"+SYSLOG",    NULL, query_syslog,   set_syslog,   NULL},
    {"+SYSSTORE",  NULL, query_sysstore, set_sysstore, NULL},
};
/* clang-format on */

const struct aloft_family aloft_basic_family = {
    .commands = commands,
    .n_commands = sizeof commands / sizeof commands[0],
    .init = init_basic,
    .step = step_basic,
};
