/* SPDX-License-Identifier: Apache-2.0 */
#include "web/hotspot.h"

#include <string.h>

#include "aloft/module.h"

#include "command/wifi.h"
#include "text.h"
#include "web/event.h"
#include "web/provision.h"

/* Numbers of facts/at-commands.md 3.5. */
#define APS_MAX      40
#define RSSI_MIN     (-50)
#define SAME_MIN     5 /* Of the six bytes of a MAC. */
#define TRY_MS       8000
#define LAST_MS      10000 /* In these anything strong is tried. */
#define ROUND_MS     500
#define ROUNDS       20
#define OWN_PORT     3339
#define RECEIVED     "received"
#define VIRTUAL_BIT  0x02 /* Locally administered: phones' hotspots set it, or flip it. */
#define MAC_BYTES    6
#define IPV4_BYTES   4
#define RESULT_BYTES 40 /* `ip=255.255.255.255&port=3339` and a NUL. */

#define PAUSE_MS 500 /* Between two scans: the soft-AP needs the radio too. */
#define POLL_MS  20

/* Kept in a byte of the state. */
enum phase {
    PHASE_REST,
    PHASE_PAUSE,
    PHASE_SCAN, /* The air is looked at. */
    PHASE_TRY,  /* An access point is joined. */
    PHASE_TELL, /* The phone is told, round by round. */
};

static void enter(struct aloft_module *m, enum phase phase, uint32_t ms)
{
    m->web->provision.hotspot.phase = (uint8_t)phase;
    m->web->provision.hotspot.until_ms = m->now_ms + ms;
}

/* Which access point */

static unsigned count_same(const uint8_t *a, const uint8_t *b)
{
    unsigned n = 0;

    for (size_t i = 0; i < MAC_BYTES; i++) {
        n += a[i] == b[i];
    }
    return n;
}

static bool is_phones(const struct aloft_hotspot_state *h, const uint8_t *bssid)
{
    return h->has_phone && count_same(h->phone, bssid) >= SAME_MIN;
}

/* A phone may give its hotspot a MAC of its own making, by a bit of the first byte; stock firmware
 * flips it in the second one. */
static bool is_virtual(const struct aloft_hotspot_state *h, const uint8_t *bssid)
{
    for (size_t i = 0; i < 2 && h->has_phone; i++) {
        uint8_t mac[MAC_BYTES];
        memcpy(mac, h->phone, sizeof mac);
        mac[i] ^= VIRTUAL_BIT;
        if (count_same(mac, bssid) >= SAME_MIN) {
            return true;
        }
    }
    return false;
}

static bool is_any(const struct aloft_hotspot_state *h, const uint8_t *bssid)
{
    (void)h;
    (void)bssid;
    return true;
}

static bool was_tried(const struct aloft_hotspot_state *h, const uint8_t *bssid)
{
    for (size_t i = 0; i < h->n_tried && i < ALOFT_HOTSPOT_TRIED_MAX; i++) {
        if (memcmp(h->tried[i], bssid, MAC_BYTES) == 0) {
            return true;
        }
    }
    return false;
}

static bool is_candidate(const struct aloft_scan_entry *entry)
{
    return entry->ssid[0] != '\0' && entry->rssi >= RSSI_MIN && entry->auth >= ALOFT_WIFI_WPA &&
           entry->auth <= ALOFT_WIFI_WPA2_ENT;
}

typedef bool fits_fn(const struct aloft_hotspot_state *h, const uint8_t *bssid);

/* The strongest one that fits. */
static bool find_one(const struct aloft_module *m, fits_fn *fits,
                     struct aloft_scan_entry *ret_entry)
{
    const struct aloft_hotspot_state *h = &m->web->provision.hotspot;

    for (uint16_t i = 0;
         i < APS_MAX && m->port->wifi.scan_entry(m->port->ctx, i, ret_entry) == ALOFT_ERR_OK; i++) {
        if (is_candidate(ret_entry) && !was_tried(h, ret_entry->bssid) &&
            fits(h, ret_entry->bssid)) {
            return true;
        }
    }
    return false;
}

