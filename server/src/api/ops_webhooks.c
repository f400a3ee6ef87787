/* SPDX-License-Identifier: Apache-2.0 */

/* Webhooks: an admin's, for all events; or of one product, of an admin of that product. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/ops.h"
#include "host/auto.h"
#include "host/clock.h"
#include "notify/fan_out.h"
#include "notify/target.h"
#include "store/deliveries.h"

#define SECRET_MIN  16
#define SECRET_MADE 32 /* bytes, as hex */
#define TEST_KIND   "webhook.test"

/* -- JSON -------------------------------------------------------------------------------------- */

static json_t *kinds_to_json(const char *kinds)
{
    json_t *list = json_array();

    while (*kinds) {
        size_t len = strcspn(kinds, " ");
        (void)json_array_append_new(list, json_stringn(kinds, len));
        kinds += len + (kinds[len] == ' ');
    }
    return list;
}

static json_t *webhook_to_json(const struct webhook *w)
{
    return json_pack("{s:I, s:s?, s:s, s:o, s:b, s:b, s:s, s:I, s:I}", "id", (json_int_t)w->id,
                     "product", or_null(w->product_name), "url", w->url, "kinds",
                     kinds_to_json(w->kinds), "allow_http", w->allows_http, "is_active",
                     w->is_active, "created_by", w->created_by, "created_ms",
                     (json_int_t)w->created_ms, "revision", (json_int_t)w->revision);
}

static json_t *number_or_null(int64_t n)
{
    return n ? json_integer(n) : json_null();
}

static json_t *delivery_to_json(const struct delivery *d)
{
    bool is_waiting = strcmp(d->state, DELIVERY_WAITING) == 0;

    return json_pack("{s:I, s:o, s:s, s:s, s:I, s:o, s:o, s:s?, s:I, s:o}", "id", (json_int_t)d->id,
                     "event", number_or_null(d->event_id), "kind", d->kind, "state", d->state,
                     "n_tries", (json_int_t)d->n_tries, "next_ms",
                     number_or_null(is_waiting ? d->next_ms : 0), "status",
                     number_or_null(d->status), "error", or_null(d->error), "created_ms",
                     (json_int_t)d->created_ms, "ended_ms", number_or_null(d->ended_ms));
}

/* -- whose ------------------------------------------------------------------------------------- */

static enum aloft_err find_role(struct request *r, int64_t product_id, enum role *ret_role,
                                struct error *e)
{
    *ret_role = r->role;
    return product_id == 0 ? ALOFT_ERR_OK
                           : principal_role(r->api->db, &r->principal, product_id, ret_role, e);
}

/* False = answered: what they may not see is not there. */
static bool is_admin_of(struct request *r, int64_t product_id, const char *missing)
{
    enum role role = ROLE_NONE;
    struct error e = {0};

    if (find_role(r, product_id, &role, &e) != ALOFT_ERR_OK) {
        answer_failure(r, &e);
    } else if (role == ROLE_NONE) {
        answer_error(r, MHD_HTTP_NOT_FOUND, "not_found", "%s", missing);
    } else if (role < ROLE_ADMIN) {
        answer_error(r, MHD_HTTP_FORBIDDEN, "forbidden",
                     "webhooks need the role admin; yours here is %s: ask an admin for a grant",
                     role_text(role));
    }
    return r->status == 0;
}

static int64_t id_of(const char *text)
{
    char *end;

    errno = 0;
    int64_t id = strtoll(text, &end, 10);
    return *text >= '1' && *text <= '9' && !*end && errno == 0 ? id : 0;
}

/* The webhook of the path. False = answered. */
static bool find_webhook(struct request *r, struct db *db, struct webhook *w)
{
    struct error e = {0};

    if (webhooks_get(db, id_of(r->names[0]), w, &e) != ALOFT_ERR_OK) {
        answer_failure(r, &e);
        return false;
    }
    return is_admin_of(r, w->product_id, "there is no such webhook");
}

/* For the audit log and the event. */
static struct product product_of(const struct webhook *w)
{
    struct product product = {.id = w->product_id};

    (void)snprintf(product.name, sizeof product.name, "%s", w->product_name);
    return product;
}

/* -- look -------------------------------------------------------------------------------------- */

struct listing {
    struct request *request;
    json_t *list;
    size_t limit;
};

static enum aloft_err append_webhook(void *ctx, const struct webhook *w, struct error *e)
{
    struct listing *l = ctx;
    enum role role = ROLE_NONE;
    enum aloft_err err = find_role(l->request, w->product_id, &role, e);

