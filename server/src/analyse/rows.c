/* SPDX-License-Identifier: Apache-2.0 */
#include "analyse/rows.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "aloft/bytes.h"
#include "analyse/version.h"

#define CHIP_OFF         12u
#define PADDING_LOAD_END 0x10000000u /* Segments below are neither loaded nor mapped. */
#define REVISION_UNSET   0xFFFF
#define FLASH_UNIT_BYTES 0x100000u
#define SPI_MODE_MAX     5
#define SPI_SPEED_MAX    2
#define SPI_SPEED_FULL   0xF

void pass(struct subject *s, const struct row *row)
{
    add_finding(s, row->number, row->code, ANALYSIS_PASS, NULL);
}

/* All segment headers and all data went by; only then are the later rows known. */
static bool saw_all_segments(const struct subject *s)
{
    return s->image.image_bytes != 0;
}

void refuse_chip(struct subject *s, unsigned row, const char *what, uint16_t chip_id)
{
    const struct aloft_chip *found = aloft_chip_by_id(chip_id);

    add_finding(s, row, "OTA_WRONG_CHIP", ANALYSIS_REFUSAL,
                "%s is for the %s, but the modules of the layout %s have an %s: upload the build "
                "for %s",
                what, found ? found->name : "unknown chip", s->layout->name, s->chip->name,
                s->chip->name);
}

static void judge_chip(struct subject *s, const struct row *row)
{
    if (s->image.err == ALOFT_ERR_CHIP) {
        refuse_chip(s, row->number, "this image", aloft_get_le16(s->image_head + CHIP_OFF));
    } else if (s->image.has_header) {
        pass(s, row);
    }
}

static void judge_segment_count(struct subject *s, const struct row *row)
{
    if (s->image.err == ALOFT_ERR_SEGMENT_COUNT) {
        REFUSE(s, row->code, "the header is damaged: %u segments, 1 to 16 are possible; %s",
               s->image.header.segment_count, REMEDY_FRESH);
    } else if (s->image.has_header) {
        pass(s, row);
    }
}

static void judge_truncated(struct subject *s)
{
    const struct aloft_app_image *img = &s->image;
    uint32_t least = aloft_app_image_least_bytes(img);
    bool is_exact = img->has_header && img->n_segments == img->header.segment_count;
    uint64_t missing = least > s->image_bytes ? least - s->image_bytes : 1;

    add_finding(s, 7, "IMG_TRUNCATED", ANALYSIS_REFUSAL,
                "this image is cut short: it has %" PRIu64 " bytes and %s%" PRIu64
                " are missing; upload it again as a whole",
                s->image_bytes, is_exact ? "" : "at least ", missing);
}

static void judge_segments(struct subject *s, const struct row *row)
{
    if (s->image.err == ALOFT_ERR_SEGMENT_LEN) {
        uint8_t last = (uint8_t)(s->image.n_segments - 1);
        REFUSE(s, "IMG_SEGMENT_LEN",
               "segment %u is damaged: a length of %" PRIu32 " bytes is not possible; %s", last,
               s->image.segments[last].size_bytes, REMEDY_FRESH);
    } else if (aloft_app_image_finish(&s->image) == ALOFT_ERR_TRUNCATED) {
        judge_truncated(s);
    } else if (saw_all_segments(s)) {
        pass(s, row);
    }
}

static void judge_hash_flag(struct subject *s, const struct row *row)
{
    uint8_t flag = s->image.header.hash_appended;

    if (flag > 1) {
        REFUSE(s, row->code, "the header is damaged: the hash flag is %u, 0 or 1 are possible; %s",
               flag, REMEDY_FRESH);
    } else if (flag == 0) {
        WARN(s, "IMG_NO_HASH",
             "this image has no SHA-256 at its end, so a module can detect damage only by an 8-bit "
             "checksum; build it with the hash appended (the default)");
    } else {
        pass(s, row);
    }
}

