/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_TESTS_FAKE_PORT_H
#define ALOFT_TESTS_FAKE_PORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "aloft/module.h"

/* A port without a world: tests write its inputs (Wi-Fi status, failures, the clock) and read what
 * the module did. Everything is visible; nothing happens by itself. */

#define FAKE_OUT_BYTES      65536
#define FAKE_FLASH_BYTES    0x400000u
#define FAKE_SETTINGS       32
#define FAKE_SETTING_BYTES  8192
#define FAKE_CLIENTS        10
#define FAKE_APS            40
#define FAKE_LOG_BYTES      4096
#define FAKE_UART_UNLIMITED SIZE_MAX

struct fake_setting {
    char key[16]; /**< Empty = free. */
    uint8_t value[FAKE_SETTING_BYTES];
    size_t len;
};

struct fake_uart {
    char out[FAKE_OUT_BYTES + 1]; /**< All that was sent, NUL behind it. */
    size_t out_len;
    size_t n_read;    /**< What fake_port_read() has handed out. */
    size_t room;      /**< Bytes it still takes; FAKE_UART_UNLIMITED by default. */
    bool is_draining; /**< is_drained() says no. */
    struct aloft_uart_format format;
    size_t out_len_at_format; /**< `out_len` when the format was set. */
    unsigned n_formats;
};

struct fake_wifi {
    struct aloft_wifi_status status; /**< What the module sees. join() and leave() set its state. */
    struct aloft_wifi_join join;     /**< Of the last join(). */
    enum aloft_err join_err;
    uint8_t mode;
    enum aloft_err mode_err;
    unsigned n_joins;
    unsigned n_leaves;
    struct aloft_soft_ap soft_ap; /**< Of the last set_soft_ap(). */
    enum aloft_err soft_ap_err;
    unsigned n_soft_aps;
    struct aloft_ip_config ap_ip; /**< All 0: 192.168.4.1/24. */
    struct aloft_ip_config station_ip;
    bool has_station_ip;   /**< The last set_station_ip() was not for DHCP. */
    enum aloft_err ip_err; /**< Of set_ap_ip() and set_station_ip(). */
    struct aloft_soft_ap_client clients[FAKE_CLIENTS];
    uint8_t n_clients;
    struct aloft_scan_entry aps[FAKE_APS]; /**< What a scan finds, in the order it gives them. */
    uint16_t n_aps;
    enum aloft_err scan_err;
    unsigned n_scans;
    unsigned n_scan_agains; /**< So often does scan_entry() still answer AGAIN. */
};

struct fake_boot {
    struct aloft_slot running;
    enum aloft_err running_err;
    struct aloft_slot spare;
    enum aloft_err spare_err;
    struct aloft_slot selected;
    enum aloft_err select_err;
    enum aloft_err confirm_err;
    enum aloft_err reject_err;
    bool is_unconfirmed;
    enum aloft_boot_reason reason;
    unsigned n_selects;
    unsigned n_confirms;
    unsigned n_rejects;
    size_t out_len_at_confirm; /**< UART bytes sent when confirm() was called. */
    unsigned n_restarts;
};

struct fake_flash {
    uint8_t *bytes; /**< FAKE_FLASH_BYTES, erased at first; writes only clear bits. */
    unsigned n_erases;
    unsigned n_writes;
    unsigned n_ops_until_failure; /**< 0 = never. */
};

struct fake_net; /* fake_net.h: scripted sockets; without them there is no network. */

struct fake_port {
    struct aloft_port port;
    struct aloft_module module;
    uint64_t now_ms;
    struct fake_uart uart;
    struct fake_wifi wifi;
    struct fake_boot boot;
    struct fake_flash flash;
    uint32_t memory_now; /**< What free_memory() says. */
    uint32_t memory_least;
    struct fake_setting settings[FAKE_SETTINGS];
    enum aloft_err settings_err; /**< Of set() and remove_all(). */
    struct aloft_firmware_info info;
    struct aloft_hash *sha256;
    struct aloft_hash *digest_md5;
    struct aloft_hash *digest_sha256;
    uint8_t random; /**< Next byte of random(). */
    struct fake_net *net;
    char log[FAKE_LOG_BYTES];
};

/** A module's surroundings: 4 MiB of erased flash, no settings, an esp32c3. Ends the test program
 * if memory is out. */
struct fake_port *fake_port_new(void);
void fake_port_free(struct fake_port *f);

/** The configuration the tests use: esp32c3, MINI-1, servers `plain.test` and `tls.test`. */
struct aloft_module_config fake_port_config(void);

/** Start `f->module` and step it once: `ready` is out, and read. Settings and flash stay. */
void fake_port_boot(struct fake_port *f, const struct aloft_module_config *config);

/** Feed text in one portion and step. */
void fake_port_send(struct fake_port *f, const char *text);

/** Let time pass, stepping as often as the module asks for. */
void fake_port_run(struct fake_port *f, uint32_t ms);

/** What was sent since the last call, up to 64 KiB in all, NUL-terminated; owned by `f`. */
const char *fake_port_read(struct fake_port *f);

#endif
