/* SPDX-License-Identifier: Apache-2.0 */
#include "clock/sntp.h"

#include <string.h>

#include "aloft/module.h"

#include "at/message.h"
#include "clock/clock.h"
#include "clock/sntp_packet.h"
#include "command/wifi.h"
#include "log.h"

#define POLL_MS       500   /* For an address of the station. */
#define SERVER_MS     5000  /* Name look-up, and then the answer. */
#define PAUSE_MS      15000 /* RFC 4330 10: never more often. */
#define PAUSE_DOUBLES 6     /* Up to 16 minutes. */
#define PACKET_BYTES  512   /* Longer datagrams are dropped by the port. */
#define DATAGRAMS_MAX 8     /* Of strangers, in one step. */

enum phase {
    OFF,
    REST,
    RESOLVE,
    ANSWER,
};

static const char key_names[] = "sntp.names";

/* The vendor's manual names them. */
static const char defaults[] = "cn.ntp.org.cn\0ntp.sjtu.edu.cn\0us.pool.ntp.org";

static void load_names(const struct aloft_module *m, struct aloft_sntp_names *ret_names)
{
    ret_names->len = sizeof ret_names->text;
    enum aloft_err err =
        m->port->settings.get(m->port->ctx, key_names, ret_names->text, &ret_names->len);

    /* Whatever lies there: the last name ends within the text. */
    if (err != ALOFT_ERR_OK || ret_names->len == 0 || ret_names->text[ret_names->len - 1] != '\0') {
        memcpy(ret_names->text, defaults, sizeof defaults);
        ret_names->len = sizeof defaults;
    }
}

enum aloft_err aloft_sntp_set_servers(struct aloft_module *m, const struct aloft_sntp_names *names)
{
    const struct aloft_port_settings *settings = &m->port->settings;
    struct aloft_sntp_names old;

    if (names->len == 0) {
        return settings->remove(m->port->ctx, key_names);
    }
    load_names(m, &old);
    if (old.len == names->len && memcmp(old.text, names->text, old.len) == 0) {
        return ALOFT_ERR_OK;
    }
    return settings->set(m->port->ctx, key_names, names->text, names->len);
}

bool aloft_sntp_get_server(const struct aloft_module *m, uint8_t n, char *ret_name)
{
    struct aloft_sntp_names names;
    size_t at = 0;

    load_names(m, &names);
    for (; n > 0 && at < names.len; n--) {
        at += strlen(names.text + at) + 1;
    }
    if (at >= names.len || strlen(names.text + at) >= ALOFT_SNTP_NAME_BYTES) {
        return false;
    }
    memcpy(ret_name, names.text + at, strlen(names.text + at) + 1);
    return true;
}

bool aloft_sntp_is_possible(const struct aloft_module *m)
{
    const struct aloft_port_net *net = &m->port->net;

    return net->udp_open != NULL && net->udp_send != NULL && net->udp_receive != NULL;
}

static void close_socket(struct aloft_module *m)
{
    m->port->net.close(m->port->ctx, m->clock.sntp.socket);
    m->clock.sntp.socket = -1;
}

void aloft_sntp_start(struct aloft_module *m)
{
    struct aloft_sntp_state *s = &m->clock.sntp;

    close_socket(m);
    s->phase = REST;
    s->due_ms = m->now_ms;
    s->n_fails = 0;
    s->refused = 0;
}

void aloft_sntp_stop(struct aloft_module *m)
{
    close_socket(m);
    m->clock.sntp.phase = OFF;
}

bool aloft_sntp_is_running(const struct aloft_module *m)
{
    return m->clock.sntp.phase != OFF;
}

void aloft_sntp_set_interval(struct aloft_module *m, uint32_t interval_s)
{
    struct aloft_sntp_state *s = &m->clock.sntp;
    uint64_t due_ms = m->now_ms + (uint64_t)interval_s * 1000;

    s->interval_s = interval_s;
    if (s->phase == REST && s->due_ms > due_ms) {
        s->due_ms = due_ms;
    }
}

static void rest(struct aloft_module *m, uint64_t rest_ms)
{
    m->clock.sntp.phase = REST;
    m->clock.sntp.due_ms = m->now_ms + rest_ms;
}

/* No server answered. */
static void end_round(struct aloft_module *m)
{
    struct aloft_sntp_state *s = &m->clock.sntp;

    rest(m, (uint64_t)PAUSE_MS << s->n_fails);
    if (s->n_fails < PAUSE_DOUBLES) {
        s->n_fails++;
    }
}

/* From `server` on, the next one that may be asked. */
static void begin_server(struct aloft_module *m, uint8_t server)
{
    struct aloft_sntp_state *s = &m->clock.sntp;
    char name[ALOFT_SNTP_NAME_BYTES];

    while (server < ALOFT_SNTP_SERVERS && (s->refused >> server & 1) != 0) {
        server++;
    }
    if (server == ALOFT_SNTP_SERVERS || !aloft_sntp_get_server(m, server, name)) {
        end_round(m);
        return;
    }
    s->server = server;
    s->phase = RESOLVE;
    s->due_ms = m->now_ms + SERVER_MS;
}

