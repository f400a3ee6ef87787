/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_VIRTUAL_MEMORY_H
#define ALOFT_VIRTUAL_MEMORY_H

#include <stdbool.h>
#include <stdint.h>

/* Free memory as a process on Linux can honestly say it: what the system could still give without
 * swapping (MemAvailable of /proc/meminfo). */

/** Read MemAvailable in the text of /proc/meminfo, in bytes, at most UINT32_MAX.
 * @return False: it is not there (Linux before 3.14). */
bool memory_parse(const char *text, uint32_t *ret_bytes);

/** Of this machine, now. @return False: it cannot be known. */
bool memory_available(uint32_t *ret_bytes);

#endif