    if (err != ALOFT_ERR_OK || role < ROLE_ADMIN || json_array_size(l->list) > l->limit) {
        return err;
    }
    return append_json(l->list, webhook_to_json(w), e);
}

static void key_of_id(const json_t *item, char *key, size_t cap)
{
    (void)snprintf(key, cap, "%" JSON_INTEGER_FORMAT,
                   json_integer_value(json_object_get(item, "id")));
}

static void op_webhooks_list(struct request *request)
{
    struct listing l = {request, json_array(), 0};
    struct page page;
    struct error e = {0};

    if (!page_read(request, &page)) {
        json_decref(l.list);
        return;
    }
    l.limit = page.limit;
    if (webhooks_each(request->api->db, id_of(page.after), append_webhook, &l, &e) !=
        ALOFT_ERR_OK) {
        json_decref(l.list);
        answer_failure(request, &e);
        return;
    }
    page_answer(request, &page, "webhooks", l.list, key_of_id);
}

static void op_webhooks_get(struct request *request)
{
    struct webhook w;

    if (find_webhook(request, request->api->db, &w)) {
        request->revision = w.revision;
        answer_json(request, MHD_HTTP_OK, webhook_to_json(&w));
    }
}

/* -- what a body asks for ---------------------------------------------------------------------- */

static bool read_kinds(struct request *r, struct webhook *w)
{
    const json_t *list = json_object_get(r->json, "kinds");
    size_t used = 0;
    size_t i;
    json_t *item;

    if (!list) {
        return true;
    }
    w->kinds[0] = '\0';
    json_array_foreach(list, i, item)
    {
        const char *kind = json_string_value(item);
        if (!kind || !is_webhook_kind(kind) || used + strlen(kind) + 2 > sizeof w->kinds) {
            used = 0;
            break;
        }
        used += (size_t)snprintf(w->kinds + used, sizeof w->kinds - used, "%s%s", used ? " " : "",
                                 kind);
    }
    if (used == 0) {
        answer_error(r, MHD_HTTP_BAD_REQUEST, "bad_request",
                     "'kinds' is a list like [\"rom.deployed\", \"product.*\"], or [\"*\"]; at "
                     "most %d bytes in all",
                     WEBHOOK_KINDS_MAX);
    }
    return used != 0;
}

static bool read_secret(struct request *r, struct webhook *w)
{
    const char *secret = json_string_value(json_object_get(r->json, "secret"));

    if (!secret) {
        return true;
    }
    size_t len = strlen(secret);
    bool is_shown = true;
    for (const char *c = secret; *c; c++) {
        is_shown &= *c > ' ' && *c <= '~';
    }
    if (len < SECRET_MIN || len > WEBHOOK_SECRET_MAX || !is_shown) {
        answer_error(r, MHD_HTTP_BAD_REQUEST, "bad_request",
                     "'secret' is %d to %d shown ASCII characters without blanks", SECRET_MIN,
                     WEBHOOK_SECRET_MAX);
        return false;
    }
    memcpy(w->secret, secret, len + 1);
    return true;
}

static bool read_flag(const struct request *r, const char *member, bool preset)
{
    const json_t *value = json_object_get(r->json, member);

    return value ? json_is_true(value) : preset;
}

/* What a new and a changed one have in common; the members are checked. */
static bool read_webhook(struct request *r, struct webhook *w)
{
    struct error e = {0};

    w->allows_http = read_flag(r, "allow_http", w->allows_http);
    w->is_active = read_flag(r, "is_active", w->is_active);
    if (!take_text(r, "url", w->url, sizeof w->url) || !read_kinds(r, w) || !read_secret(r, w)) {
        return false;
    }
    if (target_check(w->url, w->allows_http, &e) != ALOFT_ERR_OK) {
        answer_error(r, MHD_HTTP_BAD_REQUEST, "bad_url", "%s", e.sentence);
        return false;
    }
    return true;
}

static bool read_product(struct request *r, struct webhook *w)
{
    const char *name = json_string_value(json_object_get(r->json, "product"));
    struct product product = {0};
    struct error e = {0};

    if (name && products_get(r->api->db, name, &product, &e) != ALOFT_ERR_OK) {
        answer_failure(r, &e);
        return false;
    }
    w->product_id = product.id;
    (void)snprintf(w->product_name, sizeof w->product_name, "%s", product.name);
    if (!name && r->role < ROLE_ADMIN) {
        answer_error(r, MHD_HTTP_FORBIDDEN, "forbidden",
                     "a webhook of all products needs the role admin for all: name a 'product'");
        return false;
    }
    return is_admin_of(r, product.id, "there is no product of this name");
}

/* -- change ------------------------------------------------------------------------------------ */

