/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_TESTS_TEMP_DIR_H
#define ALOFT_TESTS_TEMP_DIR_H

/* A fresh folder under TMPDIR for one unit test, removed afterwards. */

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>

static inline int temp_dir_remove_one(const char *path, const struct stat *st, int flag,
                                      struct FTW *ftw)
{
    (void)st;
    (void)flag;
    (void)ftw;
    return remove(path);
}

/** `path` holds 256 bytes; 0 on success. */
static inline int temp_dir_make(char path[256])
{
    const char *base = getenv("TMPDIR");

    (void)snprintf(path, 256, "%s/aloft-test-XXXXXX", base ? base : "/tmp");
    return mkdtemp(path) ? 0 : -1;
}

static inline void temp_dir_remove(const char *path)
{
    (void)nftw(path, temp_dir_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

#endif
