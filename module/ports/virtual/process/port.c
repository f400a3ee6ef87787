/* SPDX-License-Identifier: Apache-2.0 */

/* struct aloft_port for Linux: thin functions from the module library to the parts. */

#include "process/machine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sys/random.h>

#include "host/hashes.h"
#include "host/log.h"
#include "process/memory.h"

#define COMMIT_BYTES 4 /* of the ELF's hash: the image names no commit, this one is as unique */
#define DEFAULT_BAUD 115200
#define DATA_BITS    8

static enum aloft_err flash_read_at(void *ctx, uint32_t addr, uint8_t *buf, size_t len)
{
    const struct machine *m = ctx;
    enum aloft_err err = flash_read(flash_file_model(m->flash), addr, buf, len);

    return err == ALOFT_ERR_OK ? err : ALOFT_ERR_FLASH;
}

static enum aloft_err flash_erase_at(void *ctx, uint32_t addr, uint32_t len)
{
    const struct machine *m = ctx;
    enum aloft_err err = flash_erase(flash_file_model(m->flash), addr, len);

    return err == ALOFT_ERR_OK ? err : ALOFT_ERR_FLASH;
}

static enum aloft_err flash_write_at(void *ctx, uint32_t addr, const uint8_t *buf, size_t len)
{
    const struct machine *m = ctx;
    enum aloft_err err = flash_program(flash_file_model(m->flash), addr, buf, len);

    return err == ALOFT_ERR_OK ? err : ALOFT_ERR_FLASH;
}

/* Log the sentence the library has no room for, and pass the code on. */
static enum aloft_err tell(const char *event, enum aloft_err err, const struct error *e)
{
    if (err != ALOFT_ERR_OK) {
        log_warn(event, "error=\"%s\"", e->sentence);
    }
    return err;
}

static enum aloft_err boot_running(void *ctx, struct aloft_slot *ret_slot)
{
    const struct machine *m = ctx;
    int slot = m->booted.slot;

    if (slot < 0 || slot >= ALOFT_BOOT_SLOTS_MAX) {
        return ALOFT_ERR_NOT_FOUND;
    }
    *ret_slot = (struct aloft_slot){
        .index = (uint8_t)slot, .addr = m->booted.addr, .size_bytes = m->booted.size_bytes};
    return ALOFT_ERR_OK;
}

static enum aloft_err boot_spare(void *ctx, struct aloft_slot *ret_slot)
{
    const struct machine *m = ctx;
    struct error e = {0};

    return tell("boot.spare", boot_loader_spare(&m->loader, m->booted.slot, ret_slot, &e), &e);
}

static enum aloft_err boot_select(void *ctx, const struct aloft_slot *slot)
{
    const struct machine *m = ctx;
    struct error e = {0};

    return tell("boot.select", boot_loader_select(&m->loader, slot->index, &e), &e);
}

static enum aloft_err boot_confirm(void *ctx)
{
    const struct machine *m = ctx;
    struct error e = {0};

    return tell("boot.confirm", boot_loader_confirm(&m->loader, m->booted.slot, &e), &e);
}

static enum aloft_err boot_reject(void *ctx)
{
    struct machine *m = ctx;
    struct error e = {0};
    enum aloft_err err = boot_loader_reject(&m->loader, m->booted.slot, &e);

    m->is_rejected = err == ALOFT_ERR_OK;
    return tell("boot.reject", err, &e);
}

static bool boot_is_unconfirmed(void *ctx)
{
    const struct machine *m = ctx;

    return boot_loader_is_unconfirmed(&m->loader, m->booted.slot);
}

static bool boot_is_pending(void *ctx)
{
    const struct machine *m = ctx;

    return boot_loader_is_pending(&m->loader, m->booted.slot);
}

static enum aloft_boot_reason boot_reason(void *ctx)
{
    const struct machine *m = ctx;

    return m->booted.reason;
}

static void boot_restart(void *ctx)
{
    struct machine *m = ctx;

    m->wants_restart = true;
}

enum aloft_err port_get_setting(const struct machine *m, const char *key, void *buf,
                                size_t *ret_len)
{
    const struct virtual_trust *trust = &m->options->trust;
    bool is_ours = trust->ca && strcmp(key, ALOFT_SETTING_TLS_CA) == 0;

    if (!is_ours || !trust->is_fixed) {
        enum aloft_err err = settings_get(m->settings, key, buf, ret_len);
        if (!is_ours || err != ALOFT_ERR_NOT_FOUND) {
            return err;
        }
    }
    if (trust->ca_len > *ret_len) {
        return ALOFT_ERR_TOO_BIG;
    }
    memcpy(buf, trust->ca, trust->ca_len);
    *ret_len = trust->ca_len;
    return ALOFT_ERR_OK;
}