static bool choose(const struct aloft_module *m, struct aloft_scan_entry *ret_entry)
{
    bool is_late = m->now_ms + LAST_MS >= m->web->provision.deadline_ms;

    return find_one(m, is_phones, ret_entry) ||
           (is_late && (find_one(m, is_virtual, ret_entry) || find_one(m, is_any, ret_entry)));
}

/* The search */

static void begin_try(struct aloft_module *m, const struct aloft_scan_entry *entry)
{
    struct aloft_hotspot_state *h = &m->web->provision.hotspot;
    struct aloft_wifi_join join = {.has_bssid = true, .min_auth = ALOFT_WIFI_WEP};

    memcpy(join.ssid, entry->ssid, sizeof join.ssid);
    memcpy(join.password, m->web->provision.password, sizeof join.password);
    memcpy(join.bssid, entry->bssid, sizeof join.bssid);
    memcpy(h->tried[h->n_tried % ALOFT_HOTSPOT_TRIED_MAX], entry->bssid, MAC_BYTES);
    h->n_tried++;
    if (aloft_wifi_provision_begin(m, &join) == ALOFT_ERR_OK) {
        enter(m, PHASE_TRY, TRY_MS);
    } else {
        enter(m, PHASE_PAUSE, PAUSE_MS);
    }
}

static void scan(struct aloft_module *m)
{
    struct aloft_scan_entry entry;

    if (m->port->wifi.scan_entry(m->port->ctx, 0, &entry) == ALOFT_ERR_AGAIN) {
        return;
    }
    bool has_chosen = choose(m, &entry);
    aloft_wifi_scan_end(m, ALOFT_SCAN_WEB);
    if (has_chosen) {
        begin_try(m, &entry);
    } else {
        enter(m, PHASE_PAUSE, PAUSE_MS);
    }
}

static void pause(struct aloft_module *m)
{
    if (m->now_ms >= m->web->provision.hotspot.until_ms && !m->web->is_scanning &&
        aloft_wifi_scan_begin(m, ALOFT_SCAN_WEB) == ALOFT_ERR_OK) {
        enter(m, PHASE_SCAN, 0);
    }
}

static void give_up(struct aloft_module *m)
{
    aloft_hotspot_stop(m);
    aloft_wifi_provision_stop(m);
    aloft_provision_clear(m);
    aloft_provision_handle(m, ALOFT_PROVISION_GAVE_UP);
    aloft_event_print(m, ALOFT_EVENT_RESULT);
}

/* The result */

static void send_result(struct aloft_module *m)
{
    const struct aloft_hotspot_state *h = &m->web->provision.hotspot;
    struct aloft_wifi_status status;
    struct aloft_addr to = {IPV4_BYTES, {255, 255, 255, 255}};
    char line[RESULT_BYTES];
    struct aloft_text t;

    m->port->wifi.status(m->port->ctx, &status);
    aloft_text_init(&t, line, sizeof line);
    aloft_text_add(&t, "ip=");
    aloft_text_add_ipv4(&t, status.ip);
    aloft_text_add(&t, "&port=");
    aloft_text_add_uint(&t, OWN_PORT);
    /* What does not leave now is sent again in the next round. */
    (void)m->port->net.udp_send(m->port->ctx, h->socket, &to, h->udp_port, (uint8_t *)line, t.len);
    memcpy(to.bytes, status.gateway, IPV4_BYTES);
    (void)m->port->net.udp_send(m->port->ctx, h->socket, &to, h->udp_port, (uint8_t *)line, t.len);
}

static bool open_socket(struct aloft_module *m)
{
    const struct aloft_port_net *net = &m->port->net;
    struct aloft_wifi_status status;
    struct aloft_addr local = {IPV4_BYTES, {0}};

    m->port->wifi.status(m->port->ctx, &status);
    memcpy(local.bytes, status.ip, IPV4_BYTES);
    return net->udp_open != NULL && net->udp_send != NULL && net->udp_receive != NULL &&
           net->udp_open(m->port->ctx, &local, OWN_PORT, &m->web->provision.hotspot.socket) ==
               ALOFT_ERR_OK;
}

