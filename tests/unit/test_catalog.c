/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "catalog/catalog.h"

#define SHA "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

static const char token_a[] = "0123456789abcdef0123456789abcdef01234567";
static const char token_b[] = "0123456789abcdef0123456789abcdef01234568";

static struct catalog *new_catalog(void)
{
    struct catalog *catalog = catalog_new(NULL);

    assert_non_null(catalog);
    return catalog;
}

static struct catalog_product *add_product(struct catalog_draft *draft, int64_t id)
{
    struct catalog_product *product = NULL;

    assert_err(catalog_draft_add_product(draft, id, &product, NULL), ALOFT_ERR_OK);
    return product;
}

static struct catalog_rom *add_rom(struct catalog_product *product, const char *version,
                                   bool is_current)
{
    struct catalog_rom *rom = NULL;

    assert_err(catalog_draft_add_rom(product, version, "release", is_current, &rom, NULL),
               ALOFT_ERR_OK);
    return rom;
}

static void publish(struct catalog *catalog, struct catalog_draft *draft)
{
    assert_err(catalog_publish(catalog, draft, NULL), ALOFT_ERR_OK);
}

#define NOW_MS 1800000000000

static bool find(struct catalog *catalog, enum catalog_mode mode, const char *token,
                 struct catalog_owner *ret_owner)
{
    return catalog_token_find(catalog, mode, token, strlen(token), NOW_MS, ret_owner);
}

static void set(struct catalog *catalog, enum catalog_mode mode, const char *token, int64_t product)
{
    assert_err(catalog_token_set(catalog, mode, token, strlen(token),
                                 (struct catalog_owner){product, 0}, 0),
               ALOFT_ERR_OK);
}

static void token__belongs_to_one_mode(void **state)
{
    (void)state;
    struct catalog *catalog = new_catalog();
    struct catalog_owner owner = {0};

    set(catalog, CATALOG_TLS, token_a, 7);
    assert_false(find(catalog, CATALOG_PLAIN, token_a, &owner));
    assert_true(find(catalog, CATALOG_TLS, token_a, &owner));
    assert_int_equal(owner.product_id, 7);
    assert_false(find(catalog, CATALOG_TLS, token_b, &owner));
    catalog_free(catalog);
}

static void token__of_another_form_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "(null)",
        "0123456789abcdef0123456789abcdef0123456",
        "0123456789abcdef0123456789abcdef012345678",
        "0123456789ABCDEF0123456789abcdef01234567",
        "0123456789abcdeg0123456789abcdef01234567",
    };
    struct catalog *catalog = new_catalog();
    struct catalog_owner owner;

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_err(catalog_token_set(catalog, CATALOG_PLAIN, bad[i], strlen(bad[i]),
                                     (struct catalog_owner){1, 0}, 0),
                   ALOFT_ERR_SYNTAX);
        assert_false(find(catalog, CATALOG_PLAIN, bad[i], &owner));
    }
    catalog_free(catalog);
}

static void token__can_be_moved_to_another_owner(void **state)
{
    (void)state;
    struct catalog *catalog = new_catalog();
    struct catalog_owner owner = {0};

    set(catalog, CATALOG_PLAIN, token_a, 1);
    set(catalog, CATALOG_PLAIN, token_a, 2);
    assert_true(find(catalog, CATALOG_PLAIN, token_a, &owner));
    assert_int_equal(owner.product_id, 2);
    catalog_free(catalog);
}

#define N_TOKENS 20000

static void number_token(int i, char out[ALOFT_TOKEN_CHARS + 1])
{
    (void)snprintf(out, ALOFT_TOKEN_CHARS + 1, "%040x", i);
}

static void token__is_found_among_many(void **state)
{
    (void)state;
    struct catalog *catalog = new_catalog();
    char token[ALOFT_TOKEN_CHARS + 1];
    struct catalog_owner owner;

    for (int i = 0; i < N_TOKENS; i++) {
        number_token(i, token);
        set(catalog, CATALOG_PLAIN, token, i + 1);
    }
    for (int i = 0; i < N_TOKENS; i++) {
        number_token(i, token);
        assert_true(find(catalog, CATALOG_PLAIN, token, &owner));
        assert_int_equal(owner.product_id, i + 1);
    }
    number_token(N_TOKENS, token);
    assert_false(find(catalog, CATALOG_PLAIN, token, &owner));
    catalog_free(catalog);
}

