/* SPDX-License-Identifier: Apache-2.0 */
#include "store_world.h"

#include <stdbool.h>
#include <string.h>

#include "store/api_tokens.h"
#include "store/devices.h"
#include "store/products.h"

#define TOKEN_1 "1111111111111111111111111111111111111111"
#define TOKEN_2 "2222222222222222222222222222222222222222"
#define TOKEN_3 "3333333333333333333333333333333333333333"
#define TOKEN_4 "4444444444444444444444444444444444444444"

struct fixture {
    char dir[256];
    struct db *db;
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);

    if (!f || store_world_open(f->dir, &f->db) != 0) {
        return -1;
    }
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    store_world_close(f->dir, f->db);
    free(f);
    return 0;
}

static enum aloft_err add(struct fixture *f, const char *name, const char *token,
                          const char *token_tls, struct error *e)
{
    struct product p = {.layout = "esp32c3_default", .created_ms = 5};

    (void)snprintf(p.name, sizeof p.name, "%s", name);
    (void)snprintf(p.token, sizeof p.token, "%s", token);
    (void)snprintf(p.token_tls, sizeof p.token_tls, "%s", token_tls);
    return products_add(f->db, &p, e);
}

static void add__keeps_what_it_was_given(void **state)
{
    struct fixture *f = *state;
    struct product p;

    assert_err(add(f, "lamp", TOKEN_1, TOKEN_2, NULL), ALOFT_ERR_OK);
    assert_err(products_get(f->db, "lamp", &p, NULL), ALOFT_ERR_OK);
    assert_int_equal(p.id, 1);
    assert_string_equal(p.layout, "esp32c3_default");
    assert_string_equal(p.token, TOKEN_1);
    assert_string_equal(p.token_tls, TOKEN_2);
    assert_string_equal(p.current_version, "");
    assert_int_equal(p.created_ms, 5);
}

static void add__refuses_what_is_taken(void **state)
{
    static const struct {
        const char *name;
        const char *token;
        const char *token_tls;
        const char *word; /* of the sentence; NULL = not refused */
    } rows[] = {
        {"lamp", TOKEN_3, TOKEN_4, "name"},
        {"other", TOKEN_1, TOKEN_4, "token"},
        {"other", TOKEN_3, TOKEN_2, "TLS token"},
        {"swapped", TOKEN_2, TOKEN_1, NULL}, /* unique per mode, not over both */
    };
    struct fixture *f = *state;

    assert_err(add(f, "lamp", TOKEN_1, TOKEN_2, NULL), ALOFT_ERR_OK);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct error e = {0};
        enum aloft_err err = add(f, rows[i].name, rows[i].token, rows[i].token_tls, &e);
        assert_err(err, rows[i].word ? ALOFT_ERR_DUPLICATE : ALOFT_ERR_OK);
        assert_true(!rows[i].word || strstr(e.sentence, rows[i].word));
    }
}

static void get__says_when_there_is_none(void **state)
{
    struct fixture *f = *state;
    struct product p;
    struct error e = {0};

    assert_err(products_get(f->db, "nothing", &p, &e), ALOFT_ERR_NOT_FOUND);
    assert_string_equal(e.sentence, "there is no product of this name");
}

static enum aloft_err append_name(void *ctx, const struct product *p, struct error *e)
{
    char *text = ctx;
    size_t used = strlen(text);

    (void)e;
    (void)snprintf(text + used, 64 - used, "%s", p->name);
    return ALOFT_ERR_OK;
}

static enum aloft_err stop_at_once(void *ctx, const struct product *p, struct error *e)
{
    ++*(int *)ctx;
    return fail(e, ALOFT_ERR_CANCELLED, "stopped at %s", p->name);
}

static void each__goes_by_name_and_ends_at_an_error(void **state)
{
    struct fixture *f = *state;
    char text[64] = "";
    int n = 0;
    struct error e = {0};

    assert_err(add(f, "b", TOKEN_1, TOKEN_2, NULL), ALOFT_ERR_OK);
    assert_err(add(f, "a", TOKEN_3, TOKEN_4, NULL), ALOFT_ERR_OK);
    assert_err(products_each(f->db, "", append_name, text, NULL), ALOFT_ERR_OK);
    assert_string_equal(text, "ab");
    assert_err(products_each(f->db, "", stop_at_once, &n, &e), ALOFT_ERR_CANCELLED);
    assert_int_equal(n, 1);
    assert_string_equal(e.sentence, "stopped at a");
}

