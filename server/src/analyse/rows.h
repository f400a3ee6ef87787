/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_SERVER_ANALYSE_ROWS_H
#define ALOFT_SERVER_ANALYSE_ROWS_H

#include "analyse/analyse.h"
#include "analyse/home.h"
#include "analyse/tail.h"

/* Private to analyse: what was seen of the upload, and the rows that judge it. */

/** An upload, or the image inside a packed one. */
struct subject {
    const struct aloft_layout *layout;
    const struct aloft_chip *chip;      /**< Of the layout. */
    const struct analysis_rules *rules; /**< All its texts are printable copies. */
    uint64_t size_bytes;                /**< Of the file. */

    struct aloft_app_image image; /**< The app; of a packed upload the inner one. */
    struct aloft_hash *sha256;    /**< For `image`. */
    bool is_inner;                /**< The rows now speak of an image inside a package. */
    uint8_t image_head[ALOFT_APP_PREFIX_BYTES];
    uint64_t image_bytes; /**< Seen of it, with what stands behind. */
    struct home_scan home;
    struct tail tail;      /**< Behind the image, or behind the package. */
    struct packed *packed; /**< NULL = the layout takes no packed images. */

    struct analysis_report *report;
};

struct row;
struct packed;

typedef void row_judge(struct subject *s, const struct row *row);

struct row {
    unsigned number; /**< Of the table in facts/esp-formats.md 7. */
    const char *code;
    row_judge *judge; /**< Adds a finding, or none if the row does not apply. */
    bool is_alone;    /**< Its refusal says nothing about the rows that follow. */
};

/** Judge row after row, up to the first refusal that hides what follows. @return False if one did.
 */
bool judge_rows(struct subject *s, const struct row *rows, size_t n_rows);

/** Add a finding; `format` NULL = a pass. */
__attribute__((format(printf, 5, 6))) void add_finding(struct subject *s, unsigned row,
                                                       const char *code,
                                                       enum analysis_verdict verdict,
                                                       const char *format, ...);

#define REFUSE(s, code, ...) add_finding(s, row->number, code, ANALYSIS_REFUSAL, __VA_ARGS__)
#define WARN(s, code, ...)   add_finding(s, row->number, code, ANALYSIS_WARNING, __VA_ARGS__)

void pass(struct subject *s, const struct row *row);

/** Copy text from outside, unprintable bytes as `?`: sentences go to logs and terminals. */
void copy_printable(const char *text, char *out, size_t cap);

#define REMEDY_FRESH "build or download it again"

/** Begin to read an image. */
void restart_image(struct subject *s);

/** The next bytes of the image; those behind its end are only counted. */
void feed_image(struct subject *s, const uint8_t *buf, size_t len);

/** Likewise, and look at what stands behind. */
void feed_plain(struct subject *s, const uint8_t *buf, size_t len);

/** Rows 5 to 18: the image. @return False if a refusal hides what follows. */
bool judge_image(struct subject *s);

/** Row 19: what stands behind a plain image. @return False if a refusal hides what follows. */
bool judge_trailing(struct subject *s);

/** Row 20. */
void judge_signature(struct subject *s);

/** Behind the image or the package stands a signature sector, and nothing says that it is junk. */
bool has_readable_signature(const struct subject *s);

/** Row 34. */
void judge_home(struct subject *s);

/** The sentence about an image of another chip, with the remedy. */
void refuse_chip(struct subject *s, unsigned row, const char *what, uint16_t chip_id);

#endif