static void judge_alignment(struct subject *s, const struct row *row)
{
    if (s->image.err == ALOFT_ERR_ALIGN) {
        REFUSE(s, row->code,
               "a mapped segment of this image does not sit on its flash page, so no module would "
               "boot it: build it with the vendor's tools");
    } else if (saw_all_segments(s)) {
        pass(s, row);
    }
}

static bool is_address_of(const struct aloft_chip *chip, uint32_t addr)
{
    return aloft_chip_is_mapped(chip, addr) || aloft_chip_is_ram(chip, addr);
}

static bool is_address_of_any(uint32_t addr)
{
    for (size_t i = 0; aloft_chip_at(i); i++) {
        if (is_address_of(aloft_chip_at(i), addr)) {
            return true;
        }
    }
    return false;
}

/* The segment with the worst load address; -1 if all are the chip's. */
static int find_strange_segment(const struct subject *s, bool *ret_is_known)
{
    int found = -1;

    *ret_is_known = true;
    for (uint8_t i = 0; i < s->image.n_segments && *ret_is_known; i++) {
        uint32_t addr = s->image.segments[i].load_addr;
        if (addr >= PADDING_LOAD_END && !is_address_of(s->chip, addr)) {
            found = i;
            *ret_is_known = is_address_of_any(addr);
        }
    }
    return found;
}

static void judge_load_addresses(struct subject *s, const struct row *row)
{
    bool is_known;
    int i = find_strange_segment(s, &is_known);

    if (!saw_all_segments(s)) {
        return;
    }
    if (i < 0) {
        pass(s, row);
    } else if (is_known) {
        WARN(s, row->code,
             "segment %d goes to 0x%08" PRIx32 ", which is no memory of the %s as we know it: try "
             "the image on one module first",
             i, s->image.segments[i].load_addr, s->chip->name);
    } else {
        REFUSE(s, row->code,
               "segment %d goes to 0x%08" PRIx32 ", which is no memory of any chip: %s", i,
               s->image.segments[i].load_addr, REMEDY_FRESH);
    }
}

static void judge_entry(struct subject *s, const struct row *row)
{
    uint32_t entry = s->image.header.entry_addr;

    if (!saw_all_segments(s)) {
        return;
    }
    for (uint8_t i = 0; i < s->image.n_segments; i++) {
        const struct aloft_app_segment *segment = &s->image.segments[i];
        if (segment->load_addr >= PADDING_LOAD_END && entry >= segment->load_addr &&
            entry - segment->load_addr < segment->size_bytes) {
            pass(s, row);
            return;
        }
    }
    WARN(s, row->code,
         "the program begins at 0x%08" PRIx32 ", where no segment of the image is: try it on one "
         "module first",
         entry);
}

static void judge_checksum(struct subject *s, const struct row *row)
{
    if (s->image.err == ALOFT_ERR_CHECKSUM) {
        REFUSE(s, row->code, "this image is damaged: its checksum is 0x%02x, it says 0x%02x; %s",
               s->image.checksum, s->image.checksum_stored, REMEDY_FRESH);
    } else if (saw_all_segments(s)) {
        pass(s, row);
    }
}

static void judge_hash(struct subject *s, const struct row *row)
{
    if (s->image.err == ALOFT_ERR_HASH) {
        REFUSE(s, row->code,
               "this image is damaged: the SHA-256 at its end is not that of its content; %s",
               REMEDY_FRESH);
    } else if (saw_all_segments(s) && s->image.header.hash_appended) {
        pass(s, row);
    }
}

static void judge_desc(struct subject *s, const struct row *row)
{
    if (s->image.err == ALOFT_ERR_NO_APP_DESC) {
        REFUSE(s, row->code,
               "this image has no app descriptor, so it is not an ESP-AT firmware: upload "
               "esp-at.bin of the build");
    } else if (s->image.has_desc) {
        pass(s, row);
    }
}

