/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_HOST_AUTO_H
#define ALOFT_HOST_AUTO_H

/* Scope-bound cleanup (gnu17). Destructors accept NULL, and -1 for descriptors. */

void auto_free(void *p);
void auto_close(int *fd);
void auto_fclose(void *p);

#define AUTO_FREE __attribute__((cleanup(auto_free)))
#define AUTO_FD   __attribute__((cleanup(auto_close)))
#define AUTO_FILE __attribute__((cleanup(auto_fclose))) FILE *

/** Hand a scope-bound pointer on: yields it and leaves NULL behind. */
#define STEAL(p)                                                                                   \
    __extension__({                                                                                \
        __typeof__(p) steal_value_ = (p);                                                          \
        (p) = NULL;                                                                                \
        steal_value_;                                                                              \
    })

/** The same for a descriptor; leaves -1 behind. */
#define STEAL_FD(fd)                                                                               \
    __extension__({                                                                                \
        int steal_value_ = (fd);                                                                   \
        (fd) = -1;                                                                                 \
        steal_value_;                                                                              \
    })

#endif
