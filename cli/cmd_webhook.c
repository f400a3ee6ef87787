/* SPDX-License-Identifier: Apache-2.0 */

/* aloft webhook: events sent to other programs. */

#include <inttypes.h>
#include <stdio.h>

#include "client.h"
#include "commands.h"
#include "host/auto.h"
#include "table.h"

#define ROOT         "/api/v1/webhooks"
#define KINDS_BYTES  520
#define NUMBER_BYTES 24

static void number_text(const json_t *object, const char *member, char out[NUMBER_BYTES])
{
    const json_t *value = json_object_get(object, member);

    (void)snprintf(out, NUMBER_BYTES, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
    if (!json_is_integer(value)) {
        out[0] = '\0';
    }
}

static int fetch(const struct opt_values *v, const char *const *names, const char *member,
                 json_t **ret_list)
{
    AUTO_CLIENT client = NULL;
    int rc = client_open(v, &client);

    if (rc != EXIT_DONE) {
        return rc;
    }
    AUTO_FREE char *path = client_path_under(client, ROOT, names);
    return path ? client_list(client, path, member, ret_list) : failure("out of memory");
}

static int end_table(struct table *table)
{
    return table_print(table, stdout) == 0 ? EXIT_DONE : failure("cannot print the table");
}

/* -- list -------------------------------------------------------------------------------------- */

static void list_kinds(const json_t *webhook, char out[KINDS_BYTES])
{
    size_t used = 0;
    size_t i;
    json_t *kind;

    out[0] = '\0';
    json_array_foreach(json_object_get(webhook, "kinds"), i, kind)
    {
        if (used < KINDS_BYTES) {
            used += (size_t)snprintf(out + used, KINDS_BYTES - used, "%s%s", used ? " " : "",
                                     json_string_value(kind));
        }
    }
}

static int run_ls(const struct opt_values *v)
{
    static const char *const headings[] = {"id", "product", "active", "kinds", "url", NULL};
    AUTO_JSON webhooks = NULL;
    int rc = fetch(v, (const char *const[]){NULL}, "webhooks", &webhooks);
    size_t i;
    json_t *w;

    if (rc != EXIT_DONE || opt_has(v, "json")) {
        return rc == EXIT_DONE ? client_print_json(webhooks) : rc;
    }
    struct table *table = table_new(headings);
    json_array_foreach(webhooks, i, w)
    {
        char id[NUMBER_BYTES];
        char kinds[KINDS_BYTES];
        bool is_active = json_is_true(json_object_get(w, "is_active"));
        number_text(w, "id", id);
        list_kinds(w, kinds);
        table_add(table,
                  (const char *const[]){id, client_text(w, "product"), is_active ? "yes" : "no",
                                        kinds, client_text(w, "url")});
    }
    return end_table(table);
}

static int run_deliveries(const struct opt_values *v)
{
    static const char *const headings[] = {"id",     "kind", "state", "tries",
                                           "status", "made", "error", NULL};
    const char *const names[] = {opt_text(v, "id"), "deliveries", NULL};
    AUTO_JSON deliveries = NULL;
    int rc = fetch(v, names, "deliveries", &deliveries);
    size_t i;
    json_t *d;

    if (rc != EXIT_DONE || opt_has(v, "json")) {
        return rc == EXIT_DONE ? client_print_json(deliveries) : rc;
    }
    struct table *table = table_new(headings);
    json_array_foreach(deliveries, i, d)
    {
        char id[NUMBER_BYTES];
        char tries[NUMBER_BYTES];
        char status[NUMBER_BYTES];
        char made[CLIENT_TIME_BYTES];
        number_text(d, "id", id);
        number_text(d, "n_tries", tries);
        number_text(d, "status", status);
        client_time_text(d, "created_ms", made, sizeof made);
        table_add(table, (const char *const[]){id, client_text(d, "kind"), client_text(d, "state"),
                                               tries, status, made, client_text(d, "error")});
    }
    return end_table(table);
}

/* -- change ------------------------------------------------------------------------------------ */

/* The words of `--kind`; NULL = not given. */
static json_t *given_kinds(const struct opt_values *v)
{
    json_t *list = opt_has(v, "kind") ? json_array() : NULL;

    for (size_t i = 0; opt_at(v, "kind", i); i++) {
        (void)json_array_append_new(list, json_string(opt_at(v, "kind", i)));
    }
    return list;
}

static json_t *given_flag(const struct opt_values *v, const char *name)
{
    return opt_has(v, name) ? json_true() : NULL;
}

static int run_add(const struct opt_values *v)
{
    AUTO_JSON made = NULL;
    char id[NUMBER_BYTES];
    json_t *body = json_pack("{s:s, s:s*, s:o*, s:o*}", "url", opt_text(v, "url"), "product",
                             opt_text(v, "product"), "kinds", given_kinds(v), "allow_http",
                             given_flag(v, "allow-http"));
    int rc = body ? client_once(v, "POST", ROOT, (const char *const[]){NULL}, body, &made)
                  : usage_error("the values given are not valid UTF-8");

    if (rc != EXIT_DONE || opt_has(v, "json")) {
        return rc == EXIT_DONE ? client_print_json(made) : rc;
    }
    number_text(made, "id", id);
    (void)printf("webhook  %s\nsecret   %s\n\nThe secret is the key of Aloft-Signature. It is not "
                 "shown again.\n",
                 id, client_text(made, "secret"));
    return EXIT_DONE;
}

static int run_set(const struct opt_values *v)
{
    AUTO_JSON answer = NULL;
    bool is_on = opt_has(v, "on");

    if (is_on && opt_has(v, "off")) {
        return usage_error("--on or --off, not both");
    }
    json_t *is_active = is_on || opt_has(v, "off") ? json_boolean(is_on) : NULL;
    json_t *body =
        json_pack("{s:s*, s:o*, s:o*, s:o*}", "url", opt_text(v, "url"), "kinds", given_kinds(v),
                  "allow_http", given_flag(v, "allow-http"), "is_active", is_active);
    if (body && json_object_size(body) == 0) {
        json_decref(body);
        return usage_error("what is to be changed? Give one of the options");
    }
    int rc = body ? client_once(v, "PATCH", ROOT, (const char *const[]){opt_text(v, "id"), NULL},
                                body, &answer)
                  : usage_error("the values given are not valid UTF-8");
    if (rc != EXIT_DONE || opt_has(v, "json")) {
        return rc == EXIT_DONE ? client_print_json(answer) : rc;
    }
    (void)printf("webhook %s is changed\n", opt_text(v, "id"));
    return EXIT_DONE;
}

static int run_rm(const struct opt_values *v)
{
    int rc =
        client_once(v, "DELETE", ROOT, (const char *const[]){opt_text(v, "id"), NULL}, NULL, NULL);

    if (rc == EXIT_DONE) {
        (void)printf("webhook %s is removed\n", opt_text(v, "id"));
    }
    return rc;
}

/* A POST that makes or renews a delivery. */
static int post_delivery(const struct opt_values *v, const char *const *names)
{
    AUTO_JSON delivery = NULL;
    char id[NUMBER_BYTES];
    int rc = client_once(v, "POST", ROOT, names, NULL, &delivery);

    if (rc != EXIT_DONE || opt_has(v, "json")) {
        return rc == EXIT_DONE ? client_print_json(delivery) : rc;
    }
    number_text(delivery, "id", id);
    (void)printf("Delivery %s is on its way; 'aloft webhook deliveries %s' shows what became of "
                 "it.\n",
                 id, opt_text(v, "id"));
    return EXIT_DONE;
}

static int run_test(const struct opt_values *v)
{
    return post_delivery(v, (const char *const[]){opt_text(v, "id"), "test", NULL});
}

static int run_retry(const struct opt_values *v)
{
    return post_delivery(v, (const char *const[]){opt_text(v, "id"), "deliveries",
                                                  opt_text(v, "delivery"), "retry", NULL});
}

/* clang-format off */
#define ID_OPT {OPT_POSITIONAL, "id", "ID", "Of the webhook.", true, false}
#define KIND_OPT(preset)                                                                           \
    {OPT_VALUE, "kind", "KIND", "What is sent: rom.deployed, product.*, ...; may be repeated; " preset, false, true}
#define HTTP_OPT {OPT_FLAG, "allow-http", NULL, "Send in the clear, to other machines too.", false, false}

static const struct opt ls_opts[] = {CLIENT_OPTS, OPT_END};
static const struct opt add_opts[] = {
    {OPT_POSITIONAL, "url", "URL", "Where to: https://...", true, false},
    {OPT_VALUE, "product", "NAME", "Events of this product only.", false, false},
    KIND_OPT("default all."), HTTP_OPT, CLIENT_OPTS, OPT_END};
static const struct opt set_opts[] = {
    ID_OPT, {OPT_VALUE, "url", "URL", "Where to from now on.", false, false},
    KIND_OPT("default as before."), HTTP_OPT,
    {OPT_FLAG, "on", NULL, "Send again, what happens from now on.", false, false},
    {OPT_FLAG, "off", NULL, "Send no more.", false, false}, CLIENT_OPTS, OPT_END};
static const struct opt id_opts[] = {ID_OPT, CLIENT_OPTS, OPT_END};
static const struct opt retry_opts[] = {
    ID_OPT, {OPT_POSITIONAL, "delivery", "DELIVERY", "Its id.", true, false}, CLIENT_OPTS, OPT_END};

const struct cli_command cmd_webhook_ls = {
    "webhook", "ls", "List the webhooks.", NULL, ls_opts, run_ls};
const struct cli_command cmd_webhook_add = {
    "webhook", "add", "Have events sent to an address; print the key of the signatures.", NULL, add_opts, run_add};
const struct cli_command cmd_webhook_set = {
    "webhook", "set", "Change a webhook.", NULL, set_opts, run_set};
const struct cli_command cmd_webhook_rm = {
    "webhook", "rm", "Remove a webhook and its deliveries.", NULL, id_opts, run_rm};
const struct cli_command cmd_webhook_test = {
    "webhook", "test", "Send an event of the kind webhook.test.", NULL, id_opts, run_test};
const struct cli_command cmd_webhook_deliveries = {
    "webhook", "deliveries", "What was sent and what became of it, the newest first.", NULL, id_opts, run_deliveries};
const struct cli_command cmd_webhook_retry = {
    "webhook", "retry", "Try a delivery again now.", NULL, retry_opts, run_retry};
/* clang-format on */
