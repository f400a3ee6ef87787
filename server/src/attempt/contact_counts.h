/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_ATTEMPT_CONTACT_COUNTS_H
#define ALOFT_ATTEMPT_CONTACT_COUNTS_H

#include "attempt/contact.h"

/*
 * How many contacts there were since the start. Each loop of the module plane has its own, which it
 * alone writes (a plain add); anybody may read them at any time.
 */

#define CONTACT_COUNT(name, is_failure, sentence) +1
#define N_CONTACT_OUTCOMES                        (0 CONTACT_OUTCOME_MAP(CONTACT_COUNT))
#define N_CONTACT_KINDS                           (CONTACT_OTHER + 1)

struct contact_counts {
    uint64_t n[N_CONTACT_KINDS][N_CONTACT_OUTCOMES];
    uint64_t sent_bytes; /**< Of files, handed to the kernel. */
    uint64_t acked_bytes;
};

/** By the one thread that owns `counts`. */
void contact_counts_note(struct contact_counts *counts, const struct contact *contact);

/** `*sum += *counts`; `counts` may be another thread's. */
void contact_counts_sum(struct contact_counts *sum, const struct contact_counts *counts);

#endif
