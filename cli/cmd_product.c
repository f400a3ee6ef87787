/* SPDX-License-Identifier: Apache-2.0 */

/* aloft product: what is shipped. */

#include "client.h"
#include "commands.h"
#include "host/auto.h"
#include "table.h"
#include "token_cmds.h"

/* What may be given at the beginning and changed later. */
#define FACT_OPTS                                                                                  \
    {OPT_VALUE, "serial", "TEXT", "The company's own number.", false, false},                      \
        {OPT_VALUE, "description", "TEXT", "In your words.", false, false},                        \
        {OPT_VALUE, "status", "WORD", "developing or released.", false, false},                    \
        {OPT_VALUE, "server-host", "HOST", "What its modules call: HOST[:PORT].", false, false},   \
        {OPT_VALUE, "project-name", "NAME", "Expected in its images; default esp-at.",             \
         false,     false},                                                                        \
        {OPT_VALUE, "downgrade", "WORD", "An older version: warn or refuse.", false, false},       \
    {                                                                                              \
        OPT_VALUE, "signing-key", "SHA256",                                                        \
            "A key its images may be signed with; may come several times; '' = none.", false, true \
    }

/* Several keys, or one empty one: none. */
static int take_keys(const struct opt_values *v, json_t *body)
{
    const char *key = opt_text(v, "signing-key");
    json_t *keys = key ? json_array() : NULL;

    for (size_t i = 0; keys && (key = opt_at(v, "signing-key", i)) != NULL; i++) {
        if (*key && json_array_append_new(keys, json_string(key)) != 0) {
            json_decref(keys);
            return failure("--signing-key is not valid UTF-8");
        }
    }
    return keys && json_object_set_new(body, "signing_keys", keys) != 0 ? failure("out of memory")
                                                                        : EXIT_DONE;
}

static const char *const facts[] = {"serial",       "description", "status", "server-host",
                                    "project-name", "downgrade",   NULL};

static int take_facts(const struct opt_values *v, json_t *body)
{
    int rc = take_options(v, facts, body);

    return rc == EXIT_DONE ? take_keys(v, body) : rc;
}

static int run_add(const struct opt_values *v)
{
    static const char *const options[] = {"name", "layout", "token", "token-tls", NULL};
    AUTO_CLIENT client = NULL;
    AUTO_JSON product = NULL;
    AUTO_JSON body = json_object();
    int rc = client_open(v, &client);

    if (rc == EXIT_DONE) {
        rc = take_options(v, options, body);
    }
    if (rc == EXIT_DONE) {
        rc = take_facts(v, body);
    }
    if (rc != EXIT_DONE) {
        return rc;
    }
    AUTO_FREE char *path = client_path(client, (const char *const[]){NULL});
    rc = path ? client_call(client, "POST", path, body, &product) : failure("out of memory");
    if (rc != EXIT_DONE) {
        return rc;
    }
    if (opt_has(v, "json")) {
        return client_print_json(product);
    }
    (void)printf("product    %s\nlayout     %s\ntoken      %s\ntoken_tls  %s\n",
                 client_text(product, "name"), client_text(product, "layout"),
                 client_text(product, "token"), client_text(product, "token_tls"));
    return EXIT_DONE;
}

static void number_text(const json_t *object, const char *member, char *buf, size_t cap)
{
    (void)snprintf(buf, cap, "%" JSON_INTEGER_FORMAT,
                   json_integer_value(json_object_get(object, member)));
}

static int run_ls(const struct opt_values *v)
{
    static const char *const headings[] = {"product", "layout",    "status", "current version",
                                           "token",   "token_tls", "seen",   "devices",
                                           NULL};
    AUTO_CLIENT client = NULL;
    AUTO_JSON products = NULL;
    int rc = client_open(v, &client);

    if (rc != EXIT_DONE) {
        return rc;
    }
    AUTO_FREE char *path = client_path(client, (const char *const[]){NULL});
    rc = path ? client_list(client, path, "products", &products) : failure("out of memory");
    if (rc != EXIT_DONE) {
        return rc;
    }
    if (opt_has(v, "json")) {
        return client_print_json(products);
    }
    struct table *table = table_new(headings);
    size_t i;
    json_t *p;
    json_array_foreach(products, i, p)
    {
        char seen[24];
        char total[24];
        number_text(p, "devices_activated", seen, sizeof seen);
        number_text(p, "devices_total", total, sizeof total);
        table_add(table,
                  (const char *const[]){client_text(p, "name"), client_text(p, "layout"),
                                        client_text(p, "status"), client_text(p, "current_version"),
                                        client_text(p, "token_prefix"),
                                        client_text(p, "token_tls_prefix"), seen, total});
    }
    return table_print(table, stdout) == 0 ? EXIT_DONE : failure("cannot print the table");
}

static const struct opt add_opts[] = {
    {OPT_POSITIONAL, "name", "NAME", "Letters, digits, dots, dashes, underscores.", true, false},
    {OPT_VALUE, "layout", "LAYOUT", "Module configuration: esp32c3_default, ...", true, false},
    {OPT_VALUE, "token", "HEX", "A token already in the field; default a new one.", false, false},
    {OPT_VALUE, "token-tls", "HEX", "The same for TLS.", false, false},
    FACT_OPTS,
    CLIENT_OPTS,
    OPT_END,
};

const struct cli_command cmd_product_add = {
    "product", "add", "Add a product; print its tokens.", NULL, add_opts, run_add,
};

static const struct opt ls_opts[] = {
    CLIENT_OPTS,
    OPT_END,
};

const struct cli_command cmd_product_ls = {
    "product", "ls", "List the products.", NULL, ls_opts, run_ls,
};

#define NAME_OPT                                                                                   \
    {                                                                                              \
        OPT_POSITIONAL, "name", "NAME", "The product.", true, false                                \
    }

static int run_show(const struct opt_values *v)
{
    return show_with_tokens(v, (const char *const[]){opt_text(v, "name"), NULL});
}

static const struct opt name_opts[] = {NAME_OPT, CLIENT_OPTS, OPT_END};

const struct cli_command cmd_product_show = {
    "product", "show",    "Show a product, and its old tokens that are still taken.",
    NULL,      name_opts, run_show,
};

static int run_set(const struct opt_values *v)
{
    AUTO_JSON body = json_object();
    int rc = take_facts(v, body);

    return rc == EXIT_DONE ? change_one(v, (const char *const[]){opt_text(v, "name"), NULL}, body)
                           : rc;
}

static const struct opt set_opts[] = {NAME_OPT, FACT_OPTS, CLIENT_OPTS, OPT_END};

const struct cli_command cmd_product_set = {
    "product", "set", "Change what is known of a product.", NULL, set_opts, run_set,
};

static int run_rm(const struct opt_values *v)
{
    return remove_one(v, (const char *const[]){opt_text(v, "name"), NULL});
}

const struct cli_command cmd_product_rm = {
    "product",
    "rm",
    "Remove a product.",
    "It must have no ROMs, no uploads and no devices with tokens of their own.",
    name_opts,
    run_rm,
};

static int run_rotate(const struct opt_values *v)
{
    return rotate_token(v, (const char *const[]){opt_text(v, "name"), NULL});
}

static const struct opt rotate_opts[] = {NAME_OPT, ROTATION_OPTS, CLIENT_OPTS, OPT_END};

const struct cli_command cmd_product_rotate_token = {
    "product",
    "rotate-token",
    "Give a product new tokens.",
    "Modules in the field show the old token until they run firmware with the new one: let the\n"
    "overlap last until then. 'aloft product show' tells which old tokens are still taken.",
    rotate_opts,
    run_rotate,
};
