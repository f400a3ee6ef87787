/* SPDX-License-Identifier: Apache-2.0 */
#include "store_world.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "store/device_row.h"
#include "store/products.h"

#define TOKEN_1 "1111111111111111111111111111111111111111"
#define TOKEN_2 "2222222222222222222222222222222222222222"
#define TOKEN_3 "333333aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define TOKEN_4 "444444aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

struct fixture {
    char dir[256];
    struct db *db;
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    struct product p = {
        .name = "lamp", .layout = "esp32c3_default", .token = TOKEN_1, .token_tls = TOKEN_2};

    if (!f || store_world_open(f->dir, &f->db) != 0) {
        return -1;
    }
    *state = f;
    return products_add(f->db, &p, NULL) == ALOFT_ERR_OK ? 0 : -1;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    store_world_close(f->dir, f->db);
    free(f);
    return 0;
}

static const struct device_news plain_news = {.product_id = 1,
                                              .device = "7cdfa1b2c3d4",
                                              .token_prefix = "111111",
                                              .address = "192.0.2.7",
                                              .seen_ms = 9};

/* A contact, as contact_notes.c writes it down; the row's id. */
static int64_t note(struct fixture *f, struct device_news news, bool is_proven_wanted)
{
    bool is_proven = false;
    const char *name = NULL;
    int64_t id = 0;

    assert_err(devices_find_seen(f->db, &news, &id, &name, NULL), ALOFT_ERR_OK);
    if (id == 0) {
        assert_err(devices_add_seen(f->db, &news, name, &id, NULL), ALOFT_ERR_OK);
    }
    assert_err(devices_note(f->db, id, &news, &is_proven, NULL), ALOFT_ERR_OK);
    assert_int_equal(is_proven, is_proven_wanted);
    return id;
}

static struct device get(struct fixture *f, const char *name)
{
    struct device d = {0};

    assert_err(devices_get(f->db, 1, name, &d, NULL), ALOFT_ERR_OK);
    return d;
}

static struct device add(struct fixture *f, const char *name, const char *serial, const char *token)
{
    struct device d = {.created_ms = 3};

    (void)snprintf(d.device, sizeof d.device, "%s", name);
    (void)snprintf(d.serial, sizeof d.serial, "%s", serial);
    (void)snprintf(d.token, sizeof d.token, "%s", token);
    assert_err(devices_add(f->db, 1, &d, NULL), ALOFT_ERR_OK);
    return d;
}

static struct device tell(struct fixture *f, const char *delivered, const char *running,
                          bool is_proven_wanted)
{
    struct device_news news = plain_news;

    news.delivered_version = delivered;
    news.running_version = running;
    (void)note(f, news, is_proven_wanted);
    return get(f, "7cdfa1b2c3d4");
}

static void device__is_proven_only_by_the_version_it_was_delivered(void **state)
{
    struct fixture *f = *state;

    assert_string_equal(tell(f, NULL, "v1", false).proven_version, "");
    assert_string_equal(tell(f, "v2", NULL, false).delivered_version, "v2");
    assert_string_equal(tell(f, NULL, "v1", false).proven_version, ""); /* rolled back */
    assert_string_equal(tell(f, NULL, "v2", true).proven_version, "v2");
    struct device d = tell(f, NULL, "v2", false); /* was so before */
    assert_string_equal(d.delivered_version, "v2");
    assert_string_equal(d.running_version, "v2");
    assert_string_equal(d.address, "192.0.2.7");
    assert_string_equal(d.origin, "reported");
    assert_int_equal(d.last_seen_ms, 9);
    assert_int_equal(d.proven_ms, 9);
}

static void note__keeps_the_first_contact_and_what_was_said_last(void **state)
{
    struct fixture *f = *state;
    struct device_news news = plain_news;

    news.boot = "upgrade";
    (void)note(f, news, false);
    news.seen_ms = 20;
    news.boot = "";
    (void)note(f, news, false);
    struct device d = get(f, "7cdfa1b2c3d4");
    assert_int_equal(d.first_seen_ms, 9);
    assert_int_equal(d.last_seen_ms, 20);
    assert_string_equal(d.boot, "upgrade");
}

static void note__goes_to_the_device_whose_token_was_shown(void **state)
{
    struct fixture *f = *state;
    struct device d = add(f, "lamp-7", "", TOKEN_3);
    struct device_news news = plain_news;
    struct device other;

    news.device_id = d.id;
    news.token_prefix = "333333";
    assert_int_equal(note(f, news, false), d.id);
    assert_string_equal(get(f, "lamp-7").address, "192.0.2.7");
    assert_int_equal(get(f, "lamp-7").first_seen_ms, 9);
    assert_err(devices_get(f->db, 1, "7cdfa1b2c3d4", &other, NULL), ALOFT_ERR_NOT_FOUND);
}

