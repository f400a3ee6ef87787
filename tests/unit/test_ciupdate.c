/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "fake_image.h"
#include "fake_net.h"
#include "fake_port.h"

/* AT+CIUPDATE from the UART to the boot entry, over scripted sockets. */

struct world {
    struct fake_port *port;
    struct fake_net net;
    struct aloft_module_config config;
    uint8_t *image;
    size_t image_len;
    uint8_t *answer;
    size_t answer_len;
};

static const char version_answer[] =
    "HTTP/1.0 200 OK\r\nContent-Type: application/json\r\nContent-Length: 139\r\n"
    "Cache-Control: no-store\r\nConnection: close\r\n\r\n"
    "{\"recommended_rom_version\": \"v5.0.1.0\", \"status\": 200, \"productRoms\": [{\"version\": "
    "\"v5.0.1.0\", \"recommended\": 1, \"life_cycle\": \"release\"}]}";

static int set_up(void **state)
{
    struct world *w = calloc(1, sizeof *w);

    w->port = fake_port_new();
    w->config = fake_port_config();
    w->image = fake_image_new(70000, 1, &w->image_len);
    w->answer = fake_image_answer(w->image, w->image_len, "", &w->answer_len);
    fake_net_attach(&w->net, w->port);
    fake_port_boot(w->port, &w->config);
    fake_port_send(w->port, "ATE0\r\n");
    (void)fake_port_read(w->port);
    *state = w;
    return 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;

    fake_port_free(w->port);
    free(w->image);
    free(w->answer);
    free(w);
    return 0;
}

static void assert_upgraded(const struct world *w)
{
    const struct aloft_slot *slot = &w->port->boot.spare;

    assert_int_equal(w->port->boot.n_selects, 1);
    assert_memory_equal(w->port->flash.bytes + slot->addr, w->image, w->image_len);
    assert_int_equal(w->net.n_open, 0);
}

static void assert_untouched(const struct world *w)
{
    assert_int_equal(w->port->boot.n_selects, 0);
    assert_int_equal(w->port->flash.n_erases, 0);
    assert_int_equal(w->port->flash.n_writes, 0);
    assert_int_equal(w->net.n_open, 0);
}

static void explicit_version__prints_1_and_4_then_restarts(void **state)
{
    struct world *w = *state;

    fake_net_add(&w->net, w->answer, w->answer_len);
    fake_port_send(w->port, "AT+CIUPDATE=0,\"v5.0.1.0\"\r\n");
    fake_port_run(w->port, 10000);
    assert_string_equal(fake_port_read(w->port), "+CIPUPDATE:1\r\n+CIPUPDATE:4\r\n\r\nOK\r\n");
    assert_upgraded(w);
    assert_int_equal(w->port->boot.n_restarts, 1);
}

static void no_version__prints_1_to_4_then_restarts(void **state)
{
    struct world *w = *state;

    fake_net_add_text(&w->net, version_answer);
    fake_net_add(&w->net, w->answer, w->answer_len);
    fake_port_send(w->port, "AT+CIUPDATE\r\n");
    fake_port_run(w->port, 10000);
    assert_string_equal(fake_port_read(w->port),
                        "+CIPUPDATE:1\r\n+CIPUPDATE:2\r\n+CIPUPDATE:3\r\n+CIPUPDATE:4\r\n"
                        "\r\nOK\r\n");
    assert_upgraded(w);
    assert_int_equal(w->port->boot.n_restarts, 1);
}

static void parameters__that_are_wrong_are_refused_without_traffic(void **state)
{
    struct world *w = *state;

    (void)assert_untouched;
    fake_port_send(w->port, "AT+CIUPDATE=2\r\n");
    assert_string_equal(fake_port_read(w->port), "\r\nERROR\r\n");
    assert_untouched(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(explicit_version__prints_1_and_4_then_restarts, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(no_version__prints_1_to_4_then_restarts, set_up, tear_down),
        cmocka_unit_test_setup_teardown(parameters__that_are_wrong_are_refused_without_traffic,
                                        set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
