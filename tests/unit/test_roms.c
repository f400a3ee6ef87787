/* SPDX-License-Identifier: Apache-2.0 */
#include "rom_world.h"

static struct rom rom_v1(const struct fixture *f)
{
    return (struct rom){.product_id = f->product.id, .version = "v1", .life_cycle = "release"};
}

struct list {
    size_t n_roms;
    size_t n_files;
    char text[256]; /* versions, in order, the current one with a star */
};

static enum aloft_err gather(void *ctx, const struct rom *rom, const struct rom_file *files,
                             size_t n_files, struct error *e)
{
    struct list *list = ctx;
    size_t used = strlen(list->text);

    (void)files;
    (void)e;
    list->n_roms++;
    list->n_files += n_files;
    (void)snprintf(list->text + used, sizeof list->text - used, "%s%s ", rom->version,
                   rom->is_current ? "*" : "");
    return ALOFT_ERR_OK;
}

static struct list list_roms(struct fixture *f)
{
    struct list list = {0};

    assert_err(roms_each(f->db, f->product.id, gather, &list, NULL), ALOFT_ERR_OK);
    return list;
}

static void add__turns_uploads_into_the_files_of_a_rom(void **state)
{
    struct fixture *f = *state;
    struct rom rom = rom_v1(f);
    const struct rom_part parts[] = {{"ota.bin", "u1"}, {"mfg_nvs.bin", "u2"}};
    struct upload gone;

    add_upload(f, "u1", "ota.bin", BLOB_A);
    add_upload(f, "u2", "mfg_nvs.bin", BLOB_B);
    assert_err(roms_add(f->db, &rom, parts, 2, NULL), ALOFT_ERR_OK);
    struct list list = list_roms(f);
    assert_int_equal(list.n_roms, 1);
    assert_int_equal(list.n_files, 2);
    assert_err(uploads_get(f->db, f->product.id, "u1", &gone, NULL), ALOFT_ERR_NOT_FOUND);
    assert_true(is_needed(f, BLOB_A));
    assert_true(is_needed(f, BLOB_B));
}

static void add__is_undone_with_its_transaction(void **state)
{
    struct fixture *f = *state;
    struct rom rom = rom_v1(f);
    const struct rom_part parts[] = {{"ota.bin", "u1"}, {"mfg_nvs.bin", "unknown"}};
    struct upload kept;
    struct error e = {0};

    add_upload(f, "u1", "ota.bin", BLOB_A);
    {
        AUTO_TRANSACTION tx = NULL;
        assert_err(db_begin(f->db, &tx, NULL), ALOFT_ERR_OK);
        assert_err(roms_add(tx, &rom, parts, 2, &e), ALOFT_ERR_NOT_FOUND);
    }
    assert_non_null(strstr(e.sentence, "mfg_nvs.bin"));
    assert_int_equal(list_roms(f).n_roms, 0);
    assert_err(uploads_get(f->db, f->product.id, "u1", &kept, NULL), ALOFT_ERR_OK);
}

static void add__refuses_a_version_that_is_there(void **state)
{
    struct fixture *f = *state;
    struct rom rom = rom_v1(f);
    const struct rom_part parts[] = {{"ota.bin", "u1"}};
    struct error e = {0};

    add_upload(f, "u1", "ota.bin", BLOB_A);
    assert_err(roms_add(f->db, &rom, parts, 1, NULL), ALOFT_ERR_OK);
    add_upload(f, "u1", "ota.bin", BLOB_B);
    assert_err(roms_add(f->db, &rom, parts, 1, &e), ALOFT_ERR_DUPLICATE);
    assert_non_null(strstr(e.sentence, "version v1"));
}

/* Undone in any case. */
static enum aloft_err try_add(struct fixture *f, const struct rom *rom, const struct rom_part *part)
{
    AUTO_TRANSACTION tx = NULL;

    assert_err(db_begin(f->db, &tx, NULL), ALOFT_ERR_OK);
    return roms_add(tx, rom, part, 1, NULL);
}

static void add__refuses_an_upload_meant_for_something_else(void **state)
{
    struct fixture *f = *state;
    const struct rom_part right[] = {{"ota.bin", "u1"}};
    const struct rom_part wrong_name[] = {{"mfg_nvs.bin", "u1"}};
    struct rom rom = rom_v1(f);
    struct rom other = rom_v1(f);

    add_upload(f, "u1", "ota.bin", BLOB_A);
    assert_err(try_add(f, &rom, wrong_name), ALOFT_ERR_NOT_FOUND);
    (void)snprintf(other.version, sizeof other.version, "v2");
    assert_err(try_add(f, &other, right), ALOFT_ERR_NOT_FOUND);
    assert_err(roms_add(f->db, &rom, right, 1, NULL), ALOFT_ERR_OK);
}

