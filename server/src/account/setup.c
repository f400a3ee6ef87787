/* SPDX-License-Identifier: Apache-2.0 */
#include "account/setup.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>

#include "host/auto.h"
#include "host/files.h"
#include "host/hashes.h"
#include "store/accounts.h"
#include "store/server_facts.h"

bool is_join_code(const char *text)
{
    return strspn(text, "0123456789abcdef") == JOIN_CODE_CHARS && text[JOIN_CODE_CHARS] == '\0';
}

enum aloft_err setup_check(struct db *db, const char *code, struct error *e)
{
    char kept[HASH_HEX_BYTES];
    char hex[HASH_HEX_BYTES];
    enum aloft_err err = server_facts_get(db, FACT_SETUP_CODE, kept, sizeof kept, e);

    if (err == ALOFT_ERR_OK) {
        err = sha256_text(code, strlen(code), hex, e);
    }
    if (err != ALOFT_ERR_OK) {
        return err;
    }
    return strlen(kept) == HASH_HEX_BYTES - 1 && sodium_memcmp(kept, hex, HASH_HEX_BYTES) == 0
               ? ALOFT_ERR_OK
               : ALOFT_ERR_NOT_FOUND;
}

enum aloft_err setup_finish(struct db *db, struct error *e)
{
    return server_facts_remove(db, FACT_SETUP_CODE, e);
}

/* The code of an earlier start, if its file is still there and right. */
static enum aloft_err read_code(struct db *db, const char *path, char ret_code[JOIN_CODE_CHARS + 1],
                                struct error *e)
{
    AUTO_FREE uint8_t *data = NULL;
    size_t len = 0;
    enum aloft_err err = file_load(path, JOIN_CODE_CHARS + 1, &data, &len, NULL);

    if (err != ALOFT_ERR_OK || len < JOIN_CODE_CHARS) {
        return ALOFT_ERR_NOT_FOUND;
    }
    data[JOIN_CODE_CHARS] = '\0'; /* where the file has its line end */
    memcpy(ret_code, data, JOIN_CODE_CHARS + 1);
    return is_join_code(ret_code) ? setup_check(db, ret_code, e) : ALOFT_ERR_NOT_FOUND;
}

/* The file last: a code in it is always the one of the database. */
static enum aloft_err make_code(struct db *db, const char *path, char ret_code[JOIN_CODE_CHARS + 1],
                                struct error *e)
{
    uint8_t random[JOIN_CODE_CHARS / 2];
    char line[JOIN_CODE_CHARS + 2];
    char hex[HASH_HEX_BYTES];

    randombytes_buf(random, sizeof random);
    hex_encode(random, sizeof random, ret_code);
    enum aloft_err err = sha256_text(ret_code, JOIN_CODE_CHARS, hex, e);
    if (err == ALOFT_ERR_OK) {
        err = server_facts_set(db, FACT_SETUP_CODE, hex, e);
    }
    int len = snprintf(line, sizeof line, "%s\n", ret_code);
    return err == ALOFT_ERR_OK ? file_replace(path, line, (size_t)len, 0600, e) : err;
}

enum aloft_err setup_prepare(struct db *db, const char *path, char ret_code[JOIN_CODE_CHARS + 1],
                             struct error *e)
{
    int64_t n_accounts = 0;
    enum aloft_err err = accounts_count(db, &n_accounts, e);

    ret_code[0] = '\0';
    if (err == ALOFT_ERR_OK && n_accounts > 0) {
        (void)unlink(path); /* left by a stop right after the first account came */
        return ALOFT_ERR_OK;
    }
    if (err == ALOFT_ERR_OK && sodium_init() < 0) {
        err = fail(e, ALOFT_ERR_IO, "the system gives no random numbers");
    }
    if (err == ALOFT_ERR_OK) {
        err = read_code(db, path, ret_code, e);
    }
    return err == ALOFT_ERR_NOT_FOUND ? make_code(db, path, ret_code, e) : err;
}
