/* SPDX-License-Identifier: Apache-2.0 */

/* SQLite behind db.h. One connection, used by one thread at a time: the API writes a few rows per
 * request, and contacts come in batches, so a pool would buy nothing. */

#include "store/db.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <string.h>

#include <sqlite3.h>

#include "host/auto.h"
#include "host/clock.h"
#include "store/migrations.h"

#define STATEMENTS_MAX  512
#define BUSY_TIMEOUT_MS 5000 /* only another program (a backup) can hold the file */

struct db_stmt {
    struct db *db;
    const char *sql;
    sqlite3_stmt *handle;
    int bind_rc; /* first failed bind */
    bool is_in_use;
};

struct db {
    sqlite3 *handle;
    pthread_mutex_t lock; /* recursive: a transaction holds it over its statements */
    struct db_stmt statements[STATEMENTS_MAX];
    size_t n_statements;
    bool is_in_transaction;
};

static enum aloft_err fail_sql(struct db *db, struct error *e, const char *what)
{
    int rc = sqlite3_extended_errcode(db->handle);
    int number = sqlite3_system_errno(db->handle);
    bool is_full = (rc & 0xFF) == SQLITE_FULL || number == ENOSPC;

    (void)fail(e, ALOFT_ERR_IO, "the database: %s: %s", what,
               is_full ? "the disk is full: free some space" : sqlite3_errmsg(db->handle));
    if (e) {
        e->native_code = is_full ? ENOSPC : rc;
    }
    return ALOFT_ERR_IO;
}

/* Only for texts of our own that take no parameters. */
static enum aloft_err execute(struct db *db, const char *sql, struct error *e)
{
    if (sqlite3_exec(db->handle, sql, NULL, NULL, NULL) != SQLITE_OK) {
        return fail_sql(db, e, "cannot execute");
    }
    return ALOFT_ERR_OK;
}

static enum aloft_err check_version(struct db *db, const char *path, int64_t *ret_version,
                                    struct error *e)
{
    enum aloft_err err = execute(db,
                                 "CREATE TABLE IF NOT EXISTS schema_version ("
                                 "version INTEGER NOT NULL PRIMARY KEY," /* migrations applied */
                                 "name TEXT NOT NULL,"                   /* of the migration */
                                 "applied_ms INTEGER NOT NULL) STRICT",
                                 e);
    if (err == ALOFT_ERR_OK) {
        err = db_query_int(db, "SELECT coalesce(max(version), 0) FROM schema_version", NULL,
                           ret_version, e);
    }
    if (err == ALOFT_ERR_OK && *ret_version > (int64_t)n_db_migrations) {
        return fail(e, ALOFT_ERR_VERSION,
                    "'%s' has schema version %lld, this program knows only %zu: use the newer "
                    "program that made it, or restore a backup",
                    path, (long long)*ret_version, n_db_migrations);
    }
    return err;
}

static enum aloft_err apply(struct db *db, size_t version, const struct db_migration *migration,
                            struct error *e)
{
    AUTO_TRANSACTION tx = NULL;
    enum aloft_err err = db_begin(db, &tx, e);

    if (err == ALOFT_ERR_OK) {
        err = execute(db, migration->sql, e);
    }
    if (err != ALOFT_ERR_OK) {
        return err;
    }
    {
        AUTO_STMT s = NULL;
        err = db_prepare(db, "INSERT INTO schema_version VALUES (?1, ?2, ?3)", &s, e);
        if (err != ALOFT_ERR_OK) {
            return err;
        }
        db_bind_int(s, 1, (int64_t)version);
        db_bind_text(s, 2, migration->name);
        db_bind_int(s, 3, clock_wall_ms());
        err = db_run(s, e);
    }
    return err == ALOFT_ERR_OK ? db_commit(&tx, e) : err;
}

static enum aloft_err migrate(struct db *db, const char *path, struct error *e)
{
    int64_t version = 0;
    enum aloft_err err = check_version(db, path, &version, e);

    for (size_t i = (size_t)version; err == ALOFT_ERR_OK && i < n_db_migrations; i++) {
        err = apply(db, i + 1, &db_migrations[i], e);
    }
    return err;
}

static void init_lock(pthread_mutex_t *lock)
{
    pthread_mutexattr_t attr;

    (void)pthread_mutexattr_init(&attr); /* none of the four can fail on Linux */
    (void)pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_RECURSIVE);
    (void)pthread_mutex_init(lock, &attr);
    (void)pthread_mutexattr_destroy(&attr);
}

enum aloft_err db_open(const char *path, struct db **ret_db, struct error *e)
{
    AUTO_DB db = calloc(1, sizeof *db);

