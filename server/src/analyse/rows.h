/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_SERVER_ANALYSE_ROWS_H
#define ALOFT_SERVER_ANALYSE_ROWS_H

#include "analyse/analyse.h"

/* Private to analyse: what was seen of the upload, and the rows that judge an app image. */

#define SIGNATURE_BLOCK_BYTES 1216u /* facts/esp-formats.md 1.8. */

/** What stands behind the image: nothing, filling, or a signature sector. */
struct tail {
    uint64_t len;
    bool is_all_ff;
    bool is_gap_ff; /**< Up to the signature sector. */
    uint8_t block[SIGNATURE_BLOCK_BYTES];
    size_t block_len;
};

struct subject {
    const struct aloft_layout *layout;
    const struct aloft_chip *chip; /**< Of the layout. */
    const char *version;           /**< NULL = not compared. */
    const char *project_name;
    struct aloft_app_image image;
    struct tail tail;
    uint64_t size_bytes;
    struct analysis_report *report;
};

/** Add a finding; `format` NULL = a pass. */
__attribute__((format(printf, 5, 6))) void add_finding(struct subject *s, unsigned row,
                                                       const char *code,
                                                       enum analysis_verdict verdict,
                                                       const char *format, ...);

/** Copy text from outside, unprintable bytes as `?`: sentences go to logs and terminals. */
void copy_printable(const char *text, char *out, size_t cap);

/** Judge an app image (rows 1 to 19), up to the first refusal that hides what follows. */
void judge_rows(struct subject *s);

#endif
