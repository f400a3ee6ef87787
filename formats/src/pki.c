/* SPDX-License-Identifier: Apache-2.0 */
#include "aloft/pki.h"

#include <stdbool.h>
#include <string.h>

#include "aloft/bytes.h"

/* facts/esp-formats.md 6.2. */
#define MAGIC           0xF1F1
#define COUNT_OFF       2u
#define TOTAL_OFF       4u
#define ITEM_LENGTH_OFF 2u
#define ALIGNMENT       4u

/* Walk over the items; all of them end where the header says. */
static enum aloft_pki_fault walk_items(const uint8_t *buf, size_t end, struct aloft_pki_report *r)
{
    size_t off = ALOFT_PKI_HEADER_BYTES;

    while (off < end) {
        r->off = off;
        if (end - off < ALOFT_PKI_ITEM_BYTES) {
            return ALOFT_PKI_ITEM;
        }
        size_t size = ALOFT_PKI_ITEM_BYTES + aloft_get_le16(buf + off + ITEM_LENGTH_OFF);
        size = (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
        if (size > end - off) {
            return ALOFT_PKI_ITEM;
        }
        off += size;
        r->n_seen++;
    }
    r->off = end;
    return r->n_seen == r->n_items ? ALOFT_PKI_OK : ALOFT_PKI_COUNT;
}

static enum aloft_pki_fault check(const uint8_t *buf, size_t len, struct aloft_pki_report *r)
{
    bool has_magic = len >= 2 && aloft_get_le16(buf) == MAGIC;

    if (!has_magic) {
        return ALOFT_PKI_MAGIC;
    }
    if (len < ALOFT_PKI_HEADER_BYTES) {
        return ALOFT_PKI_HEADER;
    }
    r->n_items = aloft_get_le16(buf + COUNT_OFF);
    r->size_bytes = (uint64_t)ALOFT_PKI_HEADER_BYTES + aloft_get_le32(buf + TOTAL_OFF);
    if (r->size_bytes > len) {
        r->off = len;
        return ALOFT_PKI_TRUNCATED;
    }
    size_t end = (size_t)r->size_bytes;
    enum aloft_pki_fault fault = walk_items(buf, end, r);
    if (fault == ALOFT_PKI_OK && !aloft_bytes_are(buf + end, len - end, 0xFF)) {
        fault = ALOFT_PKI_TRAILING;
    }
    return fault;
}

enum aloft_pki_fault aloft_pki_check(const uint8_t *buf, size_t len,
                                     struct aloft_pki_report *ret_report)
{
    memset(ret_report, 0, sizeof *ret_report);
    ret_report->fault = check(buf, len, ret_report);
    return ret_report->fault;
}

const char *aloft_pki_fault_text(enum aloft_pki_fault fault)
{
    switch (fault) {
#define PKI_TEXT(name, text)                                                                       \
    case ALOFT_PKI_##name:                                                                         \
        return text;
        ALOFT_PKI_FAULT_MAP(PKI_TEXT)
#undef PKI_TEXT
    }
    return "is unknown";
}
