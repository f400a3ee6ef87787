/* SPDX-License-Identifier: Apache-2.0 */
#include "store/server_facts.h"

enum aloft_err server_facts_get(struct db *db, const char *name, char *ret_value, size_t cap,
                                struct error *e)
{
    AUTO_STMT s = NULL;
    enum aloft_err err = db_prepare(db, "SELECT value FROM server_fact WHERE name = ?1", &s, e);

    if (err != ALOFT_ERR_OK) {
        return err;
    }
    db_bind_text(s, 1, name);
    err = db_step(s, e);
    if (err == ALOFT_ERR_OK) {
        db_get_text(s, 0, ret_value, cap);
    }
    return err;
}

enum aloft_err server_facts_set(struct db *db, const char *name, const char *value, struct error *e)
{
    AUTO_STMT s = NULL;
    enum aloft_err err = db_prepare(db,
                                    "INSERT INTO server_fact (name, value) VALUES (?1, ?2) "
                                    "ON CONFLICT (name) DO UPDATE SET value = ?2",
                                    &s, e);

    if (err != ALOFT_ERR_OK) {
        return err;
    }
    db_bind_text(s, 1, name);
    db_bind_text(s, 2, value);
    return db_run(s, e);
}

enum aloft_err server_facts_remove(struct db *db, const char *name, struct error *e)
{
    AUTO_STMT s = NULL;
    enum aloft_err err = db_prepare(db, "DELETE FROM server_fact WHERE name = ?1", &s, e);

    if (err != ALOFT_ERR_OK) {
        return err;
    }
    db_bind_text(s, 1, name);
    return db_run(s, e);
}
