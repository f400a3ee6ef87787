/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_SERVER_BACKUP_NAMES_H
#define ALOFT_SERVER_BACKUP_NAMES_H

#include "serve/data_dir.h"
#include "serve/settings.h"

/** The files of a data folder that a backup takes besides the blobs, the database first; ends with
 * NULL. All but the database may be missing. */
extern const char *const backup_names[];

#endif