void copy_printable(const char *text, char *out, size_t cap)
{
    size_t n = 0;

    for (; text[n] && n < cap - 1; n++) {
        out[n] = text[n] >= ' ' && text[n] <= '~' ? text[n] : '?';
    }
    out[n] = '\0';
}

static void judge_project(struct subject *s, const struct row *row)
{
    char project[sizeof s->image.desc.project_name];

    if (strcmp(s->image.desc.project_name, s->rules->project_name) == 0) {
        pass(s, row);
        return;
    }
    copy_printable(s->image.desc.project_name, project, sizeof project);
    WARN(s, row->code,
         "this image calls its project '%s', expected is '%s': check that it answers AT commands, "
         "or the modules cannot be upgraded again",
         project, s->rules->project_name);
}

static void judge_version(struct subject *s, const struct row *row)
{
    const struct analysis_rules *rules = s->rules;
    char version[sizeof s->image.desc.version];

    copy_printable(s->image.desc.version, version, sizeof version);
    const char *filed = rules->version ? rules->version : version;
    if (strcmp(version, s->image.desc.version) != 0) {
        WARN(s, row->code,
             "the version text of this image, '%s', is not printable: modules will report it so",
             version);
    } else if (rules->current_version && is_older_version(filed, rules->current_version)) {
        add_finding(s, row->number, "VER_DOWNGRADE",
                    rules->refuses_downgrade ? ANALYSIS_REFUSAL : ANALYSIS_WARNING,
                    "version '%s' is older than '%s', the product's current version: %s", filed,
                    rules->current_version,
                    rules->refuses_downgrade
                        ? "this product takes no downgrades; upload a later version, or change its "
                          "version policy"
                        : "modules would go back to it");
    } else if (rules->version && strcmp(version, rules->version) != 0) {
        WARN(s, row->code,
             "this image says it is version '%s', but it is filed under '%s': after the upgrade "
             "modules will report '%s'",
             version, rules->version, version);
    } else {
        pass(s, row);
    }
}

#define REVISION      "%u.%u"
#define PARTS(number) (number) / 100u, (number) % 100u

/* What is known is what the product says of its modules, or else the least revision that the
 * layout's own builds ask for. */
static void judge_revision(struct subject *s, const struct row *row)
{
    const struct analysis_rules *rules = s->rules;
    uint16_t min = s->image.header.min_chip_rev;
    uint16_t max = s->image.header.max_chip_rev;
    bool has_max = max != 0 && max != REVISION_UNSET;
    uint16_t least = s->layout->min_chip_revision;
    uint16_t greatest = rules->has_revisions ? rules->greatest_revision : least;

    if (has_max && min > max) {
        REFUSE(s, row->code,
               "the header is damaged: it asks for chip revision " REVISION
               " and above but " REVISION " and below; %s",
               PARTS(min), PARTS(max), REMEDY_FRESH);
    } else if (has_max && max < greatest) {
        REFUSE(s, row->code,
               "this image runs on chips up to revision " REVISION ", but %s%s have " REVISION
               "%s: upload the build for them",
               PARTS(max),
               rules->has_revisions ? "modules of this product" : "the modules of the layout ",
               rules->has_revisions ? "" : s->layout->name, PARTS(greatest),
               rules->has_revisions ? "" : " or later");
    } else if (rules->has_revisions && min > rules->least_revision) {
        REFUSE(s, row->code,
               "this image asks for chip revision " REVISION
               " or later, but there are modules of this product with " REVISION
               ", and those would not boot it: upload a build for them",
               PARTS(min), PARTS(rules->least_revision));
    } else if (!rules->has_revisions && min / 100 > least / 100) {
        WARN(s, row->code,
             "this image asks for chip revision " REVISION
             " or later, and modules of the layout %s may have an earlier one: those would not "
             "boot it",
             PARTS(min), s->layout->name);
    } else {
        pass(s, row);
    }
}