static enum aloft_err get_setting(void *ctx, const char *key, void *buf, size_t *ret_len)
{
    return port_get_setting(ctx, key, buf, ret_len);
}

static enum aloft_err set_setting(void *ctx, const char *key, const void *buf, size_t len)
{
    const struct machine *m = ctx;
    struct error e = {0};

    return tell("settings.set", settings_set(m->settings, key, buf, len, &e), &e);
}

static enum aloft_err remove_setting(void *ctx, const char *key)
{
    const struct machine *m = ctx;
    struct error e = {0};

    return tell("settings.remove", settings_remove(m->settings, key, &e), &e);
}

static enum aloft_err remove_all_settings(void *ctx)
{
    const struct machine *m = ctx;
    struct error e = {0};

    return tell("settings.clear", settings_clear(m->settings, &e), &e);
}

static size_t write_uart(void *ctx, const uint8_t *buf, size_t len)
{
    const struct machine *m = ctx;

    return uart_write(m->uart, buf, len);
}

static bool is_uart_drained(void *ctx)
{
    const struct machine *m = ctx;

    return uart_is_drained(m->uart);
}

/* A PTY or a socket has no speed: every format is as good as the other. */
static enum aloft_err set_uart_format(void *ctx, const struct aloft_uart_format *format)
{
    struct machine *m = ctx;

    m->uart_format = *format;
    return ALOFT_ERR_OK;
}

static void get_uart_format(void *ctx, struct aloft_uart_format *ret_format)
{
    const struct machine *m = ctx;

    *ret_format = m->uart_format;
}

static void firmware_info(void *ctx, struct aloft_firmware_info *ret_info)
{
    const struct machine *m = ctx;
    const struct aloft_app_desc *desc = &m->booted.desc;
    const char *version = m->booted.has_desc ? desc->version : "unknown";

    memset(ret_info, 0, sizeof *ret_info);
    /* The core's version is not in the image; AT releases number both alike. */
    (void)snprintf(ret_info->at_version, sizeof ret_info->at_version, "%s",
                   version[0] == 'v' ? version + 1 : version);
    (void)snprintf(ret_info->app_version, sizeof ret_info->app_version, "%s", version);
    (void)snprintf(ret_info->sdk_version, sizeof ret_info->sdk_version, "%s", desc->idf_version);
    (void)snprintf(ret_info->compile_date, sizeof ret_info->compile_date, "%s", desc->compile_date);
    (void)snprintf(ret_info->compile_time, sizeof ret_info->compile_time, "%s", desc->compile_time);
    hex_encode(desc->elf_sha256, COMMIT_BYTES, ret_info->at_commit);
    hex_encode(desc->elf_sha256, COMMIT_BYTES, ret_info->compile_commit);
}

static void fill_random(void *ctx, void *buf, size_t len)
{
    (void)ctx;
    /* Up to 256 bytes are never cut short (getrandom(2)); the library wants fewer. */
    if (getrandom(buf, len, 0) != (ssize_t)len) {
        abort();
    }
}

static void log_line(void *ctx, const char *line)
{
    (void)ctx;
    log_info("module", "%s", line);
}

void port_reset_uart(struct machine *m)
{
    m->uart_format =
        (struct aloft_uart_format){.baud = DEFAULT_BAUD, .data_bits = DATA_BITS, .stop_bits = 1};
}

static void free_memory(void *ctx, uint32_t *ret_now, uint32_t *ret_least)
{
    struct machine *m = ctx;
    uint32_t now = m->least_free_bytes;

    (void)memory_available(&now); /* else the last known */
    m->least_free_bytes = now < m->least_free_bytes ? now : m->least_free_bytes;
    *ret_now = now;
    *ret_least = m->least_free_bytes;
}

void port_reset_memory(struct machine *m)
{
    m->least_free_bytes = UINT32_MAX;
    (void)memory_available(&m->least_free_bytes);
}

void port_fill(struct machine *m)
{
    uint32_t ignored;

    m->port = (struct aloft_port){
        .ctx = m,
        .flash = {flash_read_at, flash_erase_at, flash_write_at},
        .boot = {boot_running, boot_spare, boot_select, boot_confirm, boot_reject,
                 boot_is_unconfirmed, boot_is_pending, boot_reason, boot_restart},
        .settings = {get_setting, set_setting, remove_setting, remove_all_settings},
        .uart = {write_uart, is_uart_drained, set_uart_format, get_uart_format},
        .sha256 = *m->module_sha256,
        .digest = {.md5 = *m->digest_md5, .sha256 = *m->digest_sha256},
        .random = fill_random,
        .firmware_info = firmware_info,
        .free_memory = memory_available(&ignored) ? free_memory : NULL,
        .log = log_line,
    };
    port_fill_net(&m->port.net);
    port_fill_wifi(&m->port.wifi);
}
