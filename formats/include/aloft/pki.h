/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_PKI_H
#define ALOFT_PKI_H

#include <stddef.h>
#include <stdint.h>

#include "aloft/attr.h"

/*
 * PKI partitions of AT up to v3.0: certificates, keys and CAs of one role in a container
 * (facts/esp-formats.md 6.2). What is in an item, PEM or DER, is not read, and neither is its type:
 * the vendor's own releases tag CAs and keys as certificates.
 */

#define ALOFT_PKI_HEADER_BYTES 8u
#define ALOFT_PKI_ITEM_BYTES   4u /**< Head of an item. */

/** Enumerator, words for people that continue "this container …". */
/* clang-format off */
#define ALOFT_PKI_FAULT_MAP(X)                                                          \
    X(OK,        "is whole")                                                            \
    X(MAGIC,     "does not begin with f1f1")                                            \
    X(HEADER,    "ends inside its header of 8 bytes")                                   \
    X(TRUNCATED, "is cut short: its items are longer than the file")                    \
    X(TRAILING,  "is followed by bytes that are no filling")                            \
    X(ITEM,      "has an item that is longer than the container says all of them are")  \
    X(COUNT,     "has another number of items than it says")
/* clang-format on */

enum aloft_pki_fault {
#define ALOFT_PKI_ENUM(name, text) ALOFT_PKI_##name,
    ALOFT_PKI_FAULT_MAP(ALOFT_PKI_ENUM)
#undef ALOFT_PKI_ENUM
};

struct aloft_pki_report {
    enum aloft_pki_fault fault;
    size_t off;          /**< Where: bytes from the start of the file. */
    uint16_t n_items;    /**< As the header says. */
    size_t n_seen;       /**< Whole items walked over. */
    uint64_t size_bytes; /**< Header and items as the header says; 0 without a whole header. */
};

/**
 * Judge a whole file. Behind the container only FF may stand.
 *
 * @param buf  All of it; not kept.
 * @return The same as `ret_report->fault`; ALOFT_PKI_OK if nothing is wrong. The report is filled
 * in every case.
 */
ALOFT_MUST_CHECK
enum aloft_pki_fault aloft_pki_check(const uint8_t *buf, size_t len,
                                     struct aloft_pki_report *ret_report);

/** Words for people, see ALOFT_PKI_FAULT_MAP; never NULL. */
const char *aloft_pki_fault_text(enum aloft_pki_fault fault);

#endif
