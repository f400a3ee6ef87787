/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/contact_notes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/log.h"
#include "serve/device_room.h"
#include "store/devices.h"

#define APP_FILE     "ota.bin" /* only this one carries the version */
#define RECENT_SLOTS 4096u /* a device falls into one; two that share it are written more often */
#define LATE_MS      2000 /* the module plane looks after the last acknowledgement so late at most */
#define FNV_OFFSET   2166136261u
#define FNV_PRIME    16777619u

/* The last news of a device that were written. */
struct recent {
    int64_t product_id;       /* 0 = empty */
    int64_t own_id;           /* the device whose own token it showed; 0 = the product's */
    int64_t row_id;           /* its row; 0 = none was made */
    int64_t seen_ms;          /* as written */
    int64_t said_ms;          /* when the same was said last */
    struct contact_peer peer; /* its port is not compared */
    char device[ALOFT_OUR_HEADER_MAX + 1];
    char running[ALOFT_OUR_HEADER_MAX + 1];
    char boot[ALOFT_OUR_HEADER_MAX + 1];
    char token_prefix[CONTACT_TOKEN_PREFIX + 1];
    char delivered[ALOFT_VERSION_MAX + 1]; /* of a module that does not say what it runs */
};

struct contact_notes {
    struct db *db;
    struct device_room room;
    struct recent recent[RECENT_SLOTS];
};

struct contact_notes *contact_notes_new(struct db *db, unsigned address_devices_max)
{
    struct contact_notes *notes = calloc(1, sizeof *notes);

    if (notes) {
        notes->db = db;
        notes->room.address_max = address_devices_max;
    }
    return notes;
}

void contact_notes_set_max(struct contact_notes *notes, unsigned address_devices_max)
{
    notes->room.address_max = address_devices_max;
}

void contact_notes_free(struct contact_notes *notes)
{
    free(notes);
}

void contact_notes_forget(struct contact_notes *notes, int64_t before_ms)
{
    AUTO_TRANSACTION tx = NULL;
    struct error e = {0};
    enum aloft_err err = db_begin(notes->db, &tx, &e);

    if (err == ALOFT_ERR_OK) {
        err = devices_remove_old_addresses(tx, before_ms, &e);
    }
    if (err == ALOFT_ERR_OK) {
        err = db_commit(&tx, &e);
    }
    if (err != ALOFT_ERR_OK) {
        log_warn("devices.not_forgotten", "reason=\"%s\"", e.sentence);
    }
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

    if (c->device_id != 0) {
        hash = add_to_hash(hash, &c->device_id, sizeof c->device_id);
        return &notes->recent[hash % RECENT_SLOTS];
    }
    hash = c->headers.device[0] ? add_to_hash(hash, c->headers.device, strlen(c->headers.device))
                                : add_to_hash(hash, c->peer.address, sizeof c->peer.address);
    return &notes->recent[hash % RECENT_SLOTS];
}

static bool is_delivery(const struct contact *c)
{
    return c->outcome == CONTACT_FILE_DELIVERED && strcmp(c->file_name, APP_FILE) == 0;
}

static bool is_same_device(const struct recent *r, const struct contact *c)
{
    return r->product_id == c->product_id && r->own_id == c->device_id &&
           r->peer.is_v6 == c->peer.is_v6 &&
           memcmp(r->peer.address, c->peer.address, sizeof r->peer.address) == 0 &&
           strcmp(r->device, c->headers.device) == 0;
}

/* Proof was looked for when the same words were written, and nothing was delivered since: a
 * delivery empties the slot. Of a module that does not say what it runs there is no proof; of the
 * same delivered again only the time is news. */
