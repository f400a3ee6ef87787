/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_VIRTUAL_EFUSE_FILE_H
#define ALOFT_VIRTUAL_EFUSE_FILE_H

#include <stdbool.h>

#include "aloft/attr.h"
#include "aloft/chip.h"
#include "host/error.h"
#include "models/efuse.h"

/*
 * The eFuse in FILE.efuse beside the flash file: one line, `secure_version_bits=0000000f`. A device
 * that has the file has a boot loader with anti-rollback. Each burn replaces the file before it
 * counts, so a killed process leaves the old or the new bits.
 */

struct efuse_file;

/**
 * @param is_wanted  Make the file if there is none: no bit is burnt.
 * @param ret_file   NULL = there is none. Free with efuse_file_close().
 * @retval ALOFT_ERR_SYNTAX  It is not one of ours, or of a chip with a wider field.
 */
ALOFT_MUST_CHECK
enum aloft_err efuse_file_open(const char *path, bool is_wanted, const struct aloft_chip *chip,
                               struct efuse_file **ret_file, struct error *e);

/** NULL is ignored. */
void efuse_file_close(struct efuse_file *file);

/** Borrowed until efuse_file_close(); NULL of NULL. */
struct efuse *efuse_file_model(struct efuse_file *file);

#endif
