/* SPDX-License-Identifier: Apache-2.0 */

/* aloft api-token: how programs sign in. */

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "account/passwords.h"
#include "ask.h"
#include "client.h"
#include "commands.h"
#include "host/auto.h"
#include "table.h"

#define ROOT           "/api/v1/api-tokens"
#define SESSION        "/api/v1/session"
#define PASSWORD_BYTES (PASSWORD_MAX + 2)

/* A session of the account named by --account; the caller ends it. */
static int sign_in(const struct opt_values *v, struct client *client)
{
    char password[PASSWORD_BYTES];
    const char *file = opt_text(v, "password-file");
    AUTO_JSON session = NULL;
    int rc = file ? ask_file(file, password, sizeof password)
                  : ask_terminal("password", "password-file", true, password, sizeof password);

    if (rc == EXIT_DONE) {
        AUTO_JSON body =
            json_pack("{s:s, s:s}", "name", opt_text(v, "account"), "password", password);
        rc = body ? client_call(client, "POST", SESSION, body, &session)
                  : usage_error("the name and the password must be UTF-8");
    }
    explicit_bzero(password, sizeof password);
    client_set_csrf(client, client_text(session, "csrf"));
    return rc;
}

/* Who asks: a person who signs in now, or who is logged in already. */
static int make_token(const struct opt_values *v, const json_t *body, json_t **ret_made)
{
    AUTO_CLIENT client = NULL;
    bool is_person = opt_has(v, "account");
    int rc = is_person ? client_open_nobody(v, &client) : client_open(v, &client);

    if (rc == EXIT_DONE && is_person) {
        rc = sign_in(v, client);
    }
    if (rc != EXIT_DONE) {
        return rc;
    }
    rc = client_call(client, "POST", ROOT, body, ret_made);
    if (is_person) {
        (void)client_call(client, "DELETE", SESSION, NULL, NULL);
    }
    return rc;
}

static int run_add(const struct opt_values *v)
{
    AUTO_JSON made = NULL;
    const char *text = opt_text(v, "days");
    int days = 0;

    if (text && (sscanf(text, "%5d", &days) != 1 || days < 1)) {
        return usage_error("--days '%s' is not a number of days", text);
    }
    AUTO_JSON body = json_pack("{s:s, s:s, s:s*, s:o*}", "name", opt_text(v, "name"), "role",
                               opt_text(v, "role"), "product", opt_text(v, "product"), "days",
                               text ? json_integer(days) : NULL);
    int rc =
        body ? make_token(v, body, &made) : usage_error("the values given are not valid UTF-8");
    if (rc != EXIT_DONE || opt_has(v, "json")) {
        return rc == EXIT_DONE ? client_print_json(made) : rc;
    }
    (void)puts(client_text(made, "secret")); /* alone, so that it can go into a file */
    return EXIT_DONE;
}

static int run_ls(const struct opt_values *v)
{
    static const char *const headings[] = {"id",      "name",    "account", "role",
                                           "product", "expires", "used",    NULL};
    AUTO_CLIENT client = NULL;
    AUTO_JSON list = NULL;
    size_t i;
    json_t *t;
    int rc = client_open(v, &client);

    if (rc == EXIT_DONE) {
        rc = client_list(client, ROOT, "api_tokens", &list);
    }
    if (rc != EXIT_DONE || opt_has(v, "json")) {
        return rc == EXIT_DONE ? client_print_json(list) : rc;
    }
    struct table *table = table_new(headings);
    json_array_foreach(list, i, t)
    {
        char id[24];
        char expires[CLIENT_TIME_BYTES];
        char used[CLIENT_TIME_BYTES];
        (void)snprintf(id, sizeof id, "%" JSON_INTEGER_FORMAT,
                       json_integer_value(json_object_get(t, "id")));
        client_time_text(t, "expires_ms", expires, sizeof expires);
        client_time_text(t, "used_ms", used, sizeof used);
        table_add(table, (const char *const[]){id, client_text(t, "name"),
                                               client_text(t, "account"), client_text(t, "role"),
                                               client_text(t, "product"), expires, used});
    }
    return table_print(table, stdout) == 0 ? EXIT_DONE : failure("cannot print the table");
}

static int run_rm(const struct opt_values *v)
{
    AUTO_CLIENT client = NULL;
    int rc = client_open(v, &client);

    if (rc != EXIT_DONE) {
        return rc;
    }
    AUTO_FREE char *path =
        client_path_under(client, ROOT, (const char *const[]){opt_text(v, "id"), NULL});
    rc = path ? client_call(client, "DELETE", path, NULL, NULL) : failure("out of memory");
    if (rc == EXIT_DONE) {
        (void)printf("API token %s is removed\n", opt_text(v, "id"));
    }
    return rc;
}

/* clang-format off */
static const struct opt add_opts[] = {
    {OPT_POSITIONAL, "name", "NAME", "For people: what it is used for.", true, false},
    {OPT_VALUE, "role", "ROLE", "viewer, developer, operator or admin: at most this.", true, false},
    {OPT_VALUE, "product", "NAME", "Only this product.", false, false},
    {OPT_VALUE, "days", "N", "It is good for so long; default: until it is removed, which needs --account where you are logged in for a time.", false, false},
    {OPT_VALUE, "account", "NAME", "Sign in with a password for this one command: then it may outlast your login.", false, false},
    {OPT_VALUE, "password-file", "FILE", "With --account: the password is its first line; default: asked for.", false, false},
    CLIENT_OPTS, OPT_END};
static const struct opt ls_opts[] = {CLIENT_OPTS, OPT_END};
static const struct opt rm_opts[] = {
    {OPT_POSITIONAL, "id", "ID", "As 'api-token ls' shows it.", true, false}, CLIENT_OPTS, OPT_END};

const struct cli_command cmd_api_token_add = {
    "api-token", "add", "Make an API token; print it, once.", NULL, add_opts, run_add};
const struct cli_command cmd_api_token_ls = {
    "api-token", "ls", "List your API tokens; an admin sees all.", NULL, ls_opts, run_ls};
const struct cli_command cmd_api_token_rm = {
    "api-token", "rm", "Remove an API token: it is refused from then on.", NULL, rm_opts, run_rm};
/* clang-format on */
