/* SPDX-License-Identifier: Apache-2.0 */

/* aloft product: what is shipped. */

#include "client.h"
#include "commands.h"
#include "host/auto.h"
#include "table.h"

static int run_add(const struct opt_values *v)
{
    AUTO_CLIENT client = NULL;
    AUTO_JSON product = NULL;
    int rc = client_open(v, &client);

    if (rc != EXIT_DONE) {
        return rc;
    }
    AUTO_JSON body = json_pack("{s:s, s:s, s:s*, s:s*}", "name", opt_text(v, "name"), "layout",
                               opt_text(v, "layout"), "token", opt_text(v, "token"), "token_tls",
                               opt_text(v, "token-tls"));
    AUTO_FREE char *path = client_path(client, (const char *const[]){NULL});
    if (!body || !path) {
        return failure("the values given are not valid UTF-8");
    }
    rc = client_call(client, "POST", path, body, &product);
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

static int run_ls(const struct opt_values *v)
{
    static const char *const headings[] = {"product", "layout",    "current version",
                                           "token",   "token_tls", NULL};
    AUTO_CLIENT client = NULL;
    AUTO_JSON answer = NULL;
    int rc = client_open(v, &client);

    if (rc != EXIT_DONE) {
        return rc;
    }
    AUTO_FREE char *path = client_path(client, (const char *const[]){NULL});
    rc = path ? client_call(client, "GET", path, NULL, &answer) : failure("out of memory");
    if (rc != EXIT_DONE) {
        return rc;
    }
    const json_t *products = json_object_get(answer, "products");
    if (opt_has(v, "json")) {
        return client_print_json(products);
    }
    struct table *table = table_new(headings);
    size_t i;
    json_t *p;
    json_array_foreach(products, i, p)
    {
        table_add(table,
                  (const char *const[]){client_text(p, "name"), client_text(p, "layout"),
                                        client_text(p, "current_version"), client_text(p, "token"),
                                        client_text(p, "token_tls")});
    }
    return table_print(table, stdout) == 0 ? EXIT_DONE : failure("cannot print the table");
}

static const struct opt add_opts[] = {
    {OPT_POSITIONAL, "name", "NAME", "Letters, digits, dots, dashes, underscores.", true, false},
    {OPT_VALUE, "layout", "LAYOUT", "Module configuration: esp32c3_default, ...", true, false},
    {OPT_VALUE, "token", "HEX", "A token already in the field; default a new one.", false, false},
    {OPT_VALUE, "token-tls", "HEX", "The same for TLS.", false, false},
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
