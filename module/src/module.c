/* SPDX-License-Identifier: Apache-2.0 */
#include "aloft/module.h"

#include <string.h>

#include "at/engine.h"
#include "command/families.h"

/* Longest time between two steps. Handlers run when bytes are fed and start their timers at the
 * time of the last step, so this is also the error of those timers. */
#define STEP_MS 250

static bool has_storage(const struct aloft_port *port)
{
    const struct aloft_port_flash *flash = &port->flash;
    const struct aloft_port_settings *settings = &port->settings;
    const struct aloft_hash_ops *sha256 = port->sha256.ops;

    return flash->read != NULL && flash->erase != NULL && flash->write != NULL &&
           settings->get != NULL && settings->set != NULL && settings->remove != NULL &&
           settings->remove_all != NULL && sha256 != NULL && sha256->start != NULL &&
           sha256->update != NULL && sha256->finish != NULL;
}

static bool has_boot(const struct aloft_port_boot *boot)
{
    return boot->running != NULL && boot->spare != NULL && boot->select != NULL &&
           boot->confirm != NULL && boot->reject != NULL && boot->is_unconfirmed != NULL &&
           boot->is_pending != NULL && boot->reason != NULL && boot->restart != NULL;
}

static bool has_network(const struct aloft_port_net *net)
{
    return net->resolve != NULL && net->open != NULL && net->ready != NULL && net->read != NULL &&
           net->write != NULL && net->close != NULL;
}

static bool has_wifi(const struct aloft_port_wifi *wifi)
{
    return wifi->set_mode != NULL && wifi->join != NULL && wifi->leave != NULL &&
           wifi->status != NULL && wifi->station_mac != NULL && wifi->ap_mac != NULL &&
           wifi->ap_ip != NULL && wifi->set_ap_ip != NULL && wifi->set_station_ip != NULL &&
           wifi->set_soft_ap != NULL && wifi->soft_ap_client != NULL && wifi->scan != NULL &&
           wifi->scan_entry != NULL;
}

static bool has_uart(const struct aloft_port_uart *uart)
{
    return uart->write != NULL && uart->is_drained != NULL && uart->set_format != NULL &&
           uart->get_format != NULL;
}

/* All but the log, which may be absent. */
static bool is_whole(const struct aloft_port *port)
{
    return has_storage(port) && has_boot(&port->boot) && has_network(&port->net) &&
           has_wifi(&port->wifi) && has_uart(&port->uart) && port->firmware_info != NULL &&
           port->random != NULL;
}

static bool is_possible(const struct aloft_module_config *config)
{
    return config->module_name != NULL && config->confirm.policy <= ALOFT_CONFIRM_SERVER &&
           config->trust <= ALOFT_TLS_TRUST_PIN &&
           (config->trust != ALOFT_TLS_TRUST_PIN || config->pin != NULL);
}

enum aloft_err aloft_module_init(struct aloft_module *m, const struct aloft_port *port,
                                 const struct aloft_module_config *config, uint64_t now_ms)
{
    const struct aloft_chip *chip =
        config->chip_name != NULL ? aloft_chip_by_name(config->chip_name) : NULL;

    if (!is_whole(port) || chip == NULL || !is_possible(config)) {
        return ALOFT_ERR_ARG;
    }
    memset(m, 0, sizeof *m);
    m->port = port;
    m->config = *config;
    m->chip = chip;
    m->now_ms = now_ms;
    aloft_at_init(m);
    for (size_t i = 0; i < aloft_n_families; i++) {
        if (aloft_families[i]->init != NULL) {
            aloft_families[i]->init(m);
        }
    }
    return ALOFT_ERR_OK;
}

void aloft_module_feed(struct aloft_module *m, const uint8_t *buf, size_t len)
{
    aloft_at_feed(m, buf, len);
}

static uint32_t smaller(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

static uint32_t step_families(struct aloft_module *m)
{
    uint32_t wait_ms = STEP_MS;

    for (size_t i = 0; i < aloft_n_families && aloft_at_is_serving(m); i++) {
        if (aloft_families[i]->step != NULL) {
            wait_ms = smaller(wait_ms, aloft_families[i]->step(m));
        }
    }
    return wait_ms;
}

uint32_t aloft_module_step(struct aloft_module *m, uint64_t now_ms)
{
    m->now_ms = now_ms;
    aloft_at_begin_step(m);
    uint32_t families_ms = step_families(m);
    uint32_t at_ms = aloft_at_end_step(m);
    return aloft_at_is_serving(m) ? smaller(families_ms, at_ms) : at_ms;
}

void *aloft_module_user(const struct aloft_module *m)
{
    return m->config.user;
}

const struct aloft_port *aloft_module_port(const struct aloft_module *m)
{
    return m->port;
}
