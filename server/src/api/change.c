/* SPDX-License-Identifier: Apache-2.0 */

/* A change by a person or program: one transaction with its audit row, its event and the answer
 * kept for an Idempotency-Key. */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/authorize.h"
#include "api/publish.h"
#include "api/request.h"
#include "host/auto.h"
#include "host/clock.h"
#include "host/hashes.h"
#include "host/log.h"
#include "store/audit.h"
#include "store/events.h"

static const char key_chars[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";

/* Who has sent the key: keys of different people do not meet. */
static bool identify(struct request *r, const char *key)
{
    struct idempotency *i = &r->idempotency;
    struct error e = {0};
    size_t len = strlen(key);

    if (len == 0 || len > IDEMPOTENCY_KEY_MAX || strspn(key, key_chars) != len) {
        answer_error(r, MHD_HTTP_BAD_REQUEST, "bad_request",
                     "an Idempotency-Key is 1 to %d letters, digits, dots, dashes or underscores",
                     IDEMPOTENCY_KEY_MAX);
        return false;
    }
    AUTO_FREE char *all = NULL;
    int all_len = asprintf(&all, "%s %s\n%.*s", r->method, r->target, (int)r->json_len,
                           r->json_text ? r->json_text : "");
    if (all_len < 0 || sha256_text(all, (size_t)all_len, i->request, &e) != ALOFT_ERR_OK) {
        answer_error(r, MHD_HTTP_INTERNAL_SERVER_ERROR, "internal", "out of memory");
        return false;
    }
    memcpy(i->key, key, len + 1);
    (void)snprintf(i->actor, sizeof i->actor, "%s %" PRId64,
                   r->principal.api_token_id ? "token" : "account",
                   r->principal.api_token_id ? r->principal.api_token_id : r->principal.account_id);
    return true;
}

/* Was the request with this key answered before? Then that is the answer. */
static bool is_answered(struct request *r)
{
    AUTO_FREE char *body = NULL;
    int64_t status = 0;
    struct error e = {0};
    enum aloft_err err = idempotency_find(r->api->db, &r->idempotency, &status, &body, &e);

    if (err == ALOFT_ERR_NOT_FOUND) {
        return false;
    }
    if (err == ALOFT_ERR_DUPLICATE) {
        answer_error(r, MHD_HTTP_UNPROCESSABLE_CONTENT, "key_reused", "%s", e.sentence);
    } else if (err != ALOFT_ERR_OK) {
        answer_failure(r, &e);
    } else if (status == MHD_HTTP_NO_CONTENT) {
        answer_nothing(r);
    } else if (body[0]) {
        answer_json(r, (unsigned)status, json_loads(body, 0, NULL));
    } else {
        answer_error(r, MHD_HTTP_CONFLICT, "done_before",
                     "this request was answered before; the secret it gave is shown only once");
    }
    return true;
}

bool change_is_new(struct request *r)
{
    const char *key =
        MHD_lookup_connection_value(r->connection, MHD_HEADER_KIND, "Idempotency-Key");

    if (!key || strcmp(r->method, MHD_HTTP_METHOD_POST) != 0 || r->route->body == API_BODY_FILE) {
        return true; /* other methods may come twice anyway; a file has its hash */
    }
    if (r->route->access == API_OPEN) {
        return true; /* nobody is known whose key it is; and the hash of a password is not kept */
    }
    return identify(r, key) && !is_answered(r);
}

/* Within the transaction nobody else changes anything: rights, the product and what is known of the
 * key are what they will be when it is committed. */
static bool may_still(struct request *r)
{
    int64_t product_id = r->product.id;

    if (r->route->access != API_OPEN && !authorize(r)) {
        return false;
    }
    if (r->product.id != product_id) {
        answer_error(r, MHD_HTTP_NOT_FOUND, "not_found", "there is no product of this name");
        return false;
    }
    return !r->idempotency.key[0] || !is_answered(r);
}

bool change_begin(struct request *request, struct db **ret_transaction)
{
    struct error e = {0};

    if (db_begin(request->api->db, ret_transaction, &e) != ALOFT_ERR_OK) {
        answer_failure(request, &e);
        return false;
    }
    return may_still(request);
}

bool change_matches(struct request *request, int64_t revision)
{
    const char *wanted =
        MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_IF_MATCH);
    char tag[32];

    (void)snprintf(tag, sizeof tag, "\"%" PRId64 "\"", revision);
    if (!wanted || strcmp(wanted, "*") == 0 || strcmp(wanted, tag) == 0) {
        return true;
    }
    answer_error(request, MHD_HTTP_PRECONDITION_FAILED, "changed_meanwhile",
                 "it was changed since you read it; read it again, then decide");
    return false;
}

