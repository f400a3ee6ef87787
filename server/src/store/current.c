/* SPDX-License-Identifier: Apache-2.0 */
#include "store/current.h"

#include <stdbool.h>
#include <string.h>

#define COLUMNS "h.id, h.version, h.chosen_by, h.chosen_ms, h.before_id"

static void read_choice(const struct db_stmt *s, struct current_choice *c)
{
    c->id = db_get_int(s, 0);
    db_get_text(s, 1, c->version, sizeof c->version);
    db_get_text(s, 2, c->chosen_by, sizeof c->chosen_by);
    c->chosen_ms = db_get_int(s, 3);
    c->before_id = db_get_int(s, 4);
}

enum aloft_err current_each(struct db *db, int64_t product_id, int64_t below_id, size_t limit,
                            current_visitor *visit, void *ctx, struct error *e)
{
    AUTO_STMT s = NULL;
    enum aloft_err err = db_prepare(db,
                                    "SELECT " COLUMNS " FROM current_history h "
                                    "WHERE h.product_id = ?1 AND h.id < ?2 "
                                    "ORDER BY h.id DESC LIMIT ?3",
                                    &s, e);
    if (err != ALOFT_ERR_OK) {
        return err;
    }
    db_bind_int(s, 1, product_id);
    db_bind_int(s, 2, below_id ? below_id : INT64_MAX);
    db_bind_int(s, 3, (int64_t)limit);
    while ((err = db_step(s, e)) == ALOFT_ERR_OK) {
        struct current_choice c;
        read_choice(s, &c);
        err = visit(ctx, &c, e);
        if (err != ALOFT_ERR_OK) {
            return err;
        }
    }
    return err == ALOFT_ERR_NOT_FOUND ? ALOFT_ERR_OK : err;
}

static enum aloft_err take_choice(void *ctx, const struct current_choice *choice, struct error *e)
{
    (void)e;
    *(struct current_choice *)ctx = *choice;
    return ALOFT_ERR_OK;
}

enum aloft_err current_get(struct db *db, int64_t product_id, struct current_choice *ret_choice,
                           struct error *e)
{
    *ret_choice = (struct current_choice){0};
    return current_each(db, product_id, 0, 1, take_choice, ret_choice, e);
}

static enum aloft_err refuse_unusable(struct db *db, int64_t product_id, const char *version,
                                      struct error *e)
{
    AUTO_STMT s = NULL;
    enum aloft_err err = db_prepare(
        db, "SELECT is_withdrawn FROM rom WHERE product_id = ?1 AND version = ?2", &s, e);

    if (err != ALOFT_ERR_OK) {
        return err;
    }
    db_bind_int(s, 1, product_id);
    db_bind_text(s, 2, version);
    err = db_step(s, e);
    if (err == ALOFT_ERR_NOT_FOUND) {
        return fail(e, err, "the product has no ROM of version %s", version);
    }
    if (err == ALOFT_ERR_OK && db_get_int(s, 0)) {
        return fail(e, ALOFT_ERR_BUSY,
                    "version %s is withdrawn: no module gets it; restore it first", version);
    }
    return err;
}

static enum aloft_err set_product(struct db *db, int64_t product_id, const char *version,
                                  struct error *e)
{
    AUTO_STMT s = NULL;
    enum aloft_err err =
        db_prepare(db, "UPDATE product SET current_version = ?2 WHERE id = ?1", &s, e);

    if (err != ALOFT_ERR_OK) {
        return err;
    }
    db_bind_int(s, 1, product_id);
    db_bind_text(s, 2, version[0] ? version : NULL);
    return db_run(s, e);
}

static enum aloft_err add_choice(struct db *db, int64_t product_id, struct current_choice *c,
                                 struct error *e)
{
    enum aloft_err err = db_next_id(db, "current_history", &c->id, e);
    AUTO_STMT s = NULL;

    if (err == ALOFT_ERR_OK) {
        err = db_prepare(db,
                         "INSERT INTO current_history (id, product_id, version, chosen_by, "
                         "chosen_ms, before_id) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                         &s, e);
    }
    if (err != ALOFT_ERR_OK) {
        return err;
    }
    db_bind_int(s, 1, c->id);
    db_bind_int(s, 2, product_id);
    db_bind_text(s, 3, c->version);
    db_bind_text(s, 4, c->chosen_by);
    db_bind_int(s, 5, c->chosen_ms);
    db_bind_id(s, 6, c->before_id);
    return db_run(s, e);
}

enum aloft_err current_choose(struct db *db, int64_t product_id,
                              const struct current_choice *choice, struct error *e)
{
    struct current_choice last;
    struct current_choice made = *choice;
    enum aloft_err err = current_get(db, product_id, &last, e);

    if (err == ALOFT_ERR_OK && made.version[0]) {
        err = refuse_unusable(db, product_id, made.version, e);
    }
    if (err != ALOFT_ERR_OK || strcmp(last.version, made.version) == 0) {
        return err;
    }
    made.before_id = last.id;
    err = set_product(db, product_id, made.version, e);
    return err == ALOFT_ERR_OK ? add_choice(db, product_id, &made, e) : err;
}

/* One step back: the choice `id`, and whether its ROM could be current. */
static enum aloft_err look_back(struct db *db, int64_t product_id, int64_t id,
                                struct current_choice *ret_choice, bool *ret_is_usable,
                                struct error *e)
{
    AUTO_STMT s = NULL;
    enum aloft_err err =
        db_prepare(db,
                   "SELECT " COLUMNS ", r.version FROM current_history h LEFT JOIN rom r ON "
                   "r.product_id = h.product_id AND r.version = h.version AND r.is_withdrawn = 0 "
                   "WHERE h.id = ?1 AND h.product_id = ?2",
                   &s, e);

    if (err != ALOFT_ERR_OK) {
        return err;
    }
    db_bind_int(s, 1, id);
    db_bind_int(s, 2, product_id);
    err = db_step(s, e);
    if (err == ALOFT_ERR_OK) {
        char version[ALOFT_VERSION_MAX + 1];
        read_choice(s, ret_choice);
        db_get_text(s, 5, version, sizeof version);
        *ret_is_usable = version[0] != '\0';
    }
    return err;
}

enum aloft_err current_find_back(struct db *db, int64_t product_id,
                                 struct current_choice *ret_choice, struct error *e)
{
    struct current_choice now;
    enum aloft_err err = current_get(db, product_id, &now, e);
    int64_t id = now.before_id;

    while (err == ALOFT_ERR_OK && id != 0) {
        struct current_choice c;
        bool is_usable = false;
        err = look_back(db, product_id, id, &c, &is_usable, e);
        if (err == ALOFT_ERR_OK && is_usable && strcmp(c.version, now.version) != 0) {
            *ret_choice = c;
            return ALOFT_ERR_OK;
        }
        id = c.before_id;
    }
    return err == ALOFT_ERR_OK
               ? fail(e, ALOFT_ERR_NOT_FOUND,
                      "there is no way back: no ROM that is still there and not withdrawn was "
                      "current before")
               : err;
}

enum aloft_err current_back(struct db *db, int64_t product_id, struct current_choice *choice,
                            struct error *e)
{
    struct current_choice target;
    enum aloft_err err = current_find_back(db, product_id, &target, e);

    if (err == ALOFT_ERR_OK) {
        err = set_product(db, product_id, target.version, e);
    }
    if (err != ALOFT_ERR_OK) {
        return err;
    }
    memcpy(choice->version, target.version, sizeof choice->version);
    choice->before_id = target.before_id;
    return add_choice(db, product_id, choice, e);
}
