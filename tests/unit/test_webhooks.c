/* SPDX-License-Identifier: Apache-2.0 */

/* Webhooks: which events they get, when a delivery is tried, where it may go, how it is signed. */

#include "store_world.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "notify/fan_out.h"
#include "notify/signature.h"
#include "notify/target.h"
#include "store/deliveries.h"
#include "store/products.h"

#define NOW  INT64_C(1700000000000)
#define HOUR (60 * 60 * INT64_C(1000))

struct fixture {
    char dir[256];
    struct db *db;
    char log[512]; /* what visitors saw */
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);

    *state = f;
    return store_world_open(f->dir, &f->db);
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    store_world_close(f->dir, f->db);
    free(f);
    return 0;
}

static int64_t add_webhook(struct fixture *f, const char *kinds, int64_t product_id)
{
    struct webhook w = {.product_id = product_id,
                        .url = "https://example.com/",
                        .secret = "0123456789abcdef",
                        .is_active = true,
                        .created_ms = NOW};
    AUTO_TRANSACTION tx = NULL;

    (void)snprintf(w.kinds, sizeof w.kinds, "%s", kinds);
    assert_err(db_begin(f->db, &tx, NULL), ALOFT_ERR_OK);
    assert_err(webhooks_add(tx, &w, NULL), ALOFT_ERR_OK);
    assert_err(db_commit(&tx, NULL), ALOFT_ERR_OK);
    return w.id;
}

static int64_t add_product(struct fixture *f)
{
    struct product p = {.name = "lamp", .layout = "esp32c3_default"};
    AUTO_TRANSACTION tx = NULL;

    memset(p.token, '1', ALOFT_TOKEN_CHARS);
    memset(p.token_tls, '2', ALOFT_TOKEN_CHARS);
    assert_err(db_begin(f->db, &tx, NULL), ALOFT_ERR_OK);
    assert_err(products_add(tx, &p, NULL), ALOFT_ERR_OK);
    assert_err(db_commit(&tx, NULL), ALOFT_ERR_OK);
    return p.id;
}

static void add_event(struct fixture *f, const char *kind, int64_t product_id)
{
    const struct event event = {
        .time_ms = NOW, .kind = kind, .product_id = product_id, .body = "{\"object\":\"x\"}"};
    AUTO_TRANSACTION tx = NULL;

    assert_err(db_begin(f->db, &tx, NULL), ALOFT_ERR_OK);
    assert_err(events_add(tx, &event, NULL), ALOFT_ERR_OK);
    assert_err(db_commit(&tx, NULL), ALOFT_ERR_OK);
}

static int64_t add_delivery(struct fixture *f, int64_t webhook_id)
{
    struct delivery d = {.webhook_id = webhook_id, .kind = "webhook.test", .created_ms = NOW};
    AUTO_TRANSACTION tx = NULL;

    assert_err(db_begin(f->db, &tx, NULL), ALOFT_ERR_OK);
    assert_err(deliveries_add(tx, &d, "{}", NULL), ALOFT_ERR_OK);
    assert_err(db_commit(&tx, NULL), ALOFT_ERR_OK);
    return d.id;
}

static struct delivery get(struct fixture *f, int64_t webhook_id, int64_t id)
{
    struct delivery d;

    assert_err(deliveries_get(f->db, webhook_id, id, &d, NULL), ALOFT_ERR_OK);
    return d;
}

static void make_deliveries(struct fixture *f)
{
    bool has_more = true;

    assert_err(fan_out(f->db, NOW, &has_more, NULL), ALOFT_ERR_OK);
    assert_false(has_more);
}

static enum aloft_err log_due(void *ctx, const struct delivery *d, const char *body,
                              struct error *e)
{
    struct fixture *f = ctx;
    size_t used = strlen(f->log);

    (void)e;
    (void)snprintf(f->log + used, sizeof f->log - used, "%d:%s %s\n", (int)d->webhook_id, d->kind,
                   body);
    return ALOFT_ERR_OK;
}

static const char *due(struct fixture *f, int64_t now_ms)
{
    f->log[0] = '\0';
    assert_err(deliveries_due(f->db, now_ms, 8, log_due, f, NULL), ALOFT_ERR_OK);
    return f->log;
}

static void webhook__wants_its_kinds_only(void **state)
{
    (void)state;
    assert_true(webhook_wants("*", "rom.deployed"));
    assert_true(webhook_wants("product.added rom.deployed", "rom.deployed"));
    assert_true(webhook_wants("rom.*", "rom.deployed"));
    assert_false(webhook_wants("rom.*", "romance.begun"));
    assert_false(webhook_wants("rom.deployed", "rom.deployed_twice"));
    assert_false(webhook_wants("rom.deploy", "rom.deployed"));
    assert_false(webhook_wants("", "rom.deployed"));
}

