/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_TESTS_DIALOGUE_H
#define ALOFT_TESTS_DIALOGUE_H

#include "fake_port.h"

/* What unit tests of the AT dialogue share; their cmocka state is the fake port. */

/** Feed `input`; all the module sends must be `wanted`, byte for byte. */
void expect(struct fake_port *f, const char *input, const char *wanted);

/** cmocka's tear-down: frees the fake port. */
int tear_down(void **state);

#endif
