/* SPDX-License-Identifier: Apache-2.0 */
#include "analyse/version.h"

#include <string.h>

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static const char *skip_letter(const char *version)
{
    return *version == 'v' || *version == 'V' ? version + 1 : version;
}

/* Compare by length and digits, so that no number is too large. @return The text behind both. */
static int compare_number(const char **a, const char **b)
{
    const char *starts[2];
    size_t lens[2];
    const char **texts[2] = {a, b};

    for (size_t i = 0; i < 2; i++) {
        starts[i] = *texts[i] + strspn(*texts[i], "0");
        lens[i] = strspn(starts[i], "0123456789");
        *texts[i] = starts[i] + lens[i];
        bool goes_on = **texts[i] == '.' && is_digit((*texts[i])[1]);
        *texts[i] += goes_on ? 1 : 0;
    }
    if (lens[0] != lens[1]) {
        return lens[0] < lens[1] ? -1 : 1;
    }
    return memcmp(starts[0], starts[1], lens[0]);
}

bool is_older_version(const char *version, const char *other)
{
    const char *a = skip_letter(version);
    const char *b = skip_letter(other);
    int order = 0;

    if (!is_digit(*a) || !is_digit(*b)) {
        return false;
    }
    while (order == 0 && (is_digit(*a) || is_digit(*b))) {
        order = compare_number(&a, &b);
    }
    return order < 0;
}