static bool is_old_news(const struct recent *r, const struct contact *c)
{
    bool is_same =
        !is_delivery(c) || (!c->headers.version[0] && strcmp(r->delivered, c->version) == 0);

    return is_same && is_same_device(r, c) && c->time_ms - r->seen_ms < CONTACT_NOTES_INTERVAL_MS &&
           c->time_ms >= r->seen_ms && strcmp(r->token_prefix, c->token_prefix) == 0 &&
           strcmp(r->running, c->headers.version) == 0 && strcmp(r->boot, c->headers.boot) == 0;
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

static void remember(struct recent *r, const struct contact *c, int64_t row_id)
{
    *r = (struct recent){0};
    if (is_delivery(c) && c->headers.version[0]) {
        return;
    }
    if (is_delivery(c)) {
        memcpy(r->delivered, c->version, sizeof r->delivered);
    }
    r->product_id = c->product_id;
    r->own_id = c->device_id;
    r->row_id = row_id;
    r->seen_ms = c->time_ms;
    r->said_ms = c->time_ms;
    r->peer = c->peer;
    memcpy(r->device, c->headers.device, sizeof r->device);
    memcpy(r->running, c->headers.version, sizeof r->running);
    memcpy(r->boot, c->headers.boot, sizeof r->boot);
    memcpy(r->token_prefix, c->token_prefix, sizeof r->token_prefix);
}

/* A name with a slash could not stand in an address of the API. */
static void name_text(const char *device, char *buf, size_t cap)
{
    (void)snprintf(buf, cap, "%s", device);
    for (char *slash = buf; (slash = strchr(slash, '/')) != NULL;) {
        *slash = '_';
    }
    if (strcmp(buf, ".") == 0 || strcmp(buf, "..") == 0) {
        memset(buf, '_', strlen(buf));
    }
}

/* Its row, made if there is room for one; 0 = there is not. */
static enum aloft_err find_row(struct contact_notes *notes, const struct device_news *news,
                               int64_t *ret_id, struct error *e)
{
    const char *name = NULL;
    bool has_room = false;
    enum aloft_err err = devices_find_seen(notes->db, news, ret_id, &name, e);

    if (err != ALOFT_ERR_OK || *ret_id != 0 || !name) {
        return err;
    }
    err = device_room_make(&notes->room, notes->db, news, strcmp(name, news->address) == 0,
                           &has_room, e);
    return err == ALOFT_ERR_OK && has_room ? devices_add_seen(notes->db, news, name, ret_id, e)
                                           : err;
}

static enum aloft_err note(struct contact_notes *notes, struct contact *c, const char *running,
                           int64_t *ret_row_id, struct error *e)
{
    char address[DEVICE_ADDRESS_MAX + 1];
    char name[ALOFT_OUR_HEADER_MAX + 1];
    bool is_proven = false;

    contact_address_text(&c->peer, address, sizeof address);
    name_text(c->headers.device, name, sizeof name);
    struct device_news news = {
        .product_id = c->product_id,
        .device_id = c->device_id,
        .mode = (int)c->mode,
        .device = name,
        .token_prefix = c->token_prefix,
        .address = address,
        .delivered_version = is_delivery(c) ? c->version : NULL,
        .running_version = running,
        .boot = c->headers.boot,
        .seen_ms = c->time_ms,
    };
    enum aloft_err err = find_row(notes, &news, ret_row_id, e);
    if (err == ALOFT_ERR_OK && *ret_row_id != 0) {
        err = devices_note(notes->db, *ret_row_id, &news, &is_proven, e);
    }
    if (err == ALOFT_ERR_OK && is_proven) {
        log_info("device.proven", "device=\"%s\" version=%s", name[0] ? name : address,
                 news.running_version);
        if (c->outcome == CONTACT_VERSION_TOLD) {
            c->outcome = CONTACT_PROVEN;
        }
    }
    return err;
}

static enum aloft_err write_one(struct contact_notes *notes, struct contact *c, struct db **tx,
                                struct error *e)
{
    struct recent *r = slot_of(notes, c);
    int64_t row_id = 0;

    if (is_old_news(r, c)) {
        r->said_ms = c->time_ms;
        c->row_id = r->row_id;
        return ALOFT_ERR_OK;
    }
    enum aloft_err err = *tx ? ALOFT_ERR_OK : db_begin(notes->db, tx, e);
    if (err == ALOFT_ERR_OK) {
        err = note(notes, c, running_version(r, c), &row_id, e);
        remember(r, c, row_id);
        c->row_id = row_id;
    }
    return err;
}

enum aloft_err contact_notes_write(struct contact_notes *notes, struct contact *contacts,
                                   size_t n_contacts, struct error *e)
{
    AUTO_TRANSACTION tx = NULL;
    enum aloft_err err = ALOFT_ERR_OK;

    for (size_t i = 0; err == ALOFT_ERR_OK && i < n_contacts; i++) {
        if (contacts[i].product_id != 0) {
            err = write_one(notes, &contacts[i], &tx, e);
        }
    }
    if (err == ALOFT_ERR_OK && tx) {
        err = db_commit(&tx, e);
    }
    if (err != ALOFT_ERR_OK) {
        memset(notes->recent, 0, sizeof notes->recent); /* some of it was not written after all */
        device_room_forget(&notes->room);
    }
    return err;
}
