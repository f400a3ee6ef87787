/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_PORT_H
#define ALOFT_PORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "aloft/err.h"
#include "aloft/hash.h"

/*
 * What you write: the functions a port supplies. All are called from aloft_module_step() or
 * aloft_module_feed(), in the caller's context, never from an interrupt. None may block on a peer,
 * a timer or a person: what cannot be done yet answers ALOFT_ERR_AGAIN and is asked again. Only
 * flash calls may take the time of one flash operation. `ctx` is the port's own, handed back
 * unchanged.
 */

/** Flash by absolute address. */
struct aloft_port_flash {
    /** @retval ALOFT_ERR_FLASH The content of `buf` is undefined. */
    enum aloft_err (*read)(void *ctx, uint32_t addr, uint8_t *buf, size_t len);
    /** Erase to FF; `addr` and `len` are multiples of 4096. @retval ALOFT_ERR_FLASH The range is
     * undefined. */
    enum aloft_err (*erase)(void *ctx, uint32_t addr, uint32_t len);
    /** Program erased bytes; `addr` and `len` are multiples of 4. @retval ALOFT_ERR_FLASH The range
     * is undefined. */
    enum aloft_err (*write)(void *ctx, uint32_t addr, const uint8_t *buf, size_t len);
};

/** One app slot of the running layout. */
struct aloft_slot {
    uint8_t index; /**< N of ota_N. */
    uint32_t addr;
    uint32_t size_bytes;
};

/** Why this boot happened. */
enum aloft_boot_reason {
    ALOFT_BOOT_POWER,    /**< Power-on, or unknown. */
    ALOFT_BOOT_RESTART,  /**< AT+RST, AT+RESTORE or a crash. */
    ALOFT_BOOT_UPGRADE,  /**< First boot of a newly selected image. */
    ALOFT_BOOT_ROLLBACK, /**< The selected image did not come up; this is the one before. */
};

/** The running image and the boot entry (otadata on ESP chips). */
struct aloft_port_boot {
    /** The slot that runs. @retval ALOFT_ERR_NOT_FOUND What runs is in none (a factory app). */
    enum aloft_err (*running)(void *ctx, struct aloft_slot *ret_slot);
    /** The spare slot an upgrade goes to. @retval ALOFT_ERR_NO_SLOT This layout has none. */
    enum aloft_err (*spare)(void *ctx, struct aloft_slot *ret_slot);
    /**
     * Make the image in `slot` the next to boot; it has been verified. On any error the old choice
     * stands. The write must be such that a power cut leaves either the old or the new choice.
     * @retval ALOFT_ERR_SECURE_VERSION Anti-rollback: it is older than this device allows; the slot
     * was erased.
     */
    enum aloft_err (*select)(void *ctx, const struct aloft_slot *slot);
    /** The running image works: keep it. OK if there is nothing to confirm. */
    enum aloft_err (*confirm)(void *ctx);
    /**
     * The running image does not work: give it up. The library restarts afterwards, and another
     * image boots, with reason() ROLLBACK. That image is verified first, which may take the time to
     * read it.
     * @retval ALOFT_ERR_STATE No other image would boot: nothing changed, this one must go on.
     * @retval ALOFT_ERR_FLASH It could not be written.
     */
    enum aloft_err (*reject)(void *ctx);
    /** The running image waits for confirm(); an upgrade is refused meanwhile. */
    bool (*is_unconfirmed)(void *ctx);
    /** Another slot than the running one is selected (an upgrade waits for its restart). */
    bool (*is_pending)(void *ctx);
    enum aloft_boot_reason (*reason)(void *ctx);
    /** Restart the module; does not return control to the library in a useful way (it may return).
     */
    void (*restart)(void *ctx);
};

/** An IP address in network order bytes. */
struct aloft_addr {
    uint8_t len; /**< 4: IPv4, 16: IPv6. */
    uint8_t bytes[16];
};

/** Addresses of one name that are tried one after the other. */
#define ALOFT_ADDRS_MAX 4

struct aloft_addrs {
    uint8_t n;                                /**< At least 1 after a good look-up. */
    struct aloft_addr items[ALOFT_ADDRS_MAX]; /**< Best first (RFC 6724). */
};

/** What makes the server of a TLS connection the right one. */
enum aloft_tls_trust {
    ALOFT_TLS_TRUST_NONE, /**< Any server, as stock firmware does: for logs a warning. */
    ALOFT_TLS_TRUST_CA,   /**< A chain to a CA of the setting ALOFT_SETTING_TLS_CA, and the name. */
    ALOFT_TLS_TRUST_PIN,  /**< This key, whatever the certificate says. */
};

