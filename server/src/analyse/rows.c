/* SPDX-License-Identifier: Apache-2.0 */
#include "analyse/rows.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "aloft/bytes.h"

#define PADDING_LOAD_END  0x10000000u /* Segments below are neither loaded nor mapped. */
#define REVISION_UNSET    0xFFFF
#define FLASH_UNIT_BYTES  0x100000u
#define SIGNATURE_MAGIC   0xE7
#define SIGNATURE_RSA     2
#define SIGNATURE_ECDSA   3
#define SIGNATURE_CRC_OFF 1196u
#define REMEDY_FRESH      "build or download it again"

struct row {
    unsigned number; /* Of the table in facts/esp-formats.md 7. */
    const char *code;
    void (*judge)(struct subject *s, const struct row *row);
};

#define REFUSE(s, code, ...) add_finding(s, row->number, code, ANALYSIS_REFUSAL, __VA_ARGS__)
#define WARN(s, code, ...)   add_finding(s, row->number, code, ANALYSIS_WARNING, __VA_ARGS__)

static void pass(struct subject *s, const struct row *row)
{
    add_finding(s, row->number, row->code, ANALYSIS_PASS, NULL);
}

/* All segment headers and all data went by; only then are the later rows known. */
static bool saw_all_segments(const struct subject *s)
{
    return s->image.image_bytes != 0;
}

static void judge_size(struct subject *s, const struct row *row)
{
    uint32_t slot_bytes = aloft_layout_target_bytes(s->layout);

    if (s->size_bytes > slot_bytes) {
        REFUSE(s, "OTA_TOO_BIG",
               "this file has %" PRIu64 " bytes, but the slots of the layout %s have %" PRIu32
               ": a module would refuse it; build a smaller image",
               s->size_bytes, s->layout->name, slot_bytes);
        return;
    }
    pass(s, row);
}

