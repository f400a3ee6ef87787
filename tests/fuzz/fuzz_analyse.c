/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz.h"

#include <string.h>

#include "analyse/analyse.h"

/* clang-format off */
/* Parsers: server/src/analyse/kind.c server/src/analyse/factory.c server/src/analyse/packed.c server/src/analyse/packed_rows.c server/src/analyse/xz.c server/src/analyse/tail.c server/src/analyse/signature.c server/src/analyse/rows.c server/src/analyse/trailing.c server/src/analyse/home.c server/src/analyse/version.c */
/* clang-format on */

/*
 * An upload as a whole. An input is four bytes of rules (layout, flags, portion, spare) and the
 * file. However it is cut into portions the report is the same, and it keeps its promises: rows in
 * order, sentences of printable text, an app that lies in the file and can be vetted by itself.
 */
#define RULE_BYTES 4u

enum { SIGNED = 1, REVISIONS = 2, DOWNGRADE = 4, HOSTS = 8, PARTITION = 16, STRICT = 32 };

/* facts/esp-formats.md 8.5: the key of the signature in the seeds. */
static const uint8_t keys[1][ALOFT_SHA256_BYTES] = {
    {0xb5, 0x30, 0x10, 0x52, 0x46, 0xa8, 0xab, 0x40, 0x2c, 0xff, 0xc9,
     0x31, 0x7c, 0x85, 0x7f, 0x95, 0x5b, 0x8b, 0xa8, 0x1e, 0xba, 0xdd,
     0x72, 0x45, 0x87, 0x63, 0x56, 0x5f, 0x02, 0xad, 0xb5, 0x14}};
static const char *const hosts[] = {"ota.example.org", "192.0.2.7"};
static const char *const tokens[] = {"0123456789abcdef0123456789abcdef01234567"};

static struct analysis_rules make_rules(const uint8_t *data)
{
    size_t n_layouts = 0;
    uint8_t flags = data[1];

    while (aloft_layout_at(n_layouts)) {
        n_layouts++;
    }
    return (struct analysis_rules){
        .layout = aloft_layout_at(data[0] % n_layouts),
        .version = "v0.0.1-test",
        .file_name = (flags & PARTITION) != 0 ? "mfg_nvs.bin" : "ota.bin",
        .current_version = (flags & DOWNGRADE) != 0 ? "v1.0" : NULL,
        .refuses_downgrade = (flags & STRICT) != 0,
        .has_revisions = (flags & REVISIONS) != 0,
        .least_revision = 3,
        .greatest_revision = 101,
        .requires_signature = (flags & SIGNED) != 0,
        .trusted_keys = keys,
        .n_trusted_keys = 1,
        .hosts = hosts,
        .n_hosts = (flags & HOSTS) != 0 ? 2 : 0,
        .tokens = tokens,
        .n_tokens = 1,
    };
}

static void check_finding(const struct analysis_finding *f)
{
    size_t len = strnlen(f->sentence, sizeof f->sentence);

    MUST(f->row >= 1 && f->row <= 34 && f->code != NULL);
    MUST(len < sizeof f->sentence && (len == 0) == (f->verdict == ANALYSIS_PASS));
    for (size_t i = 0; i < len; i++) {
        MUST(f->sentence[i] >= ' ' && f->sentence[i] <= '~');
    }
}

static void check_report(const struct analysis_report *report, size_t size)
{
    enum analysis_verdict worst = ANALYSIS_PASS;

    MUST(report->size_bytes == size && report->n_findings >= 1);
    for (size_t i = 0; i < report->n_findings; i++) {
        const struct analysis_finding *f = &report->findings[i];
        check_finding(f);
        MUST(i == 0 || report->findings[i - 1].row <= f->row);
        worst = f->verdict > worst ? f->verdict : worst;
    }
    MUST(report->verdict == worst);
    MUST(!report->has_app || worst == ANALYSIS_REFUSAL);
}

static struct analysis *vet(const struct analysis_rules *rules, const uint8_t *buf, size_t len,
                            size_t portion, const struct analysis_report **ret_report)
{
    struct analysis *a = analysis_new(rules);

    MUST(a != NULL);
    for (size_t off = 0; off < len; off += portion) {
        analysis_feed(a, buf + off, len - off < portion ? len - off : portion);
    }
    *ret_report = analysis_finish(a);
    check_report(*ret_report, len);
    return a;
}

static void check_same(const struct analysis_report *a, const struct analysis_report *b)
{
    MUST(a->n_findings == b->n_findings && a->verdict == b->verdict && a->kind == b->kind);
    MUST(a->has_app == b->has_app && a->app_off == b->app_off && a->app_bytes == b->app_bytes);
    MUST(a->has_desc == b->has_desc && a->has_header == b->has_header);
    for (size_t i = 0; i < a->n_findings; i++) {
        MUST(a->findings[i].row == b->findings[i].row);
        MUST(strcmp(a->findings[i].code, b->findings[i].code) == 0);
        MUST(strcmp(a->findings[i].sentence, b->findings[i].sentence) == 0);
    }
}

/* The app of a factory image is a whole image: its hash and its segments pass. */
static void check_app(const struct analysis_rules *rules, const uint8_t *buf, size_t len,
                      const struct analysis_report *report)
{
    const struct analysis_report *cut;

    MUST(report->app_bytes > 0 && report->app_off + report->app_bytes <= len);
    struct analysis *a =
        vet(rules, buf + report->app_off, (size_t)report->app_bytes, SIZE_MAX, &cut);
    for (size_t i = 0; i < cut->n_findings; i++) {
        const struct analysis_finding *f = &cut->findings[i];
        bool is_image = f->row == 6 || f->row == 7 || f->row == 9 || f->row == 12 || f->row == 13;
        MUST(!is_image || f->verdict == ANALYSIS_PASS);
    }
    analysis_free(a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct analysis_report *whole;
    const struct analysis_report *pieces;

    if (size < RULE_BYTES) {
        return 0;
    }
    struct analysis_rules rules = make_rules(data);
    struct analysis *a = vet(&rules, data + RULE_BYTES, size - RULE_BYTES, SIZE_MAX / 2, &whole);
    struct analysis *b = vet(&rules, data + RULE_BYTES, size - RULE_BYTES, 1u + data[2], &pieces);
    check_same(whole, pieces);
    if (whole->has_app) {
        check_app(&rules, data + RULE_BYTES, size - RULE_BYTES, whole);
    }
    analysis_free(b);
    analysis_free(a);
    return 0;
}
