/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_TESTS_DIALOGUE_H
#define ALOFT_TESTS_DIALOGUE_H

#include "fake_port.h"

/* What unit tests of the AT dialogue share; their cmocka state is the fake port. */

/** Feed `input`; all the module sends must be `wanted`, byte for byte. */
void expect(struct fake_port *f, const char *input, const char *wanted);

struct dialogue_row {
    const char *input;
    const char *answer;
};

/** expect() for each row. */
void expect_rows(struct fake_port *f, const struct dialogue_row *rows, size_t n_rows);

#define EXPECT_ROWS(f, rows) expect_rows(f, rows, sizeof(rows) / sizeof(rows)[0])

/** Boot a module of this chip, otherwise as fake_port_config(); echo is off, nothing is unread. */
void boot_chip(struct fake_port *f, const char *chip_name);

/** cmocka's tear-down: frees the fake port. */
int tear_down(void **state);

#endif
