/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_SERVER_STORE_TOKENS_H
#define ALOFT_SERVER_STORE_TOKENS_H

#include <stdbool.h>

#include "aloft/limits.h"
#include "store/db.h"

/*
 * What modules show, across products, devices and tokens that were replaced. In one mode a token is
 * one owner's; the same digits may be another's in the other mode, as stock firmware has two.
 */

#define TOKEN_MODES 2 /**< 0 plain, 1 TLS, as in catalog.h. */

/** A token and whom it stands for. */
struct token {
    int mode;
    char token[ALOFT_TOKEN_CHARS + 1];
    int64_t product_id;
    int64_t device_id;  /**< 0: the product's. */
    int64_t expires_ms; /**< 0 = never. */
};

/** 40 lower-case hex digits. */
bool is_token(const char *text);

/**
 * @param who  For the sentence: `'lamp-7': `, or "".
 * @retval ALOFT_ERR_DUPLICATE  Somebody has it, or had it and it is still taken.
 */
ALOFT_MUST_CHECK
enum aloft_err tokens_refuse_taken(struct db *db, int mode, const char *token, const char *who,
                                   struct error *e);

/** @retval ALOFT_ERR_NOT_FOUND  It is nobody's. No sentence. */
ALOFT_MUST_CHECK
enum aloft_err tokens_find(struct db *db, int mode, const char *token, struct token *ret_token,
                           struct error *e);

/** Called once per token, which is borrowed. An error ends the walk. */
typedef enum aloft_err token_visitor(void *ctx, const struct token *token, struct error *e);

/** All that modules may show: for the start. */
ALOFT_MUST_CHECK
enum aloft_err tokens_each(struct db *db, token_visitor *visit, void *ctx, struct error *e);

/** Those of the devices whose ids are `first` to `last`, without old ones. */
ALOFT_MUST_CHECK
enum aloft_err tokens_each_of_devices(struct db *db, int64_t first, int64_t last,
                                      token_visitor *visit, void *ctx, struct error *e);

/* Old tokens: replaced, but taken until they expire. The changes below within a transaction. */

/** Keep it until its `expires_ms`. */
ALOFT_MUST_CHECK
enum aloft_err old_tokens_add(struct db *db, const struct token *token, struct error *e);

/** Those of a product (`device_id` 0) or a device, the first to expire first. */
ALOFT_MUST_CHECK
enum aloft_err old_tokens_each(struct db *db, int64_t product_id, int64_t device_id,
                               token_visitor *visit, void *ctx, struct error *e);

/** Those of a product and all its devices. */
ALOFT_MUST_CHECK
enum aloft_err old_tokens_each_of_product(struct db *db, int64_t product_id, token_visitor *visit,
                                          void *ctx, struct error *e);

/** Those that expired before `now_ms`. */
ALOFT_MUST_CHECK
enum aloft_err old_tokens_each_expired(struct db *db, int64_t now_ms, token_visitor *visit,
                                       void *ctx, struct error *e);

/** Not being there is fine. */
ALOFT_MUST_CHECK
enum aloft_err old_tokens_remove(struct db *db, int mode, const char *token, struct error *e);

/** End those that have expired before `now_ms`. */
ALOFT_MUST_CHECK
enum aloft_err old_tokens_remove_expired(struct db *db, int64_t now_ms, struct error *e);

#endif
