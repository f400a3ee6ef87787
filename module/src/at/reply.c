/* SPDX-License-Identifier: Apache-2.0 */
#include "aloft/command.h"

#include <string.h>

#include "aloft/module.h"

#include "at/engine.h"
#include "text.h"

#define NUMBER_BYTES 12 /* `-2147483648` and a NUL. */
#define MAC_BYTES    6
#define MAC_CHARS    18 /* `aa:bb:cc:dd:ee:ff` and a NUL. */
#define IPV4_CHARS   16 /* `255.255.255.255` and a NUL. */

static size_t write_ring(struct aloft_module *m, size_t n)
{
    struct aloft_at_ring *tx = &m->at.tx;
    size_t n_first = (size_t)ALOFT_CONFIG_TX_BYTES - tx->start;

    n = n < n_first ? n : n_first;
    size_t n_taken = m->port->uart.write(m->port->ctx, tx->bytes + tx->start, n);
    if (n_taken > n) {
        return 0;
    }
    tx->start = (uint16_t)((tx->start + n_taken) % ALOFT_CONFIG_TX_BYTES);
    tx->len = (uint16_t)(tx->len - n_taken);
    return n_taken;
}

static size_t write_lent(struct aloft_module *m)
{
    struct aloft_at_lent *lent = &m->at.lent;
    size_t n_taken = m->port->uart.write(m->port->ctx, lent->bytes, lent->len);

    if (n_taken > lent->len) {
        return 0;
    }
    lent->bytes += n_taken;
    lent->len -= n_taken;
    return n_taken;
}

void aloft_at_flush(struct aloft_module *m)
{
    struct aloft_at_lent *lent = &m->at.lent;
    size_t n_taken = 1;

    while (n_taken > 0 && (m->at.tx.len > 0 || lent->len > 0)) {
        if (lent->len == 0) {
            n_taken = write_ring(m, m->at.tx.len);
        } else if (lent->n_before > 0) {
            n_taken = write_ring(m, lent->n_before);
            lent->n_before = (uint16_t)(lent->n_before - n_taken);
        } else {
            n_taken = write_lent(m);
        }
    }
}

void aloft_at_print_lent(struct aloft_module *m, const void *buf, size_t len)
{
    m->at.lent = (struct aloft_at_lent){.bytes = buf, .len = len, .n_before = m->at.tx.len};
    aloft_at_flush(m);
}

bool aloft_at_has_lent(const struct aloft_module *m)
{
    return m->at.lent.len > 0;
}

bool aloft_at_is_drained(const struct aloft_module *m)
{
    return m->at.tx.len == 0 && m->at.lent.len == 0 && m->port->uart.is_drained(m->port->ctx);
}

size_t aloft_at_print_room(const struct aloft_module *m)
{
    return (size_t)ALOFT_CONFIG_TX_BYTES - m->at.tx.len;
}

/* A piece that does not fit even after a flush is lost as a whole: the host does not read, and the
 * module must not wait for it. */
void aloft_at_print_bytes(struct aloft_module *m, const void *buf, size_t len)
{
    struct aloft_at_ring *tx = &m->at.tx;

    if (len > aloft_at_print_room(m)) {
        aloft_at_flush(m);
    }
    if (len == 0 || len > aloft_at_print_room(m)) {
        return;
    }
    size_t at = (size_t)(tx->start + tx->len) % ALOFT_CONFIG_TX_BYTES;
    size_t n_first = ALOFT_CONFIG_TX_BYTES - at;
    n_first = len < n_first ? len : n_first;
    memcpy(tx->bytes + at, buf, n_first);
    memcpy(tx->bytes, (const uint8_t *)buf + n_first, len - n_first);
    tx->len = (uint16_t)(tx->len + len);
    if (m->at.filter.is_message) {
        m->at.filter.message_len = (uint16_t)(m->at.filter.message_len + len);
    }
}

void aloft_at_print(struct aloft_module *m, const char *text)
{
    aloft_at_print_bytes(m, text, strlen(text));
}

static void print_text(struct aloft_module *m, const struct aloft_text *t)
{
    aloft_at_print_bytes(m, t->buf, t->len);
}

void aloft_at_print_int(struct aloft_module *m, int32_t value)
{
    char buf[NUMBER_BYTES];
    struct aloft_text t;

    aloft_text_init(&t, buf, sizeof buf);
    aloft_text_add_int(&t, value);
    print_text(m, &t);
}

void aloft_at_print_uint(struct aloft_module *m, uint32_t value)
{
    char buf[NUMBER_BYTES];
    struct aloft_text t;

    aloft_text_init(&t, buf, sizeof buf);
    aloft_text_add_uint(&t, value);
    print_text(m, &t);
}

void aloft_at_print_hex(struct aloft_module *m, uint32_t value, uint8_t min_digits)
{
    char buf[NUMBER_BYTES];
    struct aloft_text t;

    aloft_text_init(&t, buf, sizeof buf);
    aloft_text_add_hex(&t, value, min_digits);
    print_text(m, &t);
}

void aloft_at_print_ipv4(struct aloft_module *m, const uint8_t *ip)
{
    char buf[IPV4_CHARS];
    struct aloft_text t;

    aloft_text_init(&t, buf, sizeof buf);
    aloft_text_add_ipv4(&t, ip);
    print_text(m, &t);
}

void aloft_at_print_mac(struct aloft_module *m, const uint8_t *mac)
{
    char buf[MAC_CHARS];
    struct aloft_text t;

    aloft_text_init(&t, buf, sizeof buf);
    aloft_text_add_hex_bytes(&t, mac, MAC_BYTES, ':');
    print_text(m, &t);
}

void aloft_at_print_quoted(struct aloft_module *m, const char *text)
{
    aloft_at_print_bytes(m, "\"", 1);
    for (const char *c = text; *c != '\0'; c++) {
        if (*c == '\\' || *c == '"' || *c == ',') {
            aloft_at_print_bytes(m, "\\", 1);
        }
        aloft_at_print_bytes(m, c, 1);
    }
    aloft_at_print_bytes(m, "\"", 1);
}