static void token__that_expires_is_had_until_then(void **state)
{
    (void)state;
    struct catalog *catalog = new_catalog();
    struct catalog_owner owner;
    static const struct {
        int64_t now_ms;
        bool is_had;
    } looks[] = {{0, true}, {NOW_MS - 1, true}, {NOW_MS, false}, {NOW_MS + 1, false}};

    assert_err(catalog_token_set(catalog, CATALOG_PLAIN, token_a, ALOFT_TOKEN_CHARS,
                                 (struct catalog_owner){1, 2}, NOW_MS),
               ALOFT_ERR_OK);
    for (size_t i = 0; i < sizeof looks / sizeof looks[0]; i++) {
        assert_int_equal(catalog_token_find(catalog, CATALOG_PLAIN, token_a, ALOFT_TOKEN_CHARS,
                                            looks[i].now_ms, &owner),
                         looks[i].is_had);
    }
    set(catalog, CATALOG_PLAIN, token_a, 1); /* taken back into use */
    assert_true(find(catalog, CATALOG_PLAIN, token_a, &owner));
    catalog_free(catalog);
}

/* Every second one goes, then every fourth comes back, so that gaps close and open everywhere. */
static void token__that_is_removed_hides_no_other(void **state)
{
    (void)state;
    struct catalog *catalog = new_catalog();
    char token[ALOFT_TOKEN_CHARS + 1];
    struct catalog_owner owner;

    for (int i = 0; i < N_TOKENS; i++) {
        number_token(i, token);
        set(catalog, CATALOG_PLAIN, token, i + 1);
    }
    for (int i = 0; i < N_TOKENS; i += 2) {
        number_token(i, token);
        assert_true(catalog_token_remove(catalog, CATALOG_PLAIN, token, ALOFT_TOKEN_CHARS));
        assert_false(catalog_token_remove(catalog, CATALOG_PLAIN, token, ALOFT_TOKEN_CHARS));
    }
    for (int i = 0; i < N_TOKENS; i += 4) {
        number_token(i, token);
        set(catalog, CATALOG_PLAIN, token, i + 1);
    }
    for (int i = 0; i < N_TOKENS; i++) {
        number_token(i, token);
        bool is_had = i % 2 == 1 || i % 4 == 0;
        assert_int_equal(find(catalog, CATALOG_PLAIN, token, &owner), is_had);
        assert_true(!is_had || owner.product_id == i + 1);
    }
    assert_false(catalog_token_remove(catalog, CATALOG_TLS, token, ALOFT_TOKEN_CHARS));
    assert_false(catalog_token_remove(catalog, CATALOG_PLAIN, "x", 1));
    catalog_free(catalog);
}

static enum aloft_err add_link(struct catalog_draft *draft, const char *short_name)
{
    const struct catalog_link_facts facts = {short_name, 1, "v1", "ota.bin", 0};

    return catalog_draft_add_link(draft, &facts, NULL);
}

static void link__has_a_short_name_of_few_characters(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "", ".", "a/b", "a b", "a%20", "\xC3\xA4", "012345678901234567890123456789012"};
    struct catalog_draft *draft = catalog_draft_new();

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_err(add_link(draft, bad[i]), ALOFT_ERR_SYNTAX);
    }
    assert_err(add_link(draft, "01234567890123456789012345678901"), ALOFT_ERR_OK);
    const struct catalog_link_facts wrong[] = {{"a", 1, "v 1", "ota.bin", 0},
                                               {"a", 1, "v1", "ota/bin", 0}};
    for (size_t i = 0; i < 2; i++) {
        assert_err(catalog_draft_add_link(draft, &wrong[i], NULL), ALOFT_ERR_SYNTAX);
    }
    catalog_draft_free(draft);
}

static void add_linked_product(struct catalog_draft *draft)
{
    struct catalog_product *product;
    struct catalog_rom *rom;
    const struct catalog_file_facts file = {
        "ota.bin", "nowhere", 1,
        "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"};

    assert_err(catalog_draft_add_product(draft, 1, &product, NULL), ALOFT_ERR_OK);
    assert_err(catalog_draft_add_rom(product, "v1", "release", true, &rom, NULL), ALOFT_ERR_OK);
    assert_err(catalog_draft_add_file(rom, &file, NULL), ALOFT_ERR_OK);
}