/** PEM, one or more certificates: read by the port when a connection with ALOFT_TLS_TRUST_CA is
 * opened. Not there, or not readable: the connection fails with ALOFT_ERR_TLS. A port may answer
 * get() with certificates of its firmware while it was never set, and must when the trust is fixed
 * to them (struct aloft_module_config): an earlier firmware may have let somebody set it. */
#define ALOFT_SETTING_TLS_CA "tls.ca"

#define ALOFT_TLS_PIN_BYTES 32

struct aloft_tls {
    const char *host; /**< For SNI (not for a literal), and with CA the name in the certificate. */
    enum aloft_tls_trust trust;
    const uint8_t *pin; /**< PIN: SHA-256 of the server's SubjectPublicKeyInfo (RFC 7469 2.4). */
};

/**
 * Sockets are small non-negative numbers of the port's. Functions from listen() on may be NULL:
 * then what needs them answers ERROR.
 */
struct aloft_port_net {
    /**
     * Name to addresses; an IPv4 or IPv6 literal answers at once. Ask again with the same `host`
     * while AGAIN; questions for different names do not disturb each other.
     * @retval ALOFT_ERR_AGAIN   Being looked up.
     * @retval ALOFT_ERR_RESOLVE No such name, or no network.
     */
    enum aloft_err (*resolve)(void *ctx, const char *host, struct aloft_addrs *ret_addrs);
    /**
     * Begin to connect. Returns at once; the outcome comes from ready().
     * @param tls  NULL = plain TCP. It and what it points to is borrowed until ready() answered.
     * @retval ALOFT_ERR_CONNECT No socket free, or refused at once. `*ret_socket` is -1.
     */
    enum aloft_err (*open)(void *ctx, const struct aloft_addr *addr, uint16_t port,
                           const struct aloft_tls *tls, int *ret_socket);
    /** OK: connected, TLS included. AGAIN. CONNECT or TLS: failed; close() is still due. */
    enum aloft_err (*ready)(void *ctx, int socket);
    /**
     * @retval ALOFT_ERR_OK     `*ret_n` (at least 1) bytes are in `buf`.
     * @retval ALOFT_ERR_AGAIN  Nothing there.
     * @retval ALOFT_ERR_CLOSED The peer ended the stream (FIN or close_notify).
     * @retval ALOFT_ERR_IO     Reset or TLS failure.
     */
    enum aloft_err (*read)(void *ctx, int socket, uint8_t *buf, size_t cap, size_t *ret_n);
    /** Like read(); `*ret_n` bytes were taken. */
    enum aloft_err (*write)(void *ctx, int socket, const uint8_t *buf, size_t len, size_t *ret_n);
    /** Give any kind of socket back; -1 is ignored. */
    void (*close)(void *ctx, int socket);

    /**
     * Accept TCP connections on all interfaces.
     * @param port      0 = any free one.
     * @param ret_port  The one it is.
     * @retval ALOFT_ERR_CONNECT The port is taken, or no socket is free. `*ret_socket` is -1.
     */
    enum aloft_err (*listen)(void *ctx, uint16_t port, int *ret_socket, uint16_t *ret_port);
    /** The next connection, ready for read() and write(). @retval ALOFT_ERR_AGAIN None waits, or
     * no socket is free. */
    enum aloft_err (*accept)(void *ctx, int listener, int *ret_socket);
    /**
     * A UDP socket; broadcasts may be sent.
     * @param local  NULL = all interfaces; else the address it is bound to.
     * @param port   0 = any free one.
     * @retval ALOFT_ERR_CONNECT As with listen().
     */
    enum aloft_err (*udp_open)(void *ctx, const struct aloft_addr *local, uint16_t port,
                               int *ret_socket);
    /** A datagram leaves whole or not at all. @retval ALOFT_ERR_AGAIN Full. @retval ALOFT_ERR_IO.
     */
    enum aloft_err (*udp_send)(void *ctx, int socket, const struct aloft_addr *to, uint16_t port,
                               const uint8_t *buf, size_t len);
    /** The next datagram; one longer than `cap` is dropped. @param ret_from, ret_port  NULL = of no
     * interest. @retval ALOFT_ERR_AGAIN Nothing there. */
    enum aloft_err (*udp_receive)(void *ctx, int socket, uint8_t *buf, size_t cap, size_t *ret_n,
                                  struct aloft_addr *ret_from, uint16_t *ret_port);
    /**
     * One echo request; ask again with the same `to` while AGAIN, one at a time.
     * @retval ALOFT_ERR_AGAIN   No answer yet. The port gives up after a time of its own.
     * @retval ALOFT_ERR_TIMEOUT No answer came.
     * @retval ALOFT_ERR_IO      It could not be sent.
     */
    enum aloft_err (*ping)(void *ctx, const struct aloft_addr *to, uint32_t *ret_ms);
    /**
     * Ask these servers for names, from the next question on, in this order.
     * @param servers  IPv4, copied.
     * @param n        Up to 3; 0 = those the network names, as after init.
     * @retval ALOFT_ERR_UNSUPPORTED The old choice stands.
     */
    enum aloft_err (*set_dns)(void *ctx, const struct aloft_addr *servers, uint8_t n);
};

