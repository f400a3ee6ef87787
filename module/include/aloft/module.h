/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_MODULE_H
#define ALOFT_MODULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "aloft/attr.h"
#include "aloft/chip.h"
#include "aloft/command.h"
#include "aloft/config.h"
#include "aloft/err.h"
#include "aloft/port.h"
#include "aloft/state/at.h"
#include "aloft/state/ciupdate.h"
#include "aloft/state/clock.h"
#include "aloft/state/http.h"
#include "aloft/state/http_command.h"
#include "aloft/state/net.h"
#include "aloft/state/system.h"
#include "aloft/state/trust.h"
#include "aloft/state/upgrade.h"
#include "aloft/state/userota.h"
#include "aloft/state/web.h"
#include "aloft/state/wifi.h"

/* What you call. One module = one struct aloft_module in the caller's memory; there are no globals.
 */

/** One update server (facts/ciupdate-wire.md 1). */
struct aloft_server {
    const char *host; /**< Name or IPv4 literal; NULL = this mode is not built in (ERROR). */
    uint16_t port;
    const char *token; /**< 40 hex digits; NULL sends `(null)`, as stock does. */
};

/** What a new image must do before it is kept (docs/guide/confirm-and-rollback.md). */
enum aloft_confirm_policy {
    ALOFT_CONFIRM_READY,   /**< Come up: just before `ready`, as stock does. */
    ALOFT_CONFIRM_NETWORK, /**< Have an IPv4 address of the station. */
    ALOFT_CONFIRM_SERVER,  /**< Get an answer of the update server. */
};

/** The trial of a new image. Until it is over upgrades are refused, and any restart is a rollback.
 * Zeroed it is stock's. */
struct aloft_confirm_config {
    enum aloft_confirm_policy policy;
    /** Seconds from boot in which it must succeed, 0 = 600. Then the image is given up, and the
     * module restarts into the one before; where none would boot, it goes on trying. */
    uint32_t limit_s;
    /** The integrator's own check, NULL = none: asked about four times a second once the policy is
     * fulfilled, the first time before `ready` with READY, until it says true. Must not block. */
    bool (*check)(struct aloft_module *m, void *ctx);
    void *check_ctx;
};

/** Run-time configuration; strings are borrowed for the module's life. */
struct aloft_module_config {
    struct aloft_server plain; /**< Mode 0. */
    struct aloft_server tls;   /**< Mode 1. */
    const char *module_name;   /**< As in AT+GMR: `MINI-1`. */
    const char *chip_name;     /**< Of formats' chip table: `esp32c3`. */
    uint16_t chip_revision;    /**< major * 100 + minor; 0 = unknown: any image of the chip fits. */
    /** Of every TLS connection, unless AT+UPDATETLS stored another one. NONE, as stock: anybody on
     * the way can replace the image. */
    enum aloft_tls_trust trust;
    const uint8_t *pin;    /**< ALOFT_TLS_TRUST_PIN: ALOFT_TLS_PIN_BYTES. */
    const char *device_id; /**< `Aloft-Device`; NULL = station MAC as 12 hex digits. */
    const struct aloft_command
        *commands; /**< The integrator's own, looked up before the library's; NULL = none. */
    size_t n_commands;
    char *url_buf;       /**< For URLs and CA certificates; NULL = what needs it answers ERROR. */
    size_t url_cap;      /**< Bytes of it; 8192 for the longest URL. */
    uint8_t *filter_buf; /**< For AT+SYSMSGFILTERCFG; NULL = it answers ERROR. */
    size_t filter_cap;   /**< Bytes of it: 2 for each filter and its own, and 130 more. */
    char *head_buf;      /**< For AT+HTTPCHEAD; NULL = it answers ERROR. */
    size_t head_cap;     /**< Bytes of it: all headers, 2 more for each, and a NUL. */
    void *user;          /**< The integrator's own, see aloft_module_user(). */
    uint8_t *user_ram;   /**< What AT+USERRAM lends to the host MCU; NULL = nothing. */
    size_t user_ram_cap; /**< Bytes of it. */
    struct aloft_confirm_config confirm;
    struct aloft_upgrade_policy upgrade_policy;
    bool accepts_lower_case;  /**< `at+gmr` too; default upper case only. */
    bool query_as_documented; /**< AT+CIUPDATE? prints `+CIPUPDATE:` (docs) instead of `+CIUPDATE:`
                                 (code). */
    bool prints_all_news;     /**< `+CIPUPDATE:2` and `3` although AT+CIUPDATE named a version. */
    bool userota_prints_progress; /**< `+USEROTA:<bytes>,<total>` while the file comes. */
    bool is_trust_fixed; /**< AT+UPDATETLS answers ERROR; what it stored before does not count. */
    struct aloft_web_state *web; /**< Memory of the web server, borrowed for the module's life; NULL
                            = AT+WEBSERVER answers ERROR. */
    const uint8_t
        *page;       /**< What GET / shows, HTML in UTF-8, borrowed; NULL = the library's own. */
    size_t page_len; /**< Its bytes. */
    /* What the web server lets anybody do, as stock firmware does, unless
     * (docs/guide/webserver.md):
     */
    const char *web_authorization; /**< Value every request's `Authorization` must have, such as
                                      `Basic YWRtaW46c2VjcmV0`; NULL = none. */
    bool web_checks_origin;        /**< POSTs that a browser sends for another site are refused. */
    bool has_portal;               /**< Captive portal: all names lead to the module's page. */
    bool web_hides_password;       /**< GET /getstainfo tells the password as empty. */
};