static void links__are_each_found_among_many(void **state)
{
    (void)state;
    struct catalog *catalog = new_catalog();
    struct catalog_draft *draft = catalog_draft_new();
    char name[CATALOG_LINK_MAX + 1];

    add_linked_product(draft);
    for (int i = 0; i < 1000; i++) {
        (void)snprintf(name, sizeof name, "link-%d", i);
        assert_err(add_link(draft, name), ALOFT_ERR_OK);
    }
    publish(catalog, draft);
    struct catalog_snapshot *snapshot = catalog_get(catalog);
    for (int i = 0; i < 1000; i++) {
        int len = snprintf(name, sizeof name, "link-%d", i);
        const struct catalog_link *link = catalog_find_link(snapshot, name, (size_t)len);
        assert_non_null(link);
        assert_int_equal(link->product_id, 1);
        assert_string_equal(catalog_file_name(link->file), "ota.bin");
    }
    assert_null(catalog_find_link(snapshot, "link-1000", 9));
    catalog_snapshot_release(snapshot);
    catalog_free(catalog);
}

static void links__of_one_name_leave_the_old_snapshot(void **state)
{
    (void)state;
    struct catalog *catalog = new_catalog();
    struct catalog_draft *draft = catalog_draft_new();
    struct error e = {0};

    assert_err(add_link(draft, "a"), ALOFT_ERR_OK);
    assert_err(add_link(draft, "a"), ALOFT_ERR_OK);
    assert_err(catalog_publish(catalog, draft, &e), ALOFT_ERR_DUPLICATE);
    assert_string_equal(e.sentence, "the link 'a' stands there twice");
    assert_int_equal(catalog_generation(catalog), 0);
    catalog_free(catalog);
}

static void catalog__is_empty_at_first(void **state)
{
    (void)state;
    struct catalog *catalog = new_catalog();
    struct catalog_snapshot *snapshot = catalog_get(catalog);

    assert_null(catalog_find_product(snapshot, 1));
    catalog_snapshot_release(snapshot);
    catalog_free(catalog);
}

static void snapshot__stays_as_it_was_while_it_is_held(void **state)
{
    (void)state;
    struct catalog *catalog = new_catalog();
    struct catalog_draft *draft = catalog_draft_new();

    (void)add_rom(add_product(draft, 5), "v1", true);
    publish(catalog, draft);
    uint64_t generation = catalog_generation(catalog);
    struct catalog_snapshot *old = catalog_get(catalog);
    draft = catalog_draft_new();
    (void)add_rom(add_product(draft, 6), "v2", true);
    publish(catalog, draft);
    assert_int_equal(catalog_generation(catalog), generation + 1);
    struct catalog_snapshot *new = catalog_get(catalog);

    assert_string_equal(catalog_current_version(catalog_find_product(old, 5)), "v1");
    assert_null(catalog_find_product(new, 5));
    assert_string_equal(catalog_current_version(catalog_find_product(new, 6)), "v2");
    catalog_snapshot_release(old);
    catalog_snapshot_release(new);
    catalog_free(catalog);
}

static void snapshot__finds_each_of_many_products(void **state)
{
    (void)state;
    static const int64_t ids[] = {9, 2, 40, 7, 1, 33, 12};
    struct catalog *catalog = new_catalog();
    struct catalog_draft *draft = catalog_draft_new();

    for (size_t i = 0; i < 7; i++) {
        (void)add_product(draft, ids[i]);
    }
    publish(catalog, draft);
    struct catalog_snapshot *snapshot = catalog_get(catalog);
    for (size_t i = 0; i < 7; i++) {
        assert_non_null(catalog_find_product(snapshot, ids[i]));
    }
    assert_null(catalog_find_product(snapshot, 8));
    catalog_snapshot_release(snapshot);
    catalog_free(catalog);
}

static void draft__with_a_product_twice_leaves_the_old_snapshot(void **state)
{
    (void)state;
    struct catalog *catalog = new_catalog();
    struct catalog_draft *draft = catalog_draft_new();
    uint64_t generation = catalog_generation(catalog);

    (void)add_product(draft, 3);
    (void)add_product(draft, 3);
    assert_err(catalog_publish(catalog, draft, NULL), ALOFT_ERR_DUPLICATE);
    assert_int_equal(catalog_generation(catalog), generation);
    catalog_free(catalog);
}

static void draft__refuses_versions_a_module_cannot_ask_for(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "v 1",
        "v1&x",
        "v1\"",
        "v1#",
        "v\xC3\xA4",
        "12345678901234567890123456789012345678901234567890123456789012345",
    };
    struct catalog_draft *draft = catalog_draft_new();
    struct catalog_product *product = add_product(draft, 1);
    struct catalog_rom *rom;

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_err(catalog_draft_add_rom(product, bad[i], "release", false, &rom, NULL),
                   ALOFT_ERR_SYNTAX);
    }
    assert_err(catalog_draft_add_rom(product, "v1", "re\"lease", false, &rom, NULL),
               ALOFT_ERR_SYNTAX);
    catalog_draft_free(draft);
}

