/* SPDX-License-Identifier: Apache-2.0 */
#include "attempt/track_rows.h"

#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "host/auto.h"
#include "store/events.h"

#define KIND_BYTES 48

static void copy(char *out, size_t cap, const char *text)
{
    (void)snprintf(out, cap, "%s", text);
}
#define COPY(field, text) copy(row->field, sizeof row->field, text)

static void take_transfer(struct attempt *row, const struct contact *c)
{
    COPY(asked_version, c->has_asked_version ? c->version : "");
    COPY(file, c->file_name);
    COPY(closed_by, c->is_closed_by_peer ? "module" : "server");
    row->bytes_total = (int64_t)c->total_bytes;
    row->bytes_sent = (int64_t)c->sent_bytes;
    row->bytes_acked = (int64_t)c->acked_bytes;
    row->duration_ms = c->duration_ms;
}

void track_row_take(struct attempt *row, const struct contact *c, const struct cause *cause)
{
    COPY(user_agent, contact_user_agent(c));
    COPY(running_version, c->headers.version);
    COPY(boot, c->headers.boot);
    COPY(state, attempt_state_text(cause->state));
    COPY(cause, cause->word);
    COPY(sentence, cause->sentence);
    row->tls_version = c->tls_version;
    if (c->version[0]) {
        COPY(version, c->version);
    }
    if (c->kind == CONTACT_FILE) {
        take_transfer(row, c);
    }
}

enum aloft_err track_row_device(struct db *tx, const struct contact *c, struct attempt_device *ret,
                                struct error *e)
{
    char address[DEVICE_ADDRESS_MAX + 1];
    const struct device_news news = {.product_id = c->product_id,
                                     .device_id = c->device_id,
                                     .mode = c->mode,
                                     .device = c->headers.device,
                                     .token_prefix = c->token_prefix,
                                     .address = address,
                                     .seen_ms = c->time_ms};
    const char *name = c->headers.device[0] ? c->headers.device : address;
    int64_t id = c->row_id;
    enum aloft_err err = ALOFT_ERR_OK;

    contact_address_text(&c->peer, address, sizeof address);
    if (c->product_id != 0 && id == 0) {
        err = devices_find_seen(tx, &news, &id, &name, e);
    }
    *ret = (struct attempt_device){0};
    if (err == ALOFT_ERR_OK && id != 0) {
        err = attempts_find_device(tx, id, ret, e);
    }
    if (ret->id == 0) {
        copy(ret->device, sizeof ret->device, name);
    }
    return err == ALOFT_ERR_NOT_FOUND ? ALOFT_ERR_OK : err;
}

enum aloft_err track_row_add(struct db *tx, const struct contact *c, int64_t started_ms,
                             const struct cause *cause, struct attempt *row, struct error *e)
{
    struct attempt_device device;
    enum aloft_err err = track_row_device(tx, c, &device, e);

    if (err != ALOFT_ERR_OK) {
        return err;
    }
    *row = (struct attempt){.product_id = c->product_id,
                            .device_id = device.id,
                            .token_device_id = c->device_id,
                            .n_contacts = 1,
                            .started_ms = started_ms,
                            .ended_ms = c->time_ms};
    COPY(device, device.device);
    COPY(reported_device, c->headers.device);
    COPY(token_prefix, c->token_prefix);
    contact_address_text(&c->peer, row->address, sizeof row->address);
    track_row_take(row, c, cause);
    err = attempts_add(tx, row, e);
    if (err == ALOFT_ERR_OK) {
        err = attempts_get(tx, row->id, row, e); /* for the name of the product */
    }
    return err == ALOFT_ERR_OK ? track_row_tell(tx, row, "began", started_ms, e) : err;
}

enum aloft_err track_row_tell(struct db *tx, const struct attempt *row, const char *word,
                              int64_t time_ms, struct error *e)
{
    char kind[KIND_BYTES];
    json_t *body = json_pack("{s:I, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:I}", "attempt",
                             (json_int_t)row->id, "product", row->product, "device", row->device,
                             "address", row->address, "token_prefix", row->token_prefix, "version",
                             row->version, "file", row->file, "cause", row->cause, "sentence",
                             row->sentence, "bytes_acked", (json_int_t)row->bytes_acked);
    AUTO_FREE char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;

    json_decref(body);
    if (!text) {
        return fail(e, ALOFT_ERR_IO, "out of memory");
    }
    (void)snprintf(kind, sizeof kind, "attempt.%s", word);
    const struct event event = {
        .time_ms = time_ms, .kind = kind, .product_id = row->product_id, .body = text};
    return events_add(tx, &event, e);
}
