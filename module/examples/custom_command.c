/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Commands of one's own. A product with a serial number and a lamp:
 *
 *   AT+PRODUCTSN?                   -> +PRODUCTSN:"<serial number>"
 *   AT+PRODUCTLAMP=<percent>[,"<colour>"]   colour: white (default) or amber; stored
 *   AT+PRODUCTLAMP?                 -> +PRODUCTLAMP:<percent>,"<colour>"
 *   AT+PRODUCTLAMP                  off; stored
 *
 * Run it like `aloft module`; see docs/guide/integrate.md.
 */

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "aloft/module.h"

#include "virtual_main.h"

/* What belongs to the product and not to the library. Handlers find it by aloft_module_user(). */
struct product {
    const char *serial_number;
};

struct lamp {
    uint8_t percent;
    uint8_t colour;
};

static const char *const colours[] = {"white", "amber"};

#define N_COLOURS   (sizeof colours / sizeof colours[0])
#define PERCENT_MAX 100

/* A setting is one value that changes as a whole. Its first byte names the layout, so that a later
 * firmware can tell an old value from a new one. Bytes, not a struct: other compilers pad
 * otherwise.
 */
static const char key_lamp[] = "product.lamp";

enum { LAMP_LAYOUT = 1, LAMP_BYTES = 3 };

static struct lamp load_lamp(const struct aloft_port *port)
{
    struct lamp lamp = {.percent = 0};
    uint8_t stored[LAMP_BYTES];
    size_t len = sizeof stored;
    enum aloft_err err = port->settings.get(port->ctx, key_lamp, stored, &len);

    if (err == ALOFT_ERR_OK && len == sizeof stored && stored[0] == LAMP_LAYOUT &&
        stored[1] <= PERCENT_MAX && stored[2] < N_COLOURS) {
        lamp = (struct lamp){.percent = stored[1], .colour = stored[2]};
    }
    return lamp;
}

/* What could not be stored did not happen: the host sees ERROR. */
static enum aloft_reply store_lamp(struct aloft_module *m, struct lamp lamp)
{
    const struct aloft_port *port = aloft_module_port(m);
    const uint8_t stored[LAMP_BYTES] = {LAMP_LAYOUT, lamp.percent, lamp.colour};
    enum aloft_err err = port->settings.set(port->ctx, key_lamp, stored, sizeof stored);

    return err == ALOFT_ERR_OK ? ALOFT_REPLY_OK : ALOFT_REPLY_ERROR;
}

static bool find_colour(const char *name, uint8_t *ret_colour)
{
    for (uint8_t i = 0; i < N_COLOURS; i++) {
        if (strcmp(colours[i], name) == 0) {
            *ret_colour = i;
            return true;
        }
    }
    return false;
}

/* Look at the kind of a parameter before its value: it may be omitted, or of the wrong type. */
static enum aloft_reply set_lamp(struct aloft_module *m, const struct aloft_params *params)
{
    const struct aloft_param *percent = &params->items[0];
    const struct aloft_param *name = &params->items[1];
    struct lamp lamp = {.percent = 0};

    if (params->count > 2 || percent->kind != ALOFT_PARAM_INTEGER || percent->number < 0 ||
        percent->number > PERCENT_MAX) {
        return ALOFT_REPLY_ERROR;
    }
    if (params->count == 2 &&
        (name->kind != ALOFT_PARAM_STRING || !find_colour(name->text, &lamp.colour))) {
        return ALOFT_REPLY_ERROR;
    }
    lamp.percent = (uint8_t)percent->number;
    return store_lamp(m, lamp);
}

static enum aloft_reply execute_lamp(struct aloft_module *m, const struct aloft_params *params)
{
    (void)params;
    return store_lamp(m, (struct lamp){.percent = 0});
}

/* Lines of a handler come before its OK and carry their own CR LF. */
static enum aloft_reply query_lamp(struct aloft_module *m, const struct aloft_params *params)
{
    const struct lamp lamp = load_lamp(aloft_module_port(m));

    (void)params;
    aloft_at_print(m, "+PRODUCTLAMP:");
    aloft_at_print_int(m, lamp.percent);
    aloft_at_print(m, ",");
    aloft_at_print_quoted(m, colours[lamp.colour]);
    aloft_at_print(m, "\r\n");
    return ALOFT_REPLY_OK;
}

static enum aloft_reply query_serial_number(struct aloft_module *m,
                                            const struct aloft_params *params)
{
    const struct product *p = aloft_module_user(m);

    (void)params;
    aloft_at_print(m, "+PRODUCTSN:");
    aloft_at_print_quoted(m, p->serial_number);
    aloft_at_print(m, "\r\n");
    return ALOFT_REPLY_OK;
}

/* A form that is left out answers ERROR. The table is constant and lives as long as the module. */
static const struct aloft_command commands[] = {
    {.name = "+PRODUCTSN", .query = query_serial_number},
    {.name = "+PRODUCTLAMP", .query = query_lamp, .set = set_lamp, .execute = execute_lamp},
};

static void customize(struct aloft_module_config *config, void *ctx)
{
    config->commands = commands;
    config->n_commands = sizeof commands / sizeof commands[0];
    config->user = ctx;
}

int main(int argc, char **argv)
{
    struct product product = {.serial_number = "A1-000042"};

    return virtual_main(argc, argv, customize, &product);
}
