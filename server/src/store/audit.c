/* SPDX-License-Identifier: Apache-2.0 */
#include "store/audit.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/auto.h"
#include "host/hashes.h"

#define N_TEXTS        6   /* actor, address, action, product, object, detail */
#define VERIFY_AT_ONCE 500 /* rows; between them others get at the database */
#define FIRST_HASH     "0000000000000000000000000000000000000000000000000000000000000000"

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

/* A row: id, time_ms, the texts, hash. */
struct row {
    int64_t id;
    struct audit_entry entry; /* its texts are in `texts` */
    char *texts[N_TEXTS];
    char hash[HASH_HEX_BYTES];
};

static void free_row(struct row *row)
{
    for (size_t i = 0; i < N_TEXTS; i++) {
        free(row->texts[i]);
    }
}

#define AUTO_ROW __attribute__((cleanup(free_row))) struct row
#define COLUMNS  "id, time_ms, actor, address, action, product, object, detail, hash"

static enum aloft_err read_row(const struct db_stmt *s, struct row *row, struct error *e)
{
    row->id = db_get_int(s, 0);
    for (int i = 0; i < N_TEXTS; i++) {
        row->texts[i] = db_dup_text(s, i + 2);
        if (!row->texts[i]) {
            return fail(e, ALOFT_ERR_IO, "out of memory");
        }
    }
    db_get_text(s, N_TEXTS + 2, row->hash, sizeof row->hash);
    row->entry = (struct audit_entry){.time_ms = db_get_int(s, 1),
                                      .actor = row->texts[0],
                                      .address = row->texts[1],
                                      .action = row->texts[2],
                                      .product = row->texts[3],
                                      .object = row->texts[4],
                                      .detail = row->texts[5]};
    return ALOFT_ERR_OK;
}

enum aloft_err audit_each(struct db *db, const struct audit_filter *f, audit_visitor *visit,
                          void *ctx, struct error *e)
{
    AUTO_STMT s = NULL;
    enum aloft_err err = db_prepare(
        db,
        "SELECT " COLUMNS " FROM audit WHERE (?1 = '' OR actor = ?1) AND (?2 = '' OR action = ?2) "
        "AND (?3 = '' OR product = ?3) AND (?4 = 0 OR time_ms >= ?4) AND (?5 = 0 OR time_ms < ?5) "
        "AND (?6 = 0 OR id < ?6) ORDER BY id DESC LIMIT ?7",
        &s, e);

    if (err != ALOFT_ERR_OK) {
        return err;
    }
    db_bind_text(s, 1, f->actor ? f->actor : "");
    db_bind_text(s, 2, f->action ? f->action : "");
    db_bind_text(s, 3, f->product ? f->product : "");
    db_bind_int(s, 4, f->since_ms);
    db_bind_int(s, 5, f->until_ms);
    db_bind_int(s, 6, f->before);
    db_bind_int(s, 7, (int64_t)f->limit);
    while ((err = db_step(s, e)) == ALOFT_ERR_OK) {
        AUTO_ROW row = {0};
        err = read_row(s, &row, e);
        if (err == ALOFT_ERR_OK) {
            err = visit(ctx, row.id, &row.entry, row.hash, e);
        }
        if (err != ALOFT_ERR_OK) {
            return err;
        }
    }
    return err == ALOFT_ERR_NOT_FOUND ? ALOFT_ERR_OK : err;
}

/* Does it follow the rows before? */
static enum aloft_err judge(struct audit_verdict *v, const struct row *row, const char *kept_head,
                            struct error *e)
{
    char hash[HASH_HEX_BYTES];
    enum aloft_err err = hash_row(v->head, row->id, &row->entry, hash, e);

    if (err != ALOFT_ERR_OK) {
        return err;
    }
    if (row->id != v->n_rows + 1) {
        v->bad_id = v->n_rows + 1;
        v->reason = "this row is missing";
    } else if (strcmp(hash, row->hash) != 0) {
        v->bad_id = row->id;
        v->reason = "this row is not the one that was written here";
    } else {
        v->n_rows++;
        memcpy(v->head, hash, sizeof v->head);
        v->has_kept_head = v->has_kept_head || (kept_head && strcmp(hash, kept_head) == 0);
    }
    return ALOFT_ERR_OK;
}

/* The next VERIFY_AT_ONCE rows. @retval ALOFT_ERR_NOT_FOUND  There are no more. */
static enum aloft_err verify_some(struct db *db, struct audit_verdict *v, const char *kept_head,
                                  struct error *e)
{
    AUTO_STMT s = NULL;
    enum aloft_err err =
        db_prepare(db, "SELECT " COLUMNS " FROM audit WHERE id > ?1 ORDER BY id LIMIT ?2", &s, e);
    size_t n = 0;

    if (err != ALOFT_ERR_OK) {
        return err;
    }
    db_bind_int(s, 1, v->n_rows);
    db_bind_int(s, 2, VERIFY_AT_ONCE);
    for (; v->bad_id == 0 && (err = db_step(s, e)) == ALOFT_ERR_OK; n++) {
        AUTO_ROW row = {0};
        err = read_row(s, &row, e);
        if (err == ALOFT_ERR_OK) {
            err = judge(v, &row, kept_head, e);
        }
        if (err != ALOFT_ERR_OK) {
            return err;
        }
    }
    return err == ALOFT_ERR_NOT_FOUND && n > 0 ? ALOFT_ERR_OK : err;
}

/* Ids are 1, 2, ...; one below would not be walked over. */
static enum aloft_err check_first(struct db *db, struct audit_verdict *v, struct error *e)
{
    int64_t n = 0;
    enum aloft_err err = db_query_int(db, "SELECT count(*) FROM audit WHERE id < 1", NULL, &n, e);

    if (err == ALOFT_ERR_OK && n > 0) {
        v->bad_id = 1;
        v->reason = "rows were put in before this one";
    }
    return err;
}

enum aloft_err audit_verify(struct db *db, const char *kept_head, struct audit_verdict *v,
                            struct error *e)
{
    *v = (struct audit_verdict){.reason = ""};
    memcpy(v->head, FIRST_HASH, sizeof FIRST_HASH);
    v->has_kept_head = kept_head && strcmp(kept_head, FIRST_HASH) == 0;
    enum aloft_err err = check_first(db, v, e);
    while (err == ALOFT_ERR_OK && v->bad_id == 0) {
        err = verify_some(db, v, kept_head, e);
    }
    return err == ALOFT_ERR_NOT_FOUND ? ALOFT_ERR_OK : err;
}
