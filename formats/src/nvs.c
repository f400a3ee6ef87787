/* SPDX-License-Identifier: Apache-2.0 */
#include "aloft/nvs.h"

#include <string.h>

#include "aloft/bytes.h"

/* facts/esp-formats.md 6.1. */
#define PAGE_EMPTY     0xFFFFFFFFu
#define SEQUENCE_OFF   4u
#define VERSION_OFF    8u
#define HEADER_CRC_OFF 28u
#define STATES_OFF     32u
#define CRC_SEED       0xFFFFFFFFu
#define STATE_BITS     2u
#define STATE_EMPTY    3u
#define STATE_WRITTEN  2u
#define STATE_ERASED   0u
#define TYPE_OFF       1u
#define SPAN_OFF       2u
#define CRC_OFF        4u
#define KEY_OFF        8u
#define KEY_BYTES      16u
#define VALUE_OFF      24u
#define DATA_CRC_OFF   28u
#define TYPE_U8        0x01
#define TYPE_STRING    0x21

/* Active, full, and freeing: what a module takes over. A corrupt one (FFFFFFF0) is given up. */
static const uint32_t page_states[] = {0xFFFFFFFE, 0xFFFFFFFC, 0xFFFFFFF8};

/* All types; the ones with data behind their entry. */
static const struct type {
    uint8_t type;
    bool has_data;
} types[] = {{TYPE_U8, false}, {0x11, false},       {0x02, false}, {0x12, false},
             {0x04, false},    {0x14, false},       {0x08, false}, {0x18, false},
             {0x48, false},    {TYPE_STRING, true}, {0x41, true},  {0x42, true}};

static const struct type *find_type(uint8_t type)
{
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        if (types[i].type == type) {
            return &types[i];
        }
    }
    return NULL;
}

static enum aloft_nvs_fault with_numbers(struct aloft_nvs_report *r, enum aloft_nvs_fault fault,
                                         uint32_t found, uint32_t wanted)
{
    r->has_numbers = true;
    r->found = found;
    r->wanted = wanted;
    return fault;
}

static unsigned get_state(const uint8_t *page, size_t entry)
{
    return (page[STATES_OFF + entry / 4] >> (STATE_BITS * (entry % 4))) & 3u;
}

static bool is_page_state(uint32_t state)
{
    for (size_t i = 0; i < sizeof page_states / sizeof page_states[0]; i++) {
        if (page_states[i] == state) {
            return true;
        }
    }
    return false;
}

static bool is_blank(const uint8_t *page)
{
    return aloft_get_le32(page) == PAGE_EMPTY;
}

static enum aloft_nvs_fault check_header(const uint8_t *page, struct aloft_nvs_report *r)
{
    uint32_t state = aloft_get_le32(page);
    uint32_t crc = aloft_crc32(CRC_SEED, page + SEQUENCE_OFF, HEADER_CRC_OFF - SEQUENCE_OFF);
    uint32_t stored = aloft_get_le32(page + HEADER_CRC_OFF);

    if (!is_page_state(state)) {
        return with_numbers(r, ALOFT_NVS_PAGE_STATE, state, 0);
    }
    if (crc != stored) {
        return with_numbers(r, ALOFT_NVS_PAGE_CRC, stored, crc);
    }
    if (page[VERSION_OFF] != 0xFE && page[VERSION_OFF] != 0xFF) {
        return with_numbers(r, ALOFT_NVS_PAGE_VERSION, page[VERSION_OFF], 0);
    }
    return ALOFT_NVS_OK;
}

static enum aloft_nvs_fault check_sequence(const uint8_t *buf, size_t page,
                                           struct aloft_nvs_report *r)
{
    uint32_t sequence = aloft_get_le32(buf + page * ALOFT_NVS_PAGE_BYTES + SEQUENCE_OFF);

    for (size_t i = 0; i < page; i++) {
        const uint8_t *earlier = buf + i * ALOFT_NVS_PAGE_BYTES;
        if (!is_blank(earlier) && aloft_get_le32(earlier + SEQUENCE_OFF) == sequence) {
            return with_numbers(r, ALOFT_NVS_SEQUENCE, sequence, 0);
        }
    }
    return ALOFT_NVS_OK;
}

