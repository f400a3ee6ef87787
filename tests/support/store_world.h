/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_TESTS_STORE_WORLD_H
#define ALOFT_TESTS_STORE_WORLD_H

#include "unit.h"

#include <stdio.h>

#include "store/db.h"
#include "temp_dir.h"

/* Tests of the store run once per SQL engine: what they open is the engine under test. */

struct store_engine {
    const char *name;
    /** A new, migrated database; `dir` is the test's own folder. */
    enum aloft_err (*open)(const char *dir, struct db **ret_db, struct error *e);
};

static inline enum aloft_err store_open_sqlite(const char *dir, struct db **ret_db, struct error *e)
{
    char path[300];

    (void)snprintf(path, sizeof path, "%s/aloft.db", dir);
    return db_open(path, ret_db, e);
}

static const struct store_engine store_engines[] = {
    {"sqlite", store_open_sqlite},
};

static const struct store_engine *store_engine; /* under test */

/** For set-up: a folder of its own (256 bytes) with a database. 0 on success. */
static inline int store_world_open(char dir[256], struct db **ret_db)
{
    return temp_dir_make(dir) == 0 && store_engine->open(dir, ret_db, NULL) == ALOFT_ERR_OK ? 0
                                                                                            : -1;
}

static inline void store_world_close(const char *dir, struct db *db)
{
    db_close(db);
    temp_dir_remove(dir);
}

/** Instead of cmocka_run_group_tests(): the tests with each engine; the number of failures. */
#define STORE_RUN(tests)                                                                           \
    __extension__({                                                                                \
        int n_failed_ = 0;                                                                         \
        for (size_t i_ = 0; i_ < sizeof store_engines / sizeof store_engines[0]; i_++) {           \
            store_engine = &store_engines[i_];                                                     \
            n_failed_ += cmocka_run_group_tests_name(store_engine->name, tests, NULL, NULL);       \
        }                                                                                          \
        n_failed_;                                                                                 \
    })

#endif
