/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_SERVER_DATA_DIR_H
#define ALOFT_SERVER_DATA_DIR_H

#include "blob/blobs.h"
#include "store/db.h"
#include "store/invitations.h"

/* The folder that holds all a server knows: aloft.db, blobs/, cert.pem, key.pem, and
 * setup-code until the first account is there. */

#define DATA_DIR_SETUP_FILE       "setup-code"
#define DATA_DIR_DATABASE_FILE    "aloft.db"
#define DATA_DIR_BLOBS            "blobs"
#define DATA_DIR_CERTIFICATE_FILE "cert.pem"
#define DATA_DIR_KEY_FILE         "key.pem"
#define DATA_DIR_LOCK_FILE        "lock"

struct data_dir {
    int lock_fd; /**< Locked as long as it is open. */
    struct db *db;
    struct blobs *blobs;
    char setup_code[JOIN_CODE_CHARS + 1]; /**< Empty: there is an account. */
};

/**
 * Make the folder (0700) if it is not there, lock it, open what is in it, remove what an
 * interrupted upload left, and see to the set-up code.
 *
 * @retval ALOFT_ERR_BUSY  Another server uses it.
 */
ALOFT_MUST_CHECK
enum aloft_err data_dir_open(const char *path, struct data_dir *ret_dir, struct error *e);

void data_dir_close(struct data_dir *dir);

#endif
