/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_VIRTUAL_FLASH_FILE_H
#define ALOFT_VIRTUAL_FLASH_FILE_H

#include <stddef.h>
#include <stdint.h>

#include "aloft/attr.h"
#include "aloft/layout.h"
#include "host/error.h"
#include "models/flash.h"

/*
 * A flash in a file, byte for byte. Each operation of the model is written through before the next
 * one begins, so a killed process leaves what the operations up to then made, as a power cut does.
 * To program a 0 to 1 ends the process: on the chip it would be silent corruption, so here it is
 * a defect of the caller.
 */

struct flash_file;

/**
 * Open and lock the file: two modules cannot share one.
 *
 * @param size_bytes      What its size must be.
 * @param ret_flash_file  Free with flash_file_close().
 * @retval ALOFT_ERR_BUSY     Another process has it.
 * @retval ALOFT_ERR_TOO_BIG  It has another size.
 */
ALOFT_MUST_CHECK
enum aloft_err flash_file_open(const char *path, uint32_t size_bytes,
                               struct flash_file **ret_flash_file, struct error *e);

void flash_file_close(struct flash_file *file);

/** Borrowed until flash_file_close(). */
struct flash *flash_file_model(struct flash_file *file);

/**
 * Make a factory-new flash file: appears under its name only when whole.
 *
 * @param app_path  The app image; it is vetted as the boot loader will.
 * @retval ALOFT_ERR_DUPLICATE  `path` exists; it was not touched.
 */
ALOFT_MUST_CHECK
enum aloft_err flash_file_make(const char *path, const struct aloft_layout *layout,
                               const char *app_path, struct error *e);

#endif