static void fan_out__sends_each_event_once_to_those_who_want_it(void **state)
{
    struct fixture *f = *state;
    int64_t product = add_product(f);

    add_event(f, "rom.deployed", product); /* before there was a webhook: last_event 0 gets it */
    (void)add_webhook(f, "rom.*", 0);
    (void)add_webhook(f, "*", product);
    (void)add_webhook(f, "device.added", 0);
    make_deliveries(f);
    add_event(f, "account.added", 0);
    make_deliveries(f);
    make_deliveries(f);
    assert_string_equal(
        due(f, NOW), "1:rom.deployed {\"id\":1,\"kind\":\"rom.deployed\",\"time_ms\":1700000000000,"
                     "\"product\":\"lamp\",\"body\":{\"object\":\"x\"}}\n"
                     "2:rom.deployed {\"id\":1,\"kind\":\"rom.deployed\",\"time_ms\":1700000000000,"
                     "\"product\":\"lamp\",\"body\":{\"object\":\"x\"}}\n");
}

static void fan_out__goes_on_where_it_stopped(void **state)
{
    struct fixture *f = *state;
    bool has_more = false;
    int64_t n = 0;

    (void)add_webhook(f, "*", 0);
    for (int i = 0; i < 300; i++) {
        add_event(f, "rom.deployed", 0);
    }
    assert_err(fan_out(f->db, NOW, &has_more, NULL), ALOFT_ERR_OK);
    assert_true(has_more);
    make_deliveries(f);
    assert_err(db_query_int(f->db, "SELECT count(*) FROM webhook_delivery", NULL, &n, NULL),
               ALOFT_ERR_OK);
    assert_int_equal(n, 300);
}

static void due__is_one_of_each_active_webhook(void **state)
{
    struct fixture *f = *state;
    struct webhook w;
    int64_t one = add_webhook(f, "*", 0);
    int64_t two = add_webhook(f, "*", 0);

    (void)add_delivery(f, one);
    (void)add_delivery(f, one);
    (void)add_delivery(f, two);
    assert_string_equal(due(f, NOW - 1), "");
    assert_string_equal(due(f, NOW), "1:webhook.test {}\n2:webhook.test {}\n");
    assert_err(webhooks_get(f->db, one, &w, NULL), ALOFT_ERR_OK);
    w.is_active = false;
    assert_err(webhooks_update(f->db, &w, NULL), ALOFT_ERR_OK);
    assert_string_equal(due(f, NOW), "2:webhook.test {}\n");
}

static void delivery__is_tried_eight_times_with_growing_pauses(void **state)
{
    static const int64_t pauses_s[] = {10, 60, 300, 1800, 7200, 21600, 86400};
    struct fixture *f = *state;
    int64_t webhook = add_webhook(f, "*", 0);
    int64_t id = add_delivery(f, webhook);
    int64_t next_ms = 0;

    for (size_t i = 0; i < 7; i++) {
        struct delivery d = get(f, webhook, id);
        assert_err(deliveries_note(f->db, &d, 500, "no", NOW, NULL), ALOFT_ERR_OK);
        d = get(f, webhook, id);
        assert_string_equal(d.state, "waiting");
        assert_int_equal(d.next_ms, NOW + pauses_s[i] * 1000);
        assert_int_equal(d.ended_ms, 0);
        assert_err(deliveries_next(f->db, &next_ms, NULL), ALOFT_ERR_OK);
        assert_int_equal(next_ms, d.next_ms);
    }
    struct delivery d = get(f, webhook, id);
    assert_err(deliveries_note(f->db, &d, 0, "no answer", NOW + HOUR, NULL), ALOFT_ERR_OK);
    d = get(f, webhook, id);
    assert_string_equal(d.state, "failed");
    assert_string_equal(d.error, "no answer");
    assert_int_equal(d.n_tries, 8);
    assert_int_equal(d.ended_ms, NOW + HOUR);
    assert_string_equal(due(f, NOW + 1000 * HOUR), "");
    assert_err(deliveries_retry(f->db, id, NOW + 2 * HOUR, NULL), ALOFT_ERR_OK);
    assert_string_equal(due(f, NOW + 2 * HOUR), "1:webhook.test {}\n");
}

static void delivery__is_done_without_an_error(void **state)
{
    struct fixture *f = *state;
    int64_t webhook = add_webhook(f, "*", 0);
    int64_t id = add_delivery(f, webhook);
    struct delivery d = get(f, webhook, id);

    assert_err(deliveries_note(f->db, &d, 204, "", NOW + 5, NULL), ALOFT_ERR_OK);
    d = get(f, webhook, id);
    assert_string_equal(d.state, "done");
    assert_int_equal(d.status, 204);
    assert_int_equal(d.ended_ms, NOW + 5);
    assert_string_equal(due(f, NOW + HOUR), "");
}