/* The CRC of an entry leaves itself out. */
static enum aloft_nvs_fault check_entry_crc(const uint8_t *e, struct aloft_nvs_report *r)
{
    uint32_t crc = aloft_crc32(CRC_SEED, e, CRC_OFF);
    uint32_t stored = aloft_get_le32(e + CRC_OFF);

    crc = aloft_crc32(crc, e + KEY_OFF, ALOFT_NVS_ENTRY_BYTES - KEY_OFF);
    return crc == stored ? ALOFT_NVS_OK : with_numbers(r, ALOFT_NVS_ENTRY_CRC, stored, crc);
}

/* What stands in the entry alone; only behind a right CRC does it mean anything. */
static enum aloft_nvs_fault check_fields(const uint8_t *e, struct aloft_nvs_report *r)
{
    if (!find_type(e[TYPE_OFF])) {
        return with_numbers(r, ALOFT_NVS_TYPE, e[TYPE_OFF], 0);
    }
    if (!memchr(e + KEY_OFF, 0, KEY_BYTES)) {
        return ALOFT_NVS_KEY;
    }
    uint8_t index = e[VALUE_OFF]; /* of the namespace that an entry of namespace 0 defines */
    if (e[0] == 0 && (e[TYPE_OFF] != TYPE_U8 || index == 0 || index > ALOFT_NVS_NAMESPACES)) {
        return with_numbers(r, ALOFT_NVS_NAMESPACE, index, 0);
    }
    return ALOFT_NVS_OK;
}

/* The entries an item takes are in its page, written, and as many as its data needs. */
static enum aloft_nvs_fault check_span(const uint8_t *page, size_t entry, const uint8_t *e,
                                       struct aloft_nvs_report *r)
{
    size_t size = find_type(e[TYPE_OFF])->has_data ? aloft_get_le16(e + VALUE_OFF) : 0;
    size_t wanted = 1 + (size + ALOFT_NVS_ENTRY_BYTES - 1) / ALOFT_NVS_ENTRY_BYTES;
    size_t span = e[SPAN_OFF];

    if (size > ALOFT_NVS_DATA_MAX) {
        return with_numbers(r, ALOFT_NVS_DATA_SIZE, (uint32_t)size, 0);
    }
    if (span != wanted || entry + span > ALOFT_NVS_ENTRIES) {
        return with_numbers(r, ALOFT_NVS_SPAN, (uint32_t)span, (uint32_t)wanted);
    }
    for (size_t i = entry; i < entry + span; i++) {
        if (get_state(page, i) != STATE_WRITTEN) {
            r->entry = i;
            return with_numbers(r, ALOFT_NVS_ENTRY_STATE, get_state(page, i), STATE_WRITTEN);
        }
    }
    return ALOFT_NVS_OK;
}

static enum aloft_nvs_fault check_data(const uint8_t *e, struct aloft_nvs_report *r)
{
    const uint8_t *data = e + ALOFT_NVS_ENTRY_BYTES;
    size_t size = aloft_get_le16(e + VALUE_OFF);

    if (!find_type(e[TYPE_OFF])->has_data) {
        return ALOFT_NVS_OK;
    }
    uint32_t crc = aloft_crc32(CRC_SEED, data, size);
    uint32_t stored = aloft_get_le32(e + DATA_CRC_OFF);
    if (crc != stored) {
        return with_numbers(r, ALOFT_NVS_DATA_CRC, stored, crc);
    }
    if (e[TYPE_OFF] == TYPE_STRING && (size == 0 || data[size - 1] != 0)) {
        return with_numbers(r, ALOFT_NVS_DATA_SIZE, (uint32_t)size, 0);
    }
    return ALOFT_NVS_OK;
}

static enum aloft_nvs_fault check_item(const uint8_t *page, size_t entry,
                                       struct aloft_nvs_report *r)
{
    const uint8_t *e = page + ALOFT_NVS_ENTRY_OFF + entry * ALOFT_NVS_ENTRY_BYTES;
    enum aloft_nvs_fault fault = check_entry_crc(e, r);

