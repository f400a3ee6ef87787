/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_CATALOG_TOKENS_H
#define ALOFT_CATALOG_TOKENS_H

#include "catalog/catalog.h"

/*
 * (mode, token) -> owner. Shards with a lock each, open addressing inside; hashed with a secret
 * key, so that nobody can choose tokens that collide (a request may bring any 40 digits).
 */

struct token_table;

struct token_table *token_table_new(struct error *e);
void token_table_free(struct token_table *table);

/** Results as catalog_token_set(). */
ALOFT_MUST_CHECK
enum aloft_err token_table_set(struct token_table *table, enum catalog_mode mode, const char *token,
                               size_t len, struct catalog_owner owner);
bool token_table_find(struct token_table *table, enum catalog_mode mode, const char *token,
                      size_t len, struct catalog_owner *ret_owner);

#endif
