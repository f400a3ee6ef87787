/* SPDX-License-Identifier: Apache-2.0 */
#include "store/idempotency.h"

#include <string.h>

enum aloft_err idempotency_find(struct db *db, const struct idempotency *i, int64_t *ret_status,
                                char **ret_body, struct error *e)
{
    char request[HASH_HEX_BYTES];
    AUTO_STMT s = NULL;
    enum aloft_err err = db_prepare(
        db, "SELECT request, status, body FROM idempotency WHERE actor = ?1 AND key = ?2", &s, e);

    if (err != ALOFT_ERR_OK) {
        return err;
    }
    db_bind_text(s, 1, i->actor);
    db_bind_text(s, 2, i->key);
    err = db_step(s, e);
    if (err != ALOFT_ERR_OK) {
        return err;
    }
    db_get_text(s, 0, request, sizeof request);
    if (strcmp(request, i->request) != 0) {
        return fail(e, ALOFT_ERR_DUPLICATE,
                    "the Idempotency-Key was used for another request; use a new one");
    }
    *ret_status = db_get_int(s, 1);
    *ret_body = db_dup_text(s, 2);
    return *ret_body ? ALOFT_ERR_OK : fail(e, ALOFT_ERR_IO, "out of memory");
}

enum aloft_err idempotency_add(struct db *db, const struct idempotency *i, int64_t status,
                               const char *body, int64_t now_ms, struct error *e)
{
    AUTO_STMT s = NULL;
    enum aloft_err err =
        db_prepare(db,
                   "INSERT INTO idempotency (actor, key, request, status, body, created_ms) "
                   "VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                   &s, e);
    if (err != ALOFT_ERR_OK) {
        return err;
    }
    db_bind_text(s, 1, i->actor);
    db_bind_text(s, 2, i->key);
    db_bind_text(s, 3, i->request);
    db_bind_int(s, 4, status);
    db_bind_text(s, 5, body);
    db_bind_int(s, 6, now_ms);
    return db_run(s, e);
}

enum aloft_err idempotency_expire(struct db *db, int64_t now_ms, struct error *e)
{
    AUTO_STMT s = NULL;
    enum aloft_err err = db_prepare(db, "DELETE FROM idempotency WHERE created_ms < ?1", &s, e);

    if (err != ALOFT_ERR_OK) {
        return err;
    }
    db_bind_int(s, 1, now_ms - IDEMPOTENCY_LIFE_MS);
    return db_run(s, e);
}
