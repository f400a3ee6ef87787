/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_CLI_CLIENT_H
#define ALOFT_CLI_CLIENT_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "auto_json.h"
#include "opt.h"

/* The REST client behind the commands that talk to a server. What fails is said on stderr, with the
 * server's own sentence where there is one; results are exit codes. */

/* The options each of these commands takes. */
#define CLIENT_OPTS                                                                                \
    {OPT_VALUE, "server",                                                                          \
     "URL",     "The server's console plane; default $ALOFT_SERVER, or where you are logged in.",  \
     false,     false},                                                                            \
        {OPT_VALUE, "api-token-file",                                                              \
         "FILE",    "File with the API token; default $ALOFT_API_TOKEN_FILE, or your login.",      \
         false,     false},                                                                        \
    {                                                                                              \
        OPT_FLAG, "json", NULL, "Print JSON.", false, false                                        \
    }

struct client;
struct login;

/** @return EXIT_DONE, or what to end with: it is said already. */
int client_open(const struct opt_values *v, struct client **ret_client);

/** Without an API token: for joining and logging in, at the server named or where somebody is
 * logged in already. `v` has `server`; it may be missing. */
int client_open_nobody(const struct opt_values *v, struct client **ret_client);

/** With what `aloft login` kept. */
int client_open_login(const struct login *login, struct client **ret_client);

/** Its URL. Borrowed. */
const char *client_server(const struct client *client);

/** In a session (the cookie is kept by itself): the token to send with changes. Copied. */
void client_set_csrf(struct client *client, const char *csrf);

void client_close(struct client *client);
void auto_client_close(struct client **client);
#define AUTO_CLIENT __attribute__((cleanup(auto_client_close))) struct client *

/** `/api/v1/products`, then each of `names` (ends with NULL) escaped, with a slash before it.
 * @return free() it; NULL when memory is out. */
char *client_path(struct client *client, const char *const *names);

/** The same behind another root: `/api/v1/accounts`. */
char *client_path_under(struct client *client, const char *root, const char *const *names);

/** For a query. @return free() it; NULL when memory is out. */
char *client_escape(struct client *client, const char *text);

/**
 * One request.
 *
 * @param body      Borrowed; NULL = none.
 * @param ret_json  The caller's; NULL = not wanted.
 */
int client_call(struct client *client, const char *method, const char *path, const json_t *body,
                json_t **ret_json);

/**
 * A whole errand: open, one request to `root` and what stands behind it in the path, close.
 *
 * @param body      Taken over; NULL = none.
 * @param ret_json  The caller's; NULL = not wanted.
 */
int client_once(const struct opt_values *v, const char *method, const char *root,
                const char *const *names, json_t *body, json_t **ret_json);

/** One request whose answer is no JSON: it goes to `out` as it comes. */
int client_fetch(struct client *client, const char *method, const char *path, const json_t *body,
                 FILE *out);

/** What the server said about the request that failed last; "" = nothing. Borrowed. */
const char *client_detail(const struct client *client);

/**
 * All items of a list, page by page.
 *
 * @param path      May have a query.
 * @param member    Of the pages: the list. `ret_list` has all its items; the caller's.
 */
int client_list(struct client *client, const char *path, const char *member, json_t **ret_list);

/** A file to be sent. */
struct client_file {
    const char *path;
    uint64_t offset;   /**< Sent from here to its end. */
    const char *label; /**< Of the progress bar; it shows if stderr is a terminal. */
};

/** Send the rest of a file as it is. */
int client_upload(struct client *client, const char *method, const char *path,
                  const struct client_file *file, json_t **ret_json);

#define CLIENT_BROKEN (-1) /**< To a patient client: the connection broke, nothing is said. */

/** From now on leave it to the caller to go on after a broken connection. */
void client_set_patient(struct client *client, bool is_patient);

/** Say that the connection broke, as an impatient client does at once. @return EXIT_FAILED */
int client_say_broken(const struct client *client);

/** What the server answered last, if it refused; NULL = it did not. Borrowed. */
const json_t *client_problem(const struct client *client);

/** A member that is a text; "" when it is not there, or null. Borrowed. */
const char *client_text(const json_t *object, const char *member);

/** Print an object for people: a line for each member, times as such. */
int client_print_fields(const json_t *object);

/** A member that is a time in milliseconds, as text; "" when it is null or 0. */
void client_time_text(const json_t *object, const char *member, char *buf, size_t cap);

#define CLIENT_TIME_BYTES 24

/** What an option says as a day in UTC, maybe with a time of the day, in milliseconds as text for a
 * query; "" when the option was not given. */
int client_take_time(const struct opt_values *v, const char *option,
                     char ret_ms[CLIENT_TIME_BYTES]);

/** Print a value for programs: indented, sorted as the server sent it. */
int client_print_json(const json_t *json);

#endif
