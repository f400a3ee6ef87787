/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_COMMAND_H
#define ALOFT_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "aloft/config.h"

/* The command table: one entry per AT command. The library's own families use it, and integrators
 * add a table of their own (facts/at-commands.md 1.2, 1.3, 1.5). */

struct aloft_module;

/** How a parameter stood on the line (facts/at-commands.md 1.3). */
enum aloft_param_kind {
    ALOFT_PARAM_OMITTED, /**< Nothing between the commas. */
    ALOFT_PARAM_INTEGER,
    ALOFT_PARAM_STRING, /**< In quotes; escapes already resolved; may be empty. */
    ALOFT_PARAM_BAD,    /**< Neither: unquoted text, an open quote, a number out of int32 range. */
};

struct aloft_param {
    enum aloft_param_kind kind;
    int32_t number;
    const char *text; /**< NUL-terminated (also contains no other NUL); borrowed until the command
                         ends, also one that answered LATER. */
    uint16_t text_len;
};

struct aloft_params {
    struct aloft_param items[ALOFT_CONFIG_PARAMS];
    uint8_t count; /**< A trailing comma counts as one more, omitted, parameter; `AT+X=` has one
                      omitted parameter. */
};

/** What a handler answers. */
enum aloft_reply {
    ALOFT_REPLY_OK,      /**< Print OK. */
    ALOFT_REPLY_ERROR,   /**< Print ERROR. */
    ALOFT_REPLY_LATER,   /**< Still running: the port is busy until aloft_at_finish(). */
    ALOFT_REPLY_SILENT,  /**< The handler printed all there is (`busy`, a prompt). */
    ALOFT_REPLY_RESTART, /**< Print OK, drain the UART (at most 3 s), restart. */
};

typedef enum aloft_reply aloft_command_fn(struct aloft_module *m,
                                          const struct aloft_params *params);

/** A form that is NULL answers ERROR. Tables are constant and borrowed for the module's life. */
struct aloft_command {
    const char *name; /**< What follows `AT`: `+GMR`, `E0`, or `` for plain AT. */
    aloft_command_fn *test;
    aloft_command_fn *query;
    aloft_command_fn *set;
    aloft_command_fn *execute;
};

/** End a command that answered LATER. Not LATER or SILENT itself. */
void aloft_at_finish(struct aloft_module *m, enum aloft_reply reply);

/* Printing to the AT port: bytes wait in the TX buffer (ALOFT_CONFIG_TX_BYTES). Lines a handler
 * prints come before its OK. `\r\n` is part of what you print. */
void aloft_at_print(struct aloft_module *m, const char *text);
void aloft_at_print_bytes(struct aloft_module *m, const void *buf, size_t len);
void aloft_at_print_int(struct aloft_module *m, int32_t value);
void aloft_at_print_uint(struct aloft_module *m, uint32_t value);
void aloft_at_print_hex(struct aloft_module *m, uint32_t value,
                        uint8_t min_digits); /**< Lower case, no 0x. */
void aloft_at_print_ipv4(struct aloft_module *m, const uint8_t *ip);
void aloft_at_print_mac(struct aloft_module *m, const uint8_t *mac); /**< Lower case, colons. */
void aloft_at_print_quoted(struct aloft_module *m,
                           const char *text); /**< In quotes; `\`, `"`, `,` are escaped. */

/** Free bytes of the TX buffer: long listings answer LATER and go on when there is room. */
size_t aloft_at_print_room(const struct aloft_module *m);

/** Called when all bytes of a data phase are there, in the caller's buffer. Its reply ends the
 * command. */
typedef enum aloft_reply aloft_data_fn(struct aloft_module *m, uint8_t *buf, size_t len);

/**
 * Begin a data phase: prints OK and the `>` prompt, then collects exactly `len` raw bytes, not
 * echoed. The handler returns what this returns. Input beyond `len` while the command runs is
 * discarded, `busy` per line (facts/at-commands.md 2.1, step 5).
 *
 * @param buf         Caller's memory, at least `len`; borrowed until `done` was called.
 * @param idle_ms     Silence after which the command ends with ERROR; 0 = never.
 */
enum aloft_reply aloft_at_take_data(struct aloft_module *m, uint8_t *buf, size_t len,
                                    uint32_t idle_ms, aloft_data_fn *done);

#endif
