/* SPDX-License-Identifier: Apache-2.0 */
#include "api/ops_device_files.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/ops_tokens.h"
#include "host/auto.h"
#include "host/clock.h"
#include "host/csv.h"

#define TYPE_CSV        "text/csv"
#define BATCH_MAX       100000
#define BATCH_DIGITS    6    /* at least: names sort as their numbers do */
#define BATCH_TIMEOUT_S 600u /* the library counts our own work as the client's silence */
#define START_MAX       INT64_C(999999999999)
#define IMPORT_MAX      1000
#define EXPORT_PAGE     200
#define DEVICE_BYTES    CSV_CELL_BYTES(DEVICE_NAME_MAX)
#define SERIAL_BYTES    CSV_CELL_BYTES(DEVICE_SERIAL_MAX)
#define TOKEN_BYTES     CSV_CELL_BYTES(ALOFT_TOKEN_CHARS)
#define BATCH_HEADING   "device,serial,token,token_tls\r\n"
#define BATCH_ROW       (DEVICE_BYTES + SERIAL_BYTES + 2 * TOKEN_BYTES)

/* A batch: names and serials are a prefix and a number that counts on. */
struct batch {
    int64_t count;
    int64_t start; /* -1 = where no batch has been: the id of the first */
    char prefix[DEVICE_NAME_MAX + 1];
    char serial_prefix[DEVICE_SERIAL_MAX + 1];
    char note[DEVICE_NOTE_MAX + 1];
    unsigned modes;
    int64_t first_id; /* of those added, */
    int64_t last_id;
    struct touched_tokens touched; /* and of those outside: seen before */
};

static bool read_batch(struct request *request, struct batch *b)
{
    static const struct json_member members[] = {
        {"count", JSON_INTEGER, true},
        {"start", JSON_INTEGER, false},
        {"prefix", JSON_STRING, false},
        {"serial_prefix", JSON_STRING, false},
        {"make_tokens", JSON_STRING, false},
        {"note", JSON_STRING, false},
        {NULL, JSON_NULL, false},
    };

    if (!check_members(request, request->json, members)) {
        return false;
    }
    const json_t *start = json_object_get(request->json, "start");
    b->count = json_integer_value(json_object_get(request->json, "count"));
    b->start = start ? json_integer_value(start) : -1;
    b->modes = MODES_BOTH;
    if (b->count < 1 || b->count > BATCH_MAX || (start && (b->start < 0 || b->start > START_MAX))) {
        answer_error(request, MHD_HTTP_BAD_REQUEST, "bad_request",
                     "'count' is a number from 1 to %d, 'start' one from 0 to %" PRId64, BATCH_MAX,
                     START_MAX);
        return false;
    }
    (void)snprintf(b->prefix, sizeof b->prefix, "%.40s-", request->product.name);
    return take_text(request, "prefix", b->prefix, sizeof b->prefix) &&
           take_text(request, "serial_prefix", b->serial_prefix, sizeof b->serial_prefix) &&
           take_text(request, "note", b->note, sizeof b->note) &&
           take_modes(request, "make_tokens", false, &b->modes);
}

/* The i-th device of a batch; false = answered. */
static bool make_device(struct request *request, const struct batch *b, int64_t i, struct device *d)
{
    long long number = b->start + i;
    int len = snprintf(d->device, sizeof d->device, "%s%0*lld", b->prefix, BATCH_DIGITS, number);
    int serial_len = b->serial_prefix[0] ? snprintf(d->serial, sizeof d->serial, "%s%0*lld",
                                                    b->serial_prefix, BATCH_DIGITS, number)
                                         : 0;
    const char *problem = device_name_problem(d->device);

    if (len >= (int)sizeof d->device || serial_len >= (int)sizeof d->serial) {
        problem = "'prefix' or 'serial_prefix' is too long for the numbers behind it";
    }
    if (problem) {
        answer_error(request, MHD_HTTP_BAD_REQUEST, "bad_request", "%s", problem);
        return false;
    }
    memcpy(d->note, b->note, sizeof d->note);
    return (!(b->modes & MODES_PLAIN) || make_secret(request, ALOFT_TOKEN_CHARS / 2, d->token)) &&
           (!(b->modes & MODES_TLS) || make_secret(request, ALOFT_TOKEN_CHARS / 2, d->token_tls));
}

