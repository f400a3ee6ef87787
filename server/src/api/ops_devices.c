/* SPDX-License-Identifier: Apache-2.0 */
#include "api/ops.h"

#include "store/devices.h"

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

static void op_devices_list(struct request *request)
{
    struct error e = {0};
    const char *after = query_optional(request, "after");
    json_t *list = json_array();
    if (devices_each(request->api->db, request->product.id, after ? after : "", append_device, list,
                     &e) != ALOFT_ERR_OK) {
        json_decref(list);
        answer_failure(request, &e);
        return;
    }
    bool has_more = json_array_size(list) == DEVICES_PER_PAGE;
    answer_json(request, MHD_HTTP_OK, json_pack("{s:o, s:b}", "devices", list, "more", has_more));
}

static const char *const list_query[] = {"after", NULL};

const struct api_route device_routes[] = {
    {"GET", API_PRODUCT "/devices", API_BODY_NONE, API_VIEWER, op_devices_list, list_query, NULL, 0,
     false},
    API_ROUTES_END,
};
