/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz.h"

#include <string.h>

#include "aloft/bytes.h"
#include "aloft/packed_image.h"

/* Parsers: formats/src/packed_image.c */

/* Everything that has a meaning survives writing and reading. */
static void check_round_trip(const struct aloft_packed_header *h)
{
    struct aloft_packed_header again;
    uint8_t bytes[ALOFT_PACKED_V2_BYTES];
    size_t len = 0;

    MUST(aloft_packed_header_encode(h, bytes, &len) == ALOFT_ERR_OK);
    MUST(aloft_packed_header_parse(bytes, len, &again) == ALOFT_ERR_OK);
    MUST(again.version == h->version && again.compress_type == h->compress_type);
    MUST(again.delta_type == h->delta_type && again.encryption_type == h->encryption_type);
    MUST(strcmp(again.firmware_version, h->firmware_version) == 0);
    MUST(again.payload_bytes == h->payload_bytes && again.base_bytes == h->base_bytes);
    MUST(again.base_crc == h->base_crc);
    MUST(memcmp(again.payload_md5, h->payload_md5, sizeof h->payload_md5) == 0);
}

static void try_parse(const uint8_t *data, size_t size)
{
    struct aloft_packed_header h;

    if (aloft_packed_header_parse(data, size, &h) != ALOFT_ERR_OK) {
        return;
    }
    MUST(h.version >= 1 && h.version <= 3 && h.payload_off <= size);
    MUST(h.is_wrapped == (data[0] == 0xE9));
    MUST(memchr(h.firmware_version, '\0', sizeof h.firmware_version) != NULL);
    check_round_trip(&h);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t lengths[] = {ALOFT_PACKED_V1_BYTES, ALOFT_PACKED_V2_BYTES,
                                      ALOFT_PACKED_V3_BYTES};

    try_parse(data, size);
    /* A fuzzer does not guess a CRC: give it the right one, for each length a header can have. */
    for (size_t i = 0; i < sizeof lengths; i++) {
        size_t off = size > 0 && data[0] == 0xE9 ? ALOFT_PACKED_WRAP_BYTES : 0;
        size_t crc_off = off + lengths[i] - 4;
        if (size < crc_off + 4) {
            continue;
        }
        uint8_t *copy = malloc(size);
        MUST(copy != NULL);
        memcpy(copy, data, size);
        aloft_put_le32(copy + crc_off, aloft_crc32(0, copy + off, crc_off - off));
        try_parse(copy, size);
        free(copy);
    }
    return 0;
}
