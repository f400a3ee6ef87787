/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz.h"

#include <string.h>

#include "backup/manifest.h"

/* Parsers: server/src/backup/manifest.c */

/* The first byte says which files were found, the rest is the list. What compares as equal is, but
 * for the order, the list that is made of these files. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char hash[] = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    AUTO_MANIFEST found = {.files = NULL};
    static const char *const names[] = {
        "aloft.db", "key.pem",
        "blobs/01/0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"};

    if (size == 0) {
        return 0;
    }
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (data[0] >> i & 1) {
            MUST(manifest_add(&found, names[i], hash, NULL) == ALOFT_ERR_OK);
        }
    }
    const char *text = (const char *)data + 1;
    bool is_equal = manifest_compare(&found, text, size - 1, NULL) == ALOFT_ERR_OK;
    size_t len;
    char *own = manifest_format(&found, &len);
    MUST(own != NULL);
    MUST(manifest_compare(&found, own, len, NULL) == ALOFT_ERR_OK);
    MUST(!is_equal || len == size - 1);
    free(own);
    return 0;
}