static void names__have_a_plain_alphabet(void **state)
{
    static const struct {
        const char *text;
        bool is_plain;
    } rows[] = {
        {"a", true},
        {"A-z_0.9", true},
        {"", false},
        {".", false},
        {"..", false},
        {"...", true},
        {"a/b", false},
        {"a b", false},
        {"\xC3\xA4", false},
        {"0123456789012345678901234567890123456789012345678901234567890123", true},
        {"01234567890123456789012345678901234567890123456789012345678901234", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_int_equal(is_plain_name(rows[i].text, PRODUCT_NAME_MAX), rows[i].is_plain);
    }
}

static void tokens__are_40_lower_case_hex_digits(void **state)
{
    (void)state;
    assert_true(is_token("0123456789abcdef0123456789abcdef01234567"));
    assert_false(is_token("0123456789ABCDEF0123456789abcdef01234567"));
    assert_false(is_token("0123456789abcdef0123456789abcdef0123456"));
    assert_false(is_token("0123456789abcdef0123456789abcdef012345678"));
    assert_false(is_token(""));
}

static void update__changes_what_may_be_changed_and_grows_the_revision(void **state)
{
    struct fixture *f = *state;
    struct product p;

    assert_err(add(f, "lamp", TOKEN_1, TOKEN_2, NULL), ALOFT_ERR_OK);
    assert_err(products_get(f->db, "lamp", &p, NULL), ALOFT_ERR_OK);
    assert_string_equal(p.status, "developing");
    assert_string_equal(p.downgrade, "warn");
    assert_int_equal(p.revision, 1);
    (void)snprintf(p.serial, sizeof p.serial, "'; DROP TABLE product; --");
    (void)snprintf(p.status, sizeof p.status, "released");
    (void)snprintf(p.token, sizeof p.token, TOKEN_3);
    assert_err(products_update(f->db, &p, NULL), ALOFT_ERR_OK);
    assert_err(products_get(f->db, "lamp", &p, NULL), ALOFT_ERR_OK);
    assert_string_equal(p.serial, "'; DROP TABLE product; --");
    assert_string_equal(p.status, "released");
    assert_string_equal(p.token, TOKEN_3);
    assert_string_equal(p.token_tls, TOKEN_2);
    assert_int_equal(p.revision, 2);
}

static void run_sql(struct fixture *f, const char *sql)
{
    AUTO_STMT s = NULL;

    assert_err(db_prepare(f->db, sql, &s, NULL), ALOFT_ERR_OK);
    assert_err(db_run(s, NULL), ALOFT_ERR_OK);
}

static void remove__says_what_stands_in_the_way(void **state)
{
    static const struct {
        const char *put;
        const char *take;
        const char *sentence;
    } rows[] = {
        {"INSERT INTO upload VALUES ('u', 1, 'v', 'ota.bin', 's', 1, 1, '[]')",
         "DELETE FROM upload", "'lamp' still has 1 uploads not yet deployed: give them up first"},
        {"UPDATE device SET token = '1'", "UPDATE device SET token = NULL",
         "'lamp' still has 1 devices with tokens of their own: remove them first"},
        {"UPDATE device SET token_tls = '1'", "UPDATE device SET token_tls = NULL",
         "'lamp' still has 1 devices with tokens of their own: remove them first"},
    };
    struct fixture *f = *state;
    struct device d = {.device = "d"};
    struct product p;
    struct error e = {0};
    int64_t n = 0;

    assert_err(add(f, "lamp", TOKEN_1, TOKEN_2, NULL), ALOFT_ERR_OK);
    assert_err(products_get(f->db, "lamp", &p, NULL), ALOFT_ERR_OK);
    assert_err(devices_add(f->db, p.id, &d, NULL), ALOFT_ERR_OK);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        run_sql(f, rows[i].put);
        assert_err(products_remove(f->db, &p, &e), ALOFT_ERR_DUPLICATE);
        assert_string_equal(e.sentence, rows[i].sentence);
        run_sql(f, rows[i].take);
    }
    assert_err(products_remove(f->db, &p, NULL), ALOFT_ERR_OK);
    assert_err(products_get(f->db, "lamp", &p, NULL), ALOFT_ERR_NOT_FOUND);
    assert_err(db_query_int(f->db, "SELECT count(*) FROM device", NULL, &n, NULL), ALOFT_ERR_OK);
    assert_int_equal(n, 0);
}

