/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz.h"

#include <string.h>

#include "aloft/pem.h"

/* Parsers: formats/src/pem.c */

/* What is taken has a whole certificate in it, and stays good with itself behind it. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char end_line[] = "\n-----END CERTIFICATE-----";
    const char *text = (const char *)data;

    if (!aloft_pem_is_certificates(text, size)) {
        return 0;
    }
    MUST(memchr(data, '\0', size) == NULL);
    MUST(memmem(data, size, end_line, strlen(end_line)) != NULL);
    char *twice = malloc(2 * size + 1);
    MUST(twice != NULL);
    memcpy(twice, data, size);
    twice[size] = '\n';
    memcpy(twice + size + 1, data, size);
    MUST(aloft_pem_is_certificates(twice, 2 * size + 1));
    free(twice);
    return 0;
}
