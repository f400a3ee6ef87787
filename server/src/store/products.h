/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_SERVER_PRODUCTS_H
#define ALOFT_SERVER_PRODUCTS_H

#include <stdbool.h>

#include "aloft/limits.h"
#include "store/db.h"

#define PRODUCT_NAME_MAX 64 /**< Bytes of [A-Za-z0-9._-]. */
#define LAYOUT_NAME_MAX  63

struct product {
    int64_t id;
    char name[PRODUCT_NAME_MAX + 1];
    char layout[LAYOUT_NAME_MAX + 1];
    char token[ALOFT_TOKEN_CHARS + 1];           /**< Mode 0. */
    char token_tls[ALOFT_TOKEN_CHARS + 1];       /**< Mode 1. */
    char current_version[ALOFT_VERSION_MAX + 1]; /**< Empty = none yet. */
    int64_t created_ms;
};

/** 1 to `max` of [A-Za-z0-9._-], and neither "." nor "..", which URLs and paths would swallow. */
bool is_plain_name(const char *text, size_t max);

/** 40 lower-case hex digits. */
bool is_token(const char *text);

/**
 * Add one, within a transaction; `id` is filled in, `current_version` ignored.
 *
 * @retval ALOFT_ERR_DUPLICATE  The name or one of the tokens (in its mode) is taken.
 */
ALOFT_MUST_CHECK
enum aloft_err products_add(struct db *db, struct product *product, struct error *e);

/** @retval ALOFT_ERR_NOT_FOUND  With a sentence. */
ALOFT_MUST_CHECK
enum aloft_err products_get(struct db *db, const char *name, struct product *ret_product,
                            struct error *e);

/** Called once per row, which is borrowed; may ask other questions. An error ends the walk. */
typedef enum aloft_err product_visitor(void *ctx, const struct product *product, struct error *e);

/** All, by name. */
ALOFT_MUST_CHECK
enum aloft_err products_each(struct db *db, product_visitor *visit, void *ctx, struct error *e);

#endif