    if (!db) {
        return fail(e, ALOFT_ERR_IO, "out of memory opening '%s'", path);
    }
    init_lock(&db->lock);
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
    if (sqlite3_open_v2(path, &db->handle, flags, NULL) != SQLITE_OK) {
        return fail(e, ALOFT_ERR_IO, "cannot open the database '%s': %s", path,
                    sqlite3_errmsg(db->handle));
    }
    (void)sqlite3_busy_timeout(db->handle, BUSY_TIMEOUT_MS);
    /* FULL: in WAL mode only this syncs at every commit, and what was answered must last. */
    enum aloft_err err = execute(db,
                                 "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
                                 "PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF",
                                 e);
    if (err == ALOFT_ERR_OK) {
        err = migrate(db, path, e);
    }
    if (err == ALOFT_ERR_OK) {
        *ret_db = STEAL(db);
    }
    return err;
}

/* VACUUM INTO reads within one transaction, and in WAL mode readers hold up nobody. */
static enum aloft_err vacuum_into(struct db *db, const char *copy, struct error *e)
{
    sqlite3_stmt *vacuum = NULL;
    bool is_done =
        sqlite3_prepare_v2(db->handle, "VACUUM INTO ?1", -1, &vacuum, NULL) == SQLITE_OK &&
        sqlite3_bind_text(vacuum, 1, copy, -1, SQLITE_STATIC) == SQLITE_OK &&
        sqlite3_step(vacuum) == SQLITE_DONE;
    enum aloft_err err = is_done ? ALOFT_ERR_OK : fail_sql(db, e, "cannot copy it");

    (void)sqlite3_finalize(vacuum); /* repeats the error of the step */
    return err;
}

enum aloft_err db_snapshot(const char *path, const char *copy, struct error *e)
{
    struct db db = {.handle = NULL};
    int rc = sqlite3_open_v2(path, &db.handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
    enum aloft_err err = ALOFT_ERR_OK;

    if (rc == SQLITE_OK) {
        (void)sqlite3_busy_timeout(db.handle, BUSY_TIMEOUT_MS);
        err = vacuum_into(&db, copy, e);
    } else {
        err = fail(e, access(path, F_OK) == 0 ? ALOFT_ERR_IO : ALOFT_ERR_NOT_FOUND,
                   "cannot open the database '%s': %s", path, sqlite3_errmsg(db.handle));
    }
    (void)sqlite3_close(db.handle);
    return err;
}

void db_close(struct db *db)
{
    if (!db) {
        return;
    }
    for (size_t i = 0; i < db->n_statements; i++) {
        (void)sqlite3_finalize(db->statements[i].handle); /* repeats an error already reported */
    }
    (void)sqlite3_close(db->handle);
    (void)pthread_mutex_destroy(&db->lock);
    free(db);
}

void auto_db_close(struct db **db)
{
    db_close(*db);
}

enum aloft_err db_begin(struct db *db, struct db **ret_transaction, struct error *e)
{
    (void)pthread_mutex_lock(&db->lock);
    assert(!db->is_in_transaction);
    enum aloft_err err = execute(db, "BEGIN IMMEDIATE", e);
    if (err != ALOFT_ERR_OK) {
        (void)pthread_mutex_unlock(&db->lock);
        return err;
    }
    db->is_in_transaction = true;
    *ret_transaction = db;
    return ALOFT_ERR_OK;
}

enum aloft_err db_commit(struct db **transaction, struct error *e)
{
    struct db *db = *transaction;
    enum aloft_err err = execute(db, "COMMIT", e);

