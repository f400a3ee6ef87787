/* SPDX-License-Identifier: Apache-2.0 */
#include "api/publish_tokens.h"

#include <stdlib.h>
#include <string.h>

#include "host/clock.h"
#include "host/log.h"

void auto_touched_free(struct touched_tokens *touched)
{
    free(touched->items);
}

enum aloft_err touch_token(void *ctx, const struct token *token, struct error *e)
{
    struct touched_tokens *t = ctx;

    if ((t->n & (t->n - 1)) == 0) { /* full: room is doubled */
        struct token *items = realloc(t->items, (t->n ? 2 * t->n : 1) * sizeof *items);
        if (!items) {
            return fail(e, ALOFT_ERR_IO, "out of memory");
        }
        t->items = items;
    }
    t->items[t->n++] = *token;
    return ALOFT_ERR_OK;
}

enum aloft_err touch_tokens(struct touched_tokens *touched, const char *token,
                            const char *token_tls, struct error *e)
{
    const char *const texts[TOKEN_MODES] = {token, token_tls};
    enum aloft_err err = ALOFT_ERR_OK;

    for (int mode = 0; err == ALOFT_ERR_OK && mode < TOKEN_MODES; mode++) {
        if (texts[mode][0]) {
            struct token t = {.mode = mode};
            memcpy(t.token, texts[mode], sizeof t.token);
            err = touch_token(touched, &t, e);
        }
    }
    return err;
}

static enum aloft_err set(void *ctx, const struct token *t, struct error *e)
{
    struct catalog_owner owner = {t->product_id, t->device_id};
    enum aloft_err err = catalog_token_set(ctx, (enum catalog_mode)t->mode, t->token,
                                           strlen(t->token), owner, t->expires_ms);

    return err == ALOFT_ERR_OK ? err
                               : fail(e, err, "the token %.6s…: %s", t->token, aloft_err_text(err));
}

static enum aloft_err follow(struct api *api, const struct token *touched, struct error *e)
{
    struct token now;
    enum aloft_err err = tokens_find(api->db, touched->mode, touched->token, &now, e);

    if (err == ALOFT_ERR_NOT_FOUND) {
        (void)catalog_token_remove(api->catalog, (enum catalog_mode)touched->mode, touched->token,
                                   strlen(touched->token));
        return ALOFT_ERR_OK;
    }
    return err == ALOFT_ERR_OK ? set(api->catalog, &now, e) : err;
}

static bool is_done(const struct request *request)
{
    return request->status >= MHD_HTTP_OK && request->status < MHD_HTTP_MULTIPLE_CHOICES;
}

void publish_touched(struct request *request, const struct touched_tokens *touched)
{
    struct api *api = request->api;
    struct error e = {0};
    enum aloft_err err = ALOFT_ERR_OK;

    if (!is_done(request)) {
        return;
    }
    (void)pthread_mutex_lock(&api->token_lock);
    for (size_t i = 0; err == ALOFT_ERR_OK && i < touched->n; i++) {
        err = follow(api, &touched->items[i], &e);
    }
    (void)pthread_mutex_unlock(&api->token_lock);
    if (err != ALOFT_ERR_OK) {
        answer_failure(request, &e);
    }
}

void publish_devices(struct request *request, int64_t first, int64_t last)
{
    struct api *api = request->api;
    struct error e = {0};

    if (!is_done(request)) {
        return;
    }
    (void)pthread_mutex_lock(&api->token_lock);
    enum aloft_err err = tokens_each_of_devices(api->db, first, last, set, api->catalog, &e);
    (void)pthread_mutex_unlock(&api->token_lock);
    if (err != ALOFT_ERR_OK) {
        answer_failure(request, &e);
    }
}

enum aloft_err publish_tokens(struct db *db, struct catalog *catalog, struct error *e)
{
    return tokens_each(db, set, catalog, e);
}

static enum aloft_err drop(void *ctx, const struct token *t, struct error *e)
{
    (void)e;
    (void)catalog_token_remove(ctx, (enum catalog_mode)t->mode, t->token, strlen(t->token));
    return ALOFT_ERR_OK;
}

/* Until the rows are gone nobody else can have been given these tokens. */
void api_expire_tokens(struct api *api)
{
    AUTO_TRANSACTION tx = NULL;
    struct error e = {0};
    int64_t now_ms = clock_wall_ms();
    enum aloft_err err = db_begin(api->db, &tx, &e);

    if (err == ALOFT_ERR_OK) {
        err = old_tokens_each_expired(tx, now_ms, drop, api->catalog, &e);
    }
    if (err == ALOFT_ERR_OK) {
        err = old_tokens_remove_expired(tx, now_ms, &e);
    }
    if (err == ALOFT_ERR_OK) {
        err = db_commit(&tx, &e);
    }
    if (err != ALOFT_ERR_OK) {
        log_warn("tokens.not_expired", "reason=\"%s\"", e.sentence);
    }
}
