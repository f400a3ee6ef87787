/* SPDX-License-Identifier: Apache-2.0 */

/* aloft account: who may do what; through the API, or on the machine itself with --data. */

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "account/passwords.h"
#include "ask.h"
#include "client.h"
#include "commands.h"
#include "control_client.h"
#include "host/auto.h"
#include "table.h"

#define ROOT           "/api/v1/accounts"
#define PASSWORD_BYTES (PASSWORD_MAX + 2)
#define GRANTS_BYTES   512

/* Say what was done to the account. */
static int say_done(const struct opt_values *v, const char *what)
{
    (void)printf("%s %s\n", opt_text(v, "name"), what);
    return EXIT_DONE;
}

/* A change that answers with the account, or nothing. `done` is said behind its name. */
static int change(const struct opt_values *v, const char *method, const char *const *names,
                  json_t *body, const char *done)
{
    AUTO_JSON answer = NULL;
    bool has_answer = strcmp(names[1] ? "" : method, "DELETE") != 0;
    int rc = client_once(v, method, ROOT, names, body, has_answer ? &answer : NULL);

    if (rc != EXIT_DONE || opt_has(v, "json")) {
        return rc == EXIT_DONE && answer ? client_print_json(answer) : rc;
    }
    return say_done(v, done);
}

/* -- list -------------------------------------------------------------------------------------- */

static void list_grants(const json_t *account, char out[GRANTS_BYTES])
{
    size_t used = 0;
    size_t i;
    json_t *g;

    out[0] = '\0';
    json_array_foreach(json_object_get(account, "grants"), i, g)
    {
        if (used < GRANTS_BYTES) {
            used += (size_t)snprintf(out + used, GRANTS_BYTES - used, "%s%s:%s", used ? ", " : "",
                                     client_text(g, "product"), client_text(g, "role"));
        }
    }
}

static int print_accounts(const json_t *accounts)
{
    static const char *const headings[] = {"account", "role",      "grants",
                                           "active",  "signed in", NULL};
    struct table *table = table_new(headings);
    size_t i;
    json_t *a;

    json_array_foreach(accounts, i, a)
    {
        char grants[GRANTS_BYTES];
        char signed_in[CLIENT_TIME_BYTES];
        bool is_active = json_is_true(json_object_get(a, "is_active"));
        list_grants(a, grants);
        client_time_text(a, "signed_in_ms", signed_in, sizeof signed_in);
        table_add(table, (const char *const[]){client_text(a, "name"), client_text(a, "role"),
                                               grants, is_active ? "yes" : "no", signed_in});
    }
    return table_print(table, stdout) == 0 ? EXIT_DONE : failure("cannot print the table");
}

/* Ask the server on this machine. `request` is taken over. */
static int ask_locally(const struct opt_values *v, json_t *request, json_t **ret_answer)
{
    struct error e = {0};

    return control_call(opt_text(v, "data"), request, ret_answer, &e) == ALOFT_ERR_OK
               ? EXIT_DONE
               : failure("%s", e.sentence);
}

static int fetch_accounts(const struct opt_values *v, json_t **ret_accounts)
{
    AUTO_CLIENT client = NULL;
    AUTO_JSON answer = NULL;
    int rc;

    if (opt_has(v, "data")) {
        rc = ask_locally(v, json_pack("{s:s}", "command", "account.ls"), &answer);
        *ret_accounts = json_incref(json_object_get(answer, "accounts"));
        return rc;
    }
    rc = client_open(v, &client);
    return rc == EXIT_DONE ? client_list(client, ROOT, "accounts", ret_accounts) : rc;
}

static int run_ls(const struct opt_values *v)
{
    AUTO_JSON accounts = NULL;
    int rc = fetch_accounts(v, &accounts);

    if (rc != EXIT_DONE) {
        return rc;
    }
    return opt_has(v, "json") ? client_print_json(accounts) : print_accounts(accounts);
}

/* -- change ------------------------------------------------------------------------------------ */

