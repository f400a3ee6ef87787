/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_SERVER_CONTACT_NOTES_H
#define ALOFT_SERVER_CONTACT_NOTES_H

#include <stddef.h>

#include "attempt/contact.h"
#include "store/db.h"

/*
 * What contacts tell about devices, written down. A contact that says nothing new about a device
 * noted less than CONTACT_NOTES_INTERVAL_MS ago is not written: thousands of version checks per
 * second are no reason for thousands of rows per second.
 */

#define CONTACT_NOTES_INTERVAL_MS 10000 /**< How far last_seen_ms may lag behind. */

struct contact_notes;

/**
 * @param db                   Borrowed.
 * @param address_devices_max  Of a product, devices known by their source address alone.
 * @return NULL when memory is out.
 */
struct contact_notes *contact_notes_new(struct db *db, unsigned address_devices_max);

/** From any thread. */
void contact_notes_set_max(struct contact_notes *notes, unsigned address_devices_max);

/** NULL is fine. */
void contact_notes_free(struct contact_notes *notes);

/** Forget the addresses seen last before `before_ms`. From any thread. */
void contact_notes_forget(struct contact_notes *notes, int64_t before_ms);

/**
 * Write a batch down in one transaction; from one thread. A contact that proves its device gets
 * CONTACT_PROVEN as its outcome, and each one its device's row as row_id (0: none was made, for
 * want of room). After an error nothing of the batch is written.
 */
ALOFT_MUST_CHECK
enum aloft_err contact_notes_write(struct contact_notes *notes, struct contact *contacts,
                                   size_t n_contacts, struct error *e);

#endif
