/* SPDX-License-Identifier: Apache-2.0 */
#include "analyse/analyse.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "aloft/bytes.h"
#include "analyse/rows.h"
#include "host/hashes.h"

/*
 * The bytes go three ways as they stream by: the first ones are kept to tell the kind of file, all
 * go through the image reader, and what is behind the image is looked at for filling or a
 * signature. Judgement comes at the end, where each refusal names what the file is.
 */

#define TEXT_BYTES       128
#define SMALLEST_BYTES   32u /* facts/esp-formats.md 7, row 1. */
#define HEAD_SHOWN_BYTES 4u
#define FIRMWARE_FILE    "ota.bin"
#define PROJECT_DEFAULT  "esp-at"
#define REMEDY_APP       "upload esp-at.bin from the same build"

struct analysis {
    char version[TEXT_BYTES];
    char file_name[TEXT_BYTES];
    char project_name[TEXT_BYTES];
    struct subject subject;
    struct aloft_hash *sha256;
    uint8_t head[ALOFT_SNIFF_BYTES];
    size_t head_len;
    struct analysis_report report;
};

void add_finding(struct subject *s, unsigned row, const char *code, enum analysis_verdict verdict,
                 const char *format, ...)
{
    struct analysis_report *report = s->report;

    if (report->n_findings == ANALYSIS_FINDINGS_MAX) {
        return; /* there are fewer rows than places */
    }
    struct analysis_finding *finding = &report->findings[report->n_findings++];
    *finding = (struct analysis_finding){.row = row, .code = code, .verdict = verdict};
    if (verdict > report->verdict) {
        report->verdict = verdict;
    }
    if (format) {
        va_list args;
        va_start(args, format);
        (void)vsnprintf(finding->sentence, sizeof finding->sentence, format, args);
        va_end(args);
    }
}

struct analysis *analysis_new(const struct analysis_rules *rules)
{
    struct analysis *a = calloc(1, sizeof *a);

    if (!a) {
        return NULL;
    }
    a->sha256 = hash_new_sha256();
    if (!a->sha256) {
        free(a);
        return NULL;
    }
    copy_printable(rules->file_name, a->file_name, sizeof a->file_name);
    copy_printable(rules->project_name ? rules->project_name : PROJECT_DEFAULT, a->project_name,
                   sizeof a->project_name);
    if (rules->version) {
        copy_printable(rules->version, a->version, sizeof a->version);
    }
    struct subject *s = &a->subject;
    s->layout = rules->layout;
    s->chip = aloft_chip_by_id(rules->layout->chip_id);
    s->version = rules->version ? a->version : NULL;
    s->project_name = a->project_name;
    s->tail.is_all_ff = true;
    s->tail.is_gap_ff = true;
    s->report = &a->report;
    struct aloft_app_rules image_rules = {.chip = s->chip, .requires_app_desc = true};
    aloft_app_image_init(&s->image, &image_rules, a->sha256);
    return a;
}

void analysis_free(struct analysis *a)
{
    if (a) {
        hash_free(a->sha256);
        free(a);
    }
}

void auto_analysis_free(struct analysis **a)
{
    analysis_free(*a);
}

/* Bytes behind the image; the first of them stands at `off` of the file. */
static void feed_tail(struct subject *s, uint64_t off, const uint8_t *buf, size_t len)
{
    struct tail *tail = &s->tail;
    uint64_t sector = s->image.signature_off;
    size_t gap = off >= sector ? 0 : (size_t)(sector - off);

    gap = gap > len ? len : gap;
    tail->len += len;
    tail->is_all_ff = tail->is_all_ff && aloft_bytes_are(buf, len, 0xFF);
    tail->is_gap_ff = tail->is_gap_ff && aloft_bytes_are(buf, gap, 0xFF);
    size_t n = len - gap;
    if (n > sizeof tail->block - tail->block_len) {
        n = sizeof tail->block - tail->block_len;
    }
    memcpy(tail->block + tail->block_len, buf + gap, n);
    tail->block_len += n;
}

