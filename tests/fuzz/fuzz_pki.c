/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz.h"

#include "aloft/pki.h"

/* Parsers: formats/src/pki.c */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct aloft_pki_report r;

    MUST(aloft_pki_check(data, size, &r) == r.fault);
    MUST(aloft_pki_fault_text(r.fault) != NULL);
    MUST(r.off <= size);
    if (r.fault == ALOFT_PKI_OK) {
        MUST(r.n_seen == r.n_items && r.size_bytes <= size && r.off == r.size_bytes);
        MUST(r.n_seen * ALOFT_PKI_ITEM_BYTES + ALOFT_PKI_HEADER_BYTES <= size);
    }
    return 0;
}
