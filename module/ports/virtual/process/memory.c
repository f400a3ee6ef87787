/* SPDX-License-Identifier: Apache-2.0 */
#include "process/memory.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/auto.h"

#define TEXT_BYTES 2048 /* MemAvailable is its third line */
#define KIB        1024

bool memory_parse(const char *text, uint32_t *ret_bytes)
{
    static const char name[] = "\nMemAvailable:";
    const char *found = strstr(text, name);
    char *end;

    if (!found) {
        return false;
    }
    unsigned long long kib = strtoull(found + sizeof name - 1, &end, 10);
    if (strncmp(end, " kB", 3) != 0) {
        return false;
    }
    /* A host MCU may read the number into a signed one. */
    *ret_bytes = kib <= INT32_MAX / KIB ? (uint32_t)kib * KIB : INT32_MAX;
    return true;
}

bool memory_available(uint32_t *ret_bytes)
{
    char text[TEXT_BYTES];
    AUTO_FD int fd = open("/proc/meminfo", O_RDONLY | O_CLOEXEC);

    if (fd < 0) {
        return false;
    }
    ssize_t n = read(fd, text, sizeof text - 1);
    if (n <= 0) {
        return false;
    }
    text[n] = '\0';
    return memory_parse(text, ret_bytes);
}