static void count__tells_known_and_seen_devices(void **state)
{
    struct fixture *f = *state;
    struct device a = {.device = "a"};
    struct device b = {.device = "b"};
    struct product_counts counts;

    assert_err(add(f, "lamp", TOKEN_1, TOKEN_2, NULL), ALOFT_ERR_OK);
    assert_err(devices_add(f->db, 1, &a, NULL), ALOFT_ERR_OK);
    assert_err(devices_add(f->db, 1, &b, NULL), ALOFT_ERR_OK);
    run_sql(f, "UPDATE device SET last_seen_ms = 5 WHERE device = 'a'");
    assert_err(products_count(f->db, 1, &counts, NULL), ALOFT_ERR_OK);
    assert_int_equal(counts.n_devices, 2);
    assert_int_equal(counts.n_activated, 1);
}

static void old_tokens__are_nobody_elses_until_they_end(void **state)
{
    struct fixture *f = *state;
    const struct token old = {0, TOKEN_3, 1, 0, 100};
    struct token found;
    struct error e = {0};

    assert_err(add(f, "lamp", TOKEN_1, TOKEN_2, NULL), ALOFT_ERR_OK);
    assert_err(old_tokens_add(f->db, &old, NULL), ALOFT_ERR_OK);
    assert_err(tokens_refuse_taken(f->db, 0, TOKEN_3, "", &e), ALOFT_ERR_DUPLICATE);
    assert_string_equal(e.sentence,
                        "the token 333333… is taken already by an overlap that has not ended");
    assert_err(tokens_refuse_taken(f->db, 1, TOKEN_3, "", NULL), ALOFT_ERR_OK);
    assert_err(tokens_find(f->db, 0, TOKEN_3, &found, NULL), ALOFT_ERR_OK);
    assert_int_equal(found.product_id, 1);
    assert_int_equal(found.expires_ms, 100);
    assert_err(old_tokens_remove_expired(f->db, 99, NULL), ALOFT_ERR_OK);
    assert_err(tokens_find(f->db, 0, TOKEN_3, &found, NULL), ALOFT_ERR_OK);
    assert_err(old_tokens_remove_expired(f->db, 100, NULL), ALOFT_ERR_OK);
    assert_err(tokens_find(f->db, 0, TOKEN_3, &found, NULL), ALOFT_ERR_NOT_FOUND);
}

static void tokens_find__knows_the_tokens_of_devices(void **state)
{
    struct fixture *f = *state;
    struct device d = {.device = "d", .token_tls = TOKEN_3};
    struct token found;

    assert_err(add(f, "lamp", TOKEN_1, TOKEN_2, NULL), ALOFT_ERR_OK);
    assert_err(devices_add(f->db, 1, &d, NULL), ALOFT_ERR_OK);
    assert_err(tokens_find(f->db, 0, TOKEN_3, &found, NULL), ALOFT_ERR_NOT_FOUND);
    assert_err(tokens_find(f->db, 1, TOKEN_3, &found, NULL), ALOFT_ERR_OK);
    assert_int_equal(found.device_id, d.id);
    assert_int_equal(found.expires_ms, 0);
}

static void api_token__is_kept_as_a_hash_only(void **state)
{
    struct fixture *f = *state;
    static const char token[] = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
    static const char other[] = "10112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
    const struct api_token made = {.name = "admin", .role = ROLE_OPERATOR, .created_ms = 1};
    struct api_token found = {0};
    int64_t id = 0;
    int64_t n = 0;

    assert_err(api_tokens_find(f->db, token, &found, NULL), ALOFT_ERR_NOT_FOUND);
    assert_err(api_tokens_add(f->db, &made, token, &id, NULL), ALOFT_ERR_OK);
    assert_err(api_tokens_find(f->db, token, &found, NULL), ALOFT_ERR_OK);
    assert_int_equal(found.id, id);
    assert_int_equal(found.role, ROLE_OPERATOR);
    assert_err(api_tokens_find(f->db, other, &found, NULL), ALOFT_ERR_NOT_FOUND);
    assert_err(
        db_query_int(f->db, "SELECT count(*) FROM api_token WHERE sha256 = ?1", token, &n, NULL),
        ALOFT_ERR_OK);
    assert_int_equal(n, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(add__keeps_what_it_was_given),
        TEST(add__refuses_what_is_taken),
        TEST(get__says_when_there_is_none),
        TEST(each__goes_by_name_and_ends_at_an_error),
        cmocka_unit_test(names__have_a_plain_alphabet),
        cmocka_unit_test(tokens__are_40_lower_case_hex_digits),
        TEST(update__changes_what_may_be_changed_and_grows_the_revision),
        TEST(remove__says_what_stands_in_the_way),
        TEST(count__tells_known_and_seen_devices),
        TEST(old_tokens__are_nobody_elses_until_they_end),
        TEST(tokens_find__knows_the_tokens_of_devices),
        TEST(api_token__is_kept_as_a_hash_only),
    };

    return STORE_RUN(tests);
}