static void begin_round(struct aloft_module *m)
{
    m->web->provision.hotspot.n_rounds++;
    send_result(m);
    enter(m, PHASE_TELL, ROUND_MS);
}

static void begin_telling(struct aloft_module *m)
{
    aloft_provision_clear(m);
    aloft_provision_handle(m, ALOFT_PROVISION_GOT_IP);
    if (!open_socket(m)) {
        m->web->provision.hotspot.socket = -1;
        aloft_hotspot_stop(m);
        aloft_provision_handle(m, ALOFT_PROVISION_NO_SOCKET);
        return;
    }
    begin_round(m);
}

static void tell(struct aloft_module *m)
{
    const struct aloft_hotspot_state *h = &m->web->provision.hotspot;
    uint8_t buf[sizeof RECEIVED - 1];
    size_t n = 0;
    enum aloft_err err =
        m->port->net.udp_receive(m->port->ctx, h->socket, buf, sizeof buf, &n, NULL, NULL);

    if (err == ALOFT_ERR_OK && n == sizeof buf && memcmp(buf, RECEIVED, n) == 0) {
        aloft_hotspot_stop(m);
        aloft_event_print(m, ALOFT_EVENT_RESULT);
    } else if (err == ALOFT_ERR_OK || m->now_ms >= h->until_ms) {
        if (h->n_rounds == ROUNDS) {
            aloft_hotspot_stop(m);
        } else {
            begin_round(m);
        }
    }
}

/* An access point is being joined. */
static void try_one(struct aloft_module *m)
{
    if (aloft_wifi_has_ip(m)) {
        begin_telling(m);
    } else if (m->now_ms >= m->web->provision.hotspot.until_ms) {
        aloft_wifi_provision_stop(m);
        enter(m, PHASE_PAUSE, 0);
    }
}

static void find_phone(struct aloft_module *m)
{
    struct aloft_hotspot_state *h = &m->web->provision.hotspot;
    struct aloft_soft_ap_client client;

    h->has_phone = false;
    for (uint8_t i = 0;
         i < UINT8_MAX && m->port->wifi.soft_ap_client(m->port->ctx, i, &client) == ALOFT_ERR_OK;
         i++) {
        memcpy(h->phone, client.mac, sizeof h->phone);
        h->has_phone = true;
    }
}

void aloft_hotspot_begin(struct aloft_module *m)
{
    struct aloft_hotspot_state *h = &m->web->provision.hotspot;

    h->socket = -1;
    h->n_rounds = 0;
    h->n_tried = 0;
    find_phone(m);
    enter(m, PHASE_PAUSE, 0);
}

static const struct {
    void (*work)(struct aloft_module *m);
    bool is_search;
} phases[] = {
    [PHASE_PAUSE] = {pause, true},
    [PHASE_SCAN] = {scan, true},
    [PHASE_TRY] = {try_one, true},
    [PHASE_TELL] = {tell, false},
};

uint32_t aloft_hotspot_step(struct aloft_module *m)
{
    const struct aloft_hotspot_state *h = &m->web->provision.hotspot;

    if (h->phase == PHASE_REST) {
        return UINT32_MAX;
    }
    phases[h->phase].work(m);
    if (h->phase != PHASE_REST && phases[h->phase].is_search &&
        m->now_ms >= m->web->provision.deadline_ms) {
        give_up(m);
    }
    return h->phase == PHASE_REST ? UINT32_MAX : POLL_MS;
}

void aloft_hotspot_stop(struct aloft_module *m)
{
    struct aloft_hotspot_state *h = &m->web->provision.hotspot;

    if (h->phase == PHASE_SCAN) {
        aloft_wifi_scan_end(m, ALOFT_SCAN_WEB);
    }
    if (h->phase == PHASE_TELL) {
        m->port->net.close(m->port->ctx, h->socket);
    }
    h->phase = PHASE_REST;
}

bool aloft_hotspot_is_scanning(const struct aloft_module *m)
{
    return m->web->provision.hotspot.phase == PHASE_SCAN;
}
