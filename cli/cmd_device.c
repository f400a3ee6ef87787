/* SPDX-License-Identifier: Apache-2.0 */

/* aloft device: the units in the field. */

#include <stdlib.h>
#include <string.h>

#include "client.h"
#include "commands.h"
#include "host/auto.h"
#include "host/csv.h"
#include "table.h"
#include "token_cmds.h"

#define ROW_BYTES 2048 /* of CSV: nine short values */

/* Options that become query parameters, and their names there. */
static const struct {
    const char *option;
    const char *parameter;
} filters[] = {
    {"search", "q"},
    {"name", "device"},
    {"serial", "serial"},
    {"token-prefix", "token_prefix"},
    {"address", "address"},
    {"running", "running_version"},
    {"delivered", "delivered_version"},
    {"proven", "proven_version"},
    {"origin", "origin"},
};
#define N_FILTERS (sizeof filters / sizeof filters[0])

/* `text` grows by `&name=value`; NULL when memory is out. */
static char *add_parameter(struct client *client, char *text, const char *name, const char *value)
{
    AUTO_FREE char *before = text;
    AUTO_FREE char *escaped = client_escape(client, value);
    char *longer = NULL;

    if (!before || !escaped || asprintf(&longer, "%s&%s=%s", before, name, escaped) < 0) {
        return NULL;
    }
    return longer;
}

static int make_query(const struct opt_values *v, struct client *client, char **ret_query)
{
    AUTO_FREE char *query = strdup("?limit=1000");
    char since[CLIENT_TIME_BYTES];
    char before[CLIENT_TIME_BYTES];
    int rc = client_take_time(v, "seen-since", since);

    if (rc == EXIT_DONE) {
        rc = client_take_time(v, "seen-before", before);
    }
    for (size_t i = 0; rc == EXIT_DONE && i < N_FILTERS; i++) {
        const char *value = opt_text(v, filters[i].option);
        if (value) {
            query = add_parameter(client, STEAL(query), filters[i].parameter, value);
        }
    }
    if (rc == EXIT_DONE && since[0]) {
        query = add_parameter(client, STEAL(query), "seen_since_ms", since);
    }
    if (rc == EXIT_DONE && before[0]) {
        query = add_parameter(client, STEAL(query), "seen_before_ms", before);
    }
    *ret_query = STEAL(query);
    return rc == EXIT_DONE && !*ret_query ? failure("out of memory") : rc;
}

/* All pages, one after the other. */
static int fetch(struct client *client, const char *product, const char *query, json_t *devices)
{
    AUTO_FREE char *path = client_path(client, (const char *const[]){product, "devices", NULL});
    AUTO_FREE char *cursor = strdup("");

    do {
        AUTO_FREE char *target = NULL;
        AUTO_JSON page = NULL;
        if (!path || !cursor ||
            asprintf(&target, "%s%s%s%s", path, query, *cursor ? "&cursor=" : "", cursor) < 0) {
            return failure("out of memory");
        }
        int rc = client_call(client, "GET", target, NULL, &page);
        if (rc != EXIT_DONE) {
            return rc;
        }
        if (json_array_extend(devices, json_object_get(page, "devices")) != 0) {
            return failure("out of memory");
        }
        free(cursor);
        cursor = strdup(client_text(page, "next"));
    } while (!cursor || *cursor);
    return EXIT_DONE;
}

static int print_table(const json_t *devices)
{
    static const char *const headings[] = {"device",    "token",  "address",   "runs",
                                           "delivered", "proven", "last seen", NULL};
    struct table *table = table_new(headings);
    size_t i;
    json_t *d;

    json_array_foreach(devices, i, d)
    {
        char seen[32];
        char name[128];
        bool is_address = strcmp(client_text(d, "origin"), "address") == 0;
        client_time_text(d, "last_seen_ms", seen, sizeof seen);
        (void)snprintf(name, sizeof name, "%s%s", client_text(d, "device"),
                       is_address ? " (address)" : "");
        table_add(table, (const char *const[]){
                             name, client_text(d, "token_prefix"), client_text(d, "address"),
                             client_text(d, "running_version"), client_text(d, "delivered_version"),
                             client_text(d, "proven_version"), seen});
    }
    return table_print(table, stdout) == 0 ? EXIT_DONE : failure("cannot print the table");
}

static int print_csv(const json_t *devices)
{
    static const char *const members[] = {"device",
                                          "origin",
                                          "serial",
                                          "token_prefix",
                                          "address",
                                          "running_version",
                                          "delivered_version",
                                          "proven_version",
                                          NULL};
    size_t i;
    json_t *d;

    (void)fputs("device,origin,serial,token_prefix,address,running_version,delivered_version,"
                "proven_version,last_seen_ms\r\n",
                stdout);
    json_array_foreach(devices, i, d)
    {
        char row[ROW_BYTES];
        struct csv_writer w = {row, sizeof row, 0, false, true};
        for (size_t k = 0; members[k]; k++) {
            csv_write_cell(&w, client_text(d, members[k]));
        }
        csv_write_number(&w, json_integer_value(json_object_get(d, "last_seen_ms")));
        csv_end_row(&w);
        (void)fwrite(row, 1, w.len, stdout);
    }
    return ferror(stdout) ? failure("cannot write to standard output") : EXIT_DONE;
}

