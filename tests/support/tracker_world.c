/* SPDX-License-Identifier: Apache-2.0 */
#include "tracker_world.h"

#include <stdbool.h>

#include "store/devices.h"
#include "store/events.h"
#include "store/products.h"

static enum aloft_err say_packed(void *ctx, struct db *tx, const struct contact *c,
                                 struct cause_file *file, struct error *e)
{
    (void)ctx;
    (void)tx;
    (void)c;
    (void)e;
    file->layout = aloft_layout_by_name("esp32c2-2mb");
    file->head_len = 3;
    memcpy(file->head, "ESP", 3);
    return ALOFT_ERR_OK;
}

void open_tracker(struct fixture *f, size_t n_attempts)
{
    const struct tracker_options options = {
        .db = f->db, .look_up = say_packed, .proven_minutes = 10, .n_attempts = n_attempts};

    tracker_free(f->tracker);
    f->tracker = tracker_new(&options);
    assert_non_null(f->tracker);
}

int tracker_world_open(void **state, const struct store_engine *engine)
{
    struct fixture *f = calloc(1, sizeof *f);
    struct product p = {
        .name = "lamp", .layout = "esp32c3_default", .token = "1", .token_tls = "2"};

    store_engine = engine;
    if (!f || store_world_open(f->dir, &f->db) != 0) {
        return -1;
    }
    *state = f;
    if (products_add(f->db, &p, NULL) != ALOFT_ERR_OK) {
        return -1;
    }
    open_tracker(f, 64);
    return 0;
}

int tear_down(void **state)
{
    struct fixture *f = *state;

    tracker_free(f->tracker);
    store_world_close(f->dir, f->db);
    free(f);
    return 0;
}

/* A stock module at 192.0.2.7 with the product's token asks for the version. */
struct contact query(int64_t s)
{
    struct contact c = {.time_ms = START_MS + s * S,
                        .product_id = 1,
                        .status = 200,
                        .kind = CONTACT_VERSION,
                        .outcome = CONTACT_VERSION_TOLD,
                        .peer = {.address = {192, 0, 2, 7}, .port = 40112},
                        .agent = CONTACT_AGENT_CIUPDATE,
                        .token_prefix = "abcdef",
                        .version = "v2"};

    return c;
}

/* It has the file at this time; the transfer took 2 s. */
struct contact file(int64_t s, enum contact_outcome outcome)
{
    struct contact c = query(s);

    c.kind = CONTACT_FILE;
    c.outcome = outcome;
    c.has_asked_version = true;
    c.duration_ms = 2 * S;
    c.total_bytes = BYTES;
    c.sent_bytes = BYTES;
    c.acked_bytes = outcome == CONTACT_FILE_DELIVERED ? BYTES : 100000;
    c.is_closed_by_peer = outcome == CONTACT_FILE_CLOSED;
    PUT(c.file_name, "ota.bin");
    return c;
}

/* The same of a module of ours. */
struct contact ours(struct contact c, const char *runs, const char *boot)
{
    PUT(c.headers.device, "0123456789ab");
    PUT(c.headers.version, runs);
    PUT(c.headers.boot, boot);
    return c;
}

void take(struct fixture *f, struct contact c)
{
    assert_err(tracker_write(f->tracker, &c, 1, NULL), ALOFT_ERR_OK);
}

void sweep(struct fixture *f, int64_t s)
{
    assert_err(tracker_sweep(f->tracker, START_MS + s * S, NULL), ALOFT_ERR_OK);
}

static enum aloft_err keep(void *ctx, const struct attempt *a, struct error *e)
{
    struct fixture *f = ctx;

    (void)e;
    assert_true(f->n < ROWS_MAX);
    memmove(&f->rows[1], &f->rows[0], f->n++ * sizeof *a);
    f->rows[0] = *a;
    return ALOFT_ERR_OK;
}

size_t read_some(struct fixture *f, const struct attempt_filter *filter)
{
    f->n = 0;
    assert_err(attempts_each(f->db, filter, keep, f, NULL), ALOFT_ERR_OK);
    return f->n;
}

size_t read_rows(struct fixture *f)
{
    const struct attempt_filter all = {.is_all_seen = true, .limit = ROWS_MAX};

    return read_some(f, &all);
}

static enum aloft_err add_kind(void *ctx, const struct event *event, struct error *e)
{
    struct fixture *f = ctx;
    size_t len = strlen(f->kinds);

    (void)e;
    (void)snprintf(f->kinds + len, sizeof f->kinds - len, "%s%s", len ? " " : "",
                   event->kind + strlen("attempt."));
    return ALOFT_ERR_OK;
}

const char *read_events(struct fixture *f)
{
    f->kinds[0] = '\0';
    assert_err(events_each(f->db, 0, 100, add_kind, f, NULL), ALOFT_ERR_OK);
    return f->kinds;
}

void expect_row(struct fixture *f, size_t i, const char *state, const char *cause,
                int64_t n_contacts)
{
    assert_true(read_rows(f) > i);
    assert_string_equal(f->rows[i].state, state);
    assert_string_equal(f->rows[i].cause, cause);
    assert_int_equal(f->rows[i].n_contacts, n_contacts);
}

void expect_last(struct fixture *f, const char *state, const char *cause, size_t n_rows)
{
    assert_int_equal(read_rows(f), n_rows);
    assert_string_equal(f->rows[n_rows - 1].state, state);
    assert_string_equal(f->rows[n_rows - 1].cause, cause);
}

/* What the server keeps of devices, written before the tracker sees a contact. */
void note_device(struct fixture *f, const struct device_news *news)
{
    const char *name = NULL;
    bool is_proven;
    int64_t id = 0;

    assert_err(devices_find_seen(f->db, news, &id, &name, NULL), ALOFT_ERR_OK);
    if (id == 0) {
        assert_err(devices_add_seen(f->db, news, name, &id, NULL), ALOFT_ERR_OK);
    }
    assert_err(devices_note(f->db, id, news, &is_proven, NULL), ALOFT_ERR_OK);
}
