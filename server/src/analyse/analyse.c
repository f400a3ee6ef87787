/* SPDX-License-Identifier: Apache-2.0 */
#include "analyse/analyse.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyse/factory.h"
#include "analyse/kind.h"
#include "analyse/packed.h"
#include "analyse/partition_rows.h"
#include "analyse/rows.h"
#include "analyse/rules.h"
#include "host/hashes.h"

/*
 * The bytes go several ways as they stream by: the first ones are kept to tell the kind of file,
 * all go through the image reader (out of their package, if they come in one), and what is behind
 * the image is looked at for filling or a signature. Judgement comes at the end, where each refusal
 * names what the file is: kind.c has rows 1 to 4, rows.c 5 to 18, trailing.c 19, 20 and 34,
 * packed_rows.c 21 to 31, partition_rows.c 32 and 33.
 */

#define INNER_PREFIX "inner image: "

struct analysis {
    struct rules_copy copy;
    struct subject subject;
    struct packed packed;
    struct partition_file partition_file;
    struct factory factory;
    uint8_t head[FACTORY_HEAD_BYTES];
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
        size_t prefix_len = s->is_inner ? sizeof INNER_PREFIX - 1 : 0;
        va_list args;
        memcpy(finding->sentence, INNER_PREFIX, prefix_len);
        va_start(args, format);
        (void)vsnprintf(finding->sentence + prefix_len, sizeof finding->sentence - prefix_len,
                        format, args);
        va_end(args);
    }
}

static bool is_packed_layout(const struct aloft_layout *layout)
{
    return layout->upload == ALOFT_UPLOAD_PACKED2 || layout->upload == ALOFT_UPLOAD_PACKED3;
}

static bool init_subject(struct analysis *a)
{
    struct subject *s = &a->subject;

    s->rules = &a->copy.rules;
    s->layout = s->rules->layout;
    s->chip = aloft_chip_by_id(s->layout->chip_id);
    s->report = &a->report;
    s->sha256 = hash_new_sha256();
    if (!s->sha256 || !tail_init(&s->tail)) {
        return false;
    }
    if (is_packed_layout(s->layout) && !a->partition_file.partition) {
        if (!packed_init(&a->packed, s)) {
            return false;
        }
        s->packed = &a->packed;
    }
    restart_image(s);
    return true;
}

struct analysis *analysis_new(const struct analysis_rules *rules)
{
    struct analysis *a = calloc(1, sizeof *a);

    if (!a) {
        return NULL;
    }
    if (!rules_copy_init(&a->copy, rules) ||
        !partition_file_init(&a->partition_file, rules->layout, a->copy.rules.file_name) ||
        !init_subject(a)) {
        analysis_free(a);
        return NULL;
    }
    return a;
}

void analysis_free(struct analysis *a)
{
    if (a) {
        partition_file_deinit(&a->partition_file);
        packed_deinit(&a->packed);
        tail_deinit(&a->subject.tail);
        hash_free(a->subject.sha256);
        rules_copy_deinit(&a->copy);
        free(a);
    }
}

void auto_analysis_free(struct analysis **a)
{
    analysis_free(*a);
}

/* @return The head became complete with these bytes. */
static bool keep_head(struct analysis *a, const uint8_t *buf, size_t len)
{
    size_t n = sizeof a->head - a->head_len;

    n = n < len ? n : len;
    memcpy(a->head + a->head_len, buf, n);
    a->head_len += n;
    return n > 0 && a->head_len == sizeof a->head;
}

void analysis_feed(struct analysis *a, const void *buf, size_t len)
{
    struct subject *s = &a->subject;
    bool is_partition = a->partition_file.partition != NULL;

    if (keep_head(a, buf, len) && !is_partition) {
        factory_begin(&a->factory, s, a->head);
    }
    if (is_partition) {
        partition_file_feed(&a->partition_file, buf, len);
    } else if (a->factory.is_factory) {
        factory_feed(&a->factory, s, s->size_bytes, buf, len);
    } else if (s->packed) {
        packed_feed(s->packed, buf, len);
    } else {
        feed_plain(s, buf, len);
    }
    s->size_bytes += len;
}

static void judge_firmware(struct analysis *a)
{
    struct subject *s = &a->subject;

    if (!judge_kind(s, a->head, a->head_len, &a->factory)) {
        return;
    }
    if (s->packed) {
        packed_judge(s->packed);
    } else if (judge_image(s) && judge_trailing(s)) {
        judge_signature(s);
        judge_home(s);
    }
}

/* By row; a package's rows are judged in another order. Findings of one row stay as they are. */
static void sort_findings(struct analysis_report *report)
{
    for (size_t i = 1; i < report->n_findings; i++) {
        for (size_t j = i; j > 0 && report->findings[j - 1].row > report->findings[j].row; j--) {
            struct analysis_finding finding = report->findings[j];
            report->findings[j] = report->findings[j - 1];
            report->findings[j - 1] = finding;
        }
    }
}

/* What came out of a damaged package before the damage showed depends on the portions it came in.
 */
static void describe_image(struct analysis *a)
{
    struct subject *s = &a->subject;
    struct analysis_report *report = &a->report;
    bool is_image =
        s->packed ? xz_finish(s->packed->xz) == XZ_GOOD : report->kind == ALOFT_SNIFF_APP;

    report->has_desc = is_image && s->image.has_desc;
    report->desc = s->image.desc;
    report->has_header = is_image && s->image_bytes >= ALOFT_APP_HEADER_BYTES &&
                         aloft_app_header_parse(s->image_head, &report->header) == ALOFT_ERR_OK;
}

const struct analysis_report *analysis_finish(struct analysis *a)
{
    struct subject *s = &a->subject;
    struct analysis_report *report = &a->report;
    size_t sniff_len = a->head_len < ALOFT_SNIFF_BYTES ? a->head_len : ALOFT_SNIFF_BYTES;

    report->size_bytes = s->size_bytes;
    report->kind = aloft_sniff(a->head, sniff_len);
    describe_image(a);
    if (judge_partition_rows(s, &a->partition_file)) {
        judge_firmware(a);
    }
    sort_findings(report);
    return report;
}

const char *analysis_verdict_text(enum analysis_verdict verdict)
{
    static const char *const texts[] = {"pass", "warning", "refusal"};

    return texts[verdict];
}
