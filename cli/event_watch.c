/* SPDX-License-Identifier: Apache-2.0 */
#include "event_watch.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client.h"
#include "host/auto.h"
#include "screen.h"

#define DATA           "data: "
#define LINE_MAX_BYTES 65536 /* an event is far shorter */

/* A stream on its way to people: lines are taken apart as they come. */
struct watch {
    bool is_json;
    size_t len;
    char line[LINE_MAX_BYTES];
};

/* Attempts have a device and a sentence, changes by people an object and an actor. */
static void print_member(const json_t *body, const char *member)
{
    const char *text = client_text(body, member);

    if (*text) {
        screen_print(stdout, text);
        (void)fputs("  ", stdout);
    }
}

static void print_event(const struct watch *w)
{
    AUTO_JSON event = json_loads(w->line + strlen(DATA), 0, NULL);
    const json_t *body = json_object_get(event, "body");
    const char *product = client_text(event, "product");
    char when[32];

    if (w->is_json) {
        (void)puts(w->line + strlen(DATA));
    } else if (event) {
        client_time_text(event, "time_ms", when, sizeof when);
        (void)printf("%s  %s  %s  ", when, *product ? product : "-", client_text(event, "kind"));
        print_member(body, "device");
        print_member(body, "object");
        print_member(body, "actor");
        print_member(body, "sentence");
        (void)putchar('\n');
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

int event_watch(const struct opt_values *v, const char *kinds)
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
    AUTO_FREE char *escaped = client_escape(client, kinds ? kinds : "");
    AUTO_FILE out =
        watch ? fopencookie(watch, "w", (cookie_io_functions_t){.write = take_bytes}) : NULL;
    if (!out || !name || !escaped ||
        asprintf(&target, "/api/v1/events%s%s%s%s", kinds ? "?kinds=" : "", escaped,
                 !product ? ""
                 : kinds  ? "&product="
                          : "?product=",
                 name) < 0) {
        return failure("out of memory");
    }
    (void)setvbuf(out, NULL, _IONBF, 0); /* an event is shown when it comes */
    watch->is_json = opt_has(v, "json");
    rc = client_fetch(client, "GET", target, NULL, out);
    return rc == EXIT_DONE ? failure("the server has ended the stream") : rc;
}