static void note__lets_nobody_take_the_name_of_a_device_with_its_own_token(void **state)
{
    struct fixture *f = *state;
    struct device d = add(f, "7cdfa1b2c3d4", "", TOKEN_3);
    struct device_news news = plain_news;

    assert_int_not_equal(note(f, news, false), d.id);
    assert_string_equal(get(f, "192.0.2.7").origin, "address");
    assert_int_equal(get(f, "7cdfa1b2c3d4").last_seen_ms, 0);
    news.mode = 1; /* its own token is of the other mode */
    assert_int_equal(note(f, news, false), d.id);
}

static void add__turns_a_reported_device_into_a_registered_one(void **state)
{
    struct fixture *f = *state;
    int64_t id = note(f, plain_news, false);
    struct device d = add(f, "7cdfa1b2c3d4", "S1", TOKEN_3);
    struct device twice = {.device = "7cdfa1b2c3d4"};
    struct error e = {0};

    assert_int_equal(d.id, id);
    d = get(f, "7cdfa1b2c3d4");
    assert_string_equal(d.origin, "registered");
    assert_string_equal(d.serial, "S1");
    assert_int_equal(d.last_seen_ms, 9);
    assert_string_equal(d.token_prefix, "111111"); /* what it showed last */
    assert_err(devices_add(f->db, 1, &twice, &e), ALOFT_ERR_DUPLICATE);
    assert_string_equal(e.sentence, "there is a device '7cdfa1b2c3d4' already");
}

static void update__refuses_the_name_of_another(void **state)
{
    struct fixture *f = *state;
    struct device d = add(f, "a", "", "");

    (void)add(f, "b", "", "");
    (void)snprintf(d.device, sizeof d.device, "b");
    assert_err(devices_update(f->db, 1, &d, NULL), ALOFT_ERR_DUPLICATE);
    (void)snprintf(d.device, sizeof d.device, "c");
    (void)snprintf(d.token, sizeof d.token, TOKEN_3);
    assert_err(devices_update(f->db, 1, &d, NULL), ALOFT_ERR_OK);
    assert_string_equal(get(f, "c").token_prefix, "333333");
    assert_int_equal(get(f, "c").revision, 2);
}

static void addresses__go_by_age(void **state)
{
    struct fixture *f = *state;
    struct device_news news = plain_news;
    struct device d;
    int64_t n = 0;

    (void)note(f, news, false); /* reported: stays */
    news.device = "";
    for (int i = 1; i <= 3; i++) {
        char address[16];
        (void)snprintf(address, sizeof address, "192.0.2.%d", i);
        news.address = address;
        news.seen_ms = 10 + i % 3; /* .3 is the oldest */
        (void)note(f, news, false);
    }
    assert_err(devices_remove_oldest_address(f->db, 1, NULL), ALOFT_ERR_OK);
    assert_err(devices_get(f->db, 1, "192.0.2.3", &d, NULL), ALOFT_ERR_NOT_FOUND);
    assert_err(devices_remove_old_addresses(f->db, 12, NULL), ALOFT_ERR_OK);
    assert_err(devices_count(f->db, 1, DEVICE_ADDRESS, &n, NULL), ALOFT_ERR_OK);
    assert_int_equal(n, 1);
    assert_err(devices_count(f->db, 1, DEVICE_REPORTED, &n, NULL), ALOFT_ERR_OK);
    assert_int_equal(n, 1);
}

/* Lists. */

struct listed {
    char text[512];
    struct device_cursor at;
};

static enum aloft_err append(void *ctx, const struct device *d, const struct device_cursor *at,
                             struct error *e)
{
    struct listed *l = ctx;
    size_t used = strlen(l->text);

    (void)e;
    l->at = *at;
    (void)snprintf(l->text + used, sizeof l->text - used, "%s%s", used ? " " : "", d->device);
    return ALOFT_ERR_OK;
}

/* The list by pages of `limit`. */
static struct listed list(struct fixture *f, struct device_filter filter, size_t limit)
{
    struct listed l = {0};
    size_t before;

    do {
        struct device_cursor after = l.at;
        before = strlen(l.text);
        assert_err(devices_list(f->db, 1, &filter, &after, limit, append, &l, NULL), ALOFT_ERR_OK);
    } while (strlen(l.text) > before);
    return l;
}

static void fill(struct fixture *f)
{
    struct device_news news = plain_news;

    (void)add(f, "lamp-1", "S-2", TOKEN_3);
    (void)add(f, "lamp-2", "S-1", TOKEN_4);
    (void)add(f, "33", "lamp-9", "");
    (void)add(f, "192", "", "");
    news.running_version = "v1";
    news.boot = "power";
    (void)note(f, news, false);
    news.device = "";
    news.address = "192.0.2.9";
    news.running_version = "v2";
    news.seen_ms = 30;
    (void)note(f, news, false);
}