    if (err != ALOFT_ERR_OK) {
        auto_db_rollback(transaction);
        return err;
    }
    *transaction = NULL;
    db->is_in_transaction = false;
    (void)pthread_mutex_unlock(&db->lock);
    return ALOFT_ERR_OK;
}

void auto_db_rollback(struct db **transaction)
{
    struct db *db = *transaction;

    if (!db) {
        return;
    }
    *transaction = NULL;
    (void)execute(db, "ROLLBACK", NULL); /* fails only when SQLite has rolled back by itself */
    db->is_in_transaction = false;
    (void)pthread_mutex_unlock(&db->lock);
}

static struct db_stmt *find(struct db *db, const char *sql)
{
    for (size_t i = 0; i < db->n_statements; i++) {
        if (db->statements[i].sql == sql) {
            return &db->statements[i];
        }
    }
    return NULL;
}

static struct db_stmt *compile(struct db *db, const char *sql, struct error *e)
{
    assert(db->n_statements < STATEMENTS_MAX);
    struct db_stmt *s = &db->statements[db->n_statements];
    if (sqlite3_prepare_v3(db->handle, sql, -1, SQLITE_PREPARE_PERSISTENT, &s->handle, NULL) !=
        SQLITE_OK) {
        (void)fail_sql(db, e, "cannot prepare a statement");
        return NULL;
    }
    s->db = db;
    s->sql = sql;
    db->n_statements++;
    return s;
}

enum aloft_err db_prepare(struct db *db, const char *sql, struct db_stmt **ret_stmt,
                          struct error *e)
{
    (void)pthread_mutex_lock(&db->lock);
    struct db_stmt *s = find(db, sql);
    if (!s) {
        s = compile(db, sql, e);
    }
    if (!s) {
        (void)pthread_mutex_unlock(&db->lock);
        return ALOFT_ERR_IO;
    }
    assert(!s->is_in_use);
    s->is_in_use = true;
    s->bind_rc = SQLITE_OK;
    *ret_stmt = s;
    return ALOFT_ERR_OK;
}

void auto_stmt_end(struct db_stmt **stmt)
{
    struct db_stmt *s = *stmt;

    if (!s) {
        return;
    }
    *stmt = NULL;
    (void)sqlite3_reset(s->handle); /* repeats the error of the last step */
    (void)sqlite3_clear_bindings(s->handle);
    s->is_in_use = false;
    (void)pthread_mutex_unlock(&s->db->lock);
}

static void note_bind(struct db_stmt *s, int rc)
{
    if (s->bind_rc == SQLITE_OK) {
        s->bind_rc = rc;
    }
}

void db_bind_text(struct db_stmt *s, int index, const char *text)
{
    note_bind(s, text ? sqlite3_bind_text(s->handle, index, text, -1, SQLITE_TRANSIENT)
                      : sqlite3_bind_null(s->handle, index));
}

void db_bind_int(struct db_stmt *s, int index, int64_t value)
{
    note_bind(s, sqlite3_bind_int64(s->handle, index, value));
}

void db_bind_id(struct db_stmt *s, int index, int64_t id)
{
    if (id == 0) {
        db_bind_text(s, index, NULL);
    } else {
        db_bind_int(s, index, id);
    }
}

enum aloft_err db_step(struct db_stmt *s, struct error *e)
{
    if (s->bind_rc != SQLITE_OK) {
        return fail(e, ALOFT_ERR_IO, "the database: cannot bind: %s", sqlite3_errstr(s->bind_rc));
    }
    int rc = sqlite3_step(s->handle);
    if (rc == SQLITE_ROW) {
        return ALOFT_ERR_OK;
    }
    return rc == SQLITE_DONE ? ALOFT_ERR_NOT_FOUND : fail_sql(s->db, e, "cannot step");
}

enum aloft_err db_run(struct db_stmt *s, struct error *e)
{
    enum aloft_err err = db_step(s, e);

    assert(err != ALOFT_ERR_OK); /* it gave a row */
    return err == ALOFT_ERR_NOT_FOUND ? ALOFT_ERR_OK : err;
}

int64_t db_changes(const struct db_stmt *s)
{
    return sqlite3_changes64(s->db->handle);
}

void db_get_text(const struct db_stmt *s, int index, char *buf, size_t cap)
{
    const char *text = (const char *)sqlite3_column_text(s->handle, index);

    (void)snprintf(buf, cap, "%s", text ? text : "");
}

char *db_dup_text(const struct db_stmt *s, int index)
{
    const char *text = (const char *)sqlite3_column_text(s->handle, index);

    return strdup(text ? text : "");
}

int64_t db_get_int(const struct db_stmt *s, int index)
{
    return sqlite3_column_int64(s->handle, index);
}

enum aloft_err db_query_int(struct db *db, const char *sql, const char *text, int64_t *ret_value,
                            struct error *e)
{
    AUTO_STMT s = NULL;
    enum aloft_err err = db_prepare(db, sql, &s, e);

    if (err != ALOFT_ERR_OK) {
        return err;
    }
    if (text) {
        db_bind_text(s, 1, text);
    }
    err = db_step(s, e);
    if (err != ALOFT_ERR_OK && err != ALOFT_ERR_NOT_FOUND) {
        return err;
    }
    *ret_value = err == ALOFT_ERR_OK ? db_get_int(s, 0) : 0;
    return ALOFT_ERR_OK;
}

enum aloft_err db_next_id(struct db *db, const char *table, int64_t *ret_id, struct error *e)
{
    return db_query_int(db,
                        "INSERT INTO id_sequence (name, last) VALUES (?1, 1) ON CONFLICT (name) "
                        "DO UPDATE SET last = id_sequence.last + 1 RETURNING last",
                        table, ret_id, e);
}
