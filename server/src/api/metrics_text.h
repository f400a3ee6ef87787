/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_SERVER_METRICS_TEXT_H
#define ALOFT_SERVER_METRICS_TEXT_H

#include <stdint.h>
#include <stdio.h>

/* The Prometheus text format 0.0.4: lines `# HELP`, `# TYPE`, then the samples of that family. */

#define METRICS_CONTENT_TYPE "text/plain; version=0.0.4; charset=utf-8"

/** Begin a family. `type` is `counter` or `gauge`; `help` is one line. */
void metrics_family(FILE *out, const char *name, const char *type, const char *help);

/** One label; the value may hold anything. */
struct metrics_label {
    const char *name;
    const char *value;
};

/** A sample of the family begun last. `labels` ends with an empty name; NULL = none. */
void metrics_sample(FILE *out, const char *name, const struct metrics_label *labels,
                    uint64_t value);

/** A family of one sample without labels. */
void metrics_single(FILE *out, const char *name, const char *type, const char *help,
                    uint64_t value);

#endif
