/* SPDX-License-Identifier: Apache-2.0 */

/* Which ROM is current, what leads to one, and what may be removed. */

#include "rom_world.h"

static enum aloft_err go_back(struct fixture *f)
{
    struct current_choice choice = {.chosen_by = "ada", .chosen_ms = 6};

    return current_back(f->db, f->product.id, &choice, NULL);
}

static const char *current(struct fixture *f)
{
    assert_err(products_get(f->db, "lamp", &f->product, NULL), ALOFT_ERR_OK);
    return f->product.current_version;
}

static void withdraw(struct fixture *f, const char *version)
{
    struct rom rom = get_rom(f, version);

    rom.is_withdrawn = true;
    assert_err(roms_set(f->db, &rom, NULL), ALOFT_ERR_OK);
}

static void back__goes_further_back_each_time(void **state)
{
    struct fixture *f = *state;

    add_rom(f, "v1");
    add_rom(f, "v2");
    add_rom(f, "v3");
    assert_err(go_back(f), ALOFT_ERR_NOT_FOUND);
    assert_err(choose(f, "v1", NULL), ALOFT_ERR_OK);
    assert_err(choose(f, "v2", NULL), ALOFT_ERR_OK);
    assert_err(choose(f, "v2", NULL), ALOFT_ERR_OK); /* is no choice of its own */
    assert_err(choose(f, "v3", NULL), ALOFT_ERR_OK);
    assert_err(go_back(f), ALOFT_ERR_OK);
    assert_string_equal(current(f), "v2");
    assert_err(go_back(f), ALOFT_ERR_OK);
    assert_string_equal(current(f), "v1");
    assert_err(go_back(f), ALOFT_ERR_NOT_FOUND);
    assert_string_equal(current(f), "v1");
}

static void back__passes_over_what_is_withdrawn_or_none(void **state)
{
    struct fixture *f = *state;

    add_rom(f, "v1");
    add_rom(f, "v2");
    add_rom(f, "v3");
    assert_err(choose(f, "v1", NULL), ALOFT_ERR_OK);
    assert_err(choose(f, "v2", NULL), ALOFT_ERR_OK);
    assert_err(choose(f, "", NULL), ALOFT_ERR_OK);
    assert_string_equal(current(f), "");
    assert_err(choose(f, "v3", NULL), ALOFT_ERR_OK);
    withdraw(f, "v2");
    assert_err(go_back(f), ALOFT_ERR_OK);
    assert_string_equal(current(f), "v1");
}

static void choose__refuses_a_withdrawn_rom(void **state)
{
    struct fixture *f = *state;
    struct error e = {0};

    add_rom(f, "v1");
    withdraw(f, "v1");
    assert_err(choose(f, "v1", &e), ALOFT_ERR_BUSY);
    assert_non_null(strstr(e.sentence, "restore"));
    assert_string_equal(current(f), "");
}

static enum aloft_err append_choice(void *ctx, const struct current_choice *choice, struct error *e)
{
    size_t used = strlen(ctx);

    (void)e;
    (void)snprintf((char *)ctx + used, 100 - used, "%s by %s, ", choice->version,
                   choice->chosen_by);
    return ALOFT_ERR_OK;
}

static void history__keeps_every_choice(void **state)
{
    struct fixture *f = *state;
    struct current_choice now;
    char text[100] = "";

    add_rom(f, "v1");
    add_rom(f, "v2");
    assert_err(current_get(f->db, f->product.id, &now, NULL), ALOFT_ERR_OK);
    assert_int_equal(now.id, 0);
    assert_err(choose(f, "v1", NULL), ALOFT_ERR_OK);
    assert_err(choose(f, "v2", NULL), ALOFT_ERR_OK);
    assert_err(go_back(f), ALOFT_ERR_OK);
    assert_err(current_each(f->db, f->product.id, 0, 10, append_choice, text, NULL), ALOFT_ERR_OK);
    assert_string_equal(text, "v1 by ada, v2 by ada, v1 by ada, ");
    assert_err(current_get(f->db, f->product.id, &now, NULL), ALOFT_ERR_OK);
    text[0] = '\0';
    assert_err(current_each(f->db, f->product.id, now.id, 1, append_choice, text, NULL),
               ALOFT_ERR_OK);
    assert_string_equal(text, "v2 by ada, ");
}

static void add_link(struct fixture *f, const char *short_name, int64_t expires_ms)
{
    struct link link = {.product_id = f->product.id,
                        .version = "v1",
                        .file = "ota.bin",
                        .created_by = "ada",
                        .expires_ms = expires_ms};

    (void)snprintf(link.short_name, sizeof link.short_name, "%s", short_name);
    assert_err(links_add(f->db, &link, NULL), ALOFT_ERR_OK);
}

static void attempt(struct fixture *f, const char *state, int64_t ended_ms)
{
    static int64_t id;
    AUTO_STMT s = NULL;

    assert_err(db_prepare(f->db,
                          "INSERT INTO attempt (id, product_id, device_id, device, "
                          "token_device_id, reported_device, token_prefix, address, user_agent, "
                          "tls_version, running_version, boot, asked_version, version, file, "
                          "state, cause, sentence, bytes_total, bytes_sent, bytes_acked, "
                          "closed_by, n_contacts, started_ms, ended_ms, duration_ms) VALUES "
                          "(?1, ?2, 0, '', 0, '', '', '', '', 0, '', '', '', 'v1', 'ota.bin', "
                          "?3, '', '', 1, 1, 1, '', 1, 1, ?4, 1)",
                          &s, NULL),
               ALOFT_ERR_OK);
    db_bind_int(s, 1, ++id);
    db_bind_int(s, 2, f->product.id);
    db_bind_text(s, 3, state);
    db_bind_int(s, 4, ended_ms);
    assert_err(db_run(s, NULL), ALOFT_ERR_OK);
}