/** The whole module. Complete for static allocation; its members are private. */
struct aloft_module {
    const struct aloft_port *port;
    struct aloft_module_config config;
    const struct aloft_chip *chip; /**< Of `config.chip_name`. */
    uint64_t now_ms;               /**< Of the last step: handlers run when bytes are fed. */
    struct aloft_at_state at;
    struct aloft_basic_state basic; /* These four are small: together they have no gaps. */
    struct aloft_system_state system;
    struct aloft_ciupdate_state ciupdate;
    struct aloft_userota_state userota;
    struct aloft_trust_state trust;
    struct aloft_uart_state uart;
    struct aloft_userram_state userram;
    struct aloft_clock_state clock;
    struct aloft_net_state net;
    struct aloft_http_command_state http_command;
    struct aloft_wifi_state_data wifi;
    struct aloft_http_state http;
    struct aloft_upgrade_state upgrade;
    struct aloft_web_state *web; /**< The caller's; NULL = there is none. */
};

/**
 * Begin: reads stored settings, confirms nothing yet. `ready` is printed by the first steps.
 *
 * @param port    Borrowed for the module's life.
 * @param config  Copied; the strings in it are borrowed.
 * @retval ALOFT_ERR_ARG  A function the library needs is NULL, chip or confirm policy are
 *                        unknown, or the pin is missing.
 */
ALOFT_MUST_CHECK
enum aloft_err aloft_module_init(struct aloft_module *m, const struct aloft_port *port,
                                 const struct aloft_module_config *config, uint64_t now_ms);

/** Bytes the UART received. All are taken (lines too long are swallowed). */
void aloft_module_feed(struct aloft_module *m, const uint8_t *buf, size_t len);

/**
 * Do what can be done without waiting.
 *
 * @return Milliseconds until the next call at the latest; 0 = at once. Call earlier when UART bytes
 *         were fed or a socket became readable or writable.
 */
uint32_t aloft_module_step(struct aloft_module *m, uint64_t now_ms);

/** For handlers of the integrator's own commands: `config.user`, and the port, of which they may
 * use all that does not wait. Setting keys of their own begin with something the library's do not.
 */
void *aloft_module_user(const struct aloft_module *m);
const struct aloft_port *aloft_module_port(const struct aloft_module *m);

#endif
