/* SPDX-License-Identifier: Apache-2.0 */
#include "dialogue.h"

#include "unit.h"

void expect(struct fake_port *f, const char *input, const char *wanted)
{
    fake_port_send(f, input);
    assert_string_equal(fake_port_read(f), wanted);
}

int tear_down(void **state)
{
    fake_port_free(*state);
    return 0;
}
