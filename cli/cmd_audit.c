/* SPDX-License-Identifier: Apache-2.0 */

/* aloft audit: who changed what, and whether the log is whole. */

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "client.h"
#include "commands.h"
#include "host/auto.h"
#include "serve/data_dir.h"
#include "store/audit.h"
#include "table.h"

#define ROOT     "/api/v1/audit"
#define ID_BYTES 24

/* -- ls ---------------------------------------------------------------------------------------- */

static int print_rows(const json_t *rows)
{
    static const char *const headings[] = {"row",    "time",    "who",    "address",
                                           "action", "product", "object", NULL};
    struct table *table = table_new(headings);
    size_t i;
    json_t *row;

    json_array_foreach(rows, i, row)
    {
        char id[ID_BYTES];
        char when[CLIENT_TIME_BYTES];
        (void)snprintf(id, sizeof id, "%" JSON_INTEGER_FORMAT,
                       json_integer_value(json_object_get(row, "id")));
        client_time_text(row, "time_ms", when, sizeof when);
        table_add(table,
                  (const char *const[]){id, when, client_text(row, "actor"),
                                        client_text(row, "address"), client_text(row, "action"),
                                        client_text(row, "product"), client_text(row, "object")});
    }
    return table_print(table, stdout) == 0 ? EXIT_DONE : failure("cannot print the table");
}

/* ROOT with the filters given. NULL = memory is out. */
static char *list_path(const struct opt_values *v, struct client *client)
{
    static const char *const names[] = {"actor", "action", "product"};
    AUTO_FREE char *path = strdup(ROOT);

    for (size_t i = 0; path && i < sizeof names / sizeof names[0]; i++) {
        if (opt_has(v, names[i])) {
            AUTO_FREE char *value = client_escape(client, opt_text(v, names[i]));
            char *longer = NULL;
            if (!value || asprintf(&longer, "%s%c%s=%s", path, strchr(path, '?') ? '&' : '?',
                                   names[i], value) < 0) {
                longer = NULL;
            }
            free(path);
            path = longer;
        }
    }
    return STEAL(path);
}

static int run_ls(const struct opt_values *v)
{
    AUTO_CLIENT client = NULL;
    AUTO_JSON rows = NULL;
    int rc = client_open(v, &client);

    if (rc != EXIT_DONE) {
        return rc;
    }
    AUTO_FREE char *path = list_path(v, client);
    rc = path ? client_list(client, path, "audit", &rows) : failure("out of memory");
    if (rc != EXIT_DONE) {
        return rc;
    }
    return opt_has(v, "json") ? client_print_json(rows) : print_rows(rows);
}

/* -- verify ------------------------------------------------------------------------------------ */

/* On the database file itself: also while no server runs. */
static int verify_locally(const struct opt_values *v, const char *head, json_t **ret_verdict)
{
    char path[PATH_MAX];
    AUTO_DB db = NULL;
    struct audit_verdict found;
    struct error e = {0};

    if (snprintf(path, sizeof path, "%s/" DATA_DIR_DATABASE_FILE, opt_text(v, "data")) >=
        (int)sizeof path) {
        return usage_error("the path of the data folder is too long");
    }
    if (access(path, R_OK) != 0) {
        return failure("there is no database '%s'", path);
    }
    if (db_open(path, &db, &e) != ALOFT_ERR_OK ||
        audit_verify(db, head, &found, &e) != ALOFT_ERR_OK) {
        return failure("%s", e.sentence);
    }
    *ret_verdict = json_pack(
        "{s:b, s:I, s:o?, s:s, s:s, s:o?}", "is_whole",
        found.bad_id == 0 && (!head || found.has_kept_head), "rows", (json_int_t)found.n_rows,
        "first_bad", found.bad_id ? json_integer(found.bad_id) : NULL, "reason", found.reason,
        "head", found.head, "has_kept_head", head ? json_boolean(found.has_kept_head) : NULL);
    return *ret_verdict ? EXIT_DONE : failure("out of memory");
}

static int verify_remotely(const struct opt_values *v, const char *head, json_t **ret_verdict)
{
    AUTO_CLIENT client = NULL;
    AUTO_FREE char *value = NULL;
    AUTO_FREE char *path = NULL;
    int rc = client_open(v, &client);

    if (rc != EXIT_DONE) {
        return rc;
    }
    value = head ? client_escape(client, head) : NULL;
    if (asprintf(&path, ROOT "/verify%s%s", value ? "?head=" : "", value ? value : "") < 0) {
        return failure("out of memory");
    }
    return client_call(client, "GET", path, NULL, ret_verdict);
}

static int say_verdict(const json_t *verdict)
{
    int64_t first_bad = json_integer_value(json_object_get(verdict, "first_bad"));

    if (first_bad != 0) {
        return failure("the audit log does not fit from row %" PRId64 " on: %s", first_bad,
                       client_text(verdict, "reason"));
    }
    if (!json_is_true(json_object_get(verdict, "is_whole"))) {
        return failure("no row has the head you kept: the newest rows were cut off, or all was "
                       "written anew");
    }
    (void)printf("The audit log is whole: %" PRId64 " rows.\nKeep this head elsewhere, and give it "
                 "as --head next time, to notice rows cut off at the end:\n%s\n",
                 (int64_t)json_integer_value(json_object_get(verdict, "rows")),
                 client_text(verdict, "head"));
    return EXIT_DONE;
}

static int run_verify(const struct opt_values *v)
{
    AUTO_JSON verdict = NULL;
    const char *head = opt_text(v, "head");
    int rc =
        opt_has(v, "data") ? verify_locally(v, head, &verdict) : verify_remotely(v, head, &verdict);

    if (rc != EXIT_DONE || !opt_has(v, "json")) {
        return rc == EXIT_DONE ? say_verdict(verdict) : rc;
    }
    rc = client_print_json(verdict);
    return json_is_true(json_object_get(verdict, "is_whole")) ? rc : EXIT_FAILED;
}

/* clang-format off */
static const struct opt ls_opts[] = {
    {OPT_VALUE, "actor", "NAME", "Only what this account did.", false, false},
    {OPT_VALUE, "action", "WORD", "Only this: rom.deployed, ...", false, false},
    {OPT_VALUE, "product", "NAME", "Only what is of this product.", false, false},
    CLIENT_OPTS, OPT_END};
static const struct opt verify_opts[] = {
    {OPT_VALUE, "data", "DIR", "Read the database of this data folder instead of asking a server.", false, false},
    {OPT_VALUE, "head", "HASH", "The head an earlier check printed.", false, false},
    CLIENT_OPTS, OPT_END};

const struct cli_command cmd_audit_ls = {
    "audit", "ls", "List the audit log, the newest first.", NULL, ls_opts, run_ls};
const struct cli_command cmd_audit_verify = {
    "audit", "verify", "Check that no row of the audit log was changed, removed or put in.",
    "Names the first row that does not fit, and ends with 1.", verify_opts, run_verify};
/* clang-format on */
