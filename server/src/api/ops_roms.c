/* SPDX-License-Identifier: Apache-2.0 */
#include "api/ops.h"

#include <stdio.h>
#include <string.h>

#include "host/clock.h"
#include "host/log.h"
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

void op_roms_list(struct request *request)
{
    struct product p;
    struct error e = {0};

    if (!find_product(request, &p)) {
        return;
    }
    json_t *list = json_array();
    if (roms_each(request->api->db, p.id, append_rom, list, &e) != ALOFT_ERR_OK) {
        json_decref(list);
        answer_failure(request, &e);
        return;
    }
    answer_json(request, MHD_HTTP_OK, json_pack("{s:o}", "roms", list));
}

/* A word of a ROM: the one given, or its default. */
static bool take_word(struct request *request, const char *member, const char *preset, char *buf,
                      size_t cap)
{
    json_t *given = json_object_get(request->json, member);
    const char *word = given ? json_string_value(given) : preset;

    if (given && !is_plain_name(word, cap - 1)) {
        answer_error(request, MHD_HTTP_BAD_REQUEST, "bad_request",
                     "'%s' is 1 to %zu letters, digits, dots, dashes or underscores", member,
                     cap - 1);
        return false;
    }
    (void)snprintf(buf, cap, "%s", word);
    return true;
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
    return take_word(request, "version", NULL, rom->version, sizeof rom->version) &&
           take_word(request, "corename", "", rom->corename, sizeof rom->corename) &&
           take_word(request, "life_cycle", DEFAULT_LIFE_CYCLE, rom->life_cycle,
                     sizeof rom->life_cycle);
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

static void answer_rom(struct request *request, int64_t product_id, const char *version)
{
    struct error e = {0};
    struct wanted_rom wanted = {version, NULL};

    if (roms_each(request->api->db, product_id, take_if_wanted, &wanted, &e) != ALOFT_ERR_OK) {
        answer_failure(request, &e);
        return;
    }
    answer_json(request, MHD_HTTP_CREATED, wanted.ret_json);
}

void op_roms_add(struct request *request)
{
    struct product p;
    struct rom rom = {.created_ms = clock_wall_ms()};
    struct rom_part parts[ROM_FILES_MAX];
    size_t n_parts = 0;
    struct error e = {0};

    if (!find_product(request, &p) || !read_rom(request, &rom) ||
        !read_parts(request, parts, &n_parts)) {
        return;
    }
    rom.product_id = p.id;
    if (roms_add(request->api->db, &rom, parts, n_parts, &e) != ALOFT_ERR_OK) {
        answer_failure(request, &e);
        return;
    }
    if (publish_change(request)) {
        log_info("rom.deployed", "product=%s version=%s current=%d", p.name, rom.version,
                 rom.is_current);
        answer_rom(request, p.id, rom.version);
    }
}

void op_current_set(struct request *request)
{
    static const struct json_member members[] = {
        {"version", JSON_STRING, true},
        {NULL, JSON_NULL, false},
    };
    struct product p;
    struct error e = {0};

    if (!find_product(request, &p) || !check_members(request, request->json, members)) {
        return;
    }
    const char *version = json_string_value(json_object_get(request->json, "version"));
    if (roms_set_current(request->api->db, p.id, version, &e) != ALOFT_ERR_OK) {
        answer_failure(request, &e);
        return;
    }
    if (publish_change(request)) {
        log_info("rom.current", "product=%s version=%s", p.name, version);
        answer_json(request, MHD_HTTP_OK, json_pack("{s:s}", "version", version));
    }
}
