/* SPDX-License-Identifier: Apache-2.0 */
#include "token_cmds.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "host/auto.h"

#define NAMES_MAX 6

int print_one(const struct opt_values *v, const json_t *object)
{
    return opt_has(v, "json") ? client_print_json(object) : client_print_fields(object);
}

int take_options(const struct opt_values *v, const char *const *names, json_t *body)
{
    for (; *names; names++) {
        char member[32];
        const char *value = opt_text(v, *names);
        if (!value) {
            continue;
        }
        (void)snprintf(member, sizeof member, "%s", *names);
        for (char *dash = member; (dash = strchr(dash, '-')) != NULL;) {
            *dash = '_';
        }
        if (json_object_set_new(body, member, json_string(value)) != 0) {
            return failure("--%s is not valid UTF-8", *names);
        }
    }
    return EXIT_DONE;
}

/* The path of what `names` lead to, and `last` behind it unless that is NULL. */
static char *path_to(struct client *client, const char *const *names, const char *last)
{
    const char *all[NAMES_MAX] = {NULL};
    size_t n = 0;

    for (; names[n] && n < NAMES_MAX - 2; n++) {
        all[n] = names[n];
    }
    all[n] = last;
    return client_path(client, all);
}

/* One request about it; `*ret_json` may be left out. */
static int ask(const struct opt_values *v, const char *method, const char *const *names,
               const char *last, const json_t *body, json_t **ret_json)
{
    AUTO_CLIENT client = NULL;
    int rc = client_open(v, &client);

    if (rc != EXIT_DONE) {
        return rc;
    }
    AUTO_FREE char *path = path_to(client, names, last);
    return path ? client_call(client, method, path, body, ret_json) : failure("out of memory");
}

static int rotate(const struct opt_values *v, const char *const *names, const char *hours_text)
{
    static const char *const options[] = {"mode", "token", "token-tls", NULL};
    AUTO_JSON body = json_object();
    AUTO_JSON answer = NULL;
    char *end;

    errno = 0;
    long hours = strtol(hours_text, &end, 10);
    if (errno != 0 || *end || end == hours_text) {
        return usage_error("--overlap-hours takes a number");
    }
    (void)json_object_set_new(body, "overlap_hours", json_integer(hours));
    (void)json_object_set_new(body, "mode", json_string("both"));
    int rc = take_options(v, options, body);
    if (rc == EXIT_DONE) {
        rc = ask(v, "POST", names, "token-rotation", body, &answer);
    }
    return rc == EXIT_DONE ? print_one(v, answer) : rc;
}

static int end_overlap(const struct opt_values *v, const char *const *names)
{
    int rc = ask(v, "DELETE", names, "token-rotation", NULL, NULL);

    if (rc == EXIT_DONE) {
        (void)puts("old tokens are no longer taken");
    }
    return rc;
}

int rotate_token(const struct opt_values *v, const char *const *names)
{
    const char *hours = opt_text(v, "overlap-hours");

    if (opt_has(v, "end")) {
        return hours ? usage_error("--end ends the overlap; it takes no --overlap-hours")
                     : end_overlap(v, names);
    }
    if (!hours) {
        return usage_error("how long are old tokens to be taken? Say --overlap-hours N; with 0 "
                           "modules that do not know the new one are locked out at once");
    }
    return rotate(v, names, hours);
}

static void print_old_tokens(const json_t *list)
{
    size_t i;
    json_t *t;

    json_array_foreach(list, i, t)
    {
        char until[32];
        client_time_text(t, "expires_ms", until, sizeof until);
        (void)printf("old %s token %s is taken until %s\n", client_text(t, "mode"),
                     client_text(t, "token_prefix"), until);
    }
}

int show_with_tokens(const struct opt_values *v, const char *const *names)
{
    AUTO_JSON one = NULL;
    AUTO_JSON old = NULL;
    int rc = ask(v, "GET", names, NULL, NULL, &one);

    if (rc == EXIT_DONE) {
        rc = ask(v, "GET", names, "token-rotation", NULL, &old);
    }
    if (rc != EXIT_DONE) {
        return rc;
    }
    json_t *list = json_object_get(old, "old_tokens");
    if (opt_has(v, "json")) {
        (void)json_object_set(one, "old_tokens", list);
        return client_print_json(one);
    }
    rc = client_print_fields(one);
    print_old_tokens(list);
    return rc;
}

int change_one(const struct opt_values *v, const char *const *names, const json_t *body)
{
    AUTO_JSON answer = NULL;

    if (json_object_size(body) == 0) {
        return usage_error("what is to be changed? Give one of the options");
    }
    int rc = ask(v, "PATCH", names, NULL, body, &answer);
    return rc == EXIT_DONE ? print_one(v, answer) : rc;
}

int remove_one(const struct opt_values *v, const char *const *names)
{
    int rc = ask(v, "DELETE", names, NULL, NULL, NULL);

    if (rc == EXIT_DONE) {
        while (names[1]) {
            names++;
        }
        (void)printf("%s is removed\n", *names);
    }
    return rc;
}
