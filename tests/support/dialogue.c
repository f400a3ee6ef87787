/* SPDX-License-Identifier: Apache-2.0 */
#include "dialogue.h"

#include "unit.h"

void expect(struct fake_port *f, const char *input, const char *wanted)
{
    fake_port_send(f, input);
    assert_string_equal(fake_port_read(f), wanted);
}

void expect_rows(struct fake_port *f, const struct dialogue_row *rows, size_t n_rows)
{
    for (size_t i = 0; i < n_rows; i++) {
        expect(f, rows[i].input, rows[i].answer);
    }
}

void boot_chip(struct fake_port *f, const char *chip_name)
{
    struct aloft_module_config config = fake_port_config();

    config.chip_name = chip_name;
    fake_port_boot(f, &config);
    fake_port_send(f, "ATE0\r\n");
    (void)fake_port_read(f);
}

int tear_down(void **state)
{
    fake_port_free(*state);
    return 0;
}
