/* SPDX-License-Identifier: Apache-2.0 */

/* aloft join, login, logout: who somebody is for a server, and for the commands after it. */

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "account/passwords.h"
#include "store/role.h"
#include "ask.h"
#include "client.h"
#include "commands.h"
#include "host/auto.h"
#include "login_file.h"

#define CODE_BYTES     128 /* what somebody may type; the server knows what a code is */
#define PASSWORD_BYTES (PASSWORD_MAX + 2)
#define DAYS_DEFAULT   90

/* -- the API token of this machine ------------------------------------------------------------- */

/* The greatest role of a session, for every product or one. */
static const char *greatest_role(const json_t *session)
{
    enum role greatest = ROLE_NONE;
    enum role role = ROLE_NONE;
    size_t i;
    json_t *grant;

    (void)role_parse(client_text(session, "role"), &greatest);
    json_array_foreach(json_object_get(session, "grants"), i, grant)
    {
        if (role_parse(client_text(grant, "role"), &role)) {
            greatest = role_greater(greatest, role);
        }
    }
    return role_text(greatest);
}

/* An API token for this machine, instead of the session, which ends. */
static int exchange_session(struct client *client, const json_t *session, struct login *login)
{
    char host[HOST_NAME_MAX + 1] = "";
    char name[API_TOKEN_NAME_MAX + 1];
    AUTO_JSON made = NULL;

    (void)gethostname(host, sizeof host - 1);
    (void)snprintf(name, sizeof name, "login on %.50s", host);
    AUTO_JSON body = json_pack("{s:s, s:s, s:i}", "name", name, "role", greatest_role(session),
                               "days", DAYS_DEFAULT);
    client_set_csrf(client, client_text(session, "csrf"));
    int rc = body ? client_call(client, "POST", "/api/v1/api-tokens", body, &made)
                  : failure("out of memory");
    if (rc == EXIT_DONE) {
        rc = client_call(client, "DELETE", "/api/v1/session", NULL, NULL);
    }
    if (rc == EXIT_DONE && !is_api_token(client_text(made, "secret"))) {
        rc = failure("the server gave no API token");
    }
    if (rc == EXIT_DONE) {
        (void)snprintf(login->server, sizeof login->server, "%s", client_server(client));
        (void)snprintf(login->api_token, sizeof login->api_token, "%s",
                       client_text(made, "secret"));
        login->api_token_id = json_integer_value(json_object_get(made, "id"));
    }
    return rc;
}

static int keep_login(struct client *client, const json_t *session)
{
    struct login login = {0};
    char path[PATH_MAX];
    struct error e = {0};

    if (strcmp(greatest_role(session), role_text(ROLE_NONE)) == 0) {
        (void)printf("Your account has no role yet. Ask an admin for one, then run 'aloft "
                     "login --server %s'.\n",
                     client_server(client));
        return EXIT_DONE;
    }
    int rc = exchange_session(client, session, &login);
    if (rc != EXIT_DONE) {
        return rc;
    }
    if (login_file_save(&login, &e) != ALOFT_ERR_OK || login_file_path(path, &e) != ALOFT_ERR_OK) {
        return failure("%s", e.sentence);
    }
    (void)printf("Logged in at %s as %s (%s). The API token of this machine is in %s, good for %d "
                 "days.\n",
                 client_server(client), client_text(session, "name"), greatest_role(session), path,
                 DAYS_DEFAULT);
    return EXIT_DONE;
}

/* -- questions --------------------------------------------------------------------------------- */

static int get_name(const struct opt_values *v, char *buf, size_t cap)
{
    const char *given = opt_text(v, "name");

    if (!given) {
        return ask_terminal("name", "name", false, buf, cap);
    }
    return snprintf(buf, cap, "%s", given) < (int)cap ? EXIT_DONE
                                                      : usage_error("the name is too long");
}

static int get_password(const struct opt_values *v, bool is_new, char buf[PASSWORD_BYTES])
{
    char again[PASSWORD_BYTES];
    const char *file = opt_text(v, "password-file");

    if (file) {
        return ask_file(file, buf, PASSWORD_BYTES);
    }
    int rc = ask_terminal("password", "password-file", true, buf, PASSWORD_BYTES);
    if (rc != EXIT_DONE || !is_new) {
        return rc;
    }
    rc = ask_terminal("the same password again", "password-file", true, again, PASSWORD_BYTES);
    if (rc == EXIT_DONE && strcmp(again, buf) != 0) {
        rc = failure("the two passwords differ; nothing was done");
    }
    explicit_bzero(again, sizeof again);
    return rc;
}

static int get_code(const struct opt_values *v, char buf[CODE_BYTES])
{
    const char *file = opt_text(v, "code-file");

    if (opt_has(v, "no-code")) {
        buf[0] = '\0';
        return EXIT_DONE;
    }
    if (file && access(file, F_OK) != 0) {
        return failure("there is no '%s': a server has a set-up code until the first account is "
                       "made; then log in ('aloft login'), or ask an admin for an invitation",
                       file);
    }
    return file ? ask_file(file, buf, CODE_BYTES)
                : ask_terminal("set-up or invitation code", "code-file", false, buf, CODE_BYTES);
}

