/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_SERVER_DB_H
#define ALOFT_SERVER_DB_H

#include <stddef.h>
#include <stdint.h>

#include "aloft/attr.h"
#include "host/error.h"

/*
 * The thin SQL engine: all that the topic files (products.c, roms.c, ...) know of a database.
 * Safe to use from several threads: a statement holds the database from db_prepare() to its end,
 * a transaction from db_begin() to its end; other threads wait.
 *
 * Every failure is ALOFT_ERR_IO with a sentence; native_code is ENOSPC when the disk is full.
 */

struct db;
struct db_stmt;

/**
 * Open the database file, make it when it is not there, and bring its schema up to date.
 *
 * @param ret_db  The caller's; db_close() it.
 * @retval ALOFT_ERR_VERSION  A newer program made it; nothing was changed.
 * @retval ALOFT_ERR_IO       Not readable, not a database, or a migration failed (and was undone).
 */
ALOFT_MUST_CHECK
enum aloft_err db_open(const char *path, struct db **ret_db, struct error *e);

/**
 * Copy a database as it is at one moment into a new file, also while a server uses it: that goes on
 * writing meanwhile. The schema stays as it is.
 *
 * @param path  The database; must be there.
 * @param copy  Must not be there, or be an empty file. After an error parts of it may be there.
 * @retval ALOFT_ERR_NOT_FOUND  There is no database.
 */
ALOFT_MUST_CHECK
enum aloft_err db_snapshot(const char *path, const char *copy, struct error *e);

/** No statement may be in use. NULL is fine. */
void db_close(struct db *db);
void auto_db_close(struct db **db);
#define AUTO_DB __attribute__((cleanup(auto_db_close))) struct db *

/**
 * Begin a transaction that writes. Keep the handle in an AUTO_TRANSACTION: what was not committed
 * when it goes out of scope is undone. Transactions do not nest.
 */
ALOFT_MUST_CHECK
enum aloft_err db_begin(struct db *db, struct db **ret_transaction, struct error *e);

/** Make it last (on the disk, not only in memory); `*transaction` is NULL afterwards, or undone. */
ALOFT_MUST_CHECK
enum aloft_err db_commit(struct db **transaction, struct error *e);

void auto_db_rollback(struct db **transaction);
#define AUTO_TRANSACTION __attribute__((cleanup(auto_db_rollback))) struct db *

/**
 * A statement ready to be bound. It is compiled once per database and kept.
 *
 * @param sql  A string literal: kept by its address. `?1`, `?2`, ... are the parameters.
 * @param ret_stmt  Keep it in an AUTO_STMT; until its end no other thread uses the database, and
 *                  the same statement must not be prepared again.
 */
ALOFT_MUST_CHECK
enum aloft_err db_prepare(struct db *db, const char *sql, struct db_stmt **ret_stmt,
                          struct error *e);

void auto_stmt_end(struct db_stmt **stmt);
#define AUTO_STMT __attribute__((cleanup(auto_stmt_end))) struct db_stmt *

/** Bind parameter `index` (from 1). `text` is copied; NULL is SQL's NULL. A failure shows in
 * the first db_step(). */
void db_bind_text(struct db_stmt *stmt, int index, const char *text);
void db_bind_int(struct db_stmt *stmt, int index, int64_t value);
/** The id of another row; 0 is SQL's NULL. */
void db_bind_id(struct db_stmt *stmt, int index, int64_t id);

/**
 * @retval ALOFT_ERR_OK         A row stands ready.
 * @retval ALOFT_ERR_NOT_FOUND  There is no further row. No sentence.
 */
ALOFT_MUST_CHECK
enum aloft_err db_step(struct db_stmt *stmt, struct error *e);

/** Step a statement that gives no rows. */
ALOFT_MUST_CHECK
enum aloft_err db_run(struct db_stmt *stmt, struct error *e);

/** Rows changed by the last db_run() of this statement's database. */
int64_t db_changes(const struct db_stmt *stmt);

/** Column `index` (from 0) of the row. Text is copied and cut at `cap` with a NUL; NULL is "". */
void db_get_text(const struct db_stmt *stmt, int index, char *buf, size_t cap);
int64_t db_get_int(const struct db_stmt *stmt, int index); /**< NULL is 0. */
/** Of any length; free() it. NULL when memory is out. */
char *db_dup_text(const struct db_stmt *stmt, int index);

/**
 * An id for a new row of `table`: 1, 2, ..., never one that was used before. Within the transaction
 * that adds the row.
 */
ALOFT_MUST_CHECK
enum aloft_err db_next_id(struct db *db, const char *table, int64_t *ret_id, struct error *e);

/**
 * One number by one text parameter (NULL = the statement has none); 0 if there is no row.
 * For `SELECT count(*) ...`.
 */
ALOFT_MUST_CHECK
enum aloft_err db_query_int(struct db *db, const char *sql, const char *text, int64_t *ret_value,
                            struct error *e);

#endif