static void sweep__keeps_what_an_active_webhook_has_no_delivery_of(void **state)
{
    struct fixture *f = *state;
    int64_t n = 0;

    (void)add_webhook(f, "*", 0);
    add_event(f, "rom.deployed", 0);
    assert_err(events_sweep(f->db, NOW + HOUR, NULL), ALOFT_ERR_OK);
    assert_err(events_last(f->db, &n, NULL), ALOFT_ERR_OK);
    assert_int_equal(n, 1);
    make_deliveries(f);
    assert_err(events_sweep(f->db, NOW, NULL), ALOFT_ERR_OK);
    assert_err(events_last(f->db, &n, NULL), ALOFT_ERR_OK);
    assert_int_equal(n, 1);
    assert_err(events_sweep(f->db, NOW + 1, NULL), ALOFT_ERR_OK);
    assert_err(events_last(f->db, &n, NULL), ALOFT_ERR_OK);
    assert_int_equal(n, 0);
    assert_err(deliveries_sweep(f->db, NOW, NULL), ALOFT_ERR_OK);
    assert_string_not_equal(due(f, NOW), "");
    assert_err(deliveries_sweep(f->db, NOW + 1, NULL), ALOFT_ERR_OK);
    assert_string_equal(due(f, NOW), "");
}

static void webhooks__are_limited_in_number(void **state)
{
    struct fixture *f = *state;
    struct webhook w = {.url = "https://example.com/"};
    struct error e = {0};

    for (int i = 0; i < WEBHOOKS_MAX; i++) {
        (void)add_webhook(f, "*", 0);
    }
    assert_err(webhooks_add(f->db, &w, &e), ALOFT_ERR_DUPLICATE);
    assert_string_equal(e.sentence, "there are 64 webhooks, which is the most: remove one");
}

static void signature__is_an_hmac_over_time_and_body(void **state)
{
    char value[SIGNATURE_BYTES];

    (void)state;
    signature_make("0123456789abcdef", 1700000000, "{\"id\":1}", value);
    assert_string_equal(
        value, "t=1700000000,v1=4bcaced68dfea90a68df035b89cb7fb26692d899d32a1ccb1b0616cf48e4d1ed");
}

static bool allows(const char *text, bool allows_private)
{
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
    struct sockaddr_in v4 = {.sin_family = AF_INET};

    if (inet_pton(AF_INET, text, &v4.sin_addr) == 1) {
        return target_allows((const struct sockaddr *)&v4, allows_private);
    }
    assert_int_equal(inet_pton(AF_INET6, text, &v6.sin6_addr), 1);
    return target_allows((const struct sockaddr *)&v6, allows_private);
}

static void target__goes_where_it_may(void **state)
{
    static const char *const never[] = {"169.254.169.254",
                                        "169.254.0.1",
                                        "0.0.0.0",
                                        "100.100.100.200",
                                        "224.0.0.1",
                                        "255.255.255.255",
                                        "192.0.0.192",
                                        "::",
                                        "fe80::1",
                                        "febf::1",
                                        "ff02::1",
                                        "fd00:ec2::254",
                                        "::ffff:169.254.169.254",
                                        "64:ff9b::a9fe:a9fe"};
    static const char *const private[] = {"127.0.0.1",   "10.1.2.3",       "172.31.0.1",
                                          "192.168.1.1", "100.64.0.1",     "::1",
                                          "fd12::1",     "::ffff:10.0.0.1"};
    static const char *const public[] = {"192.0.2.1", "172.32.0.1", "8.8.8.8", "2001:db8::1"};

    (void)state;
    for (size_t i = 0; i < sizeof never / sizeof never[0]; i++) {
        assert_false(allows(never[i], true));
    }
    for (size_t i = 0; i < sizeof private / sizeof private[0]; i++) {
        assert_true(allows(private[i], true));
        assert_false(allows(private[i], false));
    }
    for (size_t i = 0; i < sizeof public / sizeof public[0]; i++) {
        assert_true(allows(public[i], false));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(webhook__wants_its_kinds_only),
        cmocka_unit_test_setup_teardown(fan_out__sends_each_event_once_to_those_who_want_it, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(fan_out__goes_on_where_it_stopped, setup, teardown),
        cmocka_unit_test_setup_teardown(due__is_one_of_each_active_webhook, setup, teardown),
        cmocka_unit_test_setup_teardown(delivery__is_tried_eight_times_with_growing_pauses, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(delivery__is_done_without_an_error, setup, teardown),
        cmocka_unit_test_setup_teardown(sweep__keeps_what_an_active_webhook_has_no_delivery_of,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(webhooks__are_limited_in_number, setup, teardown),
        cmocka_unit_test(signature__is_an_hmac_over_time_and_body),
        cmocka_unit_test(target__goes_where_it_may),
    };

    return STORE_RUN(tests);
}