static void write_batch_row(struct csv_writer *w, const struct device *d)
{
    csv_write_cell(w, d->device);
    csv_write_cell(w, d->serial);
    csv_write_cell(w, d->token);
    csv_write_cell(w, d->token_tls);
    csv_end_row(w);
}

static enum aloft_err note_added(struct batch *b, const struct device *d, struct error *e)
{
    if (b->first_id == 0) {
        b->first_id = d->id;
    } else if (d->id < b->last_id) {
        return touch_tokens(&b->touched, d->token, d->token_tls, e);
    }
    b->last_id = d->id;
    return ALOFT_ERR_OK;
}

/* Tokens made of 160 random bits are nobody else's, so they are not looked for. */
static bool add_batch(struct request *request, struct db *tx, struct batch *b, struct csv_writer *w)
{
    int64_t now_ms = clock_wall_ms();
    struct error e = {0};
    enum aloft_err err = ALOFT_ERR_OK;

    if (b->start < 0) {
        err = db_query_int(tx, "SELECT last FROM id_sequence WHERE name = ?1", "device", &b->start,
                           &e);
        b->start++;
    }
    for (int64_t i = 0; err == ALOFT_ERR_OK && i < b->count; i++) {
        struct device d = {.created_ms = now_ms};
        if (!make_device(request, b, i, &d)) {
            return false;
        }
        err = devices_add(tx, request->product.id, &d, &e);
        if (err == ALOFT_ERR_OK) {
            err = note_added(b, &d, &e);
        }
        write_batch_row(w, &d);
    }
    if (err != ALOFT_ERR_OK) {
        answer_failure(request, &e);
    }
    return err == ALOFT_ERR_OK;
}

void op_devices_batch(struct request *request)
{
    struct batch b = {0};

    if (!read_batch(request, &b)) {
        return;
    }
    size_t cap = strlen(BATCH_HEADING) + (size_t)b.count * BATCH_ROW + 1;
    AUTO_FREE char *text = malloc(cap);
    if (!text) {
        answer_error(request, MHD_HTTP_INTERNAL_SERVER_ERROR, "internal", "out of memory");
        return;
    }
    (void)MHD_set_connection_option(request->connection, MHD_CONNECTION_OPTION_TIMEOUT,
                                    BATCH_TIMEOUT_S);
    memcpy(text, BATCH_HEADING, strlen(BATCH_HEADING));
    struct csv_writer w = {text, cap - 1, strlen(BATCH_HEADING), false, true};
    {
        AUTO_TRANSACTION tx = NULL;
        if (!change_begin(request, &tx) || !add_batch(request, tx, &b, &w)) {
            auto_touched_free(&b.touched);
            return;
        }
        const struct change change = {.action = "device.batch_added",
                                      .object = b.prefix,
                                      .detail =
                                          json_pack("{s:I, s:I}", "count", (json_int_t)b.count,
                                                    "start", (json_int_t)b.start)};
        change_end(request, &tx, &change, MHD_HTTP_CREATED, json_object());
    }
    publish_touched(request, &b.touched);
    auto_touched_free(&b.touched);
    publish_devices(request, b.first_id, b.last_id);
    if (request->status == MHD_HTTP_CREATED) {
        text[w.len] = '\0';
        answer_text(request, MHD_HTTP_CREATED, TYPE_CSV, STEAL(text));
    }
}

/* Import. */

struct import {
    struct request *request;
    struct db *tx;
    struct touched_tokens touched;
    int64_t now_ms;
    size_t n_added;
    size_t n_unchanged;
};

static bool refuse_row(struct request *request, size_t row, const char *problem)
{
    answer_error(request, MHD_HTTP_BAD_REQUEST, "bad_row", "row %zu: %s", row, problem);
    return false;
}

static bool copy_text(const json_t *row, const char *member, char *buf, size_t cap)
{
    const char *text = json_string_value(json_object_get(row, member));
    size_t len = text ? strlen(text) : 0;

    for (size_t i = 0; i < len; i++) {
        if ((unsigned char)text[i] < ' ' || text[i] == 0x7F) {
            return false;
        }
    }
    if (len >= cap) {
        return false;
    }
    memcpy(buf, text ? text : "", len + 1);
    return true;
}