static void fail_server(struct aloft_module *m, enum aloft_err err)
{
    aloft_log_err(m, "sntp.failed", err);
    close_socket(m);
    begin_server(m, (uint8_t)(m->clock.sntp.server + 1));
}

static void step_rest(struct aloft_module *m)
{
    if (m->now_ms >= m->clock.sntp.due_ms && aloft_wifi_has_ip(m)) {
        begin_server(m, 0);
    }
}

static enum aloft_err send_request(struct aloft_module *m)
{
    struct aloft_sntp_state *s = &m->clock.sntp;
    const struct aloft_port_net *net = &m->port->net;
    uint8_t packet[ALOFT_SNTP_BYTES];
    enum aloft_err err = net->udp_open(m->port->ctx, NULL, 0, &s->socket);

    if (err != ALOFT_ERR_OK) {
        return err;
    }
    /* Nobody who does not see the request can answer it. */
    m->port->random(m->port->ctx, s->cookie, sizeof s->cookie);
    aloft_sntp_encode(s->cookie, packet);
    return net->udp_send(m->port->ctx, s->socket, &s->addr, ALOFT_SNTP_PORT, packet, sizeof packet);
}

static void step_resolve(struct aloft_module *m)
{
    struct aloft_sntp_state *s = &m->clock.sntp;
    char name[ALOFT_SNTP_NAME_BYTES];
    struct aloft_addrs addrs;
    enum aloft_err err = ALOFT_ERR_NOT_FOUND;

    if (aloft_sntp_get_server(m, s->server, name)) {
        err = m->port->net.resolve(m->port->ctx, name, &addrs);
    }
    if (err == ALOFT_ERR_AGAIN && m->now_ms < s->due_ms) {
        return;
    }
    if (err == ALOFT_ERR_OK) {
        s->addr = addrs.items[0];
        err = send_request(m);
    }
    if (err != ALOFT_ERR_OK) {
        fail_server(m, err);
        return;
    }
    s->phase = ANSWER;
    s->due_ms = m->now_ms + SERVER_MS;
}

static bool is_same_addr(const struct aloft_addr *a, const struct aloft_addr *b)
{
    return a->len == b->len && memcmp(a->bytes, b->bytes, a->len) == 0;
}

/* HEADER: not from the server that was asked, or no answer to what it was asked. */
static enum aloft_err receive(struct aloft_module *m, struct aloft_sntp_time *ret_time)
{
    const struct aloft_sntp_state *s = &m->clock.sntp;
    uint8_t packet[PACKET_BYTES];
    struct aloft_addr from;
    uint16_t port;
    size_t len;
    enum aloft_err err = m->port->net.udp_receive(m->port->ctx, s->socket, packet, sizeof packet,
                                                  &len, &from, &port);

    if (err != ALOFT_ERR_OK) {
        return err;
    }
    if (port != ALOFT_SNTP_PORT || !is_same_addr(&from, &s->addr)) {
        return ALOFT_ERR_HEADER;
    }
    return aloft_sntp_parse(packet, len, s->cookie, ret_time);
}

/* Half of the time the exchange took has passed since the server wrote its answer. */
static void take_time(struct aloft_module *m, const struct aloft_sntp_time *time)
{
    struct aloft_sntp_state *s = &m->clock.sntp;
    uint64_t sent_ms = s->due_ms - SERVER_MS;

    aloft_clock_set_ms(m, (uint64_t)time->unix_s * 1000 + time->ms + (m->now_ms - sent_ms) / 2);
    close_socket(m);
    s->n_fails = 0;
    rest(m, (uint64_t)s->interval_s * 1000);
    aloft_at_print_message(m, "+TIME_UPDATED\r\n");
}

static void step_answer(struct aloft_module *m)
{
    struct aloft_sntp_state *s = &m->clock.sntp;
    struct aloft_sntp_time time;
    enum aloft_err err = ALOFT_ERR_HEADER;

    for (unsigned n = 0; err == ALOFT_ERR_HEADER && n < DATAGRAMS_MAX; n++) {
        err = receive(m, &time);
    }
    if (err == ALOFT_ERR_OK) {
        take_time(m, &time);
    } else if (err == ALOFT_ERR_AGAIN || err == ALOFT_ERR_HEADER) {
        if (m->now_ms >= s->due_ms) {
            fail_server(m, ALOFT_ERR_TIMEOUT);
        }
    } else {
        s->refused |= (uint8_t)(err == ALOFT_ERR_STATE ? 1 << s->server : 0);
        fail_server(m, err);
    }
}

uint32_t aloft_sntp_step(struct aloft_module *m)
{
    static void (*const steps[])(struct aloft_module * m) = {
        [REST] = step_rest, [RESOLVE] = step_resolve, [ANSWER] = step_answer};
    const struct aloft_sntp_state *s = &m->clock.sntp;

    if (s->phase == OFF) {
        return UINT32_MAX;
    }
    steps[s->phase](m);
    if (s->due_ms <= m->now_ms) {
        return POLL_MS;
    }
    uint64_t wait_ms = s->due_ms - m->now_ms;
    return wait_ms < UINT32_MAX ? (uint32_t)wait_ms : UINT32_MAX;
}