static enum aloft_err note(struct request *r, struct db *tx, const struct change *change,
                           struct error *e)
{
    const struct product *product = change->product ? change->product : &r->product;
    int64_t now_ms = clock_wall_ms();
    AUTO_FREE char *detail =
        change->detail ? json_dumps(change->detail, JSON_COMPACT) : strdup("{}");
    json_t *body = json_pack("{s:s, s:s, s:s, s:O?}", "object", change->object, "actor",
                             r->principal.name, "product", product->name, "detail", change->detail);
    AUTO_FREE char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;

    json_decref(body);
    if (!detail || !text) {
        return fail(e, ALOFT_ERR_IO, "out of memory");
    }
    const struct audit_entry entry = {.time_ms = now_ms,
                                      .actor = r->principal.name,
                                      .address = r->address,
                                      .action = change->action,
                                      .product = product->name,
                                      .object = change->object,
                                      .detail = detail};
    const struct event event = {
        .time_ms = now_ms, .kind = change->action, .product_id = product->id, .body = text};
    enum aloft_err err = audit_add(tx, &entry, e);
    return err == ALOFT_ERR_OK ? events_add(tx, &event, e) : err;
}

enum aloft_err change_keep(struct request *r, struct db *tx, unsigned status, const json_t *body,
                           struct error *e)
{
    if (!r->idempotency.key[0]) {
        return ALOFT_ERR_OK;
    }
    bool is_kept = body && !r->route->gives_secret;
    AUTO_FREE char *text = is_kept ? json_dumps(body, JSON_COMPACT) : strdup("");
    return text ? idempotency_add(tx, &r->idempotency, status, text, clock_wall_ms(), e)
                : fail(e, ALOFT_ERR_IO, "out of memory");
}

void change_end(struct request *request, struct db **transaction, const struct change *change,
                unsigned status, json_t *body)
{
    struct error e = {0};
    enum aloft_err err = body || status == MHD_HTTP_NO_CONTENT
                             ? note(request, *transaction, change, &e)
                             : fail(&e, ALOFT_ERR_IO, "out of memory");

    if (err == ALOFT_ERR_OK) {
        err = change_keep(request, *transaction, status, body, &e);
    }
    if (err == ALOFT_ERR_OK) {
        err = db_commit(transaction, &e);
    }
    if (err == ALOFT_ERR_OK) {
        bus_wake(request->api->bus);
        log_info(change->action, "product=%s object=\"%s\" actor=%s", request->product.name,
                 change->object, request->principal.name);
    }
    json_decref(change->detail);
    if (err != ALOFT_ERR_OK) {
        auto_db_rollback(transaction);
        json_decref(body);
        answer_failure(request, &e);
    } else if (change->is_catalog && !publish_change(request)) {
        json_decref(body);
    } else if (body) {
        answer_json(request, status, body);
    } else {
        answer_nothing(request);
    }
}

bool publish_change(struct request *request)
{
    struct api *api = request->api;
    struct error e = {0};

    (void)pthread_mutex_lock(&api->publish_lock);
    enum aloft_err err = publish_catalog(api->db, api->blobs, api->catalog, &e);
    atomic_store(&api->is_published, err == ALOFT_ERR_OK);
    (void)pthread_mutex_unlock(&api->publish_lock);
    if (err != ALOFT_ERR_OK) {
        answer_failure(request, &e);
    }
    return err == ALOFT_ERR_OK;
}
