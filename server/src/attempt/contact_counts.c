/* SPDX-License-Identifier: Apache-2.0 */
#include "attempt/contact_counts.h"

/* Load and store, no locked instruction: there is one writer. */
static void add(uint64_t *count, uint64_t n)
{
    __atomic_store_n(count, __atomic_load_n(count, __ATOMIC_RELAXED) + n, __ATOMIC_RELAXED);
}

void contact_counts_note(struct contact_counts *counts, const struct contact *contact)
{
    add(&counts->n[contact->kind][contact->outcome], 1);
    add(&counts->sent_bytes, contact->sent_bytes);
    add(&counts->acked_bytes, contact->acked_bytes);
}

void contact_counts_sum(struct contact_counts *sum, const struct contact_counts *counts)
{
    for (size_t kind = 0; kind < N_CONTACT_KINDS; kind++) {
        for (size_t outcome = 0; outcome < N_CONTACT_OUTCOMES; outcome++) {
            sum->n[kind][outcome] += __atomic_load_n(&counts->n[kind][outcome], __ATOMIC_RELAXED);
        }
    }
    sum->sent_bytes += __atomic_load_n(&counts->sent_bytes, __ATOMIC_RELAXED);
    sum->acked_bytes += __atomic_load_n(&counts->acked_bytes, __ATOMIC_RELAXED);
}
