/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_SERVER_PUBLISH_H
#define ALOFT_SERVER_PUBLISH_H

#include "blob/blobs.h"
#include "catalog/catalog.h"
#include "store/db.h"

/**
 * Read the products, ROMs and files of the database into the catalog: what modules are answered
 * from now on. One caller at a time. Tokens: see publish_tokens.h.
 */
ALOFT_MUST_CHECK
enum aloft_err publish_catalog(struct db *db, const struct blobs *blobs, struct catalog *catalog,
                               struct error *e);

#endif
