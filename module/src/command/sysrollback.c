/* SPDX-License-Identifier: Apache-2.0 */
#include "command/families.h"

#include "aloft/app_image.h"
#include "aloft/module.h"

#include "upgrade/engine.h"

/* AT+SYSROLLBACK (facts/at-commands.md 4): back to the image in the other slot. */

#define PRINTABLE_FIRST 0x20
#define PRINTABLE_LAST  0x7E

/* What stands in a slot may be anything: no line end of it gets into an answer. */
static bool is_printable(const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text < PRINTABLE_FIRST || *text > PRINTABLE_LAST) {
            return false;
        }
    }
    return true;
}

/* `0x<addr>,"<version>"`; the version is empty where no image says one. */
static void print_slot(struct aloft_module *m, const struct aloft_slot *slot)
{
    uint8_t buf[ALOFT_APP_DESC_BYTES];
    struct aloft_app_desc desc;
    uint32_t addr = slot->addr + ALOFT_APP_DESC_OFF;
    bool has_version = m->port->flash.read(m->port->ctx, addr, buf, sizeof buf) == ALOFT_ERR_OK &&
                       aloft_app_desc_parse(buf, &desc) == ALOFT_ERR_OK &&
                       is_printable(desc.version);

    aloft_at_print(m, "0x");
    aloft_at_print_hex(m, slot->addr, 1);
    aloft_at_print(m, ",");
    aloft_at_print_quoted(m, has_version ? desc.version : "");
}

static enum aloft_reply query(struct aloft_module *m, const struct aloft_params *params)
{
    struct aloft_slot running;
    struct aloft_slot other;

    (void)params;
    if (m->port->boot.running(m->port->ctx, &running) != ALOFT_ERR_OK ||
        m->port->boot.spare(m->port->ctx, &other) != ALOFT_ERR_OK) {
        return ALOFT_REPLY_ERROR;
    }
    aloft_at_print(m, "+SYSROLLBACK:");
    print_slot(m, &running);
    aloft_at_print(m, ",");
    print_slot(m, &other);
    aloft_at_print(m, "\r\n");
    return ALOFT_REPLY_OK;
}

static void take_news(struct aloft_module *m, enum aloft_upgrade_news news)
{
    aloft_at_finish(m, news == ALOFT_UPGRADE_DONE ? ALOFT_REPLY_RESTART : ALOFT_REPLY_ERROR);
}

/* The engine verifies the other slot a portion a step, and lets nothing else upgrade meanwhile. */
static enum aloft_reply execute(struct aloft_module *m, const struct aloft_params *params)
{
    const struct aloft_upgrade_job job = {
        .kind = ALOFT_UPGRADE_PRESENT, .name = "ota", .tell = take_news};

    (void)params;
    return aloft_upgrade_start(m, &job) == ALOFT_ERR_OK ? ALOFT_REPLY_LATER : ALOFT_REPLY_ERROR;
}

static const struct aloft_command commands[] = {
    {.name = "+SYSROLLBACK", .query = query, .execute = execute},
};

const struct aloft_family aloft_sysrollback_family = {
    .commands = commands,
    .n_commands = sizeof commands / sizeof commands[0],
};
