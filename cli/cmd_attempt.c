/* SPDX-License-Identifier: Apache-2.0 */

/* aloft attempt: what modules tried, and how it ended. */

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "client.h"
#include "commands.h"
#include "host/auto.h"
#include "table.h"

#define LINE_MAX_BYTES 65536 /* an event is far shorter */
#define DATA           "data: "

/* Option: query parameter. */
static const struct {
    const char *option;
    const char *parameter;
} filters[] = {
    {"device", "device"},     {"state", "state"},       {"cause", "cause"},
    {"version", "version"},   {"file", "file"},         {"address", "address"},
    {"since-ms", "since_ms"}, {"until-ms", "until_ms"}, {"token-prefix", "token_prefix"},
};
#define N_FILTERS (sizeof filters / sizeof filters[0])

/* Path with the filters that were given; `end` is `` or `.csv`. NULL when memory is out. */
static char *make_target(const struct opt_values *v, struct client *client, const char *end)
{
    const char *product = opt_text(v, "product");
    AUTO_FREE char *root =
        product ? client_path(client, (const char *const[]){product, "attempts", NULL})
                : strdup("/api/v1/attempts");
    char *target = NULL;
    char separator = '?';

    if (!root || asprintf(&target, "%s%s", root, end) < 0) {
        return NULL;
    }
    for (size_t i = 0; i < N_FILTERS; i++) {
        const char *value = opt_text(v, filters[i].option);
        AUTO_FREE char *before = target;
        AUTO_FREE char *escaped = client_escape(client, value ? value : "");
        if (!value) {
            (void)STEAL(before);
            continue;
        }
        if (!escaped ||
            asprintf(&target, "%s%c%s=%s", before, separator, filters[i].parameter, escaped) < 0) {
            return NULL;
        }
        separator = '&';
    }
    return target;
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
    int rc = client_open(v, &client);

    if (rc != EXIT_DONE) {
        return rc;
    }
    AUTO_FREE char *target = make_target(v, client, is_csv ? ".csv" : "");
    if (!target) {
        return failure("out of memory");
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

/* A stream on its way to people: lines are taken apart as they come. */
struct watch {
    bool is_json;
    size_t len;
    char line[LINE_MAX_BYTES];
};

static void print_event(const struct watch *w)
{
    AUTO_JSON event = json_loads(w->line + strlen(DATA), 0, NULL);
    const json_t *body = json_object_get(event, "body");
    char when[32];

    if (w->is_json) {
        (void)puts(w->line + strlen(DATA));
    } else if (event) {
        client_time_text(event, "time_ms", when, sizeof when);
        (void)printf("%s  %s  %s  %s  %s\n", when, client_text(event, "product"),
                     client_text(event, "kind"), client_text(body, "device"),
                     client_text(body, "sentence"));
    }
    (void)fflush(stdout);
}

static ssize_t take_bytes(void *ctx, const char *buf, size_t len)
{
    struct watch *w = ctx;

    for (size_t i = 0; i < len; i++) {
        if (buf[i] != '\n') {
            if (w->len == sizeof w->line - 1) {
                return 0;
            }
            w->line[w->len++] = buf[i];
            continue;
        }
        w->line[w->len] = '\0';
        w->len = 0;
        if (strncmp(w->line, DATA, strlen(DATA)) == 0) {
            print_event(w);
        }
    }
    return (ssize_t)len;
}

static int run_watch(const struct opt_values *v)
{
    AUTO_CLIENT client = NULL;
    AUTO_FREE char *target = NULL;
    AUTO_FREE struct watch *watch = calloc(1, sizeof *watch);
    int rc = client_open(v, &client);

    if (rc != EXIT_DONE) {
        return rc;
    }
    const char *product = opt_text(v, "product");
    AUTO_FREE char *name = client_escape(client, product ? product : "");
    AUTO_FILE out =
        watch ? fopencookie(watch, "w", (cookie_io_functions_t){.write = take_bytes}) : NULL;
    if (!out || !name ||
        asprintf(&target, "/api/v1/events?kinds=attempt.*%s%s", product ? "&product=" : "", name) <
            0) {
        return failure("out of memory");
    }
    (void)setvbuf(out, NULL, _IONBF, 0); /* an event is shown when it comes */
    watch->is_json = opt_has(v, "json");
    rc = client_fetch(client, "GET", target, NULL, out);
    return rc == EXIT_DONE ? failure("the server has ended the stream") : rc;
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
    {OPT_VALUE, "since-ms", "NUMBER", "Began then or later, ms since 1970.", false, false},
    {OPT_VALUE, "until-ms", "NUMBER", "Began before.", false, false},
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
