/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/control_accounts.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "account/setup.h"
#include "host/clock.h"
#include "store/audit.h"
#include "store/grants.h"
#include "store/products.h"
#include "store/sessions.h"

#define ACCOUNTS_MAX 1000 /* an answer is one line; more than these are for the API */

static enum aloft_err note(struct db *tx, const char *action, const char *object, struct error *e)
{
    const struct audit_entry entry = {.time_ms = clock_wall_ms(),
                                      .actor = AUDIT_ACTOR_LOCAL,
                                      .address = "",
                                      .action = action,
                                      .product = "",
                                      .object = object,
                                      .detail = "{}"};

    return audit_add(tx, &entry, e);
}

/* -- account.ls -------------------------------------------------------------------------------- */

struct listing {
    struct db *db;
    json_t *list;
};

static enum aloft_err append_grant(void *ctx, const char *product, enum role role, struct error *e)
{
    json_t *grant = json_pack("{s:s, s:s}", "product", product, "role", role_text(role));

    return json_array_append_new(ctx, grant) == 0 ? ALOFT_ERR_OK
                                                  : fail(e, ALOFT_ERR_IO, "out of memory");
}

static enum aloft_err append_account(void *ctx, const struct account *a, struct error *e)
{
    struct listing *l = ctx;
    json_t *grants = json_array();
    enum aloft_err err = grants_each(l->db, a->id, append_grant, grants, e);
    json_t *account = json_pack("{s:s, s:s, s:b, s:I, s:o}", "name", a->name, "role",
                                role_text(a->role), "is_active", a->is_active, "signed_in_ms",
                                (json_int_t)a->signed_in_ms, "grants", grants);

    if (err != ALOFT_ERR_OK) {
        json_decref(account);
        return err;
    }
    return json_array_append_new(l->list, account) == 0 ? ALOFT_ERR_OK
                                                        : fail(e, ALOFT_ERR_IO, "out of memory");
}

static enum aloft_err list_accounts(void *ctx, json_t *in, json_t *out, struct error *e)
{
    struct control_accounts *c = ctx;
    struct listing l = {c->db, json_array()};
    const char *command;

    (void)json_object_set_new(out, "accounts", l.list);
    if (json_unpack_ex(in, NULL, 0, "{s:s!}", "command", &command) != 0) {
        return fail(e, ALOFT_ERR_ARG, "'account.ls' takes no members");
    }
    return accounts_each(c->db, "", ACCOUNTS_MAX, append_account, &l, e);
}

/* -- account.add ------------------------------------------------------------------------------- */

static enum aloft_err hash(struct control_accounts *c, const char *password, struct account *a,
                           struct error *e)
{
    enum aloft_err err = password_check(password, e);

    return err == ALOFT_ERR_OK ? passwords_hash(c->passwords, password, a->password, e) : err;
}

/* Whoever came by the code afterwards would not be the first; so this one must be able to do all.
 */
static enum aloft_err finish_setup(struct db *tx, struct error *e)
{
    int64_t n_admins = 0;
    enum aloft_err err = accounts_count_admins(tx, &n_admins, e);

    if (err == ALOFT_ERR_OK && n_admins == 0) {
        return fail(e, ALOFT_ERR_ARG, "there is no admin yet: the first account must be one");
    }
    return err == ALOFT_ERR_OK ? setup_finish(tx, e) : err;
}

static enum aloft_err add_account(void *ctx, json_t *in, json_t *out, struct error *e)
{
    struct control_accounts *c = ctx;
    struct account a = {.is_active = true, .created_ms = clock_wall_ms()};
    const char *command;
    const char *name;
    const char *role;
    const char *password;
    AUTO_TRANSACTION tx = NULL;

    (void)out;
    if (json_unpack_ex(in, NULL, 0, "{s:s, s:s, s:s, s:s!}", "command", &command, "name", &name,
                       "role", &role, "password", &password) != 0) {
        return fail(e, ALOFT_ERR_ARG, "'account.add' takes name, role and password");
    }
    if (!is_plain_name(name, ACCOUNT_NAME_MAX) || !role_parse(role, &a.role)) {
        return fail(e, ALOFT_ERR_ARG,
                    "a name is 1 to %d letters, digits, dots, dashes or underscores; a role is "
                    "none, viewer, developer, operator or admin",
                    ACCOUNT_NAME_MAX);
    }
    (void)snprintf(a.name, sizeof a.name, "%s", name);
    enum aloft_err err = hash(c, password, &a, e);
    if (err == ALOFT_ERR_OK) {
        err = db_begin(c->db, &tx, e);
    }
    if (err == ALOFT_ERR_OK) {
        err = accounts_add(tx, &a, e);
    }
    if (err == ALOFT_ERR_OK) {
        err = finish_setup(tx, e);
    }
    if (err == ALOFT_ERR_OK) {
        err = note(tx, "account.added", a.name, e);
    }
    if (err == ALOFT_ERR_OK) {
        err = db_commit(&tx, e);
    }
    if (err == ALOFT_ERR_OK) {
        (void)unlink(c->setup_code_path);
    }
    return err;
}

/* -- account.set-password ---------------------------------------------------------------------- */

static enum aloft_err set_password(void *ctx, json_t *in, json_t *out, struct error *e)
{
    struct control_accounts *c = ctx;
    struct account fresh = {0};
    struct account a;
    const char *command;
    const char *name;
    const char *password;
    AUTO_TRANSACTION tx = NULL;

    (void)out;
    if (json_unpack_ex(in, NULL, 0, "{s:s, s:s, s:s!}", "command", &command, "name", &name,
                       "password", &password) != 0) {
        return fail(e, ALOFT_ERR_ARG, "'account.set-password' takes name and password");
    }
    enum aloft_err err = hash(c, password, &fresh, e);
    if (err == ALOFT_ERR_OK) {
        err = db_begin(c->db, &tx, e);
    }
    if (err == ALOFT_ERR_OK) {
        err = accounts_get(tx, name, &a, e);
    }
    if (err == ALOFT_ERR_OK) {
        memcpy(a.password, fresh.password, sizeof a.password);
        err = accounts_update(tx, &a, e);
    }
    if (err == ALOFT_ERR_OK) {
        err = sessions_remove_all(tx, a.id, e);
    }
    if (err == ALOFT_ERR_OK) {
        err = note(tx, "account.password_changed", a.name, e);
    }
    return err == ALOFT_ERR_OK ? db_commit(&tx, e) : err;
}

static const struct control_command commands[] = {
    {"account.ls", list_accounts},
    {"account.add", add_account},
    {"account.set-password", set_password},
};

void control_accounts_add(struct control *control, struct control_accounts *accounts)
{
    control_add(control, commands, sizeof commands / sizeof commands[0], accounts);
}
