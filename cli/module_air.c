/* SPDX-License-Identifier: Apache-2.0 */
#include "module_air.h"

#include "process/air_text.h"

static int take_aps(const struct opt_values *v, struct virtual_options *o)
{
    struct error e = {0};
    const char *text;

    for (size_t i = 0; (text = opt_at(v, "ap", i)); i++) {
        if (o->n_aps == AIR_APS_MAX) {
            return usage_error("--ap may be given %d times", AIR_APS_MAX);
        }
        if (air_text_ap(text, &o->aps[o->n_aps++], &e) != ALOFT_ERR_OK) {
            return usage_error("%s", e.sentence);
        }
    }
    for (size_t i = 0; (text = opt_at(v, "ap-with", i)); i++) {
        size_t n_before = opt_count_before(v, "ap-with", i, "ap");
        if (n_before == 0) {
            return usage_error("--ap-with '%s' has no --ap before it", text);
        }
        if (air_text_ap_with(text, &o->aps[n_before - 1], &e) != ALOFT_ERR_OK) {
            return usage_error("%s", e.sentence);
        }
    }
    return EXIT_DONE;
}

int module_air_take(const struct opt_values *v, struct virtual_options *o)
{
    struct error e = {0};
    const char *text;

    for (size_t i = 0; (text = opt_at(v, "soft-ap-client", i)); i++) {
        if (o->n_clients == AIR_CLIENTS_MAX) {
            return usage_error("--soft-ap-client may be given %d times", AIR_CLIENTS_MAX);
        }
        if (air_text_client(text, &o->clients[o->n_clients++], &e) != ALOFT_ERR_OK) {
            return usage_error("%s", e.sentence);
        }
    }
    return take_aps(v, o);
}