static int run_invite(const struct opt_values *v)
{
    AUTO_CLIENT client = NULL;
    AUTO_JSON made = NULL;
    char expires[CLIENT_TIME_BYTES];
    int days = 0;
    const char *text = opt_text(v, "days");

    if (text && (sscanf(text, "%5d", &days) != 1 || days < 1)) {
        return usage_error("--days '%s' is not a number of days", text);
    }
    AUTO_JSON body = json_pack("{s:s, s:s*, s:s*, s:o*}", "role", opt_text(v, "role"), "product",
                               opt_text(v, "product"), "note", opt_text(v, "note"), "days",
                               text ? json_integer(days) : NULL);
    int rc = body ? client_open(v, &client) : usage_error("the values given are not valid UTF-8");
    if (rc == EXIT_DONE) {
        rc = client_call(client, "POST", "/api/v1/invitations", body, &made);
    }
    if (rc != EXIT_DONE || opt_has(v, "json")) {
        return rc == EXIT_DONE ? client_print_json(made) : rc;
    }
    client_time_text(made, "expires_ms", expires, sizeof expires);
    (void)printf("code     %s\nexpires  %s\n\nWhoever has it joins with:\n"
                 "  aloft join --server %s\n",
                 client_text(made, "code"), expires, client_server(client));
    return EXIT_DONE;
}

static int run_grant(const struct opt_values *v)
{
    const char *const names[] = {opt_text(v, "name"), "grants", opt_text(v, "product"), NULL};
    const char *role = opt_text(v, "role");

    return strcmp(role, "none") == 0
               ? change(v, "DELETE", names, NULL, "has no grant for this product")
               : change(v, "PUT", names, json_pack("{s:s}", "role", role), "has the grant");
}

static int run_set_role(const struct opt_values *v)
{
    const char *const names[] = {opt_text(v, "name"), NULL};

    return change(v, "PATCH", names, json_pack("{s:s}", "role", opt_text(v, "role")),
                  "has the role");
}

static int set_active(const struct opt_values *v, int is_active)
{
    const char *const names[] = {opt_text(v, "name"), NULL};

    return change(v, "PATCH", names, json_pack("{s:b}", "is_active", is_active),
                  is_active ? "may sign in again" : "may sign in no more");
}

static int run_deactivate(const struct opt_values *v)
{
    return set_active(v, 0);
}

static int run_activate(const struct opt_values *v)
{
    return set_active(v, 1);
}

static int run_rm(const struct opt_values *v)
{
    const char *const names[] = {opt_text(v, "name"), NULL};

    return change(v, "DELETE", names, NULL, "is removed");
}

/* -- on the machine itself --------------------------------------------------------------------- */

static int get_new_password(const struct opt_values *v, char buf[PASSWORD_BYTES])
{
    char again[PASSWORD_BYTES];
    const char *file = opt_text(v, "password-file");
    int rc = file ? ask_file(file, buf, PASSWORD_BYTES)
                  : ask_terminal("new password", "password-file", true, buf, PASSWORD_BYTES);

    if (rc != EXIT_DONE || file) {
        return rc;
    }
    rc = ask_terminal("the same password again", "password-file", true, again, PASSWORD_BYTES);
    if (rc == EXIT_DONE && strcmp(again, buf) != 0) {
        rc = failure("the two passwords differ; nothing was done");
    }
    explicit_bzero(again, sizeof again);
    return rc;
}

static int send_password(const struct opt_values *v, const char *command, const char *role)
{
    AUTO_JSON answer = NULL;
    char password[PASSWORD_BYTES];
    int rc = get_new_password(v, password);

    if (rc == EXIT_DONE) {
        json_t *request = json_pack("{s:s, s:s, s:s, s:s*}", "command", command, "name",
                                    opt_text(v, "name"), "password", password, "role", role);
        rc = request ? ask_locally(v, request, &answer)
                     : usage_error("the name and the password must be UTF-8");
    }
    explicit_bzero(password, sizeof password);
    return rc;
}

