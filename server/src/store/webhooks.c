/* SPDX-License-Identifier: Apache-2.0 */
#include "store/webhooks.h"

#include <string.h>

#define COLUMNS                                                                                    \
    "w.id, w.product_id, p.name, w.url, w.secret, w.kinds, w.allow_http, w.is_active, "            \
    "w.last_event, w.created_by, w.created_ms, w.revision "                                        \
    "FROM webhook w LEFT JOIN product p ON p.id = w.product_id"

#define WORD_CHARS "abcdefghijklmnopqrstuvwxyz_"

bool is_webhook_kind(const char *text)
{
    if (strcmp(text, "*") == 0) {
        return true;
    }
    size_t noun = strspn(text, WORD_CHARS);
    const char *rest = text + noun + 1;
    if (noun == 0 || text[noun] != '.' || strlen(text) > WEBHOOK_KIND_MAX) {
        return false;
    }
    return strcmp(rest, "*") == 0 || (*rest && rest[strspn(rest, WORD_CHARS)] == '\0');
}

static bool means(const char *wanted, size_t len, const char *kind)
{
    if (wanted[len - 1] == '*') { /* what is before it, with its dot, is the beginning */
        return strncmp(wanted, kind, len - 1) == 0;
    }
    return strlen(kind) == len && memcmp(wanted, kind, len) == 0;
}

bool webhook_wants(const char *kinds, const char *kind)
{
    while (*kinds) {
        size_t len = strcspn(kinds, " ");
        if (len > 0 && means(kinds, len, kind)) {
            return true;
        }
        kinds += len + (kinds[len] == ' ');
    }
    return false;
}

static enum aloft_err check_room(struct db *db, struct error *e)
{
    int64_t n = 0;
    enum aloft_err err = db_query_int(db, "SELECT count(*) FROM webhook", NULL, &n, e);

    if (err == ALOFT_ERR_OK && n >= WEBHOOKS_MAX) {
        return fail(e, ALOFT_ERR_DUPLICATE, "there are %d webhooks, which is the most: remove one",
                    WEBHOOKS_MAX);
    }
    return err;
}

enum aloft_err webhooks_add(struct db *db, struct webhook *w, struct error *e)
{
    AUTO_STMT s = NULL;
    enum aloft_err err = check_room(db, e);

    if (err == ALOFT_ERR_OK) {
        err = db_next_id(db, "webhook", &w->id, e);
    }
    if (err == ALOFT_ERR_OK) {
        err = db_prepare(db,
                         "INSERT INTO webhook (id, product_id, url, secret, kinds, allow_http, "
                         "is_active, last_event, created_by, created_ms, revision) "
                         "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, 1)",
                         &s, e);
    }
    if (err != ALOFT_ERR_OK) {
        return err;
    }
    w->revision = 1;
    db_bind_int(s, 1, w->id);
    db_bind_id(s, 2, w->product_id);
    db_bind_text(s, 3, w->url);
    db_bind_text(s, 4, w->secret);
    db_bind_text(s, 5, w->kinds);
    db_bind_int(s, 6, w->allows_http);
    db_bind_int(s, 7, w->is_active);
    db_bind_int(s, 8, w->last_event);
    db_bind_text(s, 9, w->created_by);
    db_bind_int(s, 10, w->created_ms);
    return db_run(s, e);
}

static void read_row(const struct db_stmt *s, struct webhook *w)
{
    w->id = db_get_int(s, 0);
    w->product_id = db_get_int(s, 1);
    db_get_text(s, 2, w->product_name, sizeof w->product_name);
    db_get_text(s, 3, w->url, sizeof w->url);
    db_get_text(s, 4, w->secret, sizeof w->secret);
    db_get_text(s, 5, w->kinds, sizeof w->kinds);
    w->allows_http = db_get_int(s, 6) != 0;
    w->is_active = db_get_int(s, 7) != 0;
    w->last_event = db_get_int(s, 8);
    db_get_text(s, 9, w->created_by, sizeof w->created_by);
    w->created_ms = db_get_int(s, 10);
    w->revision = db_get_int(s, 11);
}

enum aloft_err webhooks_get(struct db *db, int64_t id, struct webhook *ret_webhook, struct error *e)
{
    AUTO_STMT s = NULL;
    enum aloft_err err = db_prepare(db, "SELECT " COLUMNS " WHERE w.id = ?1", &s, e);

    if (err != ALOFT_ERR_OK) {
        return err;
    }
    db_bind_int(s, 1, id);
    err = db_step(s, e);
    if (err == ALOFT_ERR_NOT_FOUND) {
        return fail(e, err, "there is no such webhook");
    }
    if (err == ALOFT_ERR_OK) {
        read_row(s, ret_webhook);
    }
    return err;
}

enum aloft_err webhooks_each(struct db *db, int64_t after, webhook_visitor *visit, void *ctx,
                             struct error *e)
{
    AUTO_STMT s = NULL;
    enum aloft_err err = db_prepare(db, "SELECT " COLUMNS " WHERE w.id > ?1 ORDER BY w.id", &s, e);

    if (err != ALOFT_ERR_OK) {
        return err;
    }
    db_bind_int(s, 1, after);
    while ((err = db_step(s, e)) == ALOFT_ERR_OK) {
        struct webhook w;
        read_row(s, &w);
        err = visit(ctx, &w, e);
        if (err != ALOFT_ERR_OK) {
            return err;
        }
    }
    return err == ALOFT_ERR_NOT_FOUND ? ALOFT_ERR_OK : err;
}

enum aloft_err webhooks_update(struct db *db, struct webhook *w, struct error *e)
{
    AUTO_STMT s = NULL;
    enum aloft_err err =
        db_prepare(db,
                   "UPDATE webhook SET url = ?2, secret = ?3, kinds = ?4, allow_http = ?5, "
                   "is_active = ?6, last_event = ?7, revision = revision + 1 WHERE id = ?1",
                   &s, e);

    if (err != ALOFT_ERR_OK) {
        return err;
    }
    db_bind_int(s, 1, w->id);
    db_bind_text(s, 2, w->url);
    db_bind_text(s, 3, w->secret);
    db_bind_text(s, 4, w->kinds);
    db_bind_int(s, 5, w->allows_http);
    db_bind_int(s, 6, w->is_active);
    db_bind_int(s, 7, w->last_event);
    err = db_run(s, e);
    w->revision += err == ALOFT_ERR_OK;
    return err;
}

enum aloft_err webhooks_remove(struct db *db, int64_t id, struct error *e)
{
    AUTO_STMT s = NULL;
    enum aloft_err err = db_prepare(db, "DELETE FROM webhook WHERE id = ?1", &s, e);

    if (err != ALOFT_ERR_OK) {
        return err;
    }
    db_bind_int(s, 1, id);
    return db_run(s, e);
}

enum aloft_err webhooks_first_event(struct db *db, int64_t *ret_event, struct error *e)
{
    return db_query_int(db, "SELECT coalesce(min(last_event), -1) FROM webhook WHERE is_active = 1",
                        NULL, ret_event, e);
}

enum aloft_err webhooks_move_on(struct db *db, int64_t last_event, struct error *e)
{
    AUTO_STMT s = NULL;
    enum aloft_err err = db_prepare(
        db, "UPDATE webhook SET last_event = ?1 WHERE is_active = 1 AND last_event < ?1", &s, e);

    if (err != ALOFT_ERR_OK) {
        return err;
    }
    db_bind_int(s, 1, last_event);
    return db_run(s, e);
}
