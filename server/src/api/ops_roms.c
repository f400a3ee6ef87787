/* SPDX-License-Identifier: Apache-2.0 */
#include "api/ops.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/auto.h"
#include "host/clock.h"
#include "store/current.h"
#include "store/roms.h"

#define DEFAULT_LIFE_CYCLE "release"

static json_t *file_to_json(const struct rom_file *file)
{
    return json_pack("{s:s, s:s, s:I}", "name", file->name, "sha256", file->sha256, "size_bytes",
                     (json_int_t)file->size_bytes);
}

static json_t *rom_to_json(const struct rom *rom, const struct rom_file *files, size_t n_files)
{
    json_t *list = json_array();

    for (size_t i = 0; i < n_files; i++) {
        (void)json_array_append_new(list, file_to_json(&files[i]));
    }
    return json_pack("{s:s, s:s, s:s, s:s, s:b, s:b, s:I, s:o}", "version", rom->version,
                     "corename", rom->corename, "life_cycle", rom->life_cycle, "note", rom->note,
                     "current", rom->is_current, "withdrawn", rom->is_withdrawn, "created_ms",
                     (json_int_t)rom->created_ms, "files", list);
}

static enum aloft_err append_rom(void *ctx, const struct rom *rom, const struct rom_file *files,
                                 size_t n_files, struct error *e)
{
    return append_json(ctx, rom_to_json(rom, files, n_files), e);
}

static void key_of_rom(const json_t *item, char *key, size_t cap)
{
    (void)snprintf(key, cap, "%" JSON_INTEGER_FORMAT " %s",
                   json_integer_value(json_object_get(item, "created_ms")),
                   json_string_value(json_object_get(item, "version")));
}

/* False = it is no key of ours. An empty one is the first page. */
static bool read_key(const char *key, int64_t *ret_ms, const char **ret_version)
{
    char *end = NULL;

    errno = 0;
    *ret_ms = strtoll(key, &end, 10);
    *ret_version = *end == ' ' ? end + 1 : "";
    return !key[0] || (errno == 0 && **ret_version);
}

static void op_roms_list(struct request *request)
{
    struct error e = {0};
    struct page page;
    const char *version;
    int64_t ms;

    if (!page_read(request, &page)) {
        return;
    }
    if (!read_key(page.after, &ms, &version)) {
        answer_error(request, MHD_HTTP_BAD_REQUEST, "bad_request",
                     "the cursor is none that was given here; begin with the first page");
        return;
    }
    json_t *list = json_array();
    if (roms_page(request->api->db, request->product.id, ms, version, page.limit + 1, append_rom,
                  list, &e) != ALOFT_ERR_OK) {
        json_decref(list);
        answer_failure(request, &e);
        return;
    }
    page_answer(request, &page, "roms", list, key_of_rom);
}

/* The ROM as the store has it now, with what the analyser said of each file; NULL = the failure is
 * in `e`. */
static json_t *show_rom(struct db *db, int64_t product_id, const char *version,
                        int64_t *ret_revision, struct error *e)
{
    struct rom rom;
    struct rom_file files[ROM_FILES_MAX];
    size_t n_files;
    enum aloft_err err = roms_get(db, product_id, version, &rom, files, &n_files, e);

    if (err != ALOFT_ERR_OK) {
        return NULL;
    }
    json_t *shown = rom_to_json(&rom, files, n_files);
    for (size_t i = 0; shown && err == ALOFT_ERR_OK && i < n_files; i++) {
        AUTO_FREE char *findings = NULL;
        err = rom_file_findings(db, &rom, files[i].name, &findings, e);
        if (err == ALOFT_ERR_OK &&
            json_object_set_new(json_array_get(json_object_get(shown, "files"), i), "findings",
                                json_loads(findings, 0, NULL)) != 0) {
            err = fail(e, ALOFT_ERR_IO, "out of memory");
        }
    }
    if (!shown || err != ALOFT_ERR_OK) {
        json_decref(shown);
        (void)(err == ALOFT_ERR_OK && fail(e, ALOFT_ERR_IO, "out of memory"));
        return NULL;
    }
    *ret_revision = rom.revision;
    return shown;
}

static void op_rom_get(struct request *request)
{
    struct error e = {0};
    json_t *shown =
        show_rom(request->api->db, request->product.id, request->names[1], &request->revision, &e);

    if (!shown) {
        answer_failure(request, &e);
        return;
    }
    answer_json(request, MHD_HTTP_OK, shown);
}

