/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_SERVER_PUBLISH_TOKENS_H
#define ALOFT_SERVER_PUBLISH_TOKENS_H

#include "api/request.h"
#include "store/tokens.h"

/*
 * The tokens of the catalog follow the database: after a change is committed, each token it touched
 * is looked up and set or removed. So it does not matter which of two changes comes here first, and
 * a million tokens of devices are read at the start only.
 */

/** Tokens that a change touches; all zero to begin with. */
struct touched_tokens {
    struct token *items;
    size_t n;
};

void auto_touched_free(struct touched_tokens *touched);
#define AUTO_TOUCHED __attribute__((cleanup(auto_touched_free))) struct touched_tokens

/** Remember one; `ctx` is a struct touched_tokens: a token_visitor. */
ALOFT_MUST_CHECK
enum aloft_err touch_token(void *ctx, const struct token *token, struct error *e);

/** The same for both modes; empty texts are none. */
ALOFT_MUST_CHECK
enum aloft_err touch_tokens(struct touched_tokens *touched, const char *token,
                            const char *token_tls, struct error *e);

/** If the request was answered with success: let the catalog follow. Memory that is out becomes the
 * answer. */
void publish_touched(struct request *request, const struct touched_tokens *touched);

/** The same for the devices whose ids are `first` to `last`, in one walk. */
void publish_devices(struct request *request, int64_t first, int64_t last);

/** All tokens; at the start. */
ALOFT_MUST_CHECK
enum aloft_err publish_tokens(struct db *db, struct catalog *catalog, struct error *e);

#endif
