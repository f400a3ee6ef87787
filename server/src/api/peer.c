/* SPDX-License-Identifier: Apache-2.0 */
#include "api/peer.h"

#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "host/network.h"

struct last_value {
    const char *name;
    const char *value; /* NULL = none */
};

static enum MHD_Result keep_last(void *ctx, enum MHD_ValueKind kind, const char *name,
                                 const char *value)
{
    struct last_value *last = ctx;

    (void)kind;
    if (strcasecmp(name, last->name) == 0) {
        last->value = value;
    }
    return MHD_YES;
}

/* A proxy that adds a line of its own adds it behind what it was sent. */
static const char *find_last(struct request *r, const char *name)
{
    struct last_value last = {name, NULL};

    (void)MHD_get_connection_values(r->connection, MHD_HEADER_KIND, keep_last, &last);
    return last.value;
}

/* The last address of the list; what is no address is not believed. */
static void take_forwarded(struct request *r, const char *list)
{
    const char *comma = strrchr(list, ',');
    const char *text = comma ? comma + 1 : list;
    struct networks one;

    text += strspn(text, " \t");
    size_t len = strcspn(text, " \t/");
    if (len > 0 && len < sizeof r->address && text[len] == '\0' &&
        networks_parse(text, &one, NULL) == ALOFT_ERR_OK && one.n_items == 1) {
        memcpy(r->address, text, len + 1);
    }
}

void peer_find(struct request *r)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(r->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);

    if (info) {
        (void)getnameinfo(info->client_addr, sizeof(struct sockaddr_storage), r->address,
                          sizeof r->address, NULL, 0, NI_NUMERICHOST);
    }
    if (!networks_hold_text(&r->settings.proxies, r->address)) {
        return;
    }
    const char *protocol = find_last(r, "X-Forwarded-Proto");
    const char *list = find_last(r, "X-Forwarded-For");
    r->is_secure = protocol && strcasecmp(protocol, "https") == 0;
    if (list) {
        take_forwarded(r, list);
    }
}
