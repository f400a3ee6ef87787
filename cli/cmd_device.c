/* SPDX-License-Identifier: Apache-2.0 */

/* aloft device: the units in the field. */

#include <time.h>

#include "client.h"
#include "commands.h"
#include "host/auto.h"
#include "table.h"

#define MS_PER_S 1000

/* All pages, one after the other. */
static int fetch(struct client *client, const char *product, json_t *devices)
{
    const char *names[] = {product, "devices", NULL};
    AUTO_FREE char *path = client_path(client, names);
    const char *after = "";
    bool has_more = true;

    while (has_more) {
        AUTO_FREE char *escaped = client_escape(client, after);
        AUTO_FREE char *target = NULL;
        AUTO_JSON page = NULL;
        if (!path || !escaped || asprintf(&target, "%s?after=%s", path, escaped) < 0) {
            return failure("out of memory");
        }
        int rc = client_call(client, "GET", target, NULL, &page);
        if (rc != EXIT_DONE) {
            return rc;
        }
        const json_t *list = json_object_get(page, "devices");
        if (json_array_extend(devices, (json_t *)(uintptr_t)list) != 0) {
            return failure("out of memory");
        }
        has_more = json_is_true(json_object_get(page, "more")) && json_array_size(list) > 0;
        after = client_text(json_array_get(devices, json_array_size(devices) - 1), "device");
    }
    return EXIT_DONE;
}

static void time_text(const json_t *device, char *buf, size_t cap)
{
    time_t seconds =
        (time_t)(json_integer_value(json_object_get(device, "last_seen_ms")) / MS_PER_S);
    struct tm t;

    if (!gmtime_r(&seconds, &t) || strftime(buf, cap, "%Y-%m-%d %H:%M:%S UTC", &t) == 0) {
        buf[0] = '\0';
    }
}

static int print_table(const json_t *devices)
{
    static const char *const headings[] = {"device", "token",     "address", "delivered",
                                           "proven", "last seen", NULL};
    struct table *table = table_new(headings);
    size_t i;
    json_t *d;

    json_array_foreach(devices, i, d)
    {
        char seen[32];
        time_text(d, seen, sizeof seen);
        table_add(table, (const char *const[]){
                             client_text(d, "device"), client_text(d, "token_prefix"),
                             client_text(d, "address"), client_text(d, "delivered_version"),
                             client_text(d, "proven_version"), seen});
    }
    return table_print(table, stdout) == 0 ? EXIT_DONE : failure("cannot print the table");
}

static int run_ls(const struct opt_values *v)
{
    AUTO_CLIENT client = NULL;
    AUTO_JSON devices = json_array();
    int rc = client_open(v, &client);

    if (rc == EXIT_DONE) {
        rc = fetch(client, opt_text(v, "product"), devices);
    }
    if (rc != EXIT_DONE) {
        return rc;
    }
    return opt_has(v, "json") ? client_print_json(devices) : print_table(devices);
}

static const struct opt ls_opts[] = {
    {OPT_VALUE, "product", "NAME", "Whose devices.", true, false},
    CLIENT_OPTS,
    OPT_END,
};

const struct cli_command cmd_device_ls = {
    "device",
    "ls",
    "List the devices of a product.",
    "delivered: all bytes were acknowledged. proven: the version was seen running afterwards. A\n"
    "stock module carries no name of its own and shows up under its address; it cannot be proven.",
    ls_opts,
    run_ls,
};
