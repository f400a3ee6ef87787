/* SPDX-License-Identifier: Apache-2.0 */
#include "login_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "auto_json.h"
#include "host/auto.h"
#include "host/files.h"

#define FILE_MAX 8192

/* The folder's path; the file is in it. */
static enum aloft_err find_folder(char path[PATH_MAX], struct error *e)
{
    const char *config = getenv("XDG_CONFIG_HOME");
    const char *home = getenv("HOME");
    int n;

    if (config && config[0] == '/') { /* another one counts as none, says the XDG specification */
        n = snprintf(path, PATH_MAX, "%s/aloft", config);
    } else if (home && *home) {
        n = snprintf(path, PATH_MAX, "%s/.config/aloft", home);
    } else {
        return fail(e, ALOFT_ERR_NOT_FOUND, "set HOME or XDG_CONFIG_HOME: the login is kept there");
    }
    return n < PATH_MAX ? ALOFT_ERR_OK
                        : fail(e, ALOFT_ERR_TOO_BIG, "the path of your home is too long");
}

enum aloft_err login_file_path(char path[PATH_MAX], struct error *e)
{
    char folder[PATH_MAX];
    enum aloft_err err = find_folder(folder, e);

    if (err != ALOFT_ERR_OK) {
        return err;
    }
    return snprintf(path, PATH_MAX, "%s/login.json", folder) < PATH_MAX
               ? ALOFT_ERR_OK
               : fail(e, ALOFT_ERR_TOO_BIG, "the path of your home is too long");
}

static bool read_login(const json_t *json, struct login *login)
{
    const char *server = json_string_value(json_object_get(json, "server"));
    const char *token = json_string_value(json_object_get(json, "api_token"));

    if (!server || !*server || strlen(server) > LOGIN_SERVER_MAX || !token ||
        !is_api_token(token)) {
        return false;
    }
    (void)snprintf(login->server, sizeof login->server, "%s", server);
    (void)snprintf(login->api_token, sizeof login->api_token, "%s", token);
    login->api_token_id = json_integer_value(json_object_get(json, "api_token_id"));
    return true;
}

enum aloft_err login_file_load(struct login *ret_login, struct error *e)
{
    char path[PATH_MAX];
    AUTO_FREE uint8_t *data = NULL;
    size_t len = 0;
    enum aloft_err err = login_file_path(path, e);

    if (err != ALOFT_ERR_OK) {
        return err;
    }
    if (access(path, F_OK) != 0 && errno == ENOENT) {
        return fail(e, ALOFT_ERR_NOT_FOUND, "nobody has logged in");
    }
    err = file_load(path, FILE_MAX, &data, &len, e);
    if (err != ALOFT_ERR_OK) {
        return err;
    }
    AUTO_JSON json = json_loadb((const char *)data, len, JSON_REJECT_DUPLICATES, NULL);
    return read_login(json, ret_login)
               ? ALOFT_ERR_OK
               : fail(e, ALOFT_ERR_SYNTAX, "'%s' is damaged: run 'aloft login' again", path);
}

enum aloft_err login_file_save(const struct login *login, struct error *e)
{
    char folder[PATH_MAX];
    char path[PATH_MAX];
    AUTO_JSON json = json_pack("{s:s, s:s, s:I}", "server", login->server, "api_token",
                               login->api_token, "api_token_id", (json_int_t)login->api_token_id);
    AUTO_FREE char *text = json ? json_dumps(json, JSON_INDENT(2)) : NULL;
    enum aloft_err err = find_folder(folder, e);

    if (err == ALOFT_ERR_OK) {
        err = login_file_path(path, e);
    }
    if (err == ALOFT_ERR_OK) {
        err = dir_make(folder, 0700, e);
    }
    if (err == ALOFT_ERR_OK && !text) {
        err = fail(e, ALOFT_ERR_IO, "out of memory");
    }
    return err == ALOFT_ERR_OK ? file_replace(path, text, strlen(text), 0600, e) : err;
}

enum aloft_err login_file_remove(struct error *e)
{
    char path[PATH_MAX];
    enum aloft_err err = login_file_path(path, e);

    if (err == ALOFT_ERR_OK && unlink(path) != 0 && errno != ENOENT) {
        return fail_errno(e, ALOFT_ERR_IO, "cannot remove '%s'", path);
    }
    return err;
}
