/* SPDX-License-Identifier: Apache-2.0 */
#include "store/audit.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "host/hashes.h"

#define FIRST_HASH "0000000000000000000000000000000000000000000000000000000000000000"

static void hash_field(struct aloft_hash *hash, const char *text)
{
    char length[24];
    int n = snprintf(length, sizeof length, "%zu:", strlen(text));

    hash->ops->update(hash->state, (const uint8_t *)length, (size_t)n);
    hash->ops->update(hash->state, (const uint8_t *)text, strlen(text));
}

static enum aloft_err hash_row(const char *before, int64_t id, const struct audit_entry *a,
                               char ret_hex[HASH_HEX_BYTES], struct error *e)
{
    uint8_t digest[ALOFT_SHA256_BYTES];
    char numbers[2][24];
    AUTO_HASH hash = hash_new_sha256();

    if (!hash) {
        return fail(e, ALOFT_ERR_IO, "out of memory");
    }
    (void)snprintf(numbers[0], sizeof numbers[0], "%" PRId64, id);
    (void)snprintf(numbers[1], sizeof numbers[1], "%" PRId64, a->time_ms);
    const char *const fields[] = {before,    numbers[0], numbers[1], a->actor, a->address,
                                  a->action, a->product, a->object,  a->detail};
    hash->ops->start(hash->state);
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        hash_field(hash, fields[i]);
    }
    hash->ops->finish(hash->state, digest);
    hex_encode(digest, sizeof digest, ret_hex);
    return ALOFT_ERR_OK;
}

static enum aloft_err find_last(struct db *db, int64_t *ret_id, char ret_hash[HASH_HEX_BYTES],
                                struct error *e)
{
    AUTO_STMT s = NULL;
    enum aloft_err err =
        db_prepare(db, "SELECT id, hash FROM audit ORDER BY id DESC LIMIT 1", &s, e);

    if (err == ALOFT_ERR_OK) {
        err = db_step(s, e);
    }
    if (err == ALOFT_ERR_NOT_FOUND) {
        *ret_id = 0;
        memcpy(ret_hash, FIRST_HASH, sizeof FIRST_HASH);
        return ALOFT_ERR_OK;
    }
    if (err == ALOFT_ERR_OK) {
        *ret_id = db_get_int(s, 0);
        db_get_text(s, 1, ret_hash, HASH_HEX_BYTES);
    }
    return err;
}

enum aloft_err audit_add(struct db *db, const struct audit_entry *a, struct error *e)
{
    int64_t last = 0;
    char before[HASH_HEX_BYTES];
    char hash[HASH_HEX_BYTES];
    enum aloft_err err = find_last(db, &last, before, e);

    if (err == ALOFT_ERR_OK) {
        err = hash_row(before, last + 1, a, hash, e);
    }
    if (err != ALOFT_ERR_OK) {
        return err;
    }
    AUTO_STMT s = NULL;
    err = db_prepare(db,
                     "INSERT INTO audit (id, time_ms, actor, address, action, product, object, "
                     "detail, hash) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
                     &s, e);
    if (err != ALOFT_ERR_OK) {
        return err;
    }
    db_bind_int(s, 1, last + 1);
    db_bind_int(s, 2, a->time_ms);
    db_bind_text(s, 3, a->actor);
    db_bind_text(s, 4, a->address);
    db_bind_text(s, 5, a->action);
    db_bind_text(s, 6, a->product);
    db_bind_text(s, 7, a->object);
    db_bind_text(s, 8, a->detail);
    db_bind_text(s, 9, hash);
    return db_run(s, e);
}
