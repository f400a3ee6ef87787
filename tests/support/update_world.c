/* SPDX-License-Identifier: Apache-2.0 */
#include "update_world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char world_version_answer[] =
    "HTTP/1.0 200 OK\r\nContent-Type: application/json\r\nContent-Length: 139\r\n"
    "Cache-Control: no-store\r\nConnection: close\r\n\r\n"
    "{\"recommended_rom_version\": \"v5.0.1.0\", \"status\": 200, \"productRoms\": [{\"version\": "
    "\"v5.0.1.0\", \"recommended\": 1, \"life_cycle\": \"release\"}]}";

struct world *world_new(size_t data_len)
{
    struct world *w = calloc(1, sizeof *w);

    if (w == NULL) {
        abort();
    }
    w->port = fake_port_new();
    w->config = fake_port_config();
    w->image = fake_image_new(data_len, 1, &w->image_len);
    w->answer = fake_image_answer(w->image, w->image_len, "", &w->answer_len);
    world_reboot(w);
    return w;
}

void world_free(struct world *w)
{
    fake_port_free(w->port);
    free(w->image);
    free(w->answer);
    free(w);
}

void world_reboot(struct world *w)
{
    fake_net_attach(&w->net, w->port);
    fake_port_boot(w->port, &w->config);
    fake_port_send(w->port, "ATE0\r\n");
    (void)fake_port_read(w->port);
}

const char *world_run(struct world *w, const char *line, uint32_t ms)
{
    fake_port_send(w->port, line);
    fake_port_send(w->port, "\r\n");
    for (uint32_t i = 0; i < ms; i++) {
        w->port->now_ms++;
        (void)aloft_module_step(&w->port->module, w->port->now_ms);
    }
    return fake_port_read(w->port);
}

/* Nothing beside the warning of TLS without trust, which is the default. */
static bool is_silent(const char *log)
{
    static const char warning[] = "tls.unverified\n";

    while (strncmp(log, warning, sizeof warning - 1) == 0) {
        log += sizeof warning - 1;
    }
    return *log == '\0';
}

void world_assert_upgraded(const struct world *w)
{
    const struct aloft_slot *slot = &w->port->boot.spare;

    if (!is_silent(w->port->log)) {
        fail_msg("the log says: %s", w->port->log);
    }
    assert_int_equal(w->port->boot.n_selects, 1);
    assert_int_equal(w->port->boot.selected.addr, slot->addr);
    assert_memory_equal(w->port->flash.bytes + slot->addr, w->image, w->image_len);
    assert_int_equal(w->net.n_open, 0);
}

void world_assert_failed(const struct world *w, const char *reason)
{
    char text[64];

    (void)snprintf(text, sizeof text, " err=%s ", reason);
    if (strstr(w->port->log, text) == NULL) {
        fail_msg("wanted %s, the log says: %s", reason, w->port->log);
    }
    assert_int_equal(w->port->boot.n_selects, 0);
    assert_int_equal(w->port->boot.n_restarts, 0);
    assert_int_equal(w->net.n_open, 0);
}

void world_assert_flash_untouched(const struct world *w)
{
    assert_int_equal(w->port->flash.n_erases, 0);
    assert_int_equal(w->port->flash.n_writes, 0);
}
