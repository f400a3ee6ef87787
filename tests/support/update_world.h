/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_TESTS_UPDATE_WORLD_H
#define ALOFT_TESTS_UPDATE_WORLD_H

#include "unit.h"

#include "fake_image.h"
#include "fake_net.h"
#include "fake_port.h"

/* A module that has booted, with echo off, scripted sockets, and an image a server could send. */

struct world {
    struct fake_port *port;
    struct fake_net net;
    struct aloft_module_config config;
    uint8_t *image;
    size_t image_len;
    uint8_t *answer; /**< The image behind a good head. */
    size_t answer_len;
};

/** facts/ciupdate-wire.md 2.5: 255 bytes. */
extern const char world_version_answer[];

/** @param data_len  Of the image's segment: fake_image_new(). */
struct world *world_new(size_t data_len);
void world_free(struct world *w);

/** Boot again: what the flash and the settings hold stays, connections are forgotten. */
void world_reboot(struct world *w);

/** Send a line and let `ms` pass, with a step in each, as if sockets had events all the time; what
 * the module printed. */
const char *world_run(struct world *w, const char *line, uint32_t ms);

void world_assert_upgraded(const struct world *w);

/** Nothing was selected and no socket is left open; the log has `err=<reason>`. */
void world_assert_failed(const struct world *w, const char *reason);

/** No flash operation took place. */
void world_assert_flash_untouched(const struct world *w);

#endif
