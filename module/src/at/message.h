/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_AT_MESSAGE_H
#define ALOFT_AT_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct aloft_module;

/*
 * Messages: what AT+SYSMSGFILTER may cut (facts/at-commands.md 1.8): unsolicited lines, results and
 * the lines of AT+HTTPCGET. Everything printed between begin and end is one; it must fit into the
 * TX buffer, or it leaves as it is.
 */

void aloft_at_begin_message(struct aloft_module *m);
void aloft_at_end_message(struct aloft_module *m);

/** A message of one piece. */
void aloft_at_print_message(struct aloft_module *m, const char *text);

/**
 * One filter in `config.filter_buf`: two bytes of lengths, then head and tail. A length of 0 leaves
 * its side open. The first filter whose both sides match cuts what they match.
 */
#define ALOFT_FILTER_HEAD_OFF 0
#define ALOFT_FILTER_TAIL_OFF 1
#define ALOFT_FILTER_TEXT_OFF 2

/** Bytes of the filter at `filter`. */
size_t aloft_filter_len(const uint8_t *filter);

/** Head and tail are patterns. */
bool aloft_filter_is_valid(const uint8_t *filter);

#endif