static void draft__refuses_what_is_there_twice(void **state)
{
    (void)state;
    const struct catalog_file_facts file = {"ota.bin", "/nowhere", 1, SHA};
    struct catalog_draft *draft = catalog_draft_new();
    struct catalog_product *product = add_product(draft, 1);
    struct catalog_rom *rom = add_rom(product, "v1", true);
    struct catalog_rom *other;

    assert_err(catalog_draft_add_rom(product, "v1", "release", false, &other, NULL),
               ALOFT_ERR_DUPLICATE);
    assert_err(catalog_draft_add_rom(product, "v2", "release", true, &other, NULL),
               ALOFT_ERR_DUPLICATE);
    assert_err(catalog_draft_add_file(rom, &file, NULL), ALOFT_ERR_OK);
    assert_err(catalog_draft_add_file(rom, &file, NULL), ALOFT_ERR_DUPLICATE);
    catalog_draft_free(draft);
}

/* A file of `len` bytes on disk, in a catalog that says it has `size_bytes`. */
static struct catalog_file *held_file(const char *path, size_t len, uint64_t size_bytes)
{
    const struct catalog_file_facts facts = {"ota.bin", path, size_bytes, SHA};
    struct catalog *catalog = new_catalog();
    struct catalog_draft *draft = catalog_draft_new();
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

    assert_true(fd >= 0);
    assert_int_equal(ftruncate(fd, (off_t)len), 0);
    close(fd);
    assert_err(catalog_draft_add_file(add_rom(add_product(draft, 1), "v1", true), &facts, NULL),
               ALOFT_ERR_OK);
    publish(catalog, draft);
    struct catalog_snapshot *snapshot = catalog_get(catalog);
    const struct catalog_rom *rom =
        catalog_find_rom(catalog_find_product(snapshot, 1), "v1", strlen("v1"));
    struct catalog_file *file = catalog_file_hold(catalog_find_file(rom, "ota.bin", 7));
    catalog_snapshot_release(snapshot);
    catalog_free(catalog);
    return file;
}

static char path[64];

static int make_path(void **state)
{
    (void)state;
    (void)snprintf(path, sizeof path, "test_catalog.%ld.bin", (long)getpid());
    return 0;
}

static int remove_path(void **state)
{
    (void)state;
    (void)unlink(path);
    return 0;
}

static void file__outlives_its_catalog_while_held(void **state)
{
    (void)state;
    struct catalog_file *file = held_file(path, 5000, 5000);
    int fd = catalog_file_fd(file);

    assert_true(fd >= 0);
    assert_int_equal(catalog_file_fd(file), fd);
    catalog_file_release(file);
    assert_int_equal(fcntl(fd, F_GETFD), -1); /* closed with the last reference */
}

static void file__of_another_size_than_known_is_not_served(void **state)
{
    (void)state;
    struct catalog_file *file = held_file(path, 4999, 5000);

    assert_int_equal(catalog_file_fd(file), -1);
    catalog_file_release(file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(token__belongs_to_one_mode),
        cmocka_unit_test(token__of_another_form_is_refused),
        cmocka_unit_test(token__can_be_moved_to_another_owner),
        cmocka_unit_test(token__is_found_among_many),
        cmocka_unit_test(token__that_expires_is_had_until_then),
        cmocka_unit_test(token__that_is_removed_hides_no_other),
        cmocka_unit_test(link__has_a_short_name_of_few_characters),
        cmocka_unit_test(links__are_each_found_among_many),
        cmocka_unit_test(links__of_one_name_leave_the_old_snapshot),
        cmocka_unit_test(catalog__is_empty_at_first),
        cmocka_unit_test(snapshot__stays_as_it_was_while_it_is_held),
        cmocka_unit_test(snapshot__finds_each_of_many_products),
        cmocka_unit_test(draft__with_a_product_twice_leaves_the_old_snapshot),
        cmocka_unit_test(draft__refuses_versions_a_module_cannot_ask_for),
        cmocka_unit_test(draft__refuses_what_is_there_twice),
        cmocka_unit_test_setup_teardown(file__outlives_its_catalog_while_held, make_path,
                                        remove_path),
        cmocka_unit_test_setup_teardown(file__of_another_size_than_known_is_not_served, make_path,
                                        remove_path),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
