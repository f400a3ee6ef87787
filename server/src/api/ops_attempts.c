/* SPDX-License-Identifier: Apache-2.0 */

/* What modules tried, and how it ended. */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/authorize.h"
#include "api/ops.h"
#include "attempt/causes.h"
#include "host/csv.h"
#include "store/attempts.h"

#define TYPE_CSV     "text/csv"
#define EXPORT_PAGE  50
#define NUMBERS      9
#define NUMBER_BYTES 21
#define EXPORT_ROW                                                                                 \
    (13 * CSV_CELL_BYTES(ALOFT_FILE_NAME_MAX) + CSV_CELL_BYTES(ATTEMPT_SENTENCE_MAX) +             \
     CSV_CELL_BYTES(ATTEMPT_AGENT_MAX) + NUMBERS * NUMBER_BYTES) /* no other text is longer */
#define EXPORT_HEADING                                                                             \
    "id,product,device,token_prefix,address,user_agent,tls_version,running_version,boot,"          \
    "asked_version,version,file,state,cause,sentence,closed_by,bytes_total,bytes_sent,"            \
    "bytes_acked,bytes_per_second,n_contacts,started_ms,ended_ms,duration_ms\r\n"

/* TLS 1.2 is 0x0303 on the wire (RFC 5246 6.2.1). */
static const char *tls_text(int64_t version)
{
    return version == 0x0303 ? "1.2" : version == 0x0304 ? "1.3" : "";
}

static int64_t rate_of(const struct attempt *a)
{
    return a->duration_ms > 0 ? a->bytes_acked * 1000 / a->duration_ms : 0;
}

static json_t *attempt_to_json(const struct attempt *a)
{
    return json_pack(
        "{s:I, s:s?, s:s, s:s?, s:s, s:s?, s:s?, s:s?, s:s?, s:s?, s:s?, s:s?, s:s, s:s?, s:s, "
        "s:s?, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}",
        "id", (json_int_t)a->id, "product", or_null(a->product), "device", a->device,
        "token_prefix", or_null(a->token_prefix), "address", a->address, "user_agent",
        or_null(a->user_agent), "tls_version", or_null(tls_text(a->tls_version)), "running_version",
        or_null(a->running_version), "boot", or_null(a->boot), "asked_version",
        or_null(a->asked_version), "version", or_null(a->version), "file", or_null(a->file),
        "state", a->state, "cause", or_null(a->cause), "sentence", a->sentence, "closed_by",
        or_null(a->closed_by), "bytes_total", (json_int_t)a->bytes_total, "bytes_sent",
        (json_int_t)a->bytes_sent, "bytes_acked", (json_int_t)a->bytes_acked, "bytes_per_second",
        (json_int_t)rate_of(a), "n_contacts", (json_int_t)a->n_contacts, "started_ms",
        (json_int_t)a->started_ms, "ended_ms", (json_int_t)a->ended_ms, "duration_ms",
        (json_int_t)a->duration_ms);
}

/* Whose attempts they may be. False = answered. */
static bool choose_seen(struct request *request, struct attempt_filter *f)
{
    const struct principal *p = &request->principal;
    enum role role = ROLE_NONE;
    struct error e = {0};

    f->product_id = request->product.id;
    if (f->product_id != 0) {
        return true;
    }
    if (!query_product(request, &f->product_id)) {
        return false;
    }
    if (f->product_id != 0) {
        return true;
    }
    f->is_all_seen = request->role >= ROLE_VIEWER;
    f->account_id = p->account_id;
    if (p->only_product == 0) {
        return true;
    }
    if (principal_role(request->api->db, p, p->only_product, &role, &e) != ALOFT_ERR_OK) {
        answer_failure(request, &e);
        return false;
    }
    f->product_id = p->only_product;
    f->is_none = role == ROLE_NONE;
    return true;
}

static bool read_filter(struct request *request, struct attempt_filter *f)
{
    const struct {
        const char *name;
        const char **text;
    } texts[] = {
        {"device", &f->device},
        {"state", &f->state},
        {"cause", &f->cause},
        {"version", &f->version},
        {"file", &f->file},
        {"address", &f->address},
        {"token_prefix", &f->token_prefix},
    };

    *f = (struct attempt_filter){0};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        *texts[i].text = query_optional(request, texts[i].name);
    }
    if (f->state && attempt_state_of(f->state) == ATTEMPT_STATES) {
        answer_error(request, MHD_HTTP_BAD_REQUEST, "bad_request",
                     "'state' is one of running, delivered, proven, failed, abandoned");
        return false;
    }
    return query_number(request, "since_ms", 0, INT64_MAX, 0, &f->since_ms) &&
           query_number(request, "until_ms", 0, INT64_MAX, 0, &f->until_ms) &&
           choose_seen(request, f);
}

/* An id as its key or path parameter; 0 = it is none. */
static int64_t id_of(const char *text)
{
    char *end;
    long long id = strtoll(text, &end, 10);

    return text[0] >= '0' && text[0] <= '9' && *end == '\0' ? id : 0;
}

static void key_of(const json_t *item, char *key, size_t cap)
{
    (void)snprintf(key, cap, "%" JSON_INTEGER_FORMAT,
                   json_integer_value(json_object_get(item, "id")));
}

static enum aloft_err append_attempt(void *ctx, const struct attempt *a, struct error *e)
{
    return append_json(ctx, attempt_to_json(a), e);
}

