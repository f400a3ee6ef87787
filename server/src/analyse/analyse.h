/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_SERVER_ANALYSE_H
#define ALOFT_SERVER_ANALYSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "aloft/app_image.h"
#include "aloft/hash.h"
#include "aloft/layout.h"
#include "aloft/sniff.h"

/*
 * Vetting an upload against its product's layout while it streams by (facts/esp-formats.md 7): what
 * is this file, and would a module of this layout boot it? Memory is bounded, whatever arrives.
 */

#define ANALYSIS_SENTENCE_BYTES 512
#define ANALYSIS_FINDINGS_MAX   40

/** What the upload is compared with; everything but the layout is copied. A member left zero says
 * that nothing is known or asked for there. */
struct analysis_rules {
    const struct aloft_layout *layout; /**< Of the product; constant data, kept. */
    const char *version;               /**< ROM version it is filed under; NULL = not compared. */
    const char *file_name;             /**< As uploaded: `ota.bin`. */
    const char *project_name;          /**< Expected in the descriptor; NULL = `esp-at`. */

    /* Row 16. */
    const char *current_version; /**< Of the product; NULL = not compared. The version it is filed
                                    under (or else the image's own) is a downgrade when its leading
                                    numbers are smaller. */
    bool refuses_downgrade;      /**< A downgrade is refused; otherwise a warning. */

    /* Row 17: chip revisions of the product's modules, major * 100 + minor. */
    bool has_revisions; /**< They are known; otherwise the layout's own builds tell. */
    uint16_t least_revision;
    uint16_t greatest_revision;

    /* Row 20. */
    bool requires_signature; /**< Modules have Secure Boot: refuse what is not signed by a trusted
                                key. Otherwise a signature is taken with a warning. */
    const uint8_t (*trusted_keys)[ALOFT_SHA256_BYTES]; /**< Key digests as burnt into the eFuses
                                                          (facts/esp-formats.md 1.8). */
    size_t n_trusted_keys;                             /**< 0 = none is trusted. */

    /* Row 34: where modules of this product call, and what they show. */
    const char *const *hosts; /**< Names or addresses of this server, as modules are given them. */
    size_t n_hosts;
    const char *const *tokens; /**< 40 hex digits each. */
    size_t n_tokens;           /**< 0 = not compared. */
};

enum analysis_verdict {
    ANALYSIS_PASS,
    ANALYSIS_WARNING, /**< Taken, but a person should read the sentence. */
    ANALYSIS_REFUSAL,
};

struct analysis_finding {
    unsigned row;     /**< Of the table in facts/esp-formats.md 7. */
    const char *code; /**< Stable word for programs: `OTA_WRONG_KIND`; constant text. On a pass, the
                         first code of the row. */
    enum analysis_verdict verdict;
    char sentence[ANALYSIS_SENTENCE_BYTES]; /**< What the file is and what to do; empty on a pass.
                                             */
};

struct analysis_report {
    enum analysis_verdict verdict; /**< The worst of all findings. */
    enum aloft_sniff_kind kind;
    uint64_t size_bytes;
    bool has_header;                /**< `header` is filled. */
    struct aloft_app_header header; /**< Of an app image. */
    bool has_desc;                  /**< `desc` is filled. */
    struct aloft_app_desc desc;
    bool has_app;       /**< It is a factory image whose app could be cut out: store the bytes from
                           `app_off` on as a file of its own and vet that. */
    uint64_t app_off;   /**< Bytes from the start of the file. */
    uint64_t app_bytes; /**< The app's exact length, with its signature if there is one. */
    struct analysis_finding findings[ANALYSIS_FINDINGS_MAX]; /**< In order of rows; rows behind a
                                                                refusal that need it passed are not
                                                                there. */
    size_t n_findings;
};

struct analysis;

/** Memory stays below 256 KiB for a firmware, and below that and the partition for a user
 * partition. @return Free with analysis_free(); NULL only when memory is out. */
struct analysis *analysis_new(const struct analysis_rules *rules);

/** Look at the next bytes, in order, in any portions. */
void analysis_feed(struct analysis *a, const void *buf, size_t len);

/** No more bytes come: judge. Call once. @return Borrowed from `a`. */
const struct analysis_report *analysis_finish(struct analysis *a);

void analysis_free(struct analysis *a);
void auto_analysis_free(struct analysis **a);
#define AUTO_ANALYSIS __attribute__((cleanup(auto_analysis_free))) struct analysis *

/** "pass", "warning", "refusal". */
const char *analysis_verdict_text(enum analysis_verdict verdict);

#endif