/* -- commands ---------------------------------------------------------------------------------- */

/* Send name, password and perhaps a code there; what comes back is a session. */
static int begin_session(const struct opt_values *v, const char *path, const char *name,
                         const char *password, const char *code)
{
    AUTO_CLIENT client = NULL;
    AUTO_JSON session = NULL;
    AUTO_JSON body =
        json_pack("{s:s, s:s, s:s*}", "name", name, "password", password, "code", code);
    int rc =
        body ? client_open_nobody(v, &client) : failure("the name and the password must be UTF-8");

    if (rc == EXIT_DONE) {
        rc = client_call(client, "POST", path, body, &session);
    }
    return rc == EXIT_DONE ? keep_login(client, session) : rc;
}

static int run_join(const struct opt_values *v)
{
    char name[ACCOUNT_NAME_MAX + 2];
    char code[CODE_BYTES];
    char password[PASSWORD_BYTES];
    int rc = get_name(v, name, sizeof name);

    if (rc == EXIT_DONE) {
        rc = get_code(v, code);
    }
    if (rc == EXIT_DONE) {
        rc = get_password(v, true, password);
    }
    if (rc == EXIT_DONE) {
        rc = begin_session(v, "/api/v1/join", name, password, *code ? code : NULL);
    }
    explicit_bzero(password, sizeof password);
    return rc;
}

static int run_login(const struct opt_values *v)
{
    char name[ACCOUNT_NAME_MAX + 2];
    char password[PASSWORD_BYTES];
    int rc = get_name(v, name, sizeof name);

    if (rc == EXIT_DONE) {
        rc = get_password(v, false, password);
    }
    if (rc == EXIT_DONE) {
        rc = begin_session(v, "/api/v1/session", name, password, NULL);
    }
    explicit_bzero(password, sizeof password);
    return rc;
}

/* Also without the server: then its API token stays good until it expires, and we say so. */
static int run_logout(const struct opt_values *v)
{
    AUTO_CLIENT client = NULL;
    AUTO_FREE char *path = NULL;
    struct login login;
    struct error e = {0};

    (void)v;
    if (login_file_load(&login, &e) != ALOFT_ERR_OK) {
        return failure("%s", e.sentence);
    }
    int rc = client_open_login(&login, &client);
    if (rc == EXIT_DONE &&
        asprintf(&path, "/api/v1/api-tokens/%lld", (long long)login.api_token_id) < 0) {
        rc = failure("out of memory");
    }
    if (rc == EXIT_DONE) {
        rc = client_call(client, "DELETE", path, NULL, NULL);
    }
    if (login_file_remove(&e) != ALOFT_ERR_OK) {
        return failure("%s", e.sentence);
    }
    if (rc == EXIT_DONE) {
        (void)printf("Logged out at %s\n", login.server);
    }
    return rc == EXIT_DONE ? rc
                           : failure("this machine has forgotten the API token, but the server "
                                     "still takes it until it expires");
}

/* clang-format off */
#define SERVER_OPT                                                                                 \
    {OPT_VALUE, "server", "URL", "The server's console plane; default $ALOFT_SERVER, or where you are logged in, or http://127.0.0.1:8000.", false, false}
#define PASSWORD_OPT                                                                               \
    {OPT_VALUE, "password-file", "FILE", "The password is its first line; default: asked for.", false, false}

static const struct opt join_opts[] = {
    SERVER_OPT,
    {OPT_VALUE, "name", "NAME", "Letters, digits, dots, dashes, underscores; default: asked for.", false, false},
    {OPT_VALUE, "code-file", "FILE", "The code is its first line; default: asked for.", false, false},
    {OPT_FLAG, "no-code", NULL, "Join a server that is open to everybody.", false, false},
    PASSWORD_OPT,
    OPT_END,
};

static const struct opt login_opts[] = {
    SERVER_OPT,
    {OPT_VALUE, "name", "NAME", "Of the account; default: asked for.", false, false},
    PASSWORD_OPT,
    OPT_END,
};

static const struct opt logout_opts[] = {OPT_END};
/* clang-format on */

#define KEPT                                                                                       \
    "An API token for this machine is kept in $XDG_CONFIG_HOME/aloft/login.json (or ~/.config),\n" \
    "and all other commands use it, and its server, when they are given none."

const struct cli_command cmd_join = {
    "join", NULL,      "Make an account by a set-up or invitation code, and log in.",
    KEPT,   join_opts, run_join,
};

const struct cli_command cmd_login = {
    "login", NULL, "Log in to a server.", KEPT, login_opts, run_login,
};

const struct cli_command cmd_logout = {
    "logout", NULL,        "Forget the login, and end its API token on the server.",
    NULL,     logout_opts, run_logout,
};
