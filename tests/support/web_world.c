/* SPDX-License-Identifier: Apache-2.0 */
#include "web_world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Enough for every exchange that needs no time. */
#define SOME_MS 50

const char web_done[] = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                        "Content-Length: 12\r\n\r\n{\"state\": 0}";
const char web_bad[] = "HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\n"
                       "Content-Length: 12\r\n\r\n{\"state\": 1}";
const char web_failed[] = "HTTP/1.1 500 Internal Server Error\r\nContent-Type: application/json\r\n"
                          "Content-Length: 12\r\n\r\n{\"state\": 1}";

struct web_world *web_world_new(void)
{
    struct web_world *w = calloc(1, sizeof *w);

    if (w == NULL) {
        abort();
    }
    w->port = fake_port_new();
    w->config = fake_port_config();
    w->config.web = &w->web;
    fake_net_attach(&w->net, w->port);
    return w;
}

void web_world_free(struct web_world *w)
{
    fake_port_free(w->port);
    free(w);
}

void web_world_start(struct web_world *w)
{
    fake_port_boot(w->port, &w->config);
    fake_port_send(w->port, "ATE0\r\nAT+WEBSERVER=1,80,25\r\n");
    assert_string_equal(fake_port_read(w->port), "ATE0\r\n\r\nOK\r\n\r\nOK\r\n");
}

int web_world_set_up(void **state)
{
    struct web_world *w = web_world_new();

    web_world_start(w);
    *state = w;
    return 0;
}

int web_world_tear_down(void **state)
{
    web_world_free(*state);
    return 0;
}

void web_world_pass(struct web_world *w, uint32_t ms)
{
    for (uint32_t i = 0; i < ms; i++) {
        w->port->now_ms++;
        (void)aloft_module_step(&w->port->module, w->port->now_ms);
    }
}

struct fake_client *web_world_say(struct web_world *w, const char *text)
{
    struct fake_client *client = fake_net_connect_text(&w->net, WEB_PORT, text);

    web_world_pass(w, SOME_MS);
    return client;
}

void web_world_expect(struct web_world *w, const char *text, const char *wanted)
{
    assert_string_equal(web_world_say(w, text)->response, wanted);
}

void web_world_expect_post(struct web_world *w, const char *path, const char *body,
                           const char *wanted)
{
    char request[1024];

    (void)snprintf(request, sizeof request,
                   "POST %s HTTP/1.1\r\nHost: 192.168.4.1\r\nContent-Length: %zu\r\n\r\n%s", path,
                   strlen(body), body);
    web_world_expect(w, request, wanted);
}

const char *web_answer(const char *status, const char *type, const char *body)
{
    static char text[FAKE_NET_RESPONSE_BYTES];

    (void)snprintf(text, sizeof text,
                   "HTTP/1.1 %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\n\r\n%s", status, type,
                   strlen(body), body);
    return text;
}