static void list__finds_by_each_filter_whatever_the_page(void **state)
{
    static const struct {
        struct device_filter filter;
        const char *names;
    } rows[] = {
        {{0}, "192 192.0.2.9 33 7cdfa1b2c3d4 lamp-1 lamp-2"},
        {{.device = "lamp-"}, "lamp-1 lamp-2"},
        {{.device = "lamp-1"}, "lamp-1"},
        {{.device = "lamp-3"}, ""},
        {{.serial = "S-"}, "lamp-2 lamp-1"}, /* in the order of serials */
        {{.serial = "S-", .device = "lamp-1"}, "lamp-1"},
        {{.token = "3"}, "lamp-1"},
        {{.token = TOKEN_4}, "lamp-2"},
        {{.token = "444444bbbb"}, "lamp-2"}, /* six digits count */
        {{.token = "1"}, "7cdfa1b2c3d4 192.0.2.9"},
        {{.address = "192.0.2."}, "7cdfa1b2c3d4 192.0.2.9"},
        {{.address = "192.0.2.9", .token = "1"}, "192.0.2.9"},
        {{.running_version = "v2"}, "192.0.2.9"},
        {{.origin = "reported"}, "7cdfa1b2c3d4"},
        {{.origin = "registered", .serial = "l"}, "33"},
        {{.seen_since_ms = 10}, "192.0.2.9"},
        {{.seen_before_ms = 30}, "7cdfa1b2c3d4"},
        {{.any = "lamp-"}, "lamp-1 lamp-2 33"},
        {{.any = "33"}, "33 lamp-1"},
        {{.any = "192"}, "192 192.0.2.9 7cdfa1b2c3d4"}, /* each once */
        {{.any = "192", .origin = "address"}, "192.0.2.9"},
        {{.any = "%"}, ""},
        {{.any = "' OR 1=1 --"}, ""},
    };
    struct fixture *f = *state;

    fill(f);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        for (size_t limit = 1; limit <= 7; limit++) {
            assert_string_equal(list(f, rows[i].filter, limit).text, rows[i].names);
        }
    }
}

static void list__does_not_show_another_products_devices(void **state)
{
    struct fixture *f = *state;
    struct product p = {
        .name = "other", .layout = "esp32c3_default", .token = TOKEN_3, .token_tls = TOKEN_3};
    struct device d = {.device = "lamp-1", .serial = "S-2", .token = TOKEN_4};

    assert_err(products_add(f->db, &p, NULL), ALOFT_ERR_OK);
    assert_err(devices_add(f->db, p.id, &d, NULL), ALOFT_ERR_OK);
    assert_string_equal(list(f, (struct device_filter){.any = "lamp"}, 5).text, "");
    assert_string_equal(list(f, (struct device_filter){.any = "4"}, 5).text, "");
    assert_string_equal(list(f, (struct device_filter){.serial = "S"}, 5).text, "");
}

/* What the engine says of its way: with a million devices a page must not read them all. */
static void list__walks_an_index_in_its_own_order(void **state)
{
    static const char *const indexes[DEVICE_SOURCES] = {
        "sqlite_autoindex_device_", "device_by_serial",         "device_by_token_prefix",
        "sqlite_autoindex_device_", "sqlite_autoindex_device_", "device_by_address"};
    struct fixture *f = *state;
    char *texts[DEVICE_SOURCES]; /* the engine keeps statements by address */

    for (size_t i = 0; i < DEVICE_SOURCES; i++) {
        AUTO_STMT s = NULL;
        char plan[256];
        size_t n_steps = 0;

        assert_true(asprintf(&texts[i], "EXPLAIN QUERY PLAN %s", device_source_sql[i]) > 0);
        assert_err(db_prepare(f->db, texts[i], &s, NULL), ALOFT_ERR_OK);
        while (db_step(s, NULL) == ALOFT_ERR_OK) {
            db_get_text(s, 3, plan, sizeof plan);
            n_steps++;
            assert_non_null(strstr(plan, "SEARCH device USING INDEX"));
            assert_non_null(strstr(plan, indexes[i]));
        }
        assert_int_equal(n_steps, 1); /* no sorting either */
        free(texts[i]);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(device__is_proven_only_by_the_version_it_was_delivered),
        TEST(note__keeps_the_first_contact_and_what_was_said_last),
        TEST(note__goes_to_the_device_whose_token_was_shown),
        TEST(note__lets_nobody_take_the_name_of_a_device_with_its_own_token),
        TEST(add__turns_a_reported_device_into_a_registered_one),
        TEST(update__refuses_the_name_of_another),
        TEST(addresses__go_by_age),
        TEST(list__finds_by_each_filter_whatever_the_page),
        TEST(list__does_not_show_another_products_devices),
        TEST(list__walks_an_index_in_its_own_order),
    };

    return STORE_RUN(tests);
}
