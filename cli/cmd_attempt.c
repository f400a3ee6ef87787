/* SPDX-License-Identifier: Apache-2.0 */

/* aloft attempt: what modules tried, and how it ended. */

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "client.h"
#include "commands.h"
#include "event_watch.h"
#include "host/auto.h"
#include "table.h"

/* Options that become query parameters, and their names there. */
static const struct {
    const char *option;
    const char *parameter;
    bool is_time;
} filters[] = {
    {"device", "device", false},
    {"state", "state", false},
    {"cause", "cause", false},
    {"version", "version", false},
    {"file", "file", false},
    {"address", "address", false},
    {"token-prefix", "token_prefix", false},
    {"since", "since_ms", true},
    {"until", "until_ms", true},
};
#define N_FILTERS (sizeof filters / sizeof filters[0])

/* `text` grows by the words; NULL when it is, or when memory is out. */
static char *add_words(char *text, const char *a, const char *b, const char *c)
{
    AUTO_FREE char *before = text;
    char *longer = NULL;

    return before && asprintf(&longer, "%s%s%s%s", before, a, b, c) >= 0 ? longer : NULL;
}

/* Path with the filters that were given; `end` is `` or `.csv`. */
static int make_target(const struct opt_values *v, struct client *client, const char *end,
                       char **ret_target)
{
    const char *product = opt_text(v, "product");
    AUTO_FREE char *target =
        product ? client_path(client, (const char *const[]){product, "attempts", NULL})
                : strdup("/api/v1/attempts");
    char separator = '?';

    target = add_words(STEAL(target), end, "", "");
    for (size_t i = 0; i < N_FILTERS; i++) {
        char ms[CLIENT_TIME_BYTES];
        const char *value = opt_text(v, filters[i].option);
        if (!value) {
            continue;
        }
        if (filters[i].is_time) {
            int rc = client_take_time(v, filters[i].option, ms);
            if (rc != EXIT_DONE) {
                return rc;
            }
            value = ms;
        }
        AUTO_FREE char *escaped = client_escape(client, value);
        char begin[] = {separator, '\0'};
        target = escaped ? add_words(STEAL(target), begin, filters[i].parameter, "=") : NULL;
        target = add_words(STEAL(target), escaped, "", "");
        separator = '&';
    }
    *ret_target = STEAL(target);
    return *ret_target ? EXIT_DONE : failure("out of memory");
}

static int print_table(const json_t *attempts)
{
    static const char *const headings[] = {"began", "device", "version",  "file",
                                           "state", "acked",  "sentence", NULL};
    struct table *table = table_new(headings);
    size_t i;
    json_t *a;

    json_array_foreach(attempts, i, a)
    {
        char began[32];
        char acked[24];
        client_time_text(a, "started_ms", began, sizeof began);
        (void)snprintf(acked, sizeof acked, "%" JSON_INTEGER_FORMAT,
                       json_integer_value(json_object_get(a, "bytes_acked")));
        table_add(table,
                  (const char *const[]){began, client_text(a, "device"), client_text(a, "version"),
                                        client_text(a, "file"), client_text(a, "state"), acked,
                                        client_text(a, "sentence")});
    }
    return table_print(table, stdout) == 0 ? EXIT_DONE : failure("cannot print the table");
}

static int run_ls(const struct opt_values *v)
{
    AUTO_CLIENT client = NULL;
    AUTO_JSON attempts = NULL;
    bool is_csv = opt_has(v, "csv");
    AUTO_FREE char *target = NULL;

    if (is_csv && opt_has(v, "json")) {
        return usage_error("--json or --csv, not both");
    }
    int rc = client_open(v, &client);
    if (rc == EXIT_DONE) {
        rc = make_target(v, client, is_csv ? ".csv" : "", &target);
    }
    if (rc != EXIT_DONE) {
        return rc;
    }
    if (is_csv) {
        return client_fetch(client, "GET", target, NULL, stdout);
    }
    rc = client_list(client, target, "attempts", &attempts);
    if (rc != EXIT_DONE) {
        return rc;
    }
    return opt_has(v, "json") ? client_print_json(attempts) : print_table(attempts);
}

static int run_watch(const struct opt_values *v)
{
    return event_watch(v, "attempt.*");
}

static const struct opt ls_opts[] = {
    {OPT_VALUE, "product", "NAME", "Of this product; default all, and those with unknown tokens.",
     false, false},
    {OPT_VALUE, "device", "NAME", "Of this device.", false, false},
    {OPT_VALUE, "state", "WORD", "running, delivered, proven, failed or abandoned.", false, false},
    {OPT_VALUE, "cause", "WORD", "Why it ended so: stalled, unknown_token, ...", false, false},
    {OPT_VALUE, "version", "VERSION", "What it was told or sent.", false, false},
    {OPT_VALUE, "file", "NAME", "Name of the file.", false, false},
    {OPT_VALUE, "address", "TEXT", "Where it came from.", false, false},
    {OPT_VALUE, "token-prefix", "HEX", "First six digits of its token.", false, false},
    {OPT_VALUE, "since", "TIME", "Began since 2026-01-31 or 2026-01-31T18:00, UTC.", false, false},
    {OPT_VALUE, "until", "TIME", "Began before that.", false, false},
    {OPT_FLAG, "csv", NULL, "Print CSV.", false, false},
    CLIENT_OPTS,
    OPT_END,
};

const struct cli_command cmd_attempt_ls = {
    "attempt",
    "ls",
    "List what modules tried and how it ended, the newest first.",
    "proven: seen running. delivered: all bytes acknowledged, the most a stock module can show.\n"
    "failed, abandoned: the sentence says why and what helps.",
    ls_opts,
    run_ls,
};

static const struct opt watch_opts[] = {
    {OPT_VALUE, "product", "NAME", "Of this product; default all.", false, false},
    CLIENT_OPTS,
    OPT_END,
};

const struct cli_command cmd_attempt_watch = {
    "attempt",
    "watch",
    "Show attempts as they begin and end.",
    "One line per event, or one JSON object with --json. It runs until it is stopped.",
    watch_opts,
    run_watch,
};
