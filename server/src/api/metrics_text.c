/* SPDX-License-Identifier: Apache-2.0 */
#include "api/metrics_text.h"

#include <inttypes.h>

void metrics_family(FILE *out, const char *name, const char *type, const char *help)
{
    (void)fprintf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void put_value(FILE *out, const char *value)
{
    for (; *value; value++) {
        if (*value == '\n') {
            (void)fputs("\\n", out);
            continue;
        }
        if (*value == '"' || *value == '\\') {
            (void)fputc('\\', out);
        }
        (void)fputc(*value, out);
    }
}

void metrics_sample(FILE *out, const char *name, const struct metrics_label *labels, uint64_t value)
{
    char before = '{';

    (void)fputs(name, out);
    for (; labels && labels->name; labels++) {
        (void)fprintf(out, "%c%s=\"", before, labels->name);
        put_value(out, labels->value);
        (void)fputc('"', out);
        before = ',';
    }
    (void)fprintf(out, "%s %" PRIu64 "\n", before == ',' ? "}" : "", value);
}

void metrics_single(FILE *out, const char *name, const char *type, const char *help, uint64_t value)
{
    metrics_family(out, name, type, help);
    metrics_sample(out, name, NULL, value);
}
