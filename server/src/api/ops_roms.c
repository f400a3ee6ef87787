/* SPDX-License-Identifier: Apache-2.0 */
#include "api/ops.h"

#include <stdio.h>
#include <string.h>

#include "host/clock.h"
#include "store/roms.h"

#define DEFAULT_LIFE_CYCLE "release"

static json_t *files_to_json(const struct rom_file *files, size_t n_files)
{
    json_t *list = json_array();

    for (size_t i = 0; i < n_files; i++) {
        (void)json_array_append_new(list, json_pack("{s:s, s:s, s:I}", "name", files[i].name,
                                                    "sha256", files[i].sha256, "size_bytes",
                                                    (json_int_t)files[i].size_bytes));
    }
    return list;
}

static json_t *rom_to_json(const struct rom *rom, const struct rom_file *files, size_t n_files)
{
    return json_pack("{s:s, s:s, s:s, s:b, s:I, s:o}", "version", rom->version, "corename",
                     rom->corename, "life_cycle", rom->life_cycle, "current", rom->is_current,
                     "created_ms", (json_int_t)rom->created_ms, "files",
                     files_to_json(files, n_files));
}

static enum aloft_err append_rom(void *ctx, const struct rom *rom, const struct rom_file *files,
                                 size_t n_files, struct error *e)
{
    return append_json(ctx, rom_to_json(rom, files, n_files), e);
}

static void op_roms_list(struct request *request)
{
    struct error e = {0};
    json_t *list = json_array();

    if (roms_each(request->api->db, request->product.id, append_rom, list, &e) != ALOFT_ERR_OK) {
        json_decref(list);
        answer_failure(request, &e);
        return;
    }
    answer_json(request, MHD_HTTP_OK, json_pack("{s:o}", "roms", list));
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

static bool read_rom(struct request *request, struct rom *rom)
{
    static const struct json_member members[] = {
        {"version", JSON_STRING, true},     {"corename", JSON_STRING, false},
        {"life_cycle", JSON_STRING, false}, {"use", JSON_TRUE, false},
        {"files", JSON_ARRAY, true},        {NULL, JSON_NULL, false},
    };

    if (!check_members(request, request->json, members)) {
        return false;
    }
    rom->is_current = json_is_true(json_object_get(request->json, "use"));
    (void)snprintf(rom->life_cycle, sizeof rom->life_cycle, "%s", DEFAULT_LIFE_CYCLE);
    return take_word(request, "version", rom->version, sizeof rom->version) &&
           take_word(request, "corename", rom->corename, sizeof rom->corename) &&
           take_word(request, "life_cycle", rom->life_cycle, sizeof rom->life_cycle);
}

struct wanted_rom {
    const char *version;
    json_t *ret_json;
};

static enum aloft_err take_if_wanted(void *ctx, const struct rom *rom, const struct rom_file *files,
                                     size_t n_files, struct error *e)
{
    struct wanted_rom *wanted = ctx;

    (void)e;
    if (strcmp(rom->version, wanted->version) == 0) {
        wanted->ret_json = rom_to_json(rom, files, n_files);
    }
    return ALOFT_ERR_OK;
}

/* The ROM as the store has it now; NULL = the failure is in `e`. */
static json_t *show_rom(struct db *db, int64_t product_id, const char *version, struct error *e)
{
    struct wanted_rom wanted = {version, NULL};

    if (roms_each(db, product_id, take_if_wanted, &wanted, e) == ALOFT_ERR_OK && !wanted.ret_json) {
        (void)fail(e, ALOFT_ERR_IO, "out of memory");
    }
    return wanted.ret_json;
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
    json_t *shown = roms_add(tx, &rom, parts, n_parts, &e) == ALOFT_ERR_OK
                        ? show_rom(tx, rom.product_id, rom.version, &e)
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

static void op_current_set(struct request *request)
{
    static const struct json_member members[] = {
        {"version", JSON_STRING, true},
        {NULL, JSON_NULL, false},
    };
    AUTO_TRANSACTION tx = NULL;
    struct error e = {0};

    if (!check_members(request, request->json, members) || !change_begin(request, &tx)) {
        return;
    }
    const char *version = json_string_value(json_object_get(request->json, "version"));
    if (roms_set_current(tx, request->product.id, version, &e) != ALOFT_ERR_OK) {
        answer_failure(request, &e);
        return;
    }
    const struct change change = {.action = "rom.chosen", .object = version, .is_catalog = true};
    change_end(request, &tx, &change, MHD_HTTP_OK, json_pack("{s:s}", "version", version));
}

const struct api_route rom_routes[] = {
    {"GET", API_PRODUCT "/roms", API_BODY_NONE, API_VIEWER, op_roms_list, NULL, NULL, 0, false},
    {"POST", API_PRODUCT "/roms", API_BODY_JSON, API_DEVELOPER, op_roms_add, NULL, NULL, 0, false},
    {"PUT", API_PRODUCT "/current", API_BODY_JSON, API_OPERATOR, op_current_set, NULL, NULL, 0,
     false},
    API_ROUTES_END,
};