static int run_add(const struct opt_values *v)
{
    int rc = send_password(v, "account.add", opt_text(v, "role"));

    return rc == EXIT_DONE ? say_done(v, "is added") : rc;
}

static int run_set_password(const struct opt_values *v)
{
    int rc = send_password(v, "account.set-password", NULL);

    return rc == EXIT_DONE ? say_done(v, "has the new password, and no session any more") : rc;
}

/* -- tables ------------------------------------------------------------------------------------ */

/* clang-format off */
#define NAME_OPT {OPT_POSITIONAL, "name", "NAME", "Of the account.", true, false}
#define DATA_OPT(is_required)                                                                      \
    {OPT_VALUE, "data", "DIR", "The data folder of a server that runs on this machine.", is_required, false}
#define PASSWORD_OPT                                                                               \
    {OPT_VALUE, "password-file", "FILE", "The password is its first line; default: asked for.", false, false}
#define ROLE_OPT(help) {OPT_VALUE, "role", "ROLE", help, true, false}

static const struct opt ls_opts[] = {DATA_OPT(false), CLIENT_OPTS, OPT_END};
static const struct opt invite_opts[] = {
    ROLE_OPT("none, viewer, developer, operator or admin."),
    {OPT_VALUE, "product", "NAME", "The role is for this product only.", false, false},
    {OPT_VALUE, "note", "TEXT", "For whom it is.", false, false},
    {OPT_VALUE, "days", "N", "It is good for so long; default 7.", false, false},
    CLIENT_OPTS, OPT_END};
static const struct opt grant_opts[] = {
    NAME_OPT, {OPT_VALUE, "product", "NAME", "Which one.", true, false},
    ROLE_OPT("viewer, developer, operator or admin; none takes the grant away."), CLIENT_OPTS, OPT_END};
static const struct opt set_role_opts[] = {
    NAME_OPT, ROLE_OPT("none, viewer, developer, operator or admin."), CLIENT_OPTS, OPT_END};
static const struct opt name_opts[] = {NAME_OPT, CLIENT_OPTS, OPT_END};
static const struct opt add_opts[] = {
    NAME_OPT, ROLE_OPT("none, viewer, developer, operator or admin."), PASSWORD_OPT, DATA_OPT(true), OPT_END};
static const struct opt set_password_opts[] = {NAME_OPT, PASSWORD_OPT, DATA_OPT(true), OPT_END};

#define LOCALLY "Goes through the control socket in the data folder of the running server: it needs no password,\n" \
    "but to be the server's user, or root."

const struct cli_command cmd_account_ls = {
    "account", "ls", "List the accounts.", NULL, ls_opts, run_ls};
const struct cli_command cmd_account_invite = {
    "account", "invite", "Make an invitation; print its code.", NULL, invite_opts, run_invite};
const struct cli_command cmd_account_grant = {
    "account", "grant", "Give an account a role for one product.", NULL, grant_opts, run_grant};
const struct cli_command cmd_account_set_role = {
    "account", "set-role", "Give an account a role for every product.", NULL, set_role_opts, run_set_role};
const struct cli_command cmd_account_deactivate = {
    "account", "deactivate", "End an account's sessions and let it sign in no more.", NULL, name_opts, run_deactivate};
const struct cli_command cmd_account_activate = {
    "account", "activate", "Let an account sign in again.", NULL, name_opts, run_activate};
const struct cli_command cmd_account_rm = {
    "account", "rm", "Remove an account with its sessions, API tokens and grants.", NULL, name_opts, run_rm};
const struct cli_command cmd_account_add = {
    "account", "add", "Add an account, on the server's machine.", LOCALLY, add_opts, run_add};
const struct cli_command cmd_account_set_password = {
    "account", "set-password", "Set a lost password anew, on the server's machine.", LOCALLY, set_password_opts, run_set_password};
/* clang-format on */
