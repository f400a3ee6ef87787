/* SPDX-License-Identifier: Apache-2.0 */
#include "store/sessions.h"

#include <string.h>

#include "host/hashes.h"

static enum aloft_err remove_over(struct db *db, int64_t now_ms, struct error *e)
{
    AUTO_STMT s = NULL;
    enum aloft_err err = db_prepare(db, "DELETE FROM session WHERE expires_ms <= ?1", &s, e);

    if (err != ALOFT_ERR_OK) {
        return err;
    }
    db_bind_int(s, 1, now_ms);
    return db_run(s, e);
}

enum aloft_err sessions_add(struct db *db, const struct session *n, const char *secret,
                            struct error *e)
{
    char hex[HASH_HEX_BYTES];
    AUTO_STMT s = NULL;
    enum aloft_err err = remove_over(db, n->created_ms, e);

    if (err == ALOFT_ERR_OK) {
        err = sha256_text(secret, strlen(secret), hex, e);
    }
    if (err == ALOFT_ERR_OK) {
        err = db_prepare(db,
                         "INSERT INTO session (sha256, account_id, csrf, address, user_agent, "
                         "created_ms, expires_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                         &s, e);
    }
    if (err != ALOFT_ERR_OK) {
        return err;
    }
    db_bind_text(s, 1, hex);
    db_bind_int(s, 2, n->account_id);
    db_bind_text(s, 3, n->csrf);
    db_bind_text(s, 4, n->address);
    db_bind_text(s, 5, n->user_agent);
    db_bind_int(s, 6, n->created_ms);
    db_bind_int(s, 7, n->expires_ms);
    return db_run(s, e);
}

enum aloft_err sessions_find(struct db *db, const char *secret, int64_t now_ms,
                             struct session *found, struct error *e)
{
    char hex[HASH_HEX_BYTES];
    char role[ROLE_TEXT_BYTES];
    AUTO_STMT s = NULL;
    enum aloft_err err = sha256_text(secret, strlen(secret), hex, e);

    if (err == ALOFT_ERR_OK) {
        err = db_prepare(db,
                         "SELECT s.csrf, s.address, s.user_agent, s.created_ms, s.expires_ms, "
                         "a.id, a.name, a.role, a.is_active FROM session s "
                         "JOIN account a ON a.id = s.account_id "
                         "WHERE s.sha256 = ?1 AND s.expires_ms > ?2",
                         &s, e);
    }
    if (err != ALOFT_ERR_OK) {
        return err;
    }
    db_bind_text(s, 1, hex);
    db_bind_int(s, 2, now_ms);
    err = db_step(s, e);
    if (err != ALOFT_ERR_OK) {
        return err;
    }
    db_get_text(s, 0, found->csrf, sizeof found->csrf);
    db_get_text(s, 1, found->address, sizeof found->address);
    db_get_text(s, 2, found->user_agent, sizeof found->user_agent);
    found->created_ms = db_get_int(s, 3);
    found->expires_ms = db_get_int(s, 4);
    found->account_id = db_get_int(s, 5);
    db_get_text(s, 6, found->account_name, sizeof found->account_name);
    db_get_text(s, 7, role, sizeof role);
    found->is_active = db_get_int(s, 8) != 0;
    return role_parse(role, &found->account_role)
               ? ALOFT_ERR_OK
               : fail(e, ALOFT_ERR_IO, "the database: '%s' is no role", role);
}

enum aloft_err sessions_slide(struct db *db, const struct session *found, const char *secret,
                              int64_t expires_ms, struct error *e)
{
    char hex[HASH_HEX_BYTES];
    AUTO_STMT s = NULL;

    if (expires_ms - found->expires_ms < SESSION_SLIDE_MS) {
        return ALOFT_ERR_OK;
    }
    enum aloft_err err = sha256_text(secret, strlen(secret), hex, e);
    if (err == ALOFT_ERR_OK) {
        err = db_prepare(db, "UPDATE session SET expires_ms = ?2 WHERE sha256 = ?1", &s, e);
    }
    if (err != ALOFT_ERR_OK) {
        return err;
    }
    db_bind_text(s, 1, hex);
    db_bind_int(s, 2, expires_ms);
    return db_run(s, e);
}

enum aloft_err sessions_remove(struct db *db, const char *secret, struct error *e)
{
    char hex[HASH_HEX_BYTES];
    AUTO_STMT s = NULL;
    enum aloft_err err = sha256_text(secret, strlen(secret), hex, e);

    if (err == ALOFT_ERR_OK) {
        err = db_prepare(db, "DELETE FROM session WHERE sha256 = ?1", &s, e);
    }
    if (err != ALOFT_ERR_OK) {
        return err;
    }
    db_bind_text(s, 1, hex);
    return db_run(s, e);
}

enum aloft_err sessions_remove_all(struct db *db, int64_t account_id, struct error *e)
{
    AUTO_STMT s = NULL;
    enum aloft_err err = db_prepare(db, "DELETE FROM session WHERE account_id = ?1", &s, e);

    if (err != ALOFT_ERR_OK) {
        return err;
    }
    db_bind_int(s, 1, account_id);
    return db_run(s, e);
}