static void judge_chip(struct subject *s, const struct row *row)
{
    const struct aloft_chip *found = aloft_chip_by_id(s->image.header.chip_id);

    if (s->image.has_header && found == s->chip) {
        pass(s, row);
    } else if (s->image.err == ALOFT_ERR_CHIP) {
        found = aloft_chip_by_id(s->report->header.chip_id);
        REFUSE(s, row->code,
               "this image is for the %s, but the modules of the layout %s have an %s: upload the "
               "build for %s",
               found ? found->name : "unknown chip", s->layout->name, s->chip->name, s->chip->name);
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
    uint64_t missing = least > s->size_bytes ? least - s->size_bytes : 1;

    add_finding(s, 7, "IMG_TRUNCATED", ANALYSIS_REFUSAL,
                "this image is cut short: it has %" PRIu64 " bytes and %s%" PRIu64
                " are missing; upload it again as a whole",
                s->size_bytes, is_exact ? "" : "at least ", missing);
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

    if (strcmp(s->image.desc.project_name, s->project_name) == 0) {
        pass(s, row);
        return;
    }
    copy_printable(s->image.desc.project_name, project, sizeof project);
    WARN(s, row->code,
         "this image calls its project '%s', expected is '%s': check that it answers AT commands, "
         "or the modules cannot be upgraded again",
         project, s->project_name);
}

static void judge_version(struct subject *s, const struct row *row)
{
    char version[sizeof s->image.desc.version];

    copy_printable(s->image.desc.version, version, sizeof version);
    if (strcmp(version, s->image.desc.version) != 0) {
        WARN(s, row->code,
             "the version text of this image, '%s', is not printable: modules will report it so",
             version);
    } else if (s->version && strcmp(version, s->version) != 0) {
        WARN(s, row->code,
             "this image says it is version '%s', but it is filed under '%s': after the upgrade "
             "modules will report '%s'",
             version, s->version, version);
    } else {
        pass(s, row);
    }
}

/* What is known of a chip's revision is the least one that the layout's own builds ask for. */
static void judge_revision(struct subject *s, const struct row *row)
{
    uint16_t min = s->image.header.min_chip_rev;
    uint16_t max = s->image.header.max_chip_rev;
    uint16_t known = s->layout->min_chip_revision;
    bool has_max = max != 0 && max != REVISION_UNSET;

    if (has_max && min > max) {
        REFUSE(s, row->code,
               "the header is damaged: it asks for chip revision %u.%u and above but %u.%u and "
               "below; %s",
               min / 100u, min % 100u, max / 100u, max % 100u, REMEDY_FRESH);
    } else if (has_max && max < known) {
        REFUSE(s, row->code,
               "this image runs on chips up to revision %u.%u, but the modules of the layout %s "
               "have %u.%u or later: upload the build for them",
               max / 100u, max % 100u, s->layout->name, known / 100u, known % 100u);
    } else if (min / 100 > known / 100) {
        WARN(s, row->code,
             "this image asks for chip revision %u.%u or later, and modules of the layout %s may "
             "have an earlier one: those would not boot it",
             min / 100u, min % 100u, s->layout->name);
    } else {
        pass(s, row);
    }
}

static void judge_flash(struct subject *s, const struct row *row)
{
    uint64_t bytes = (uint64_t)FLASH_UNIT_BYTES << s->image.header.spi_size;

    if (bytes > s->layout->flash_bytes) {
        WARN(s, row->code,
             "this image was built for %" PRIu64 " MB of flash, the modules of the layout %s have "
             "%" PRIu32 " MB: check that it is the right build",
             bytes / FLASH_UNIT_BYTES, s->layout->name, s->layout->flash_bytes / FLASH_UNIT_BYTES);
    } else {
        pass(s, row);
    }
}

static bool has_signature_block(const struct tail *tail)
{
    const uint8_t *b = tail->block;

    return tail->is_gap_ff && tail->block_len == SIGNATURE_BLOCK_BYTES && b[0] == SIGNATURE_MAGIC &&
           (b[1] == SIGNATURE_RSA || b[1] == SIGNATURE_ECDSA) &&
           aloft_crc32(0, b, SIGNATURE_CRC_OFF) == aloft_get_le32(b + SIGNATURE_CRC_OFF);
}

static void judge_tail(struct subject *s, const struct row *row)
{
    uint64_t signed_bytes = (uint64_t)s->image.signature_off + ALOFT_SIGNATURE_BYTES;

    if (s->tail.len == 0 || s->tail.is_all_ff) {
        pass(s, row);
    } else if (!has_signature_block(&s->tail)) {
        REFUSE(s, row->code,
               "%" PRIu64 " bytes follow the end of the image that are neither filling nor a "
               "signature: %s",
               s->tail.len, REMEDY_FRESH);
    } else if (s->size_bytes != signed_bytes) {
        WARN(s, row->code,
             "a signed image of this length has %" PRIu64 " bytes, this file has %" PRIu64
             ": check how it was made",
             signed_bytes, s->size_bytes);
    } else {
        pass(s, row);
    }
}

static const struct row rows[] = {
    {1, "OTA_TOO_BIG", judge_size},
    {2, "OTA_WRONG_KIND", pass}, /* judged before: see analysis_finish() */
    {3, "OTA_IS_FACTORY_IMAGE", pass},
    {4, "OTA_IS_BOOTLOADER", pass},
    {5, "OTA_WRONG_CHIP", judge_chip},
    {6, "IMG_SEGMENTS", judge_segment_count},
    {7, "IMG_TRUNCATED", judge_segments},
    {8, "IMG_HEADER", judge_hash_flag},
    {9, "IMG_ALIGN", judge_alignment},
    {10, "IMG_LOAD_ADDR", judge_load_addresses},
    {11, "IMG_ENTRY", judge_entry},
    {12, "IMG_CHECKSUM", judge_checksum},
    {13, "IMG_HASH", judge_hash},
    {14, "IMG_NO_APP_DESC", judge_desc},
    {15, "IMG_PROJECT", judge_project},
    {16, "VER_MISMATCH", judge_version},
    {17, "IMG_CHIP_REV", judge_revision},
    {18, "IMG_FLASH_PARAMS", judge_flash},
    {19, "IMG_TRAILING", judge_tail},
};

void judge_rows(struct subject *s)
{
    bool is_refused = false;

    /* Size says nothing about what follows; every other refusal does. */
    for (size_t i = 0; i < sizeof rows / sizeof rows[0] && !is_refused; i++) {
        size_t before = s->report->n_findings;
        rows[i].judge(s, &rows[i]);
        is_refused = rows[i].judge != judge_size && s->report->n_findings > before &&
                     s->report->findings[before].verdict == ANALYSIS_REFUSAL;
    }
}
