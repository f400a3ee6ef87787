/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_NVS_H
#define ALOFT_NVS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "aloft/attr.h"

/*
 * NVS partitions (facts/esp-formats.md 6.1): pages of one sector, each with a header, a map of
 * entry states, and 126 entries of 32 bytes. This reader only judges: is every page and every item
 * whole?
 */

#define ALOFT_NVS_PAGE_BYTES  4096u
#define ALOFT_NVS_ENTRIES     126u /**< Of a page. */
#define ALOFT_NVS_ENTRY_BYTES 32u
#define ALOFT_NVS_ENTRY_OFF   64u /**< First entry of a page; header and map stand before it. */
#define ALOFT_NVS_DATA_MAX    4000u
#define ALOFT_NVS_KEY_MAX     15 /**< Bytes of a key, without its NUL. */
#define ALOFT_NVS_NAMESPACES  254

/** How far into the file a fault is known to be. */
enum aloft_nvs_place { ALOFT_NVS_IN_FILE, ALOFT_NVS_IN_PAGE, ALOFT_NVS_IN_ENTRY };

/** Enumerator, place, words for people that continue "in this file …", "page 2 …", "entry 7 of page
 * 2 …". */
/* clang-format off */
#define ALOFT_NVS_FAULT_MAP(X)                                                                     \
    X(OK,          FILE,  "is whole")                                                              \
    X(SIZE,        FILE,  "is not one or more whole pages of 4096 bytes")                          \
    X(NO_BLANK,    FILE,  "has no blank page, and a module needs one to write to it")              \
    X(PAGE_STATE,  PAGE,  "has a state that no whole page has")                                    \
    X(PAGE_VERSION, PAGE, "is of an unknown format version")                                       \
    X(PAGE_CRC,    PAGE,  "has a header whose CRC is wrong")                                       \
    X(PAGE_DIRTY,  PAGE,  "says it is blank, but is not")                                          \
    X(SEQUENCE,    PAGE,  "has the sequence number of an earlier page")                            \
    X(ENTRY_STATE, ENTRY, "has a state that no entry has")                                         \
    X(ENTRY_CRC,   ENTRY, "has a wrong CRC")                                                       \
    X(TYPE,        ENTRY, "is of an unknown type")                                                 \
    X(KEY,         ENTRY, "has a key without end")                                                 \
    X(NAMESPACE,   ENTRY, "defines a namespace that cannot be")                                    \
    X(SPAN,        ENTRY, "has a number of entries that does not fit its page, type or length")    \
    X(DATA_SIZE,   ENTRY, "has more data than an item may have, or text without end")              \
    X(DATA_CRC,    ENTRY, "has data whose CRC is wrong")
/* clang-format on */

enum aloft_nvs_fault {
#define ALOFT_NVS_ENUM(name, place, text) ALOFT_NVS_##name,
    ALOFT_NVS_FAULT_MAP(ALOFT_NVS_ENUM)
#undef ALOFT_NVS_ENUM
};

struct aloft_nvs_report {
    enum aloft_nvs_fault fault;      /**< The first one found, in order of pages and entries. */
    size_t page;                     /**< Where: from 0; valid by the fault's place. */
    size_t entry;                    /**< Likewise. */
    char key[ALOFT_NVS_KEY_MAX + 1]; /**< Of the item at fault, bytes as found; "" if not known. */
    uint32_t found;   /**< State, version, CRC or number found; what is named in `wanted`. */
    uint32_t wanted;  /**< The CRC worked out; 0 where there is nothing to compare. */
    bool has_numbers; /**< `found` says something. */
    size_t n_blank_pages;
    size_t n_items; /**< Whole items seen, namespaces included. */
};

/**
 * Judge a whole partition file.
 *
 * @param buf  All of it; not kept.
 * @return The same as `ret_report->fault`; ALOFT_NVS_OK if nothing is wrong. The report is filled
 * in every case.
 */
ALOFT_MUST_CHECK
enum aloft_nvs_fault aloft_nvs_check(const uint8_t *buf, size_t len,
                                     struct aloft_nvs_report *ret_report);

enum aloft_nvs_place aloft_nvs_fault_place(enum aloft_nvs_fault fault);

/** Words for people, see ALOFT_NVS_FAULT_MAP; never NULL. */
const char *aloft_nvs_fault_text(enum aloft_nvs_fault fault);

#endif
