/* SPDX-License-Identifier: Apache-2.0 */
#include "analyse/partition_rows.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "aloft/nvs.h"
#include "analyse/partition_content.h"

/*
 * Which files a ROM may have follows from two lists: the user partitions of the layout, and the
 * labels whose first bytes a stock module knows (facts/esp-formats.md 6.5). A label that is in the
 * first alone is a trap: the module erases that partition and then refuses every file for it.
 */

#define ROW_PARTITION 32
#define ROW_NVS       33
#define FIRMWARE_FILE "ota.bin"
#define FILE_SUFFIX   ".bin"
#define NAME_BYTES    48
#define LIST_BYTES    320
#define WHERE_BYTES   80
#define REMEDY_NVS    "make it again with nvs_partition_gen.py of ESP-IDF"

static bool is_nvs(const struct aloft_partition *p)
{
    return p->type == ALOFT_PARTITION_DATA && p->subtype == ALOFT_PARTITION_DATA_NVS;
}

/* `<label>.bin`: the user partition it is for; NULL if the layout has none of this label. */
static const struct aloft_partition *find_partition(const struct aloft_layout *layout,
                                                    const char *file_name)
{
    char label[ALOFT_LABEL_MAX + 1] = "";
    size_t len = strlen(file_name);
    size_t suffix_len = strlen(FILE_SUFFIX);

    if (len <= suffix_len || len - suffix_len >= sizeof label ||
        strcmp(file_name + len - suffix_len, FILE_SUFFIX) != 0) {
        return NULL;
    }
    memcpy(label, file_name, len - suffix_len);
    return aloft_partition_by_label(layout->secondary, layout->n_secondary, label);
}

bool partition_file_init(struct partition_file *f, const struct aloft_layout *layout,
                         const char *file_name)
{
    *f = (struct partition_file){.partition = find_partition(layout, file_name)};
    if (f->partition && (is_nvs(f->partition) || partition_content_find(f->partition->label))) {
        f->bytes = malloc(f->partition->size_bytes);
        return f->bytes != NULL;
    }
    return true;
}

void partition_file_feed(struct partition_file *f, const uint8_t *buf, size_t len)
{
    if (f->bytes) {
        size_t room = f->partition->size_bytes - f->len;
        size_t n = len < room ? len : room;
        memcpy(f->bytes + f->len, buf, n);
        f->len += n;
    }
}

void partition_file_deinit(struct partition_file *f)
{
    free(f->bytes);
    *f = (struct partition_file){0};
}

/* The files a ROM of this layout may have: "ota.bin, client_ca.bin". */
static void list_files(const struct aloft_layout *layout, char *out, size_t cap)
{
    size_t n = 0;

    (void)snprintf(out, cap, "%s", layout->upload == ALOFT_UPLOAD_NONE ? "none" : FIRMWARE_FILE);
    for (size_t i = 0; i < layout->n_secondary; i++) {
        const char *label = layout->secondary[i].label;
        n = strlen(out);
        if (partition_content_find(label) && n + strlen(label) + sizeof ", .bin" <= cap) {
            (void)snprintf(out + n, cap - n, ", %s%s", label, FILE_SUFFIX);
        }
    }
}

static void judge_name(struct subject *s, const struct partition_file *f)
{
    char files[LIST_BYTES];
    char name[NAME_BYTES]; /* so that the list has room behind it */

    list_files(s->layout, files, sizeof files);
    (void)snprintf(name, sizeof name, "%s", s->rules->file_name);
    if (!f->partition) {
        add_finding(s, ROW_PARTITION, "PART_NAME", ANALYSIS_REFUSAL,
                    "modules of the layout %s do not ask for a file named '%s'; the files of a ROM "
                    "are: %s (esp-at.bin of the build is uploaded as %s)",
                    s->layout->name, name, files, FIRMWARE_FILE);
    } else {
        add_finding(s, ROW_PARTITION, "PART_WOULD_ERASE", ANALYSIS_REFUSAL,
                    "'%s' is for the user partition %s: with AT+CIUPDATE a stock module would "
                    "erase %s and then refuse the file, for nothing; write it over the module's "
                    "serial port (AT+SYSFLASH); the files of a ROM are: %s",
                    name, f->partition->label, f->partition->label, files);
    }
}

static void judge_content(struct subject *s, const struct partition_file *f,
                          const struct partition_content *content)
{
    char why[ANALYSIS_SENTENCE_BYTES / 2];
    const char *label = f->partition->label;

    if (s->size_bytes == 0) {
        add_finding(s, ROW_PARTITION, "PART_MAGIC", ANALYSIS_REFUSAL,
                    "this is an empty file, but the user partition %s takes %s; %s", label,
                    content->words, content->remedy);
    } else if (s->size_bytes > f->partition->size_bytes) {
        add_finding(s, ROW_PARTITION, "PART_TOO_BIG", ANALYSIS_REFUSAL,
                    "this file has %" PRIu64 " bytes, but the user partition %s of the layout %s "
                    "has %" PRIu32 ": a module would refuse it; put less into it",
                    s->size_bytes, label, s->layout->name, f->partition->size_bytes);
    } else if (!partition_content_has_magic(content, f->bytes, f->len)) {
        add_finding(s, ROW_PARTITION, "PART_MAGIC", ANALYSIS_REFUSAL,
                    "this is %s, but the user partition %s takes %s, which has %s: a stock module "
                    "would erase the partition and then refuse the file; %s",
                    aloft_sniff_text(s->report->kind), label, content->words, content->begins,
                    content->remedy);
    } else if (!content->check(f->bytes, f->len, why, sizeof why)) {
        add_finding(s, ROW_PARTITION, "PART_FORMAT", ANALYSIS_REFUSAL, "this is %s, but %s; %s",
                    content->words, why, content->remedy);
    } else {
        add_finding(s, ROW_PARTITION, "PART_NAME", ANALYSIS_PASS, NULL);
    }
}

