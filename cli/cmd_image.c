/* SPDX-License-Identifier: Apache-2.0 */

/* aloft image: look at any file of a build, and make app images for trials. */

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "aloft/chip.h"
#include "host/auto.h"
#include "host/files.h"
#include "commands.h"
#include "image_info.h"
#include "image_make.h"

#define SIZE_DEFAULT (1024u * 1024)
#define FILE_MODE    0644

static int run_info(const struct opt_values *v)
{
    const char *path = opt_text(v, "file");
    AUTO_FREE uint8_t *data = NULL;
    struct error e = {0};
    size_t len;

    if (file_load(path, IMAGE_INFO_BYTES_MAX, &data, &len, &e) != ALOFT_ERR_OK) {
        return failure("%s", e.sentence);
    }
    json_t *info = image_info_describe(data, len);
    if (!info) {
        return failure("out of memory");
    }
    if (opt_has(v, "json")) {
        (void)json_dumpf(info, stdout, JSON_INDENT(2));
        (void)putchar('\n');
    } else {
        image_info_print(info, stdout);
    }
    bool is_good = json_is_true(json_object_get(info, "ok"));
    json_decref(info);
    return is_good ? EXIT_DONE : EXIT_FAILED;
}

static const struct opt info_opts[] = {
    {OPT_POSITIONAL, "file", "FILE", "The file to look at.", true, false},
    {OPT_FLAG, "json", NULL, "As JSON.", false, false},
    OPT_END,
};

const struct cli_command cmd_image_info = {
    "image",
    "info",
    "Say what a file is and whether it is sound.",
    "Knows app images, packed images, boot loaders, factory images, partition tables, otadata\n"
    "and the other files of a build. Exit status 1: it is damaged or cannot be read.",
    info_opts,
    run_info,
};

/* A number with an optional k or M behind it, at most `max`. */
static bool parse_number(const char *text, bool takes_unit, uint32_t *ret_value)
{
    char *end;

    if (text[0] < '0' || text[0] > '9') {
        return false;
    }
    errno = 0;
    uint64_t value = strtoull(text, &end, 10);
    uint64_t unit = 1;
    if (takes_unit && (*end == 'k' || *end == 'K' || *end == 'm' || *end == 'M')) {
        unit = *end == 'k' || *end == 'K' ? 1024 : 1024 * 1024;
        end++;
    }
    if (errno != 0 || *end != '\0' || value > UINT32_MAX / unit) {
        return false;
    }
    *ret_value = (uint32_t)(value * unit);
    return true;
}

static int unknown_chip(const char *name)
{
    char known[256] = "";

    for (size_t i = 0; aloft_chip_at(i); i++) {
        size_t used = strlen(known);
        (void)snprintf(known + used, sizeof known - used, "%s%s", i ? ", " : "",
                       aloft_chip_at(i)->name);
    }
    return usage_error("unknown chip '%s'; known are %s", name, known);
}

static int run_make(const struct opt_values *v)
{
    struct image_make_rules rules = {
        .chip = aloft_chip_by_name(opt_text(v, "chip")),
        .version = opt_text(v, "version"),
        .size_bytes = SIZE_DEFAULT,
    };
    const char *path = opt_text(v, "o");
    AUTO_FREE uint8_t *data = NULL;
    struct error e = {0};
    size_t len;

    if (!rules.chip) {
        return unknown_chip(opt_text(v, "chip"));
    }
    if (opt_has(v, "size") && !parse_number(opt_text(v, "size"), true, &rules.size_bytes)) {
        return usage_error("'%s' is not a size; write bytes, 900k or 1M", opt_text(v, "size"));
    }
    if (opt_has(v, "seed") && !parse_number(opt_text(v, "seed"), false, &rules.seed)) {
        return usage_error("'%s' is not a seed; write a number from 0 to %" PRIu32,
                           opt_text(v, "seed"), UINT32_MAX);
    }
    if (opt_has(v, "secure-version") &&
        (!parse_number(opt_text(v, "secure-version"), false, &rules.secure_version) ||
         rules.secure_version > rules.chip->secure_version_bits)) {
        return usage_error("'%s' is not a secure version; the eFuse of %s counts from 0 to %u",
                           opt_text(v, "secure-version"), rules.chip->name,
                           rules.chip->secure_version_bits);
    }
    enum aloft_err err = image_make(&rules, &data, &len, &e);
    if (err == ALOFT_ERR_ARG || err == ALOFT_ERR_RANGE) {
        return usage_error("%s", e.sentence);
    }
    if (err != ALOFT_ERR_OK || file_replace(path, data, len, FILE_MODE, &e) != ALOFT_ERR_OK) {
        return failure("%s", e.sentence);
    }
    return EXIT_DONE;
}

static const struct opt make_opts[] = {
    {OPT_VALUE, "chip", "CHIP", "esp32c3, esp32c6, ...", true, false},
    {OPT_VALUE, "version", "TEXT", "Version in the descriptor, at most 32 bytes.", true, false},
    {OPT_VALUE, "size", "SIZE", "Bytes of the file, k or M behind it (default 1M).", false, false},
    {OPT_VALUE, "seed", "N", "Other seed, other content (default 0).", false, false},
    {OPT_VALUE, "secure-version", "N",
     "Anti-rollback: devices that took N refuse less (default 0).", false, false},
    {OPT_VALUE, "o", "FILE", "Where to write it.", true, false},
    OPT_END,
};

const struct cli_command cmd_image_make = {
    "image",
    "make",
    "Make an app image for trials.",
    "Header, segments, descriptor, checksum and hash are genuine, so every tool and the virtual\n"
    "module take it; the code in it is noise and does not run on a chip.",
    make_opts,
    run_make,
};