static bool read_part(struct request *request, const json_t *file, struct rom_part *parts, size_t i)
{
    static const struct json_member members[] = {
        {"name", JSON_STRING, true},
        {"upload", JSON_STRING, true},
        {NULL, JSON_NULL, false},
    };

    if (!json_is_object(file)) {
        answer_error(request, MHD_HTTP_BAD_REQUEST, "bad_request",
                     "each of 'files' must be an object");
        return false;
    }
    if (!check_members(request, file, members)) {
        return false;
    }
    parts[i] = (struct rom_part){json_string_value(json_object_get(file, "name")),
                                 json_string_value(json_object_get(file, "upload"))};
    for (size_t k = 0; k < i; k++) {
        if (strcmp(parts[k].name, parts[i].name) == 0) {
            answer_error(request, MHD_HTTP_BAD_REQUEST, "bad_request",
                         "the file '%s' is there twice", parts[i].name);
            return false;
        }
    }
    return true;
}

static bool read_parts(struct request *request, struct rom_part parts[ROM_FILES_MAX], size_t *ret_n)
{
    const json_t *files = json_object_get(request->json, "files");
    size_t n = json_array_size(files);

    if (n == 0 || n > ROM_FILES_MAX) {
        answer_error(request, MHD_HTTP_BAD_REQUEST, "bad_request", "a ROM has 1 to %d files",
                     ROM_FILES_MAX);
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        if (!read_part(request, json_array_get(files, i), parts, i)) {
            return false;
        }
    }
    *ret_n = n;
    return true;
}

/* What may be said anew later. */
static bool take_about(struct request *request, struct rom *rom)
{
    return take_text(request, "corename", rom->corename, sizeof rom->corename) &&
           take_word(request, "life_cycle", rom->life_cycle, sizeof rom->life_cycle) &&
           take_text(request, "note", rom->note, sizeof rom->note);
}

static bool read_rom(struct request *request, struct rom *rom)
{
    static const struct json_member members[] = {
        {"version", JSON_STRING, true},     {"corename", JSON_STRING, false},
        {"life_cycle", JSON_STRING, false}, {"note", JSON_STRING, false},
        {"use", JSON_TRUE, false},          {"files", JSON_ARRAY, true},
        {NULL, JSON_NULL, false},
    };

    if (!check_members(request, request->json, members)) {
        return false;
    }
    rom->is_current = json_is_true(json_object_get(request->json, "use"));
    (void)snprintf(rom->life_cycle, sizeof rom->life_cycle, "%s", DEFAULT_LIFE_CYCLE);
    return take_word(request, "version", rom->version, sizeof rom->version) &&
           take_about(request, rom);
}

static bool may_choose(struct request *request, const struct rom *rom)
{
    if (rom->is_current && request->role < ROLE_OPERATOR) {
        answer_error(request, MHD_HTTP_FORBIDDEN, "forbidden",
                     "to make a ROM current needs the role operator; deploy it without 'use'");
        return false;
    }
    return true;
}

static void op_roms_add(struct request *request)
{
    struct rom rom = {.created_ms = clock_wall_ms(), .product_id = request->product.id};
    struct rom_part parts[ROM_FILES_MAX];
    size_t n_parts = 0;
    AUTO_TRANSACTION tx = NULL;
    struct error e = {0};

    if (!read_rom(request, &rom) || !read_parts(request, parts, &n_parts) ||
        !may_choose(request, &rom) || !change_begin(request, &tx)) {
        return;
    }
    enum aloft_err err = roms_add(tx, &rom, parts, n_parts, &e);
    if (err == ALOFT_ERR_OK && rom.is_current) {
        struct current_choice choice = {.chosen_ms = rom.created_ms};
        memcpy(choice.version, rom.version, sizeof choice.version);
        (void)snprintf(choice.chosen_by, sizeof choice.chosen_by, "%s", request->principal.name);
        err = current_choose(tx, rom.product_id, &choice, &e);
    }
    json_t *shown = err == ALOFT_ERR_OK
                        ? show_rom(tx, rom.product_id, rom.version, &request->revision, &e)
                        : NULL;
    if (!shown) {
        answer_failure(request, &e);
        return;
    }
    const struct change change = {.action = "rom.deployed",
                                  .object = rom.version,
                                  .detail = json_pack("{s:b}", "current", rom.is_current),
                                  .is_catalog = true};
    change_end(request, &tx, &change, MHD_HTTP_CREATED, shown);
}

/* The ROM of the path, within the transaction that changes it; false = answered. */
static bool begin_change(struct request *request, struct db **tx, struct rom *rom)
{
    struct error e = {0};

    if (!change_begin(request, tx)) {
        return false;
    }
    if (roms_get(*tx, request->product.id, request->names[1], rom, NULL, NULL, &e) !=
        ALOFT_ERR_OK) {
        answer_failure(request, &e);
        return false;
    }
    return change_matches(request, rom->revision);
}