/* "page 1 (at 0x1000)", "entry 2 of page 0 (at 0x80, 'module_name')", "". */
static void describe_place(const struct aloft_nvs_report *r, char *out, size_t cap)
{
    size_t off = r->page * ALOFT_NVS_PAGE_BYTES;
    char key[sizeof r->key];

    copy_printable(r->key, key, sizeof key);
    switch (aloft_nvs_fault_place(r->fault)) {
    case ALOFT_NVS_IN_FILE:
        (void)snprintf(out, cap, "it");
        break;
    case ALOFT_NVS_IN_PAGE:
        (void)snprintf(out, cap, "its page %zu (at 0x%zx)", r->page, off);
        break;
    case ALOFT_NVS_IN_ENTRY:
        off += ALOFT_NVS_ENTRY_OFF + r->entry * ALOFT_NVS_ENTRY_BYTES;
        (void)snprintf(out, cap, "entry %zu of its page %zu (at 0x%zx%s%s%s)", r->entry, r->page,
                       off, key[0] ? ", '" : "", key, key[0] ? "'" : "");
        break;
    }
}

static void describe_numbers(const struct aloft_nvs_report *r, char *out, size_t cap)
{
    out[0] = '\0';
    if (r->has_numbers && r->wanted != 0) {
        (void)snprintf(out, cap, ": 0x%" PRIx32 " where 0x%" PRIx32 " is right", r->found,
                       r->wanted);
    } else if (r->has_numbers) {
        (void)snprintf(out, cap, ": 0x%" PRIx32, r->found);
    }
}

static const char *nvs_code(enum aloft_nvs_fault fault)
{
    static const char *const codes[] = {
#define NVS_CODE(name, place, text) [ALOFT_NVS_##name] = "NVS_" #name,
        ALOFT_NVS_FAULT_MAP(NVS_CODE)
#undef NVS_CODE
    };

    return codes[fault];
}

/* Kinds that can be an NVS partition: a first page that is blank or damaged hides it. */
static bool may_be_nvs(enum aloft_sniff_kind kind)
{
    return kind == ALOFT_SNIFF_NVS || kind == ALOFT_SNIFF_UNKNOWN || kind == ALOFT_SNIFF_ERASED ||
           kind == ALOFT_SNIFF_OTADATA || kind == ALOFT_SNIFF_EMPTY;
}

/* Right or wrong whichever way the file gets to the module, so it is said behind a refused name. */
static void judge_nvs(struct subject *s, const struct partition_file *f)
{
    struct aloft_nvs_report report;
    char where[WHERE_BYTES];
    char numbers[WHERE_BYTES];

    if (!may_be_nvs(s->report->kind)) {
        add_finding(s, ROW_NVS, "NVS_WRONG_KIND", ANALYSIS_REFUSAL,
                    "this is %s, but %s is an NVS partition; " REMEDY_NVS,
                    aloft_sniff_text(s->report->kind), f->partition->label);
        return;
    }
    if (s->size_bytes > f->partition->size_bytes) {
        add_finding(s, ROW_NVS, "NVS_SIZE", ANALYSIS_REFUSAL,
                    "this NVS file has %" PRIu64
                    " bytes, but the partition %s of the layout %s has "
                    "%" PRIu32 "; make it again with that size",
                    s->size_bytes, f->partition->label, s->layout->name, f->partition->size_bytes);
        return;
    }
    if (aloft_nvs_check(f->bytes, f->len, &report) == ALOFT_NVS_OK) {
        add_finding(s, ROW_NVS, nvs_code(ALOFT_NVS_SIZE), ANALYSIS_PASS, NULL);
        return;
    }
    describe_place(&report, where, sizeof where);
    describe_numbers(&report, numbers, sizeof numbers);
    add_finding(s, ROW_NVS, nvs_code(report.fault), ANALYSIS_REFUSAL,
                "this NVS file of %zu bytes is not whole: %s %s%s; " REMEDY_NVS, f->len, where,
                aloft_nvs_fault_text(report.fault), numbers);
}

bool judge_partition_rows(struct subject *s, const struct partition_file *f)
{
    const struct partition_content *content;

    if (strcmp(s->rules->file_name, FIRMWARE_FILE) == 0) {
        return true;
    }
    content = f->partition ? partition_content_find(f->partition->label) : NULL;
    if (content) {
        judge_content(s, f, content);
    } else {
        judge_name(s, f);
    }
    if (f->partition && is_nvs(f->partition)) {
        judge_nvs(s, f);
    }
    return false;
}