static void op_webhooks_add(struct request *request)
{
    static const struct json_member members[] = {
        {"url", JSON_STRING, true},       {"kinds", JSON_ARRAY, false},
        {"product", JSON_STRING, false},  {"secret", JSON_STRING, false},
        {"allow_http", JSON_TRUE, false}, {NULL, JSON_NULL, false},
    };
    struct webhook w = {.kinds = "*", .is_active = true, .created_ms = clock_wall_ms()};
    struct error e = {0};
    AUTO_TRANSACTION tx = NULL;

    (void)snprintf(w.created_by, sizeof w.created_by, "%s", request->principal.name);
    if (!check_members(request, request->json, members) || !read_product(request, &w) ||
        !read_webhook(request, &w) ||
        (!w.secret[0] && !make_secret(request, SECRET_MADE, w.secret)) ||
        !change_begin(request, &tx)) {
        return;
    }
    if (events_last(tx, &w.last_event, &e) != ALOFT_ERR_OK ||
        webhooks_add(tx, &w, &e) != ALOFT_ERR_OK) {
        answer_failure(request, &e);
        return;
    }
    json_t *body = webhook_to_json(&w);
    (void)json_object_set_new(body, "secret", json_string(w.secret));
    struct product product = product_of(&w);
    const struct change change = {
        .action = "webhook.added",
        .object = w.url,
        .product = &product,
        .detail = json_pack("{s:I, s:s}", "id", (json_int_t)w.id, "kinds", w.kinds)};
    request->revision = w.revision;
    change_end(request, &tx, &change, MHD_HTTP_CREATED, body);
}

/* Begin a change of the webhook of the path. False = answered. */
static bool begin_change(struct request *r, struct db **ret_tx, struct webhook *w)
{
    return change_begin(r, ret_tx) && find_webhook(r, *ret_tx, w) && change_matches(r, w->revision);
}

static void op_webhooks_change(struct request *request)
{
    static const struct json_member members[] = {
        {"url", JSON_STRING, false},     {"kinds", JSON_ARRAY, false},
        {"secret", JSON_STRING, false},  {"allow_http", JSON_TRUE, false},
        {"is_active", JSON_TRUE, false}, {NULL, JSON_NULL, false},
    };
    struct webhook w;
    struct error e = {0};
    AUTO_TRANSACTION tx = NULL;

    if (!check_members(request, request->json, members) || !begin_change(request, &tx, &w)) {
        return;
    }
    bool was_active = w.is_active;
    if (!read_webhook(request, &w)) {
        return;
    }
    enum aloft_err err = ALOFT_ERR_OK;
    if (w.is_active && !was_active) { /* what happened meanwhile is not sent */
        err = events_last(tx, &w.last_event, &e);
    }
    if (err != ALOFT_ERR_OK || webhooks_update(tx, &w, &e) != ALOFT_ERR_OK) {
        answer_failure(request, &e);
        return;
    }
    struct product product = product_of(&w);
    const struct change change = {.action = "webhook.changed",
                                  .object = w.url,
                                  .product = &product,
                                  .detail = json_pack("{s:I, s:s, s:b}", "id", (json_int_t)w.id,
                                                      "kinds", w.kinds, "is_active", w.is_active)};
    request->revision = w.revision;
    change_end(request, &tx, &change, MHD_HTTP_OK, webhook_to_json(&w));
}

static void op_webhooks_remove(struct request *request)
{
    struct webhook w;
    struct error e = {0};
    AUTO_TRANSACTION tx = NULL;

    if (!begin_change(request, &tx, &w)) {
        return;
    }
    if (webhooks_remove(tx, w.id, &e) != ALOFT_ERR_OK) {
        answer_failure(request, &e);
        return;
    }
    struct product product = product_of(&w);
    const struct change change = {.action = "webhook.removed",
                                  .object = w.url,
                                  .product = &product,
                                  .detail = json_pack("{s:I}", "id", (json_int_t)w.id)};
    change_end(request, &tx, &change, MHD_HTTP_NO_CONTENT, NULL);
}

/* -- deliveries -------------------------------------------------------------------------------- */

/* What is inactive is sent nothing. False = answered. */
static bool must_be_active(struct request *r, const struct webhook *w)
{
    if (!w->is_active) {
        answer_error(r, MHD_HTTP_CONFLICT, "inactive",
                     "the webhook is switched off: change 'is_active' to true first");
    }
    return w->is_active;
}