static void end_change(struct request *request, struct db **tx, struct rom *rom, const char *action)
{
    struct error e = {0};
    json_t *shown = roms_set(*tx, rom, &e) == ALOFT_ERR_OK
                        ? show_rom(*tx, rom->product_id, rom->version, &request->revision, &e)
                        : NULL;

    if (!shown) {
        answer_failure(request, &e);
        return;
    }
    const struct change change = {.action = action, .object = rom->version, .is_catalog = true};
    change_end(request, tx, &change, MHD_HTTP_OK, shown);
}

static void op_rom_set(struct request *request)
{
    static const struct json_member members[] = {
        {"corename", JSON_STRING, false},
        {"life_cycle", JSON_STRING, false},
        {"note", JSON_STRING, false},
        {NULL, JSON_NULL, false},
    };
    AUTO_TRANSACTION tx = NULL;
    struct rom rom;

    if (check_members(request, request->json, members) && begin_change(request, &tx, &rom) &&
        take_about(request, &rom)) {
        end_change(request, &tx, &rom, "rom.changed");
    }
}

static void op_rom_withdraw(struct request *request)
{
    AUTO_TRANSACTION tx = NULL;
    struct rom rom;

    if (!begin_change(request, &tx, &rom)) {
        return;
    }
    if (rom.is_current) {
        answer_error(request, MHD_HTTP_CONFLICT, "in_use",
                     "version %s is the current one: choose another first, or none", rom.version);
        return;
    }
    rom.is_withdrawn = true;
    end_change(request, &tx, &rom, "rom.withdrawn");
}

static void op_rom_restore(struct request *request)
{
    AUTO_TRANSACTION tx = NULL;
    struct rom rom;

    if (begin_change(request, &tx, &rom)) {
        rom.is_withdrawn = false;
        end_change(request, &tx, &rom, "rom.restored");
    }
}

static void drop_blobs(struct api *api, const struct rom_file *files, size_t n_files)
{
    (void)pthread_mutex_lock(&api->blob_lock);
    for (size_t i = 0; i < n_files; i++) {
        drop_blob(api, files[i].sha256);
    }
    (void)pthread_mutex_unlock(&api->blob_lock);
}

static void op_rom_remove(struct request *request)
{
    AUTO_TRANSACTION tx = NULL;
    struct rom rom;
    struct rom_file files[ROM_FILES_MAX];
    size_t n_files = 0;
    struct error e = {0};

    if (!begin_change(request, &tx, &rom)) {
        return;
    }
    enum aloft_err err = roms_get(tx, rom.product_id, rom.version, &rom, files, &n_files, &e);
    if (err == ALOFT_ERR_OK) {
        err = roms_check_unused(tx, &rom, clock_wall_ms(), &e);
    }
    if (err == ALOFT_ERR_OK) {
        err = roms_remove(tx, &rom, &e);
    }
    if (err != ALOFT_ERR_OK) {
        answer_failure(request, &e);
        return;
    }
    const struct change change = {
        .action = "rom.removed", .object = rom.version, .is_catalog = true};
    change_end(request, &tx, &change, MHD_HTTP_NO_CONTENT, NULL);
    if (request->status == MHD_HTTP_NO_CONTENT) {
        drop_blobs(request->api, files, n_files);
    }
}

static const char *const page_query[] = {PAGE_QUERY, NULL};

/* clang-format off */
const struct api_route rom_routes[] = {
    {"GET", API_PRODUCT "/roms", API_BODY_NONE, API_VIEWER, op_roms_list, page_query, NULL, 0, false},
    {"POST", API_PRODUCT "/roms", API_BODY_JSON, API_DEVELOPER, op_roms_add, NULL, NULL, 0, false},
    {"GET", API_PRODUCT "/roms/{}", API_BODY_NONE, API_VIEWER, op_rom_get, NULL, NULL, 0, false},
    {"PATCH", API_PRODUCT "/roms/{}", API_BODY_JSON, API_DEVELOPER, op_rom_set, NULL, NULL, 0, false},
    {"DELETE", API_PRODUCT "/roms/{}", API_BODY_NONE, API_OPERATOR, op_rom_remove, NULL, NULL, 0, false},
    {"POST", API_PRODUCT "/roms/{}/withdraw", API_BODY_NONE, API_OPERATOR, op_rom_withdraw, NULL, NULL, 0, false},
    {"POST", API_PRODUCT "/roms/{}/restore", API_BODY_NONE, API_OPERATOR, op_rom_restore, NULL, NULL, 0, false},
    API_ROUTES_END,
};
/* clang-format on */