static bool copy_token(const json_t *row, const char *member, char buf[ALOFT_TOKEN_CHARS + 1])
{
    const char *text = json_string_value(json_object_get(row, member));

    if (text && text[0] && !is_token(text)) {
        return false;
    }
    (void)snprintf(buf, ALOFT_TOKEN_CHARS + 1, "%s", text ? text : "");
    return true;
}

/* Rows count from 1. */
static bool read_row(struct request *request, const json_t *row, size_t number, struct device *d)
{
    static const struct json_member members[] = {
        {"device", JSON_STRING, true},     {"serial", JSON_STRING, false},
        {"note", JSON_STRING, false},      {"token", JSON_STRING, false},
        {"token_tls", JSON_STRING, false}, {NULL, JSON_NULL, false},
    };

    if (!json_is_object(row)) {
        return refuse_row(request, number, "it is no object");
    }
    if (!check_members(request, row, members)) {
        return false;
    }
    const char *name = json_string_value(json_object_get(row, "device"));
    const char *problem = device_name_problem(name);
    if (!problem && (!copy_text(row, "serial", d->serial, sizeof d->serial) ||
                     !copy_text(row, "note", d->note, sizeof d->note))) {
        problem = "serial or note is too long, or has control characters";
    }
    if (!problem &&
        (!copy_token(row, "token", d->token) || !copy_token(row, "token_tls", d->token_tls))) {
        problem = "a token has 40 lower-case hex digits";
    }
    if (problem) {
        return refuse_row(request, number, problem);
    }
    (void)snprintf(d->device, sizeof d->device, "%s", name);
    return true;
}

/* So that a file whose end was refused can be sent again from its beginning. */
static bool is_same(const struct device *a, const struct device *b)
{
    return strcmp(a->origin, DEVICE_REGISTERED) == 0 && strcmp(a->serial, b->serial) == 0 &&
           strcmp(a->note, b->note) == 0 && strcmp(a->token, b->token) == 0 &&
           strcmp(a->token_tls, b->token_tls) == 0;
}

static bool import_row(struct import *i, const json_t *row, size_t number)
{
    struct device d = {.created_ms = i->now_ms};
    struct device known;
    char who[32];
    struct error e = {0};
    int64_t product_id = i->request->product.id;

    if (!read_row(i->request, row, number, &d)) {
        return false;
    }
    enum aloft_err err = devices_get(i->tx, product_id, d.device, &known, &e);
    if (err == ALOFT_ERR_OK && is_same(&known, &d)) {
        i->n_unchanged++;
        return true;
    }
    (void)snprintf(who, sizeof who, "row %zu: ", number);
    if (err == ALOFT_ERR_OK && strcmp(known.origin, DEVICE_REGISTERED) == 0) {
        err = fail(&e, ALOFT_ERR_DUPLICATE,
                   "there is a device '%s' already, with another serial, note or token", d.device);
    } else if (err == ALOFT_ERR_OK || err == ALOFT_ERR_NOT_FOUND) {
        err = device_add_checked(i->tx, product_id, &d, who, &e);
    }
    if (err == ALOFT_ERR_OK) {
        i->n_added++;
        err = touch_tokens(&i->touched, d.token, d.token_tls, &e);
    }
    if (err == ALOFT_ERR_DUPLICATE && strncmp(e.sentence, who, strlen(who)) != 0) {
        answer_error(i->request, MHD_HTTP_CONFLICT, "conflict", "%s%s", who, e.sentence);
    } else if (err != ALOFT_ERR_OK) {
        answer_failure(i->request, &e);
    }
    return err == ALOFT_ERR_OK;
}

static bool import_rows(struct import *i, const json_t *rows)
{
    for (size_t k = 0; k < json_array_size(rows); k++) {
        if (!import_row(i, json_array_get(rows, k), k + 1)) {
            return false;
        }
    }
    return true;
}

void op_devices_import(struct request *request)
{
    static const struct json_member members[] = {
        {"devices", JSON_ARRAY, true},
        {NULL, JSON_NULL, false},
    };
    struct import i = {.request = request, .now_ms = clock_wall_ms()};

    if (!check_members(request, request->json, members)) {
        return;
    }
    const json_t *rows = json_object_get(request->json, "devices");
    if (json_array_size(rows) < 1 || json_array_size(rows) > IMPORT_MAX) {
        answer_error(request, MHD_HTTP_BAD_REQUEST, "bad_request",
                     "'devices' are 1 to %d rows; send more in several requests", IMPORT_MAX);
        return;
    }
    {
        AUTO_TRANSACTION tx = NULL;
        if (change_begin(request, &tx)) {
            i.tx = tx;
            if (import_rows(&i, rows)) {
                const struct change change = {
                    .action = "device.imported",
                    .object = request->product.name,
                    .detail = json_pack("{s:I}", "added", (json_int_t)i.n_added)};
                change_end(request, &tx, &change, MHD_HTTP_OK,
                           json_pack("{s:I, s:I}", "added", (json_int_t)i.n_added, "unchanged",
                                     (json_int_t)i.n_unchanged));
            }
        }
    }
    publish_touched(request, &i.touched);
    auto_touched_free(&i.touched);
}

