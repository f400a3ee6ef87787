/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_VIRTUAL_VIRTUAL_H
#define ALOFT_VIRTUAL_VIRTUAL_H

#include <stddef.h>

#include "aloft/attr.h"
#include "aloft/module.h"
#include "host/address.h"
#include "host/error.h"
#include "models/air.h"
#include "process/net.h"

/* The virtual module as a process: `aloft module`. */

struct virtual_server {
    struct address address;
    const char *token; /**< NULL = none. */
};

/** Whom TLS connections trust as if compiled in: struct aloft_module_config. */
struct virtual_trust {
    enum aloft_tls_trust trust;
    const uint8_t *pin; /**< PIN: ALOFT_TLS_PIN_BYTES. */
    const uint8_t *ca;  /**< CA: PEM, what the setting ALOFT_SETTING_TLS_CA is until it is set. */
    size_t ca_len;
    bool is_fixed;
};

/** Change the configuration of the module before it boots; it holds what the options say. What is
 * put into it is borrowed while virtual_run() runs. */
typedef void virtual_customize_fn(struct aloft_module_config *config, void *ctx);

/** All strings are borrowed while virtual_run() runs. */
struct virtual_options {
    const char *flash_path;
    const char *layout;   /**< NULL = the remembered one, or the default for a new file. */
    const char *app_path; /**< NULL unless the flash file is to be made. */
    const char *uart;     /**< As uart_open() takes it. */
    struct virtual_server plain;
    struct virtual_server tls;
    struct virtual_trust trust;
    const uint8_t *mac;     /**< 6 bytes; NULL = the remembered one. */
    bool has_anti_rollback; /**< From now on, remembered by FILE.efuse. */
    bool has_portal;
    struct aloft_confirm_config confirm;
    struct air_ap aps[AIR_APS_MAX];
    size_t n_aps;
    struct air_client clients[AIR_CLIENTS_MAX];
    size_t n_clients;
    struct net_map maps[NET_MAPS_MAX];
    size_t n_maps;
    virtual_customize_fn *customize; /**< Called at every boot; NULL = as it is. */
    void *customize_ctx;
    struct aloft_addr bind; /**< Where the module's own servers are; `len` 0 = 127.0.0.1. */
};

#define VIRTUAL_DEFAULT_LAYOUT "esp32c3_default"

/**
 * Run until SIGTERM, SIGINT, SIGHUP or the end of standard input, if that is the UART.
 * These three signals are blocked for the process from then on.
 *
 * @retval ALOFT_ERR_OK  It was asked to end.
 * @retval others        It could not start, or the module cannot go on.
 */
ALOFT_MUST_CHECK
enum aloft_err virtual_run(const struct virtual_options *options, struct error *e);

#endif
