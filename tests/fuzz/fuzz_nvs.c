/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz.h"

#include <string.h>

#include "aloft/bytes.h"
#include "aloft/nvs.h"

/* Parsers: formats/src/nvs.c */

#define SEED 0xFFFFFFFFu

static void check(const uint8_t *buf, size_t len)
{
    struct aloft_nvs_report r;

    MUST(aloft_nvs_check(buf, len, &r) == r.fault);
    MUST(aloft_nvs_fault_text(r.fault) != NULL);
    MUST(memchr(r.key, '\0', sizeof r.key) != NULL);
    if (aloft_nvs_fault_place(r.fault) != ALOFT_NVS_IN_FILE) {
        MUST(r.page < len / ALOFT_NVS_PAGE_BYTES && r.entry < ALOFT_NVS_ENTRIES);
    }
    if (r.fault == ALOFT_NVS_OK) {
        MUST(len % ALOFT_NVS_PAGE_BYTES == 0 && r.n_blank_pages > 0);
        MUST(r.n_items <= len / ALOFT_NVS_PAGE_BYTES * ALOFT_NVS_ENTRIES);
    }
}

/* A fuzzer does not guess a CRC: give pages and entries the right one. */
static void seal(uint8_t *buf, size_t len)
{
    for (size_t off = 0; off + ALOFT_NVS_PAGE_BYTES <= len; off += ALOFT_NVS_PAGE_BYTES) {
        uint8_t *page = buf + off;
        if (aloft_get_le32(page) != 0xFFFFFFFF) {
            aloft_put_le32(page + 28, aloft_crc32(SEED, page + 4, 24));
        }
        for (size_t i = 0; i < ALOFT_NVS_ENTRIES; i++) {
            uint8_t *e = page + ALOFT_NVS_ENTRY_OFF + i * ALOFT_NVS_ENTRY_BYTES;
            size_t size = aloft_get_le16(e + 24);
            size_t room = (ALOFT_NVS_ENTRIES - 1 - i) * ALOFT_NVS_ENTRY_BYTES;
            if (((page[32 + i / 4] >> (2 * (i % 4))) & 3) != 2) {
                continue;
            }
            if ((e[1] == 0x21 || (e[1] & 0xFC) == 0x40) && size <= room && (e[0] & 0x80) == 0) {
                aloft_put_le32(e + 28, aloft_crc32(SEED, e + ALOFT_NVS_ENTRY_BYTES, size));
            }
            aloft_put_le32(e + 4, aloft_crc32(aloft_crc32(SEED, e, 4), e + 8, 24));
            i += e[2] > 0 ? e[2] - 1u : 0;
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t len = (size + ALOFT_NVS_PAGE_BYTES - 1) / ALOFT_NVS_PAGE_BYTES * ALOFT_NVS_PAGE_BYTES;
    uint8_t *copy = malloc(len + ALOFT_NVS_PAGE_BYTES);

    MUST(copy != NULL);
    check(data, size);
    /* The same filled to whole pages, with a blank one behind. */
    memset(copy, 0xFF, len + ALOFT_NVS_PAGE_BYTES);
    memcpy(copy, data, size);
    check(copy, len + ALOFT_NVS_PAGE_BYTES);
    seal(copy, len);
    check(copy, len + ALOFT_NVS_PAGE_BYTES);
    free(copy);
    return 0;
}
