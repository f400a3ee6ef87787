/* SPDX-License-Identifier: Apache-2.0 */
#include "store/api_tokens.h"

#include <string.h>

#include <openssl/crypto.h>

#include "host/hashes.h"

bool is_api_token(const char *text)
{
    return strspn(text, "0123456789abcdef") == API_TOKEN_CHARS && text[API_TOKEN_CHARS] == '\0';
}

static enum aloft_err hash_token(const char *token, char ret_hex[HASH_HEX_BYTES], struct error *e)
{
    uint8_t digest[ALOFT_SHA256_BYTES];
    AUTO_HASH hash = hash_new_sha256();

    if (!hash) {
        return fail(e, ALOFT_ERR_IO, "out of memory");
    }
    hash->ops->start(hash->state);
    hash->ops->update(hash->state, (const uint8_t *)token, strlen(token));
    hash->ops->finish(hash->state, digest);
    hex_encode(digest, sizeof digest, ret_hex);
    return ALOFT_ERR_OK;
}

enum aloft_err api_tokens_add(struct db *db, const char *name, const char *token, int64_t now_ms,
                              struct error *e)
{
    char hex[HASH_HEX_BYTES];
    AUTO_STMT s = NULL;
    enum aloft_err err = hash_token(token, hex, e);

    if (err == ALOFT_ERR_OK) {
        err = db_prepare(db, "INSERT INTO api_token (sha256, name, created_ms) VALUES (?1, ?2, ?3)",
                         &s, e);
    }
    if (err != ALOFT_ERR_OK) {
        return err;
    }
    db_bind_text(s, 1, hex);
    db_bind_text(s, 2, name);
    db_bind_int(s, 3, now_ms);
    return db_run(s, e);
}

enum aloft_err api_tokens_count(struct db *db, int64_t *ret_count, struct error *e)
{
    return db_query_int(db, "SELECT count(*) FROM api_token", NULL, ret_count, e);
}

enum aloft_err api_tokens_check(struct db *db, const char *token, bool *ret_is_valid,
                                struct error *e)
{
    char hex[HASH_HEX_BYTES];
    AUTO_STMT s = NULL;
    enum aloft_err err = hash_token(token, hex, e);

    if (err == ALOFT_ERR_OK) {
        err = db_prepare(db, "SELECT sha256 FROM api_token", &s, e);
    }
    if (err != ALOFT_ERR_OK) {
        return err;
    }
    bool is_valid = false;
    while ((err = db_step(s, e)) == ALOFT_ERR_OK) {
        char known[HASH_HEX_BYTES];
        db_get_text(s, 0, known, sizeof known);
        if (CRYPTO_memcmp(known, hex, sizeof hex) == 0) {
            is_valid = true; /* and look at the others all the same */
        }
    }
    if (err != ALOFT_ERR_NOT_FOUND) {
        return err;
    }
    *ret_is_valid = is_valid;
    return ALOFT_ERR_OK;
}
