/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_SERVER_CONTACT_NOTES_H
#define ALOFT_SERVER_CONTACT_NOTES_H

#include <stddef.h>

#include "attempt/contact.h"
#include "store/db.h"

/**
 * What a batch of contacts tells about devices, written down in one transaction. A contact that
 * proves its device gets CONTACT_PROVEN as its outcome.
 */
ALOFT_MUST_CHECK
enum aloft_err contact_notes_write(struct db *db, struct contact *contacts, size_t n_contacts,
                                   struct error *e);

#endif
