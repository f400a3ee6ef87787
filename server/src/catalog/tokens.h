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

/** These three: as catalog_token_set(), _remove() and _find(). */
ALOFT_MUST_CHECK
enum aloft_err token_table_set(struct token_table *table, enum catalog_mode mode, const char *token,
                               size_t len, struct catalog_owner owner, int64_t expires_ms);
bool token_table_remove(struct token_table *table, enum catalog_mode mode, const char *token,
                        size_t len);
bool token_table_find(struct token_table *table, enum catalog_mode mode, const char *token,
                      size_t len, int64_t now_ms, struct catalog_owner *ret_owner);

#endif
