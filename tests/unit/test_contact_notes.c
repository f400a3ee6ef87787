/* SPDX-License-Identifier: Apache-2.0 */
#include "store_world.h"

#include <stdbool.h>
#include <string.h>

#include "serve/contact_notes.h"
#include "store/devices.h"
#include "store/products.h"

struct fixture {
    char dir[256];
    struct db *db;
    struct contact_notes *notes;
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    struct product p = {
        .name = "lamp", .layout = "esp32c3_default", .token = "1", .token_tls = "2"};

    if (!f || store_world_open(f->dir, &f->db) != 0) {
        return -1;
    }
    *state = f;
    if (products_add(f->db, &p, NULL) != ALOFT_ERR_OK) {
        return -1;
    }
    f->notes = contact_notes_new(f->db, 1000);
    return f->notes ? 0 : -1;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    contact_notes_free(f->notes);
    store_world_close(f->dir, f->db);
    free(f);
    return 0;
}

static struct contact version_check(int64_t time_ms, const char *device, const char *running)
{
    struct contact c = {.time_ms = time_ms,
                        .product_id = 1,
                        .kind = CONTACT_VERSION,
                        .outcome = CONTACT_VERSION_TOLD,
                        .peer = {.address = {192, 0, 2, 7}, .port = 40112},
                        .token_prefix = "abcdef"};

    (void)snprintf(c.headers.device, sizeof c.headers.device, "%s", device);
    (void)snprintf(c.headers.version, sizeof c.headers.version, "%s", running);
    return c;
}

static struct contact delivery(int64_t time_ms, const char *file, const char *running)
{
    struct contact c = version_check(time_ms, "d", running);

    c.kind = CONTACT_FILE;
    c.outcome = CONTACT_FILE_DELIVERED;
    (void)snprintf(c.file_name, sizeof c.file_name, "%s", file);
    (void)snprintf(c.version, sizeof c.version, "v2");
    return c;
}

static enum contact_outcome write_one(struct fixture *f, struct contact c)
{
    assert_err(contact_notes_write(f->notes, &c, 1, NULL), ALOFT_ERR_OK);
    return c.outcome;
}

struct devices {
    int n;
    struct device last;
    char names[128]; /* a space behind each */
};

static enum aloft_err keep(void *ctx, const struct device *d, const struct device_cursor *at,
                           struct error *e)
{
    struct devices *devices = ctx;

    (void)at;
    (void)e;
    size_t used = strlen(devices->names);
    devices->n++;
    (void)snprintf(devices->names + used, sizeof devices->names - used, "%s ", d->device);
    devices->last = *d;
    return ALOFT_ERR_OK;
}

static struct devices list(struct fixture *f)
{
    struct devices devices = {0};

    assert_err(devices_list(f->db, 1, &(struct device_filter){0}, &(struct device_cursor){0}, 1000,
                            keep, &devices, NULL),
               ALOFT_ERR_OK);
    return devices;
}

static void run_sql(struct fixture *f, const char *sql)
{
    AUTO_STMT s = NULL;

    assert_err(db_prepare(f->db, sql, &s, NULL), ALOFT_ERR_OK);
    assert_err(db_run(s, NULL), ALOFT_ERR_OK);
}

static void write__takes_the_address_of_a_stock_module_as_its_name(void **state)
{
    struct fixture *f = *state;

    (void)write_one(f, version_check(5, "", ""));
    assert_string_equal(list(f).last.device, "192.0.2.7");
    assert_string_equal(list(f).last.address, "192.0.2.7");
    assert_string_equal(list(f).last.token_prefix, "abcdef");
    assert_int_equal(list(f).last.last_seen_ms, 5);
}

static void write__strips_port_and_brackets_of_the_longest_address(void **state)
{
    struct fixture *f = *state;
    struct contact c = version_check(5, "", "");

    memset(c.peer.address, 0xFE, sizeof c.peer.address);
    c.peer.is_v6 = true;
    c.peer.port = 65535;
    (void)write_one(f, c);
    assert_string_equal(list(f).last.device, "fefe:fefe:fefe:fefe:fefe:fefe:fefe:fefe");
}

static void write__ignores_whom_no_token_names(void **state)
{
    struct fixture *f = *state;
    struct contact c = version_check(5, "d", "v1");

    c.product_id = 0;
    (void)write_one(f, c);
    assert_int_equal(list(f).n, 0);
}

static void write__proves_only_after_the_delivery_contact(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(write_one(f, delivery(1, "ota.bin", "v2")), CONTACT_FILE_DELIVERED);
    assert_string_equal(list(f).last.delivered_version, "v2");
    assert_string_equal(list(f).last.proven_version, "");
    assert_int_equal(write_one(f, version_check(2, "d", "v1")), CONTACT_VERSION_TOLD);
    assert_int_equal(write_one(f, version_check(3, "d", "v2")), CONTACT_PROVEN);
    assert_string_equal(list(f).last.proven_version, "v2");
    assert_int_equal(write_one(f, version_check(4, "d", "v2")), CONTACT_VERSION_TOLD);
}