static int run_ls(const struct opt_values *v)
{
    AUTO_CLIENT client = NULL;
    AUTO_FREE char *query = NULL;
    AUTO_JSON devices = json_array();

    if (opt_has(v, "json") && opt_has(v, "csv")) {
        return usage_error("--json or --csv, not both");
    }
    int rc = client_open(v, &client);
    if (rc == EXIT_DONE) {
        rc = make_query(v, client, &query);
    }
    if (rc == EXIT_DONE) {
        rc = fetch(client, opt_text(v, "product"), query, devices);
    }
    if (rc != EXIT_DONE) {
        return rc;
    }
    if (opt_has(v, "json")) {
        return client_print_json(devices);
    }
    return opt_has(v, "csv") ? print_csv(devices) : print_table(devices);
}

#define PRODUCT_OPT                                                                                \
    {                                                                                              \
        OPT_VALUE, "product", "NAME", "Whose device.", true, false                                 \
    }
#define DEVICE_OPT                                                                                 \
    {                                                                                              \
        OPT_POSITIONAL, "device", "DEVICE", "Its name.", true, false                               \
    }

static const struct opt ls_opts[] = {
    {OPT_VALUE, "product", "NAME", "Whose devices.", true, false},
    {OPT_VALUE, "search", "TEXT", "Begin of name, serial, token or address.", false, false},
    {OPT_VALUE, "name", "TEXT", "Begin of the name.", false, false},
    {OPT_VALUE, "serial", "TEXT", "Begin of the serial.", false, false},
    {OPT_VALUE, "token-prefix", "HEX", "Begin of a token; six digits count.", false, false},
    {OPT_VALUE, "address", "TEXT", "Begin of the address.", false, false},
    {OPT_VALUE, "running", "VERSION", "What it says it runs.", false, false},
    {OPT_VALUE, "delivered", "VERSION", "Delivered last.", false, false},
    {OPT_VALUE, "proven", "VERSION", "Proven last.", false, false},
    {OPT_VALUE, "origin", "WORD", "registered, reported or address.", false, false},
    {OPT_VALUE, "seen-since", "TIME", "Seen since 2026-01-31 or 2026-01-31T18:00, UTC.", false,
     false},
    {OPT_VALUE, "seen-before", "TIME", "Seen last before that.", false, false},
    {OPT_FLAG, "csv", NULL, "Print CSV.", false, false},
    CLIENT_OPTS,
    OPT_END,
};

const struct cli_command cmd_device_ls = {
    "device",
    "ls",
    "List the devices of a product.",
    "delivered: all bytes were acknowledged. proven: the version was seen running afterwards. A\n"
    "stock module carries no name of its own and shows up under its address, with all others\n"
    "behind that address, unless it has a token of its own; it cannot be proven.",
    ls_opts,
    run_ls,
};

/* `product`, "devices", `device`. */
#define NAMES(v)                                                                                   \
    (const char *const[])                                                                          \
    {                                                                                              \
        opt_text(v, "product"), "devices", opt_text(v, "device"), NULL                             \
    }

static int run_show(const struct opt_values *v)
{
    return show_with_tokens(v, NAMES(v));
}

static const struct opt device_opts[] = {DEVICE_OPT, PRODUCT_OPT, CLIENT_OPTS, OPT_END};

const struct cli_command cmd_device_show = {
    "device", "show",      "Show a device, and its old tokens that are still taken.",
    NULL,     device_opts, run_show,
};

static int run_set(const struct opt_values *v)
{
    static const char *const options[] = {"serial", "note", NULL};
    const char *name = opt_text(v, "rename");
    AUTO_JSON body = json_object();
    int rc = take_options(v, options, body);

    if (rc == EXIT_DONE && name && json_object_set_new(body, "device", json_string(name)) != 0) {
        return failure("--rename is not valid UTF-8");
    }
    return rc == EXIT_DONE ? change_one(v, NAMES(v), body) : rc;
}

static const struct opt set_opts[] = {
    DEVICE_OPT,
    PRODUCT_OPT,
    {OPT_VALUE, "rename", "NAME", "Its new name.", false, false},
    {OPT_VALUE, "serial", "TEXT", "What is printed on it.", false, false},
    {OPT_VALUE, "note", "TEXT", "In your words.", false, false},
    CLIENT_OPTS,
    OPT_END,
};

const struct cli_command cmd_device_set = {
    "device", "set", "Change name, serial or note of a device.", NULL, set_opts, run_set,
};

static int run_rm(const struct opt_values *v)
{
    return remove_one(v, NAMES(v));
}

const struct cli_command cmd_device_rm = {
    "device",
    "rm",
    "Remove a device.",
    "Its tokens are refused from then on; while it shows the product's, it comes back when it is\n"
    "seen again.",
    device_opts,
    run_rm,
};

static int run_rotate(const struct opt_values *v)
{
    return rotate_token(v, NAMES(v));
}

static const struct opt rotate_opts[] = {DEVICE_OPT, PRODUCT_OPT, ROTATION_OPTS, CLIENT_OPTS,
                                         OPT_END};

const struct cli_command cmd_device_rotate_token = {
    "device",
    "rotate-token",
    "Give a device new tokens of its own.",
    "A device that showed the product's token gets its first own one by this.",
    rotate_opts,
    run_rotate,
};
