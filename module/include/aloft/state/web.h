/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_STATE_WEB_H
#define ALOFT_STATE_WEB_H

#include <stdbool.h>
#include <stdint.h>

#include "aloft/config.h"
#include "aloft/err.h"
#include "aloft/port.h"

/* Private state of module/src/web, complete only so that it can be allocated statically. It is not
 * part of struct aloft_module: a module without a web server need not have memory for one. */

#define ALOFT_WEB_CONNECTIONS 7 /**< Held at once (facts/at-commands.md 3.1). */

#define ALOFT_HOTSPOT_TRIED_MAX 16

/** A phone's own hotspot is searched: see web/hotspot.h. */
struct aloft_hotspot_state {
    uint64_t until_ms; /**< Of the pause, the try or the round. */
    int socket;        /**< For the result. */
    uint16_t udp_port; /**< Of the phone; 0 = the browser names the access point. */
    uint8_t phase;
    uint8_t n_rounds;
    uint8_t n_tried;
    bool has_phone;
    uint8_t phone[6]; /**< MAC of the client that asks. */
    uint8_t tried[ALOFT_HOTSPOT_TRIED_MAX][6];
};

/** The provisioning: see web/provision.h. */
struct aloft_provision_state {
    uint64_t due_ms;      /**< When to look again. */
    uint64_t deadline_ms; /**< When to give up. */
    uint8_t state;        /**< As GET /getstainfo shows it. */
    uint8_t task;
    char ssid[33];
    char password[65];
    struct aloft_hotspot_state hotspot;
};

struct aloft_web_connection {
    int socket;       /**< -1 = free. */
    uint32_t idle_ms; /**< Time, low bits: since then nobody asked anything. */
};

/** The server: see web/server.h. Its members are private. */
struct aloft_web_state {
    uint64_t begun_ms;     /**< The phase of the current connection began. */
    uint64_t served_ms;    /**< It is served since then, one request or several. */
    uint64_t moved_ms;     /**< Its peer's last sign of life. */
    uint64_t restart_ms;   /**< POST /restart: when; 0 = not asked for. */
    uint64_t body_left;    /**< Bytes of the request's body not read yet. */
    uint64_t body_bytes;   /**< Of the whole body. */
    uint32_t answer_bytes; /**< Of the whole answer, head included. */
    uint32_t answer_off;   /**< Of the window in it. */
    struct aloft_web_connection connections[ALOFT_WEB_CONNECTIONS];
    int listener; /**< -1 = the server does not run. */
    int dns;      /**< Socket of the captive portal; -1 = none. */
    uint16_t port;
    uint16_t timeout_s;  /**< Of provisioning. */
    uint16_t n_in;       /**< Received bytes in front of the buffer. */
    uint16_t n_body;     /**< So many of them are the request's body; others are the next one. */
    uint16_t window_len; /**< Answer bytes behind them. */
    uint16_t n_sent;     /**< Of the window. */
    uint8_t phase;       /**< Of the current connection. */
    uint8_t current;     /**< Index of the connection; of the last one while none is. */
    uint8_t route;
    uint8_t answer;
    bool closes;               /**< The connection ends with this answer. */
    bool is_uploading;         /**< The engine stores the body. */
    int8_t upload_end;         /**< What the engine said last: 0 nothing, 1 done, -1 failed. */
    enum aloft_err upload_err; /**< Why the body ends early. */
    bool is_scanning;          /**< A scan for GET /getaprecord runs, or is read. */
    struct aloft_provision_state provision;
    uint8_t buf[ALOFT_CONFIG_WEB_BYTES];
};

#endif