void analysis_feed(struct analysis *a, const void *buf, size_t len)
{
    struct subject *s = &a->subject;
    const uint8_t *bytes = buf;
    size_t n = sizeof a->head - a->head_len;
    size_t used;

    n = n > len ? len : n;
    if (n > 0) {
        memcpy(a->head + a->head_len, bytes, n);
        a->head_len += n;
    }
    enum aloft_err err = aloft_app_image_feed(&s->image, bytes, len, &used);
    if (err == ALOFT_ERR_OK && used < len) {
        feed_tail(s, s->size_bytes + used, bytes + used, len - used);
    }
    s->size_bytes += len;
}

/* A product's files: only the firmware for now, and never what a stock module would destroy. */
static bool judge_file_name(struct analysis *a)
{
    struct subject *s = &a->subject;
    char label[ALOFT_LABEL_MAX + 1] = "";
    size_t stem = strlen(a->file_name);

    if (strcmp(a->file_name, FIRMWARE_FILE) == 0) {
        return true;
    }
    if (stem > 4 && strcmp(a->file_name + stem - 4, ".bin") == 0 && stem - 4 < sizeof label) {
        memcpy(label, a->file_name, stem - 4);
    }
    if (aloft_partition_by_label(s->layout->secondary, s->layout->n_secondary, label)) {
        add_finding(s, 32, "PART_WOULD_ERASE", ANALYSIS_REFUSAL,
                    "'%s' is for the user partition %s: with AT+CIUPDATE a stock module would "
                    "erase %s and then refuse the file, for nothing; the files of a ROM are: %s",
                    a->file_name, label, label, FIRMWARE_FILE);
    } else {
        add_finding(s, 32, "PART_NAME", ANALYSIS_REFUSAL,
                    "modules do not ask for a file of this name; the files of a ROM are: %s "
                    "(esp-at.bin of the build, renamed)",
                    FIRMWARE_FILE);
    }
    return false;
}

static bool judge_upload_kind(struct analysis *a)
{
    struct subject *s = &a->subject;
    const struct aloft_layout *layout = s->layout;

    if (layout->upload == ALOFT_UPLOAD_PLAIN) {
        return true;
    }
    if (layout->upload == ALOFT_UPLOAD_NONE) {
        add_finding(s, 2, "OTA_NO_SLOT", ANALYSIS_REFUSAL,
                    "modules of the layout %s cannot be upgraded over the air: they have one app "
                    "slot and nowhere to put a second image; flash them over their serial port",
                    layout->name);
    } else {
        add_finding(s, 2, "OTA_PACKED", ANALYSIS_REFUSAL,
                    "packed uploads are not accepted by this version of Aloft, and modules of the "
                    "layout %s take %s images only",
                    layout->name, aloft_upload_kind_text(layout->upload));
    }
    return false;
}

static bool judge_least_size(struct analysis *a)
{
    struct subject *s = &a->subject;

    if (s->size_bytes >= SMALLEST_BYTES) {
        return true;
    }
    if (s->size_bytes == 0) {
        add_finding(s, 1, "OTA_EMPTY", ANALYSIS_REFUSAL, "this is an empty file; %s", REMEDY_APP);
    } else {
        add_finding(s, 1, "OTA_EMPTY", ANALYSIS_REFUSAL,
                    "this file has only %" PRIu64 " bytes, no image is that small; %s",
                    s->size_bytes, REMEDY_APP);
    }
    return false;
}

