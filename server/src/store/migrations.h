/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_SERVER_MIGRATIONS_H
#define ALOFT_SERVER_MIGRATIONS_H

#include <stddef.h>

/** One step of the schema; the texts are sql/NNNN-what.sql, embedded by tools/embed_sql.py. */
struct db_migration {
    const char *name; /**< `0001-first`. */
    const char *sql;
};

/** The i-th brings the schema from version i to i + 1. */
extern const struct db_migration db_migrations[];
extern const size_t n_db_migrations;

#endif
