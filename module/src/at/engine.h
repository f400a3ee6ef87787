/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_AT_ENGINE_H
#define ALOFT_AT_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "aloft/command.h"

/** Why a line failed: the subcategory of the error code word (facts/at-commands.md 1.6). */
enum aloft_at_fail {
    ALOFT_AT_FAIL_LINE_END = 0x02, /**< No CR LF where one must be: the line is too long. */
    ALOFT_AT_FAIL_NO_AT = 0x03,
    ALOFT_AT_FAIL_LENGTH = 0x04,  /**< Extension: index of the parameter. */
    ALOFT_AT_FAIL_TYPE = 0x05,    /**< The same. */
    ALOFT_AT_FAIL_COUNT = 0x06,   /**< Extension: needed << 8 | given. */
    ALOFT_AT_FAIL_INVALID = 0x07, /**< Extension: index of the parameter. */
    ALOFT_AT_FAIL_PARSE = 0x08,   /**< The same. */
    ALOFT_AT_FAIL_UNKNOWN = 0x09,
    ALOFT_AT_FAIL_EXECUTION = 0x0a, /**< Of every ERROR whose handler notes nothing else. */
    ALOFT_AT_FAIL_BUSY = 0x0b,
    ALOFT_AT_FAIL_FORM = 0x0c, /**< A known command in a form it lacks. */
};

/** Note the error code of the running command. Always answers ALOFT_REPLY_ERROR, to be returned. */
enum aloft_reply aloft_at_fail(struct aloft_module *m, enum aloft_at_fail why, uint16_t extension);

void aloft_at_init(struct aloft_module *m);
void aloft_at_feed(struct aloft_module *m, const uint8_t *buf, size_t len);

/** First part of a step: `ready` in the first one, the silence of a data phase in later ones. */
void aloft_at_begin_step(struct aloft_module *m);

/** Last part of a step: what was printed goes out, a restart takes place. Returns the wish, ms. */
uint32_t aloft_at_end_step(struct aloft_module *m);

/** Restart whatever runs, as AT+RST does to a busy module: says so, drains the UART. */
void aloft_at_force_restart(struct aloft_module *m);

/** After `ready` and before a restart: commands may work and print. */
bool aloft_at_is_serving(const struct aloft_module *m);

/** Restart without a word, whatever runs, once what was printed is out. */
void aloft_at_restart(struct aloft_module *m);

/** Hand waiting bytes to the UART. */
void aloft_at_flush(struct aloft_module *m);

/**
 * Print bytes too many for the TX buffer, behind all that was printed so far; what is printed later
 * comes behind them, so that no other line can stand within. One piece at a time.
 *
 * @param buf  Lent until aloft_at_has_lent() says no.
 */
void aloft_at_print_lent(struct aloft_module *m, const void *buf, size_t len);
bool aloft_at_has_lent(const struct aloft_module *m);

/** All that was printed has left the wire. */
bool aloft_at_is_drained(const struct aloft_module *m);

/** How soon to look again while bytes wait for the UART, ms: about 60 bytes at 115200 baud. */
#define ALOFT_AT_TX_POLL_MS 5

#endif
