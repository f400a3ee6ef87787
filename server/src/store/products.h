/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_SERVER_PRODUCTS_H
#define ALOFT_SERVER_PRODUCTS_H

#include <stdbool.h>

#include "aloft/limits.h"
#include "store/db.h"
#include "store/tokens.h"

#define PRODUCT_NAME_MAX         64 /**< Bytes of [A-Za-z0-9._-]. */
#define LAYOUT_NAME_MAX          63
#define PRODUCT_SERIAL_MAX       64
#define PRODUCT_DESCRIPTION_MAX  1024
#define PRODUCT_STATUS_MAX       15
#define PRODUCT_HOST_MAX         261 /**< A host name, colon, port. */
#define PRODUCT_PROJECT_NAME_MAX 31  /**< As in an app descriptor (facts/esp-formats.md). */
#define PRODUCT_DOWNGRADE_MAX    15
#define PRODUCT_KEYS_MAX         8
#define PRODUCT_KEY_CHARS        64
#define PRODUCT_KEYS_BYTES       (PRODUCT_KEYS_MAX * (PRODUCT_KEY_CHARS + 1))

struct product {
    int64_t id;
    char name[PRODUCT_NAME_MAX + 1];
    char layout[LAYOUT_NAME_MAX + 1];
    char token[ALOFT_TOKEN_CHARS + 1];           /**< Mode 0. */
    char token_tls[ALOFT_TOKEN_CHARS + 1];       /**< Mode 1. */
    char current_version[ALOFT_VERSION_MAX + 1]; /**< Empty = none yet. */
    int64_t created_ms;
    char serial[PRODUCT_SERIAL_MAX + 1]; /**< The company's own number; empty = none. */
    char description[PRODUCT_DESCRIPTION_MAX + 1];
    char status[PRODUCT_STATUS_MAX + 1];    /**< developing, released; empty = developing. */
    char server_host[PRODUCT_HOST_MAX + 1]; /**< What its modules call; empty = the server's. */
    char project_name[PRODUCT_PROJECT_NAME_MAX + 1]; /**< Of its images; empty = esp-at. */
    char downgrade[PRODUCT_DOWNGRADE_MAX + 1];       /**< warn, refuse; empty = warn. */
    char signing_keys[PRODUCT_KEYS_BYTES]; /**< SHA-256 in hex, a space between; empty = none. */
    int64_t revision;
};

/** 1 to `max` of [A-Za-z0-9._-], and neither "." nor "..", which URLs and paths would swallow. */
bool is_plain_name(const char *text, size_t max);

/**
 * Add one, within a transaction; `id`, `revision` and the presets of empty words are filled in,
 * `current_version` is ignored.
 *
 * @retval ALOFT_ERR_DUPLICATE  The name or one of the tokens (in its mode) is taken.
 */
ALOFT_MUST_CHECK
enum aloft_err products_add(struct db *db, struct product *product, struct error *e);

/** @retval ALOFT_ERR_NOT_FOUND  With a sentence. */
ALOFT_MUST_CHECK
enum aloft_err products_get(struct db *db, const char *name, struct product *ret_product,
                            struct error *e);

/** Its name; "" for 0, and when it is gone. */
ALOFT_MUST_CHECK
enum aloft_err products_name(struct db *db, int64_t id, char ret_name[PRODUCT_NAME_MAX + 1],
                             struct error *e);

/** Called once per row, which is borrowed; may ask other questions. An error ends the walk. */
typedef enum aloft_err product_visitor(void *ctx, const struct product *product, struct error *e);

/** By name, those behind the name `after`; "" = all. */
ALOFT_MUST_CHECK
enum aloft_err products_each(struct db *db, const char *after, product_visitor *visit, void *ctx,
                             struct error *e);

/** Write everything but name, layout, current version and times, within a transaction; the
 * revision grows by one. Tokens are not compared with others': see tokens_refuse_taken(). */
ALOFT_MUST_CHECK
enum aloft_err products_update(struct db *db, struct product *product, struct error *e);

/**
 * Remove it with its devices and all that hangs on it, within a transaction.
 *
 * @retval ALOFT_ERR_DUPLICATE  It has devices with tokens of their own, ROMs or uploads: the
 *                              sentence says how many. Nothing was changed.
 */
ALOFT_MUST_CHECK
enum aloft_err products_remove(struct db *db, const struct product *product, struct error *e);

struct product_counts {
    int64_t n_devices;   /**< All that are listed. */
    int64_t n_activated; /**< Of these, seen at least once. */
};

/** Takes a walk over an index of its devices: not for every request. */
ALOFT_MUST_CHECK
enum aloft_err products_count(struct db *db, int64_t product_id, struct product_counts *ret_counts,
                              struct error *e);

#endif
