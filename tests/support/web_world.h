/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_TESTS_WEB_WORLD_H
#define ALOFT_TESTS_WEB_WORLD_H

#include "unit.h"

#include "fake_net.h"
#include "fake_port.h"

/* A module that has booted, with echo off and its web server on port 80, and clients for it. */

struct web_world {
    struct fake_port *port;
    struct fake_net net;
    struct aloft_module_config config;
    struct aloft_web_state web;
};

#define WEB_PORT 80

/** The caller may change `config` before web_world_start(). */
struct web_world *web_world_new(void);
void web_world_free(struct web_world *w);

/** Boot, and start the server with a timeout of 25 s. */
void web_world_start(struct web_world *w);

/** cmocka's set-up and tear-down: a world that is started. */
int web_world_set_up(void **state);
int web_world_tear_down(void **state);

/** Let `ms` pass, with a step in each, as if sockets had events all the time. */
void web_world_pass(struct web_world *w, uint32_t ms);

/** A new client says `text` and stays; some time passes. */
struct fake_client *web_world_say(struct web_world *w, const char *text);

/** The same; its answer is `wanted`, byte for byte. */
void web_world_expect(struct web_world *w, const char *text, const char *wanted);

/** `POST <path>` with a body; its answer is `wanted`, byte for byte. */
void web_world_expect_post(struct web_world *w, const char *path, const char *body,
                           const char *wanted);

/** A whole answer as facts/at-commands.md 3.1 has it. Valid until the next call. */
const char *web_answer(const char *status, const char *type, const char *body);

/** The answers of state 0 and 1. */
extern const char web_done[];
extern const char web_bad[];
extern const char web_failed[];

#endif
