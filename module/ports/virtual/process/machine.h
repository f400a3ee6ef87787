/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_VIRTUAL_MACHINE_H
#define ALOFT_VIRTUAL_MACHINE_H

#include <stdbool.h>
#include <stdint.h>

#include "aloft/layout.h"
#include "aloft/module.h"
#include "models/air.h"
#include "models/boot_loader.h"
#include "process/efuse_file.h"
#include "process/flash_file.h"
#include "process/identity.h"
#include "process/net.h"
#include "process/settings.h"
#include "process/uart.h"
#include "process/virtual.h"

#define MACHINE_USER_RAM_BYTES 4096 /**< What AT+USERRAM lends out. */
#define MACHINE_HEAD_BYTES     1024 /**< For AT+HTTPCHEAD. */
#define MACHINE_FILTER_BYTES   2048 /**< For AT+SYSMSGFILTERCFG. */

/* The parts of one virtual module, shared by virtual.c (life) and port.c (what the module library
 * calls). Above the line: what a reset leaves alone. Below: what it makes anew. */

#define VIRTUAL_URL_BYTES 8192 /* the longest URL: facts/at-commands.md 2.1 */

struct machine {
    const struct virtual_options *options;
    const struct aloft_layout *layout;
    const struct aloft_chip *chip;
    struct identity identity;
    struct flash_file *flash;
    struct efuse_file *efuse; /**< NULL = no anti-rollback. */
    struct settings *settings;
    struct uart *uart;
    struct net *net;
    struct air air; /**< Its access points and clients stay, the rest is reset. */
    struct aloft_hash *module_sha256;
    struct aloft_hash *digest_md5;
    struct aloft_hash *digest_sha256;
    struct aloft_hash
        *loader_sha256; /**< Not the module's: select() verifies while that may run. */
    struct aloft_hash *loader_md5;
    struct boot_loader loader;
    struct aloft_port port;
    uint64_t now_ms;
    /* --- */
    bool is_running; /**< An image was booted. */
    bool wants_restart;
    bool is_rejected;      /**< The image that runs gave itself up. */
    uint64_t next_boot_ms; /**< Not running: when to try again. */
    struct boot_result booted;
    struct aloft_uart_format uart_format;
    uint32_t least_free_bytes; /**< Of memory, seen at boot or when asked. */
    uint8_t user_ram[MACHINE_USER_RAM_BYTES];
    struct aloft_web_state web;
    struct aloft_module module;
    char url_buf[VIRTUAL_URL_BYTES];
    char head_buf[MACHINE_HEAD_BYTES];
    uint8_t filter_buf[MACHINE_FILTER_BYTES];
};

/** settings_get(), and for ALOFT_SETTING_TLS_CA the CA of the options: until the setting is set, or
 * with fixed trust whatever it is. */
enum aloft_err port_get_setting(const struct machine *m, const char *key, void *buf,
                                size_t *ret_len);

/** The format after every reset: 115200 8N1, no flow control (facts/at-commands.md 1.1). */
void port_reset_uart(struct machine *m);

/** The least free memory is counted from now on. */
void port_reset_memory(struct machine *m);

/** Its network part, over `machine.net`; `machine.air` says whether there is a link. */
void port_fill_net(struct aloft_port_net *net);

/** Its Wi-Fi part, over `machine.air`. */
void port_fill_wifi(struct aloft_port_wifi *wifi);

/** Fill `m->port`; the parts it needs stand. */
void port_fill(struct machine *m);

#endif
