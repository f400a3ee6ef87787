/* SPDX-License-Identifier: Apache-2.0 */
#include "api/ops.h"

#include "store/devices.h"

/* A version as JSON: the empty text is "none". */
static const char *or_null(const char *version)
{
    return version[0] ? version : NULL;
}

static enum aloft_err append_device(void *ctx, const struct device *d, struct error *e)
{
    return append_json(ctx,
                       json_pack("{s:s, s:s, s:s, s:s?, s:s?, s:I}", "device", d->device,
                                 "token_prefix", d->token_prefix, "address", d->address,
                                 "delivered_version", or_null(d->delivered_version),
                                 "proven_version", or_null(d->proven_version), "last_seen_ms",
                                 (json_int_t)d->last_seen_ms),
                       e);
}

void op_devices_list(struct request *request)
{
    struct product p;
    struct error e = {0};

    if (!find_product(request, &p)) {
        return;
    }
    const char *after =
        MHD_lookup_connection_value(request->connection, MHD_GET_ARGUMENT_KIND, "after");
    json_t *list = json_array();
    if (devices_each(request->api->db, p.id, after ? after : "", append_device, list, &e) !=
        ALOFT_ERR_OK) {
        json_decref(list);
        answer_failure(request, &e);
        return;
    }
    bool has_more = json_array_size(list) == DEVICES_PER_PAGE;
    answer_json(request, MHD_HTTP_OK, json_pack("{s:o, s:b}", "devices", list, "more", has_more));
}