#define NOW_MS  1000000000000
#define HOUR_MS 3600000

static void refuses_to_remove(struct fixture *f, const char *why)
{
    struct rom rom = get_rom(f, "v1");
    struct error e = {0};

    assert_err(roms_check_unused(f->db, &rom, NOW_MS, &e), ALOFT_ERR_BUSY);
    assert_non_null(strstr(e.sentence, why));
}

static void lets_remove(struct fixture *f)
{
    struct rom rom = get_rom(f, "v1");

    assert_err(roms_check_unused(f->db, &rom, NOW_MS, NULL), ALOFT_ERR_OK);
}

static void unused__is_what_is_neither_current_nor_the_way_back(void **state)
{
    struct fixture *f = *state;

    add_rom(f, "v1");
    add_rom(f, "v2");
    add_rom(f, "v3");
    lets_remove(f);
    assert_err(choose(f, "v1", NULL), ALOFT_ERR_OK);
    refuses_to_remove(f, "current version");
    assert_err(choose(f, "v2", NULL), ALOFT_ERR_OK);
    refuses_to_remove(f, "way back");
    assert_err(choose(f, "v3", NULL), ALOFT_ERR_OK); /* the way back is v2 now */
    lets_remove(f);
}

static void unused__looks_at_links_and_attempts(void **state)
{
    struct fixture *f = *state;

    add_rom(f, "v1");
    add_link(f, "expired", NOW_MS - 1);
    attempt(f, "proven", NOW_MS);
    attempt(f, "failed", NOW_MS);
    attempt(f, "delivered", NOW_MS - 25 * HOUR_MS);
    lets_remove(f);
    add_link(f, "public", 0);
    refuses_to_remove(f, "links");
    assert_err(links_remove(f->db, f->product.id, "public", NULL), ALOFT_ERR_OK);
    add_link(f, "ticket", NOW_MS + 1);
    refuses_to_remove(f, "links");
    assert_err(links_remove(f->db, f->product.id, "ticket", NULL), ALOFT_ERR_OK);
    attempt(f, "delivered", NOW_MS - 23 * HOUR_MS);
    refuses_to_remove(f, "not proven");
}

static void unused__looks_at_running_attempts(void **state)
{
    struct fixture *f = *state;

    add_rom(f, "v1");
    attempt(f, "running", 0);
    refuses_to_remove(f, "module");
}

static void remove__leaves_nothing_of_it(void **state)
{
    struct fixture *f = *state;
    struct link link;

    add_rom(f, "v1");
    struct rom rom = get_rom(f, "v1");
    add_link(f, "expired", 1);
    assert_err(roms_remove(f->db, &rom, NULL), ALOFT_ERR_OK);
    assert_err(roms_get(f->db, f->product.id, "v1", &rom, NULL, NULL, NULL), ALOFT_ERR_NOT_FOUND);
    assert_false(is_needed(f, BLOB_A));
    assert_err(links_get(f->db, f->product.id, "expired", &link, NULL), ALOFT_ERR_NOT_FOUND);
    add_rom(f, "v1"); /* the version may come again */
}

static enum aloft_err append_link(void *ctx, const struct link *link, struct error *e)
{
    size_t used = strlen(ctx);

    (void)e;
    (void)snprintf((char *)ctx + used, 100 - used, "%s ", link->short_name);
    return ALOFT_ERR_OK;
}

static void links__are_listed_and_expire(void **state)
{
    struct fixture *f = *state;
    struct link link = {.product_id = f->product.id, .version = "v1", .file = "fs.bin"};
    char text[100] = "";
    int64_t n = 0;

    add_rom(f, "v1");
    assert_err(links_add(f->db, &link, NULL), ALOFT_ERR_NOT_FOUND);
    add_link(f, "c", 0);
    add_link(f, "a", 10);
    add_link(f, "b", 11);
    assert_err(links_of_product(f->db, f->product.id, "a", 1, append_link, text, NULL),
               ALOFT_ERR_OK);
    assert_string_equal(text, "b ");
    assert_err(links_get(f->db, f->product.id + 1, "a", &link, NULL), ALOFT_ERR_NOT_FOUND);
    assert_err(links_get(f->db, f->product.id, "a", &link, NULL), ALOFT_ERR_OK);
    assert_string_equal(link.file, "ota.bin");
    assert_string_equal(link.created_by, "ada");
    assert_int_equal(link.expires_ms, 10);
    assert_err(links_sweep(f->db, 10, &n, NULL), ALOFT_ERR_OK);
    assert_int_equal(n, 1);
    text[0] = '\0';
    assert_err(links_each(f->db, append_link, text, NULL), ALOFT_ERR_OK);
    assert_int_equal(strlen(text), 4); /* b and c, in any order */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(back__goes_further_back_each_time),
        TEST(back__passes_over_what_is_withdrawn_or_none),
        TEST(choose__refuses_a_withdrawn_rom),
        TEST(history__keeps_every_choice),
        TEST(unused__is_what_is_neither_current_nor_the_way_back),
        TEST(unused__looks_at_links_and_attempts),
        TEST(unused__looks_at_running_attempts),
        TEST(remove__leaves_nothing_of_it),
        TEST(links__are_listed_and_expire),
    };

    return STORE_RUN(tests);
}
