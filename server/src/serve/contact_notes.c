/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/contact_notes.h"

#include <string.h>

#include "host/log.h"
#include "store/devices.h"

#define APP_FILE "ota.bin" /* only this one carries the version */

/* `192.0.2.7:40112` and `[2001:db8::1]:40112` without port and brackets. */
static void address_text(const struct contact_peer *peer, char *buf, size_t cap)
{
    char text[CONTACT_ADDRESS_BYTES];

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

static enum aloft_err note(struct db *db, struct contact *c, struct error *e)
{
    char address[DEVICE_ADDRESS_MAX + 1];
    bool is_proven = false;
    bool is_delivered = c->outcome == CONTACT_FILE_DELIVERED && strcmp(c->file_name, APP_FILE) == 0;

    address_text(&c->peer, address, sizeof address);
    struct device_news news = {
        .product_id = c->product_id,
        .device = c->headers.device[0] ? c->headers.device : address,
        .token_prefix = c->token_prefix,
        .address = address,
        .delivered_version = is_delivered ? c->version : NULL,
        /* While a file is on its way the old version speaks: the same version sent again would
         * prove itself before the restart. */
        .running_version = c->outcome == CONTACT_FILE_DELIVERED ? NULL : c->headers.version,
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

enum aloft_err contact_notes_write(struct db *db, struct contact *contacts, size_t n_contacts,
                                   struct error *e)
{
    AUTO_TRANSACTION tx = NULL;
    enum aloft_err err = db_begin(db, &tx, e);

    for (size_t i = 0; err == ALOFT_ERR_OK && i < n_contacts; i++) {
        if (contacts[i].product_id != 0) {
            err = note(db, &contacts[i], e);
        }
    }
    return err == ALOFT_ERR_OK ? db_commit(&tx, e) : err;
}
