/* SPDX-License-Identifier: Apache-2.0 */

/* What happens, as it happens. */

#include <stdlib.h>
#include <string.h>

#include "api/authorize.h"
#include "api/ops.h"
#include "api/streams.h"
#include "store/events.h"
#include "store/webhooks.h"

/* `kinds`: the words of a webhook, with commas between. False = answered. */
static bool read_kinds(struct request *request, struct stream_wanted *w)
{
    const char *kinds = query_optional(request, "kinds");
    char word[STREAM_KINDS_BYTES];
    size_t len = kinds ? strlen(kinds) : 0;
    bool is_good = !kinds || (len > 0 && len < sizeof w->kinds);

    memcpy(w->kinds, kinds && is_good ? kinds : "*", kinds && is_good ? len + 1 : sizeof "*");
    for (char *p = w->kinds; is_good && *p;) {
        size_t n = strcspn(p, ",");
        memcpy(word, p, n);
        word[n] = '\0';
        is_good = is_webhook_kind(word) && p[n + (p[n] == ',')] != ',';
        p += n;
        if (*p == ',') {
            *p++ = ' ';
        }
    }
    if (!is_good) {
        answer_error(request, MHD_HTTP_BAD_REQUEST, "bad_request",
                     "'kinds' is a list like attempt.*,rom.deployed");
    }
    return is_good;
}

/* Where a client that comes back goes on; else from now on. False = answered. */
static bool read_place(struct request *request, int64_t *ret_after)
{
    const char *last =
        MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, "Last-Event-ID");
    struct error e = {0};
    char *end;

    if (!last || !last[0]) {
        if (events_last(request->api->db, ret_after, &e) != ALOFT_ERR_OK) {
            answer_failure(request, &e);
            return false;
        }
        return true;
    }
    *ret_after = strtoll(last, &end, 10);
    if (*end || last[0] < '0' || last[0] > '9') {
        answer_error(request, MHD_HTTP_BAD_REQUEST, "bad_request",
                     "Last-Event-ID is the id of an event");
        return false;
    }
    return true;
}

static void op_events(struct request *request)
{
    struct stream_wanted wanted = {0};

    if (read_kinds(request, &wanted) && read_place(request, &wanted.after) &&
        query_product(request, &wanted.product_id)) {
        streams_answer(request->api->streams, request, &wanted);
    }
}

static const char *const query[] = {"product", "kinds", NULL};

const struct api_route event_routes[] = {
    {"GET", "/api/v1/events", API_BODY_NONE, API_SIGNED_IN, op_events, query, NULL, 0, false},
    API_ROUTES_END,
};