static void judge_flash(struct subject *s, const struct row *row)
{
    const struct aloft_app_header *header = &s->image.header;
    uint64_t bytes = (uint64_t)FLASH_UNIT_BYTES << header->spi_size;

    if (header->spi_mode > SPI_MODE_MAX ||
        (header->spi_speed > SPI_SPEED_MAX && header->spi_speed != SPI_SPEED_FULL)) {
        WARN(s, row->code,
             "the header of this image names flash mode %u and speed %u, which do not exist: check "
             "how it was built",
             header->spi_mode, header->spi_speed);
    } else if (bytes > s->layout->flash_bytes) {
        WARN(s, row->code,
             "this image was built for %" PRIu64 " MB of flash, the modules of the layout %s have "
             "%" PRIu32 " MB: check that it is the right build",
             bytes / FLASH_UNIT_BYTES, s->layout->name, s->layout->flash_bytes / FLASH_UNIT_BYTES);
    } else {
        pass(s, row);
    }
}

static const struct row image_rows[] = {
    {5, "OTA_WRONG_CHIP", judge_chip, false},    {6, "IMG_SEGMENTS", judge_segment_count, false},
    {7, "IMG_TRUNCATED", judge_segments, false}, {8, "IMG_HEADER", judge_hash_flag, false},
    {9, "IMG_ALIGN", judge_alignment, false},    {10, "IMG_LOAD_ADDR", judge_load_addresses, false},
    {11, "IMG_ENTRY", judge_entry, false},       {12, "IMG_CHECKSUM", judge_checksum, false},
    {13, "IMG_HASH", judge_hash, false},         {14, "IMG_NO_APP_DESC", judge_desc, false},
    {15, "IMG_PROJECT", judge_project, false},   {16, "VER_MISMATCH", judge_version, true},
    {17, "IMG_CHIP_REV", judge_revision, false}, {18, "IMG_FLASH_PARAMS", judge_flash, false},
};

static bool has_refusal(const struct analysis_report *report, size_t first)
{
    for (size_t i = first; i < report->n_findings; i++) {
        if (report->findings[i].verdict == ANALYSIS_REFUSAL) {
            return true;
        }
    }
    return false;
}

bool judge_rows(struct subject *s, const struct row *rows, size_t n_rows)
{
    for (size_t i = 0; i < n_rows; i++) {
        size_t first = s->report->n_findings;
        rows[i].judge(s, &rows[i]);
        if (!rows[i].is_alone && has_refusal(s->report, first)) {
            return false;
        }
    }
    return true;
}

bool judge_image(struct subject *s)
{
    return judge_rows(s, image_rows, sizeof image_rows / sizeof image_rows[0]);
}

void restart_image(struct subject *s)
{
    struct aloft_app_rules rules = {.chip = s->chip, .requires_app_desc = true};
    struct home_rules home = {s->rules->hosts, s->rules->n_hosts, s->rules->tokens,
                              s->rules->n_tokens};

    aloft_app_image_init(&s->image, &rules, s->sha256);
    s->image_bytes = 0;
    home_init(&s->home, &home);
    tail_restart(&s->tail);
}

void feed_image(struct subject *s, const uint8_t *buf, size_t len)
{
    size_t used;

    if (s->image_bytes < sizeof s->image_head) {
        size_t n = sizeof s->image_head - (size_t)s->image_bytes;
        memcpy(s->image_head + s->image_bytes, buf, n < len ? n : len);
    }
    s->image_bytes += len;
    /* The image keeps its first error, where the rows find it. */
    enum aloft_err err = aloft_app_image_feed(&s->image, buf, len, &used);
    home_feed(&s->home, buf, err == ALOFT_ERR_OK ? used : 0);
}

void feed_plain(struct subject *s, const uint8_t *buf, size_t len)
{
    feed_image(s, buf, len);
    s->tail.body_end = s->image.image_bytes;
    tail_feed(&s->tail, buf, len);
}
