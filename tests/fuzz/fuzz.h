/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_TESTS_FUZZ_H
#define ALOFT_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

/** One input. Called by libFuzzer, and by replay.c with each file of the corpus. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/** A promise of the code under test; a broken one ends the run, also without sanitizers. */
#define MUST(condition)                                                                            \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

#endif