static void current__is_one_of_the_roms(void **state)
{
    struct fixture *f = *state;
    struct rom rom = rom_v1(f);
    const struct rom_part parts[] = {{"ota.bin", "u1"}};
    struct error e = {0};

    add_upload(f, "u1", "ota.bin", BLOB_A);
    assert_err(roms_add(f->db, &rom, parts, 1, NULL), ALOFT_ERR_OK);
    assert_string_equal(list_roms(f).text, "v1 ");
    assert_err(choose(f, "v9", &e), ALOFT_ERR_NOT_FOUND);
    assert_non_null(strstr(e.sentence, "v9"));
    assert_err(choose(f, "v1", NULL), ALOFT_ERR_OK);
    assert_string_equal(list_roms(f).text, "v1* ");
}

static void each__gives_the_newest_first(void **state)
{
    struct fixture *f = *state;
    const struct rom_part parts[] = {{"ota.bin", "u1"}};
    static const char *const versions[] = {"v1", "v3", "v2"};

    for (int i = 0; i < 3; i++) {
        struct rom rom = rom_v1(f);
        struct upload u = {.id = "u1", .product_id = f->product.id, .file = {"ota.bin", BLOB_A, 1}};
        (void)snprintf(rom.version, sizeof rom.version, "%s", versions[i]);
        (void)snprintf(u.version, sizeof u.version, "%s", versions[i]);
        rom.created_ms = i;
        assert_err(uploads_add(f->db, &u, FINDINGS, NULL), ALOFT_ERR_OK);
        assert_err(roms_add(f->db, &rom, parts, 1, NULL), ALOFT_ERR_OK);
    }
    assert_err(choose(f, "v3", NULL), ALOFT_ERR_OK);
    assert_string_equal(list_roms(f).text, "v2 v3* v1 ");
}

static void uploads__expire_by_their_age(void **state)
{
    struct fixture *f = *state;
    struct upload u;

    add_upload(f, "u1", "ota.bin", BLOB_A); /* complete at 1000 ms */
    assert_err(uploads_find_expired(f->db, 1000, &u, NULL), ALOFT_ERR_NOT_FOUND);
    assert_err(uploads_find_expired(f->db, 1001, &u, NULL), ALOFT_ERR_OK);
    assert_string_equal(u.id, "u1");
    assert_string_equal(u.file.sha256, BLOB_A);
    assert_err(uploads_remove(f->db, u.product_id, u.id, NULL), ALOFT_ERR_OK);
    assert_false(is_needed(f, BLOB_A));
    assert_err(uploads_remove(f->db, u.product_id, u.id, NULL), ALOFT_ERR_NOT_FOUND);
}

static enum aloft_err count_blob(void *ctx, const char *sha256, int64_t size_bytes, struct error *e)
{
    (void)sha256;
    (void)e;
    assert_int_equal(size_bytes, 336);
    ++*(int *)ctx;
    return ALOFT_ERR_OK;
}

static void blobs_needed__names_a_shared_blob_once(void **state)
{
    struct fixture *f = *state;
    int n = 0;

    add_upload(f, "u1", "ota.bin", BLOB_A);
    add_upload(f, "u2", "mfg_nvs.bin", BLOB_A);
    add_upload(f, "u3", "fs_storage.bin", BLOB_B);
    assert_err(blobs_needed_each(f->db, count_blob, &n, NULL), ALOFT_ERR_OK);
    assert_int_equal(n, 2);
}

static void get__gives_a_rom_with_its_files_and_findings(void **state)
{
    struct fixture *f = *state;
    struct rom rom = {.product_id = f->product.id,
                      .version = "v1",
                      .corename = "core",
                      .life_cycle = "beta",
                      .note = "less \"power\"",
                      .created_ms = 7};
    const struct rom_part parts[] = {{"ota.bin", "u1"}, {"mfg_nvs.bin", "u2"}};
    struct rom found = {0};
    struct rom_file files[ROM_FILES_MAX];
    size_t n_files = 0;
    char *findings = NULL;

    add_upload(f, "u1", "ota.bin", BLOB_A);
    add_upload(f, "u2", "mfg_nvs.bin", BLOB_B);
    assert_err(roms_add(f->db, &rom, parts, 2, NULL), ALOFT_ERR_OK);
    assert_err(roms_get(f->db, f->product.id, "v1", &found, files, &n_files, NULL), ALOFT_ERR_OK);
    assert_string_equal(found.corename, "core");
    assert_string_equal(found.life_cycle, "beta");
    assert_string_equal(found.note, "less \"power\"");
    assert_int_equal(found.created_ms, 7);
    assert_int_equal(found.revision, 1);
    assert_false(found.is_withdrawn);
    assert_int_equal(n_files, 2);
    assert_string_equal(files[0].name, "mfg_nvs.bin");
    assert_string_equal(files[1].sha256, BLOB_A);
    assert_err(rom_file_findings(f->db, &found, "ota.bin", &findings, NULL), ALOFT_ERR_OK);
    assert_string_equal(findings, FINDINGS);
    free(findings);
    assert_err(roms_get(f->db, f->product.id, "v2", &found, NULL, NULL, NULL), ALOFT_ERR_NOT_FOUND);
}