static void write__sees_proof_in_words_said_before_the_delivery_too(void **state)
{
    struct fixture *f = *state;

    (void)write_one(f, version_check(1, "d", "v2")); /* it ran v2 already */
    (void)write_one(f, delivery(2, "ota.bin", "v2"));
    assert_int_equal(write_one(f, version_check(3, "d", "v2")), CONTACT_PROVEN);
}

static void write__proves_a_module_that_spoke_before_its_delivery_was_known(void **state)
{
    static const struct {
        const char
            *asked_as; /* Aloft-Version of the download, known to be over at 9000 after 100 ms */
        const char *spoke_as; /* of the version checks */
        int64_t spoke_ms;
        bool is_proven;
    } rows[] = {
        {"v1", "v2", 8500, true},
        {"v1", "v2", 6899, false}, /* said before it: an older story */
        {"v1", "v1", 8500, false}, /* rolled back, or not restarted yet */
        {"v2", "v2", 8500, false}, /* the same version again: may be the old one that speaks */
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_int_equal(set_up(state), 0);
        struct fixture *f = *state;
        struct contact d = delivery(9000, "ota.bin", rows[i].asked_as);
        d.duration_ms = 100;
        (void)write_one(f, version_check(rows[i].spoke_ms - 100, "d", rows[i].spoke_as));
        (void)write_one(f, version_check(rows[i].spoke_ms, "d", rows[i].spoke_as));
        (void)write_one(f, d);
        assert_string_equal(list(f).last.proven_version, rows[i].is_proven ? "v2" : "");
        assert_int_equal(tear_down(state), 0);
    }
}

static void write__takes_no_user_partition_for_a_version(void **state)
{
    struct fixture *f = *state;

    (void)write_one(f, delivery(1, "mfg_nvs.bin", "v1"));
    assert_string_equal(list(f).last.delivered_version, "");
}

static void write__lets_old_news_wait(void **state)
{
    static const struct {
        int64_t time_ms;
        const char *device;
        const char *running;
        int64_t seen_ms; /* afterwards */
    } rows[] = {
        {1000, "d", "v1", 1000},
        {1000 + CONTACT_NOTES_INTERVAL_MS - 1, "d", "v1", 1000},
        {1000 + CONTACT_NOTES_INTERVAL_MS, "d", "v1", 1000 + CONTACT_NOTES_INTERVAL_MS},
        {12000, "d", "v2", 12000}, /* another version is news */
        {11000, "d", "v2", 11000}, /* and so is a clock set back */
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        (void)write_one(f, version_check(rows[i].time_ms, rows[i].device, rows[i].running));
        assert_int_equal(list(f).last.last_seen_ms, rows[i].seen_ms);
    }
}

static void write__undoes_the_batch_and_forgets_it_after_an_error(void **state)
{
    struct fixture *f = *state;
    struct error e = {0};
    struct contact batch[] = {version_check(1, "d", "v1"), version_check(1, "e", "v1")};

    run_sql(f, "CREATE UNIQUE INDEX refusal ON device (address)"); /* both have the same */
    assert_err(contact_notes_write(f->notes, batch, 2, &e), ALOFT_ERR_IO);
    assert_int_equal(list(f).n, 0);
    (void)write_one(f, version_check(1, "d", "v1"));
    assert_int_equal(list(f).n, 1);
}

static void write__passes_over_a_product_deleted_meanwhile(void **state)
{
    struct fixture *f = *state;
    struct contact batch[] = {version_check(1, "d", "v1"), version_check(1, "e", "v1")};

    batch[0].product_id = 7;
    assert_err(contact_notes_write(f->notes, batch, 2, NULL), ALOFT_ERR_OK);
    assert_int_equal(list(f).n, 1);
    assert_int_equal(batch[0].row_id, 0);
    assert_int_equal(batch[1].row_id, list(f).last.id);
}

static void write__keeps_the_addresses_seen_last(void **state)
{
    struct fixture *f = *state;

    contact_notes_set_max(f->notes, 2);
    for (uint8_t i = 1; i <= 4; i++) {
        struct contact c = version_check(i, "", "");
        c.peer.address[3] = i;
        (void)write_one(f, c);
    }
    (void)write_one(f, version_check(9, "named", "")); /* does not count */
    assert_int_equal(list(f).n, 3);
    assert_string_equal(list(f).names, "192.0.2.3 192.0.2.4 named ");
    contact_notes_forget(f->notes, 4);
    assert_string_equal(list(f).names, "192.0.2.4 named ");
    contact_notes_set_max(f->notes, 0);
    (void)write_one(f, version_check(20, "", ""));
    assert_string_equal(list(f).names, "named ");
}