/* Export: a page of the list at a time, so that a million devices need the memory of a few. */

#define EXPORT_HEADING                                                                             \
    "device,serial,note,token,token_tls,origin,token_prefix,address,running_version,boot,"         \
    "delivered_version,delivered_ms,proven_version,proven_ms,attempts,created_ms,first_seen_ms,"   \
    "last_seen_ms\r\n"
#define EXPORT_ROW                                                                                 \
    (DEVICE_BYTES + SERIAL_BYTES + CSV_CELL_BYTES(DEVICE_NOTE_MAX) + 2 * TOKEN_BYTES +             \
     6 * CSV_CELL_BYTES(ALOFT_OUR_HEADER_MAX) + 9 * CSV_CELL_BYTES(20))

struct export
{
    struct db *db;
    int64_t product_id;
    bool has_tokens; /* the reader may know them */
    bool is_over;
    struct device_cursor at;
    size_t sent; /* of `writer` */
    struct csv_writer writer;
    char buf[sizeof EXPORT_HEADING + EXPORT_PAGE * EXPORT_ROW];
};

static enum aloft_err export_device(void *ctx, const struct device *d,
                                    const struct device_cursor *at, struct error *e)
{
    struct export *x = ctx;
    const char *const texts[] = {d->device,
                                 d->serial,
                                 d->note,
                                 x->has_tokens ? d->token : "",
                                 x->has_tokens ? d->token_tls : "",
                                 d->origin,
                                 d->token_prefix,
                                 d->address,
                                 d->running_version,
                                 d->boot,
                                 d->delivered_version};
    const int64_t numbers[] = {d->proven_ms, d->n_attempts, d->created_ms, d->first_seen_ms,
                               d->last_seen_ms};

    (void)e;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        csv_write_cell(&x->writer, texts[i]);
    }
    csv_write_number(&x->writer, d->delivered_ms);
    csv_write_cell(&x->writer, d->proven_version);
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        csv_write_number(&x->writer, numbers[i]);
    }
    csv_end_row(&x->writer);
    x->at = *at;
    return ALOFT_ERR_OK;
}

static bool read_page(struct export *x)
{
    static const struct device_filter all = {0};
    struct device_cursor after = x->at;
    struct error e = {0};

    x->sent = 0;
    x->writer.len = 0;
    if (devices_list(x->db, x->product_id, &all, &after, EXPORT_PAGE, export_device, x, &e) !=
        ALOFT_ERR_OK) {
        return false;
    }
    x->is_over = x->writer.len == 0;
    return !x->writer.is_full;
}

static long read_export(void *ctx, char *buf, size_t cap)
{
    struct export *x = ctx;

    if (x->sent == x->writer.len && !x->is_over && !read_page(x)) {
        return -1;
    }
    size_t n = x->writer.len - x->sent < cap ? x->writer.len - x->sent : cap;
    memcpy(buf, x->buf + x->sent, n);
    x->sent += n;
    return (long)n;
}

void op_devices_export(struct request *request)
{
    struct export *x = malloc(sizeof *x);

    if (!x) {
        answer_error(request, MHD_HTTP_INTERNAL_SERVER_ERROR, "internal", "out of memory");
        return;
    }
    x->db = request->api->db;
    x->product_id = request->product.id;
    x->has_tokens = request->role >= ROLE_OPERATOR;
    x->is_over = false;
    x->at = (struct device_cursor){0};
    x->sent = 0;
    x->writer = (struct csv_writer){x->buf, sizeof x->buf, strlen(EXPORT_HEADING), false, true};
    memcpy(x->buf, EXPORT_HEADING, strlen(EXPORT_HEADING));
    answer_stream(request, TYPE_CSV, read_export, x, free);
}