static void op_webhooks_test(struct request *request)
{
    struct webhook w;
    struct delivery d = {.kind = TEST_KIND, .created_ms = clock_wall_ms()};
    const struct event event = {.time_ms = d.created_ms, .kind = TEST_KIND, .body = "{}"};
    struct error e = {0};
    AUTO_TRANSACTION tx = NULL;

    if (!change_begin(request, &tx) || !find_webhook(request, tx, &w) ||
        !must_be_active(request, &w)) {
        return;
    }
    AUTO_FREE char *text = fan_out_text(&event, w.product_name);
    d.webhook_id = w.id;
    enum aloft_err err =
        text ? deliveries_add(tx, &d, text, &e) : fail(&e, ALOFT_ERR_IO, "out of memory");
    if (err != ALOFT_ERR_OK) {
        answer_failure(request, &e);
        return;
    }
    struct product product = product_of(&w);
    const struct change change = {.action = "webhook.tested",
                                  .object = w.url,
                                  .product = &product,
                                  .detail = json_pack("{s:I}", "id", (json_int_t)w.id)};
    change_end(request, &tx, &change, MHD_HTTP_ACCEPTED, delivery_to_json(&d));
}

static enum aloft_err append_delivery(void *ctx, const struct delivery *d, struct error *e)
{
    return append_json(ctx, delivery_to_json(d), e);
}

static void op_deliveries_list(struct request *request)
{
    struct webhook w;
    struct page page;
    struct error e = {0};

    if (!page_read(request, &page) || !find_webhook(request, request->api->db, &w)) {
        return;
    }
    json_t *list = json_array();
    if (deliveries_each(request->api->db, w.id, id_of(page.after), page.limit + 1, append_delivery,
                        list, &e) != ALOFT_ERR_OK) {
        json_decref(list);
        answer_failure(request, &e);
        return;
    }
    page_answer(request, &page, "deliveries", list, key_of_id);
}

static void op_deliveries_retry(struct request *request)
{
    struct webhook w;
    struct delivery d;
    struct error e = {0};
    AUTO_TRANSACTION tx = NULL;

    if (!change_begin(request, &tx) || !find_webhook(request, tx, &w) ||
        !must_be_active(request, &w)) {
        return;
    }
    enum aloft_err err = deliveries_get(tx, w.id, id_of(request->names[1]), &d, &e);
    if (err == ALOFT_ERR_OK && strcmp(d.state, DELIVERY_DONE) == 0) {
        err = fail(&e, ALOFT_ERR_DUPLICATE, "the delivery is done: there is nothing to try again");
    }
    if (err == ALOFT_ERR_OK) {
        err = deliveries_retry(tx, d.id, clock_wall_ms(), &e);
    }
    if (err == ALOFT_ERR_OK) {
        err = deliveries_get(tx, w.id, d.id, &d, &e);
    }
    if (err != ALOFT_ERR_OK) {
        answer_failure(request, &e);
        return;
    }
    struct product product = product_of(&w);
    const struct change change = {
        .action = "webhook.retried",
        .object = w.url,
        .product = &product,
        .detail = json_pack("{s:I, s:I}", "id", (json_int_t)w.id, "delivery", (json_int_t)d.id)};
    change_end(request, &tx, &change, MHD_HTTP_ACCEPTED, delivery_to_json(&d));
}

static const char *const list_query[] = {PAGE_QUERY, NULL};

/* clang-format off */
const struct api_route webhook_routes[] = {
    {"GET",    "/api/v1/webhooks",                        API_BODY_NONE, API_SIGNED_IN, op_webhooks_list,    list_query, NULL, 0, false},
    {"POST",   "/api/v1/webhooks",                        API_BODY_JSON, API_SIGNED_IN, op_webhooks_add,     NULL, NULL, 0, true},
    {"GET",    "/api/v1/webhooks/{}",                     API_BODY_NONE, API_SIGNED_IN, op_webhooks_get,     NULL, NULL, 0, false},
    {"PATCH",  "/api/v1/webhooks/{}",                     API_BODY_JSON, API_SIGNED_IN, op_webhooks_change,  NULL, NULL, 0, false},
    {"DELETE", "/api/v1/webhooks/{}",                     API_BODY_NONE, API_SIGNED_IN, op_webhooks_remove,  NULL, NULL, 0, false},
    {"POST",   "/api/v1/webhooks/{}/test",                API_BODY_NONE, API_SIGNED_IN, op_webhooks_test,    NULL, NULL, 0, false},
    {"GET",    "/api/v1/webhooks/{}/deliveries",          API_BODY_NONE, API_SIGNED_IN, op_deliveries_list,  list_query, NULL, 0, false},
    {"POST",   "/api/v1/webhooks/{}/deliveries/{}/retry", API_BODY_NONE, API_SIGNED_IN, op_deliveries_retry, NULL, NULL, 0, false},
    API_ROUTES_END,
};
/* clang-format on */