/* With 100,000 of them there already, which the count sees. */
static void write__adds_no_reported_names_without_end(void **state)
{
    struct fixture *f = *state;

    run_sql(f, "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 99999) "
               "INSERT INTO device SELECT i, 1, 'n' || i, 'reported', '', '', NULL, NULL, '', '', "
               "'', '', '', 0, '', 0, 0, 0, 0, 0, 1 FROM n");
    run_sql(f, "UPDATE id_sequence SET last = 99999 WHERE name = 'device'");
    (void)write_one(f, version_check(1, "last", ""));
    (void)write_one(f, version_check(2, "one more", ""));
    (void)write_one(f, version_check(3, "n7", "")); /* is there: goes on being noted */
    struct device d;
    assert_err(devices_get(f->db, 1, "last", &d, NULL), ALOFT_ERR_OK);
    assert_err(devices_get(f->db, 1, "one more", &d, NULL), ALOFT_ERR_NOT_FOUND);
    assert_err(devices_get(f->db, 1, "n7", &d, NULL), ALOFT_ERR_OK);
    assert_int_equal(d.last_seen_ms, 3);
}

static void write__gives_a_name_no_slash(void **state)
{
    struct fixture *f = *state;

    (void)write_one(f, version_check(1, "../a/b", ""));
    (void)write_one(f, version_check(1, "..", ""));
    assert_string_equal(list(f).names, ".._a_b __ ");
}

static void write__sees_a_new_boot_word_as_news(void **state)
{
    struct fixture *f = *state;
    struct contact c = version_check(1, "d", "v1");

    (void)write_one(f, c);
    c = version_check(2, "d", "v1");
    (void)snprintf(c.headers.boot, sizeof c.headers.boot, "rollback");
    (void)write_one(f, c);
    assert_string_equal(list(f).last.boot, "rollback");
    assert_string_equal(list(f).last.running_version, "v1");
}

static void write__keeps_devices_of_own_tokens_apart(void **state)
{
    struct fixture *f = *state;
    struct device a = {.device = "a", .token = "1"};
    struct device b = {.device = "b", .token = "2"};
    struct contact c = version_check(5, "said", "v1");

    assert_err(devices_add(f->db, 1, &a, NULL), ALOFT_ERR_OK);
    assert_err(devices_add(f->db, 1, &b, NULL), ALOFT_ERR_OK);
    c.device_id = a.id;
    (void)write_one(f, c);
    c.device_id = b.id; /* the same words from the same address a moment later */
    (void)write_one(f, c);
    assert_int_equal(list(f).n, 2);
    assert_int_equal(list(f).last.last_seen_ms, 5);
    assert_int_equal(list(f).last.first_seen_ms, 5);
}

static void write__lets_the_same_delivered_again_wait_only_of_who_says_nothing(void **state)
{
    struct fixture *f = *state;
    struct contact c = delivery(1000, "ota.bin", "");

    (void)write_one(f, c);
    c.time_ms = 2000;
    (void)write_one(f, c);
    assert_int_equal(list(f).last.delivered_ms, 1000);
    c.time_ms = 3000;
    (void)snprintf(c.version, sizeof c.version, "v3");
    (void)write_one(f, c);
    assert_int_equal(list(f).last.delivered_ms, 3000);
    c.time_ms = 3000 + CONTACT_NOTES_INTERVAL_MS;
    (void)write_one(f, c);
    assert_int_equal(list(f).last.delivered_ms, c.time_ms);
    struct contact ours = delivery(50000, "ota.bin", "v1");
    (void)write_one(f, ours);
    ours.time_ms = 50001;
    (void)write_one(f, ours);
    assert_int_equal(list(f).last.delivered_ms, 50001);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(write__takes_the_address_of_a_stock_module_as_its_name),
        TEST(write__strips_port_and_brackets_of_the_longest_address),
        TEST(write__ignores_whom_no_token_names),
        TEST(write__proves_only_after_the_delivery_contact),
        TEST(write__sees_proof_in_words_said_before_the_delivery_too),
        cmocka_unit_test(write__proves_a_module_that_spoke_before_its_delivery_was_known),
        TEST(write__takes_no_user_partition_for_a_version),
        TEST(write__lets_old_news_wait),
        TEST(write__lets_the_same_delivered_again_wait_only_of_who_says_nothing),
        TEST(write__undoes_the_batch_and_forgets_it_after_an_error),
        TEST(write__passes_over_a_product_deleted_meanwhile),
        TEST(write__keeps_the_addresses_seen_last),
        TEST(write__adds_no_reported_names_without_end),
        TEST(write__gives_a_name_no_slash),
        TEST(write__sees_a_new_boot_word_as_news),
        TEST(write__keeps_devices_of_own_tokens_apart),
    };

    return STORE_RUN(tests);
}
