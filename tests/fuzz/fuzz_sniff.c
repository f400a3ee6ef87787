/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz.h"

#include <string.h>

#include "aloft/bytes.h"
#include "aloft/sniff.h"

/* Parsers: formats/src/sniff.c */

/*
 * The first two bytes are an offset. 0: the rest is the file. Otherwise the second half of the rest
 * stands there, behind FF: so small inputs reach a partition table at 0x8000.
 */
static size_t make_file(const uint8_t *data, size_t size, uint8_t *file)
{
    size_t off = aloft_get_le16(data);
    size_t half = (size - 2) / 2;

    memset(file, 0xFF, ALOFT_SNIFF_BYTES);
    if (half > off || off + half > ALOFT_SNIFF_BYTES) {
        return 0;
    }
    memcpy(file, data + 2, half);
    memcpy(file + off, data + 2 + half, half);
    return off + half;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t file[ALOFT_SNIFF_BYTES];

    if (size < 2) {
        return 0;
    }
    enum aloft_sniff_kind kind;
    if (aloft_get_le16(data) == 0) {
        size_t len = size - 2 < ALOFT_SNIFF_BYTES ? size - 2 : ALOFT_SNIFF_BYTES;
        kind = aloft_sniff(data + 2, len);
        MUST((kind == ALOFT_SNIFF_EMPTY) == (len == 0));
        MUST(kind != ALOFT_SNIFF_APP || data[2] == 0xE9);
    } else {
        kind = aloft_sniff(file, make_file(data, size, file));
    }
    MUST(strlen(aloft_sniff_text(kind)) > 0);
    return 0;
}