    if (fault != ALOFT_NVS_OK) {
        return fault;
    }
    aloft_get_text(e + KEY_OFF, KEY_BYTES, r->key, sizeof r->key);
    fault = check_fields(e, r);
    if (fault == ALOFT_NVS_OK) {
        fault = check_span(page, entry, e, r);
    }
    return fault == ALOFT_NVS_OK ? check_data(e, r) : fault;
}

static enum aloft_nvs_fault check_entries(const uint8_t *page, struct aloft_nvs_report *r)
{
    size_t n;

    for (size_t entry = 0; entry < ALOFT_NVS_ENTRIES; entry += n) {
        unsigned state = get_state(page, entry);
        n = 1;
        r->entry = entry;
        if (state == STATE_WRITTEN) {
            enum aloft_nvs_fault fault = check_item(page, entry, r);
            if (fault != ALOFT_NVS_OK) {
                return fault;
            }
            n = page[ALOFT_NVS_ENTRY_OFF + entry * ALOFT_NVS_ENTRY_BYTES + SPAN_OFF];
            r->n_items++;
            r->key[0] = '\0';
        } else if (state != STATE_EMPTY && state != STATE_ERASED) {
            return with_numbers(r, ALOFT_NVS_ENTRY_STATE, state, 0);
        }
    }
    return ALOFT_NVS_OK;
}

static enum aloft_nvs_fault check_page(const uint8_t *buf, size_t page, struct aloft_nvs_report *r)
{
    const uint8_t *p = buf + page * ALOFT_NVS_PAGE_BYTES;

    r->page = page;
    if (is_blank(p)) {
        r->n_blank_pages++;
        return aloft_bytes_are(p, ALOFT_NVS_PAGE_BYTES, 0xFF) ? ALOFT_NVS_OK : ALOFT_NVS_PAGE_DIRTY;
    }
    enum aloft_nvs_fault fault = check_header(p, r);
    if (fault == ALOFT_NVS_OK) {
        fault = check_sequence(buf, page, r);
    }
    return fault == ALOFT_NVS_OK ? check_entries(p, r) : fault;
}

static enum aloft_nvs_fault check_pages(const uint8_t *buf, size_t len, struct aloft_nvs_report *r)
{
    enum aloft_nvs_fault fault = ALOFT_NVS_OK;

    if (len == 0 || len % ALOFT_NVS_PAGE_BYTES != 0) {
        return ALOFT_NVS_SIZE;
    }
    for (size_t i = 0; i < len / ALOFT_NVS_PAGE_BYTES && fault == ALOFT_NVS_OK; i++) {
        fault = check_page(buf, i, r);
    }
    if (fault == ALOFT_NVS_OK && r->n_blank_pages == 0) {
        fault = ALOFT_NVS_NO_BLANK;
    }
    return fault;
}

enum aloft_nvs_fault aloft_nvs_check(const uint8_t *buf, size_t len,
                                     struct aloft_nvs_report *ret_report)
{
    memset(ret_report, 0, sizeof *ret_report);
    ret_report->fault = check_pages(buf, len, ret_report);
    return ret_report->fault;
}

enum aloft_nvs_place aloft_nvs_fault_place(enum aloft_nvs_fault fault)
{
    switch (fault) {
#define NVS_PLACE(name, place, text)                                                               \
    case ALOFT_NVS_##name:                                                                         \
        return ALOFT_NVS_IN_##place;
        ALOFT_NVS_FAULT_MAP(NVS_PLACE)
#undef NVS_PLACE
    }
    return ALOFT_NVS_IN_FILE;
}

const char *aloft_nvs_fault_text(enum aloft_nvs_fault fault)
{
    switch (fault) {
#define NVS_TEXT(name, place, text)                                                                \
    case ALOFT_NVS_##name:                                                                         \
        return text;
        ALOFT_NVS_FAULT_MAP(NVS_TEXT)
#undef NVS_TEXT
    }
    return "is unknown";
}
