/* SPDX-License-Identifier: Apache-2.0 */
#include "command/wifi.h"

#include "aloft/module.h"

#include "command/families.h"

bool aloft_wifi_has_ip(const struct aloft_module *m)
{
    struct aloft_wifi_status status;

    m->port->wifi.status(m->port->ctx, &status);
    return status.state == ALOFT_WIFI_GOT_IP;
}

const struct aloft_family aloft_wifi_family = {NULL, 0, NULL, NULL};