static void op_attempts_list(struct request *request)
{
    struct attempt_filter f;
    struct page page;
    struct error e = {0};

    if (!read_filter(request, &f) || !page_read(request, &page)) {
        return;
    }
    f.before_id = id_of(page.after);
    f.limit = page.limit + 1;
    json_t *list = json_array();
    if (attempts_each(request->api->db, &f, append_attempt, list, &e) != ALOFT_ERR_OK) {
        json_decref(list);
        answer_failure(request, &e);
        return;
    }
    page_answer(request, &page, "attempts", list, key_of);
}

/* Those of no product are for who may see everything. */
static void op_attempt_get(struct request *request)
{
    bool is_of_product = request->product.id != 0;
    struct attempt a;
    enum role role = request->role;
    struct error e = {0};
    enum aloft_err err =
        attempts_get(request->api->db, id_of(request->names[is_of_product ? 1 : 0]), &a, &e);

    if (err == ALOFT_ERR_OK && !is_of_product && a.product_id != 0) {
        err = principal_role(request->api->db, &request->principal, a.product_id, &role, &e);
    }
    bool is_other = is_of_product && a.product_id != request->product.id;
    if (err == ALOFT_ERR_OK && (is_other || role == ROLE_NONE)) {
        err = fail(&e, ALOFT_ERR_NOT_FOUND, "there is no attempt of this number");
    }
    if (err != ALOFT_ERR_OK) {
        answer_failure(request, &e);
    } else {
        answer_json(request, MHD_HTTP_OK, attempt_to_json(&a));
    }
}

/* A page of CSV at a time. */
struct export
{
    struct db *db;
    struct attempt_filter filter;
    size_t sent; /* of `writer` */
    struct csv_writer writer;
    char buf[sizeof EXPORT_HEADING + EXPORT_PAGE * EXPORT_ROW];
};

static enum aloft_err export_attempt(void *ctx, const struct attempt *a, struct error *e)
{
    struct export *x = ctx;
    const char *const texts[] = {a->product,         a->device,     a->token_prefix,
                                 a->address,         a->user_agent, tls_text(a->tls_version),
                                 a->running_version, a->boot,       a->asked_version,
                                 a->version,         a->file,       a->state,
                                 a->cause,           a->sentence,   a->closed_by};
    const int64_t numbers[] = {a->bytes_total, a->bytes_sent, a->bytes_acked, rate_of(a),
                               a->n_contacts,  a->started_ms, a->ended_ms,    a->duration_ms};

    (void)e;
    csv_write_number(&x->writer, a->id);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        csv_write_cell(&x->writer, texts[i]);
    }
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        csv_write_number(&x->writer, numbers[i]);
    }
    csv_end_row(&x->writer);
    x->filter.before_id = a->id;
    return ALOFT_ERR_OK;
}

static long read_export(void *ctx, char *buf, size_t cap)
{
    struct export *x = ctx;
    struct error e = {0};

    if (x->sent == x->writer.len) {
        x->sent = 0;
        x->writer.len = 0;
        if (attempts_each(x->db, &x->filter, export_attempt, x, &e) != ALOFT_ERR_OK ||
            x->writer.is_full) {
            return -1;
        }
    }
    size_t n = x->writer.len - x->sent < cap ? x->writer.len - x->sent : cap;
    memcpy(buf, x->buf + x->sent, n);
    x->sent += n;
    return (long)n;
}

static void op_attempts_export(struct request *request)
{
    struct attempt_filter f;

    if (!read_filter(request, &f)) {
        return;
    }
    struct export *x = malloc(sizeof *x);
    if (!x) {
        answer_error(request, MHD_HTTP_INTERNAL_SERVER_ERROR, "internal", "out of memory");
        return;
    }
    x->db = request->api->db;
    x->filter = f; /* its texts are the connection's, which lives longer than the answer */
    x->filter.limit = EXPORT_PAGE;
    x->sent = 0;
    x->writer = (struct csv_writer){x->buf, sizeof x->buf, strlen(EXPORT_HEADING), false, true};
    memcpy(x->buf, EXPORT_HEADING, strlen(EXPORT_HEADING));
    answer_stream(request, TYPE_CSV, read_export, x, free);
}

#define FILTER_QUERY                                                                               \
    "device", "state", "cause", "version", "file", "address", "token_prefix", "since_ms", "until_ms"

static const char *const all_query[] = {PAGE_QUERY, "product", FILTER_QUERY, NULL};
static const char *const product_query[] = {PAGE_QUERY, FILTER_QUERY, NULL};

const struct api_route attempt_routes[] = {
    {"GET", "/api/v1/attempts", API_BODY_NONE, API_SIGNED_IN, op_attempts_list, all_query, NULL, 0,
     false},
    {"GET", "/api/v1/attempts.csv", API_BODY_NONE, API_SIGNED_IN, op_attempts_export, all_query + 2,
     NULL, 0, false},
    {"GET", "/api/v1/attempts/{}", API_BODY_NONE, API_SIGNED_IN, op_attempt_get, NULL, NULL, 0,
     false},
    {"GET", API_PRODUCT "/attempts", API_BODY_NONE, API_VIEWER, op_attempts_list, product_query,
     NULL, 0, false},
    {"GET", API_PRODUCT "/attempts.csv", API_BODY_NONE, API_VIEWER, op_attempts_export,
     product_query + 2, NULL, 0, false},
    {"GET", API_PRODUCT "/attempts/{}", API_BODY_NONE, API_VIEWER, op_attempt_get, NULL, NULL, 0,
     false},
    API_ROUTES_END,
};
