/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/contact_notes.h"

#include <stdlib.h>
#include <string.h>

#include "host/log.h"
#include "store/devices.h"

#define APP_FILE     "ota.bin" /* only this one carries the version */
#define RECENT_SLOTS 4096u /* a device falls into one; two that share it are written more often */
#define LATE_MS      2000 /* the module plane looks after the last acknowledgement so late at most */
#define FNV_OFFSET   2166136261u
#define FNV_PRIME    16777619u

/* The last news of a device that were written. */
struct recent {
    int64_t product_id;       /* 0 = empty */
    int64_t seen_ms;          /* as written */
    int64_t said_ms;          /* when the same was said last */
    struct contact_peer peer; /* its port is not compared */
    char device[ALOFT_OUR_HEADER_MAX + 1];
    char running[ALOFT_OUR_HEADER_MAX + 1];
    char token_prefix[CONTACT_TOKEN_PREFIX + 1];
};

struct contact_notes {
    struct db *db;
    struct recent recent[RECENT_SLOTS];
};

struct contact_notes *contact_notes_new(struct db *db)
{
    struct contact_notes *notes = calloc(1, sizeof *notes);

    if (notes) {
        notes->db = db;
    }
    return notes;
}

void contact_notes_free(struct contact_notes *notes)
{
    free(notes);
}

static uint32_t add_to_hash(uint32_t hash, const void *buf, size_t len)
{
    const uint8_t *p = buf;

    for (size_t i = 0; i < len; i++) {
        hash = (hash ^ p[i]) * FNV_PRIME;
    }
    return hash;
}

static struct recent *slot_of(struct contact_notes *notes, const struct contact *c)
{
    uint32_t hash = add_to_hash(FNV_OFFSET, &c->product_id, sizeof c->product_id);

    hash = c->headers.device[0] ? add_to_hash(hash, c->headers.device, strlen(c->headers.device))
                                : add_to_hash(hash, c->peer.address, sizeof c->peer.address);
    return &notes->recent[hash % RECENT_SLOTS];
}

/* `192.0.2.7:40112` and `[2001:db8::1]:40112` without port and brackets. */
static void address_text(const struct contact_peer *peer, char *buf, size_t cap)
{
    char text[CONTACT_ADDRESS_BYTES + 8]; /* an IPv6 address, brackets and a port */

    contact_peer_text(peer, text, sizeof text);
    char *colon = strrchr(text, ':');
    if (colon) {
        *colon = '\0';
    }
    const char *start = text[0] == '[' ? text + 1 : text;
    size_t len = strcspn(start, "]");
    if (len >= cap) {
        len = cap - 1;
    }
    memcpy(buf, start, len);
    buf[len] = '\0';
}

static bool is_delivery(const struct contact *c)
{
    return c->outcome == CONTACT_FILE_DELIVERED && strcmp(c->file_name, APP_FILE) == 0;
}

static bool is_same_device(const struct recent *r, const struct contact *c)
{
    return r->product_id == c->product_id && r->peer.is_v6 == c->peer.is_v6 &&
           memcmp(r->peer.address, c->peer.address, sizeof r->peer.address) == 0 &&
           strcmp(r->device, c->headers.device) == 0;
}

/* Proof was looked for when the same words were written, and nothing was delivered since: a
 * delivery empties the slot. */
static bool is_old_news(const struct recent *r, const struct contact *c)
{
    return is_same_device(r, c) && !is_delivery(c) &&
           c->time_ms - r->seen_ms < CONTACT_NOTES_INTERVAL_MS && c->time_ms >= r->seen_ms &&
           strcmp(r->token_prefix, c->token_prefix) == 0 &&
           strcmp(r->running, c->headers.version) == 0;
}

/* The end of a delivery may come to be known when a quick module has restarted and spoken already:
 * it asked for the file as another version, and the last it said since is this one. */
static bool has_restarted(const struct recent *r, const struct contact *delivery)
{
    return is_same_device(r, delivery) && strcmp(r->running, delivery->version) == 0 &&
           strcmp(delivery->headers.version, delivery->version) != 0 &&
           r->said_ms >= delivery->time_ms - delivery->duration_ms - LATE_MS;
}

/* What the device runs as far as this contact tells; NULL = it does not. While the app is on its
 * way the old version speaks: the same version sent again must not prove itself. */
static const char *running_version(const struct recent *r, const struct contact *c)
{
    if (!is_delivery(c)) {
        return c->headers.version;
    }
    return has_restarted(r, c) ? c->version : NULL;
}

static void remember(struct recent *r, const struct contact *c)
{
    *r = (struct recent){0};
    if (is_delivery(c)) {
        return;
    }
    r->product_id = c->product_id;
    r->seen_ms = c->time_ms;
    r->said_ms = c->time_ms;
    r->peer = c->peer;
    memcpy(r->device, c->headers.device, sizeof r->device);
    memcpy(r->running, c->headers.version, sizeof r->running);
    memcpy(r->token_prefix, c->token_prefix, sizeof r->token_prefix);
}

static enum aloft_err note(struct db *db, struct contact *c, const char *running, struct error *e)
{
    char address[DEVICE_ADDRESS_MAX + 1];
    bool is_proven = false;

    address_text(&c->peer, address, sizeof address);
    struct device_news news = {
        .product_id = c->product_id,
        .device = c->headers.device[0] ? c->headers.device : address,
        .token_prefix = c->token_prefix,
        .address = address,
        .delivered_version = is_delivery(c) ? c->version : NULL,
        .running_version = running,
        .seen_ms = c->time_ms,
    };
    enum aloft_err err = devices_note(db, &news, &is_proven, e);
    if (err == ALOFT_ERR_OK && is_proven) {
        log_info("device.proven", "device=\"%s\" version=%s", news.device, news.running_version);
        if (c->outcome == CONTACT_VERSION_TOLD) {
            c->outcome = CONTACT_PROVEN;
        }
    }
    return err;
}

enum aloft_err contact_notes_write(struct contact_notes *notes, struct contact *contacts,
                                   size_t n_contacts, struct error *e)
{
    AUTO_TRANSACTION tx = NULL;
    enum aloft_err err = ALOFT_ERR_OK;

    for (size_t i = 0; err == ALOFT_ERR_OK && i < n_contacts; i++) {
        struct contact *c = &contacts[i];
        struct recent *r = slot_of(notes, c);
        if (c->product_id == 0) {
            continue;
        }
        if (is_old_news(r, c)) {
            r->said_ms = c->time_ms;
            continue;
        }
        if (!tx) {
            err = db_begin(notes->db, &tx, e);
        }
        if (err == ALOFT_ERR_OK) {
            err = note(notes->db, c, running_version(r, c), e);
            remember(r, c);
        }
    }
    if (err == ALOFT_ERR_OK && tx) {
        err = db_commit(&tx, e);
    }
    if (err != ALOFT_ERR_OK) {
        memset(notes->recent, 0, sizeof notes->recent); /* some of it was not written after all */
    }
    return err;
}