enum aloft_wifi_state {
    ALOFT_WIFI_IDLE,      /**< Never tried since boot. */
    ALOFT_WIFI_JOINING,   /**< Scanning, associating. */
    ALOFT_WIFI_CONNECTED, /**< Associated, no address yet. */
    ALOFT_WIFI_GOT_IP,
    ALOFT_WIFI_DISCONNECTED, /**< Left, lost or failed: see `fail`. */
};

/** Failure codes of AT+CWJAP, as printed (facts/at-commands.md 4). */
enum aloft_wifi_fail {
    ALOFT_WIFI_FAIL_NONE = 0,
    ALOFT_WIFI_FAIL_TIMEOUT = 1,
    ALOFT_WIFI_FAIL_PASSWORD = 2,
    ALOFT_WIFI_FAIL_NO_AP = 3,
    ALOFT_WIFI_FAIL_OTHER = 4,
};

/** Numbers of the vendor's list (facts/at-commands.md 3.2). */
enum aloft_wifi_auth {
    ALOFT_WIFI_OPEN = 0,
    ALOFT_WIFI_WEP = 1,
    ALOFT_WIFI_WPA = 2,
    ALOFT_WIFI_WPA2 = 3,
    ALOFT_WIFI_WPA_WPA2 = 4,
    ALOFT_WIFI_WPA2_ENT = 5,
    ALOFT_WIFI_WPA3 = 6,
    ALOFT_WIFI_WPA2_WPA3 = 7,
};

struct aloft_wifi_join {
    char ssid[33];
    char password[65];
    uint8_t bssid[6];
    bool has_bssid;
    uint8_t min_auth; /**< enum aloft_wifi_auth: access points below it are as if not there. */
};

struct aloft_wifi_status {
    enum aloft_wifi_state state;
    enum aloft_wifi_fail fail;
    char ssid[33];
    uint8_t bssid[6];
    uint8_t channel;
    int8_t rssi;
    uint8_t ip[4];
    uint8_t gateway[4];
    uint8_t netmask[4];
};

/** One access point of a scan. */
struct aloft_scan_entry {
    char ssid[33]; /**< Empty = hidden. */
    uint8_t bssid[6];
    uint8_t channel;
    int8_t rssi;
    uint8_t auth; /**< enum aloft_wifi_auth. */
};

/** The module's own access point. */
struct aloft_soft_ap {
    char ssid[33];
    char password[65];
    uint8_t channel;
    uint8_t auth; /**< enum aloft_wifi_auth: OPEN, WPA, WPA2 or WPA_WPA2. */
    uint8_t max_stations;
    bool is_hidden;
};

/** A client of the module's own access point. */
struct aloft_soft_ap_client {
    uint8_t mac[6];
    uint8_t ip[4]; /**< 0.0.0.0 = none yet. */
};

/** Address of an interface. */
struct aloft_ip_config {
    uint8_t ip[4];
    uint8_t gateway[4];
    uint8_t netmask[4];
};

