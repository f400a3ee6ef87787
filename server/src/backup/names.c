/* SPDX-License-Identifier: Apache-2.0 */
#include "backup/names.h"

#include <stddef.h>

const char *const backup_names[] = {
    DATA_DIR_DATABASE_FILE, SETTINGS_FILE_NAME, DATA_DIR_CERTIFICATE_FILE, DATA_DIR_KEY_FILE, NULL,
};