static void set__stores_what_may_change_and_counts(void **state)
{
    struct fixture *f = *state;

    add_rom(f, "v1");
    struct rom rom = get_rom(f, "v1");
    (void)snprintf(rom.note, sizeof rom.note, "quieter");
    rom.is_withdrawn = true;
    assert_err(roms_set(f->db, &rom, NULL), ALOFT_ERR_OK);
    assert_int_equal(rom.revision, 2);
    rom = get_rom(f, "v1");
    assert_string_equal(rom.note, "quieter");
    assert_true(rom.is_withdrawn);
    assert_int_equal(rom.revision, 2);
}

static void page__goes_on_behind_a_rom(void **state)
{
    struct fixture *f = *state;
    struct list list = {0};

    add_rom(f, "v1");
    add_rom(f, "v2");
    add_rom(f, "v3");
    add_rom(f, "v4");
    assert_err(roms_page(f->db, f->product.id, 0, "", 2, gather, &list, NULL), ALOFT_ERR_OK);
    assert_string_equal(list.text, "v4 v3 ");
    list = (struct list){0};
    assert_err(
        roms_page(f->db, f->product.id, get_rom(f, "v3").created_ms, "v3", 9, gather, &list, NULL),
        ALOFT_ERR_OK);
    assert_string_equal(list.text, "v2 v1 ");
}

static void partial_uploads__advance_and_expire(void **state)
{
    struct fixture *f = *state;
    const struct partial_upload new = {.id = "p1",
                                       .product_id = f->product.id,
                                       .version = "v1",
                                       .name = "ota.bin",
                                       .cut = "app",
                                       .size_bytes = 100,
                                       .touched_ms = 1000};
    struct partial_upload found;
    bool has = false;

    assert_err(partial_uploads_add(f->db, &new, NULL), ALOFT_ERR_OK);
    assert_err(partial_uploads_advance(f->db, "p1", 60, 2000, NULL), ALOFT_ERR_OK);
    assert_err(partial_uploads_get(f->db, f->product.id, "p1", &found, NULL), ALOFT_ERR_OK);
    assert_int_equal(found.offset_bytes, 60);
    assert_int_equal(found.size_bytes, 100);
    assert_string_equal(found.cut, "app");
    assert_err(partial_uploads_get(f->db, f->product.id + 1, "p1", &found, NULL),
               ALOFT_ERR_NOT_FOUND);
    assert_err(partial_uploads_find_expired(f->db, 2000, &found, NULL), ALOFT_ERR_NOT_FOUND);
    assert_err(partial_uploads_find_expired(f->db, 2001, &found, NULL), ALOFT_ERR_OK);
    assert_err(partial_uploads_has(f->db, "p1", &has, NULL), ALOFT_ERR_OK);
    assert_true(has);
    assert_err(partial_uploads_remove(f->db, f->product.id, "p1", NULL), ALOFT_ERR_OK);
    assert_err(partial_uploads_has(f->db, "p1", &has, NULL), ALOFT_ERR_OK);
    assert_false(has);
    assert_err(partial_uploads_advance(f->db, "p1", 60, 2000, NULL), ALOFT_ERR_NOT_FOUND);
    assert_err(partial_uploads_remove(f->db, f->product.id, "p1", NULL), ALOFT_ERR_NOT_FOUND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(add__turns_uploads_into_the_files_of_a_rom),
        TEST(add__is_undone_with_its_transaction),
        TEST(add__refuses_a_version_that_is_there),
        TEST(add__refuses_an_upload_meant_for_something_else),
        TEST(current__is_one_of_the_roms),
        TEST(each__gives_the_newest_first),
        TEST(uploads__expire_by_their_age),
        TEST(blobs_needed__names_a_shared_blob_once),
        TEST(get__gives_a_rom_with_its_files_and_findings),
        TEST(set__stores_what_may_change_and_counts),
        TEST(page__goes_on_behind_a_rom),
        TEST(partial_uploads__advance_and_expire),
    };

    return STORE_RUN(tests);
}