struct aloft_port_wifi {
    /** 0 off, 1 station, 2 soft-AP, 3 both. */
    enum aloft_err (*set_mode)(void *ctx, uint8_t mode);
    /** Begin to join; outcome by status(), which from now on no longer shows the AP that was left
     * for it, nor an earlier failure. `join` is copied. */
    enum aloft_err (*join)(void *ctx, const struct aloft_wifi_join *join);
    /** Leave, or give up joining; status() is DISCONNECTED from now on. */
    void (*leave)(void *ctx);
    void (*status)(void *ctx, struct aloft_wifi_status *ret_status);
    void (*station_mac)(void *ctx, uint8_t *ret_mac); /**< 6 bytes. */
    void (*ap_mac)(void *ctx, uint8_t *ret_mac);      /**< 6 bytes. */
    void (*ap_ip)(void *ctx, struct aloft_ip_config *ret_config);
    enum aloft_err (*set_ap_ip)(void *ctx, const struct aloft_ip_config *config);
    /** NULL = by DHCP, as after init. Holds for the present link too. An `ip` of 0.0.0.0: a link
     * gets no address. */
    enum aloft_err (*set_station_ip)(void *ctx, const struct aloft_ip_config *config);
    /** Take effect at once where the mode has a soft-AP; copied. */
    enum aloft_err (*set_soft_ap)(void *ctx, const struct aloft_soft_ap *soft_ap);
    /** The `index`-th client in order of joining, the last one joined last.
     * @retval ALOFT_ERR_NOT_FOUND There are fewer. */
    enum aloft_err (*soft_ap_client)(void *ctx, uint8_t index,
                                     struct aloft_soft_ap_client *ret_client);
    /** Look at all channels; a scan that runs goes on. @retval ALOFT_ERR_STATE The station is off.
     */
    enum aloft_err (*scan)(void *ctx);
    /**
     * The `index`-th access point of the last scan, strongest first.
     * @retval ALOFT_ERR_AGAIN     The scan runs.
     * @retval ALOFT_ERR_NOT_FOUND There are fewer.
     */
    enum aloft_err (*scan_entry)(void *ctx, uint16_t index, struct aloft_scan_entry *ret_entry);
};

/** Small values that survive a restart (NVS on ESP chips). Keys are constants of the library, <= 15
 * bytes. */
struct aloft_port_settings {
    /** @param ret_len In: capacity of `buf`; out: bytes. @retval ALOFT_ERR_NOT_FOUND Never set. */
    enum aloft_err (*get)(void *ctx, const char *key, void *buf, size_t *ret_len);
    /** Stored when it returns; a power cut leaves the old or the new value. */
    enum aloft_err (*set)(void *ctx, const char *key, const void *buf, size_t len);
    /** Remove one; OK if it was not there. */
    enum aloft_err (*remove)(void *ctx, const char *key);
    /** AT+RESTORE: remove all (manufacturing data stays). */
    enum aloft_err (*remove_all)(void *ctx);
};

struct aloft_uart_format {
    uint32_t baud;
    uint8_t data_bits; /**< 5..8. */
    uint8_t stop_bits; /**< 1: 1, 2: 1.5, 3: 2. */
    uint8_t parity;    /**< 0 none, 1 odd, 2 even. */
    uint8_t flow;      /**< 0..3, bit 0 RTS, bit 1 CTS. */
};

struct aloft_port_uart {
    /** Take up to `len` bytes; returns how many were taken (0 = full, try later). */
    size_t (*write)(void *ctx, const uint8_t *buf, size_t len);
    /** All bytes taken have left the wire. */
    bool (*is_drained)(void *ctx);
    enum aloft_err (*set_format)(void *ctx, const struct aloft_uart_format *format);
    void (*get_format)(void *ctx, struct aloft_uart_format *ret_format);
};

/** Texts of the running firmware, read from its own image. */
struct aloft_firmware_info {
    char at_version[33]; /**< `5.1.0.0-dev`: first line of AT+GMR. */
    char at_commit[17];
    char sdk_version[33]; /**< `v5.4.4`. */
    char compile_commit[17];
    char compile_date[17]; /**< `Nov 22 2026`. */
    char compile_time[17]; /**< `12:34:56`. */
    char app_version[33];  /**< `v5.0.1.0`, of the booted slot's own descriptor. */
};

/**
 * For HTTP Digest authentication (RFC 7616): hashes of their own, since a download that is resumed
 * asks for it in the middle of the file `sha256` runs over. `ops` NULL = not answered.
 */
struct aloft_port_digest {
    struct aloft_hash md5;
    struct aloft_hash sha256;
};

/** All a module needs from its platform. Filled by the port, borrowed for the module's whole life.
 */
struct aloft_port {
    void *ctx;
    struct aloft_port_flash flash;
    struct aloft_port_boot boot;
    struct aloft_port_net net;
    struct aloft_port_wifi wifi;
    struct aloft_port_settings settings;
    struct aloft_port_uart uart;
    struct aloft_hash sha256; /**< State memory for one running hash, owned by the port. */
    struct aloft_port_digest digest;
    /** Fill `buf` with bytes nobody can guess. */
    void (*random)(void *ctx, void *buf, size_t len);
    void (*firmware_info)(void *ctx, struct aloft_firmware_info *ret_info);
    /** Bytes of free memory now, and the fewest there ever were; NULL = not known. */
    void (*free_memory)(void *ctx, uint32_t *ret_now, uint32_t *ret_least);
    /** One line for the developer's log, never the AT port; NULL = none. Must not call back. */
    void (*log)(void *ctx, const char *line);
};

#endif