/* What to do with a file that is no app image; kinds not listed: REMEDY_APP. */
static const struct remedy {
    enum aloft_sniff_kind kind;
    unsigned row;
    const char *code;
    const char *text;
} remedies[] = {
    {ALOFT_SNIFF_FACTORY, 3, "OTA_IS_FACTORY_IMAGE", REMEDY_APP ", which holds the app alone"},
    {ALOFT_SNIFF_BOOTLOADER, 4, "OTA_IS_BOOTLOADER",
     "over the air only the app can be replaced: " REMEDY_APP},
    {ALOFT_SNIFF_PACKED_V1, 2, "OTA_WRONG_KIND",
     "these modules take plain images: upload the esp-at.bin it was packed from"},
    {ALOFT_SNIFF_PACKED_V2, 2, "OTA_WRONG_KIND",
     "these modules take plain images: upload the esp-at.bin it was packed from"},
    {ALOFT_SNIFF_PACKED_V3, 2, "OTA_WRONG_KIND",
     "these modules take plain images: upload the esp-at.bin it was packed from"},
    {ALOFT_SNIFF_PACKED_V3_WRAPPED, 2, "OTA_WRONG_KIND",
     "these modules take plain images: upload the esp-at.bin it was packed from"},
    {ALOFT_SNIFF_ZIP, 2, "OTA_WRONG_KIND", "unpack it and upload the esp-at.bin in it"},
    {ALOFT_SNIFF_GZIP, 2, "OTA_WRONG_KIND", "unpack it and upload the esp-at.bin in it"},
    {ALOFT_SNIFF_XZ, 2, "OTA_WRONG_KIND", "unpack it and upload the esp-at.bin in it"},
    {ALOFT_SNIFF_ELF, 2, "OTA_WRONG_KIND",
     "it is what debuggers take: upload the esp-at.bin that was made from it"},
    {ALOFT_SNIFF_ESP8266, 2, "OTA_WRONG_KIND", "upload esp-at.bin of the build for this chip"},
    {ALOFT_SNIFF_ESP8266_NONOS, 2, "OTA_WRONG_KIND",
     "upload esp-at.bin of the build for this chip"},
};

static struct remedy find_remedy(enum aloft_sniff_kind kind)
{
    for (size_t i = 0; i < sizeof remedies / sizeof remedies[0]; i++) {
        if (remedies[i].kind == kind) {
            return remedies[i];
        }
    }
    return (struct remedy){kind, 2, "OTA_WRONG_KIND", REMEDY_APP};
}

static bool judge_kind(struct analysis *a)
{
    struct subject *s = &a->subject;
    enum aloft_sniff_kind kind = a->report.kind;
    struct remedy remedy = find_remedy(kind);
    char hex[2 * HEAD_SHOWN_BYTES + 1];

    if (kind == ALOFT_SNIFF_APP) {
        return true;
    }
    if (kind == ALOFT_SNIFF_UNKNOWN) {
        hex_encode(a->head, HEAD_SHOWN_BYTES, hex); /* judge_least_size() ran: they are there */
        add_finding(s, remedy.row, remedy.code, ANALYSIS_REFUSAL,
                    "this is a file of unknown kind: it begins with %s, an app image begins with "
                    "e9; %s",
                    hex, remedy.text);
    } else {
        add_finding(s, remedy.row, remedy.code, ANALYSIS_REFUSAL, "this is %s; %s",
                    aloft_sniff_text(kind), remedy.text);
    }
    return false;
}

const struct analysis_report *analysis_finish(struct analysis *a)
{
    struct subject *s = &a->subject;
    struct analysis_report *report = &a->report;

    report->size_bytes = s->size_bytes;
    report->kind = aloft_sniff(a->head, a->head_len);
    report->has_desc = s->image.has_desc;
    report->desc = s->image.desc;
    report->has_header = report->kind == ALOFT_SNIFF_APP && a->head_len >= ALOFT_APP_HEADER_BYTES &&
                         aloft_app_header_parse(a->head, &report->header) == ALOFT_ERR_OK;
    if (judge_file_name(a) && judge_upload_kind(a) && judge_least_size(a) && judge_kind(a)) {
        judge_rows(s);
    }
    return report;
}

const char *analysis_verdict_text(enum analysis_verdict verdict)
{
    static const char *const texts[] = {"pass", "warning", "refusal"};

    return texts[verdict];
}
