/* SPDX-License-Identifier: Apache-2.0 */

/* Tokens and their rotation. */

#include "api/ops_tokens.h"

#include <string.h>

#include "api/ops.h"
#include "host/auto.h"
#include "host/clock.h"

#define OVERLAP_HOURS_MAX (366 * 24)
#define MS_PER_HOUR       INT64_C(3600000)

static const char *const mode_words[] = {"plain", "tls", "both", "none", NULL};
static const char *const member_names[TOKEN_MODES] = {"token", "token_tls"};

bool take_modes(struct request *request, const char *member, bool may_be_none, unsigned *modes)
{
    static const char *const without_none[] = {"plain", "tls", "both", NULL};
    static const unsigned values[] = {MODES_PLAIN, MODES_TLS, MODES_BOTH, MODES_NONE};
    char word[8] = "";

    if (!take_choice(request, member, may_be_none ? mode_words : without_none, word, sizeof word)) {
        return false;
    }
    for (size_t i = 0; mode_words[i]; i++) {
        if (strcmp(word, mode_words[i]) == 0) {
            *modes = values[i];
        }
    }
    return true;
}

bool take_token(struct request *request, const json_t *object, const char *member, bool is_wanted,
                char ret_token[ALOFT_TOKEN_CHARS + 1])
{
    const char *given = json_string_value(json_object_get(object, member));

    ret_token[0] = '\0';
    if (!given) {
        return !is_wanted || make_secret(request, ALOFT_TOKEN_CHARS / 2, ret_token);
    }
    if (!is_token(given)) {
        answer_error(request, MHD_HTTP_BAD_REQUEST, "bad_request",
                     "'%s' must be 40 lower-case hex digits", member);
        return false;
    }
    memcpy(ret_token, given, ALOFT_TOKEN_CHARS + 1);
    return true;
}

json_t *token_to_json(const struct request *request, const char *token)
{
    return token[0] && request->role >= ROLE_OPERATOR ? json_string(token) : json_null();
}

json_t *prefix_to_json(const char *token)
{
    return token[0] ? json_stringn(token, TOKEN_PREFIX_CHARS) : json_null();
}

/* Whose tokens are rotated. */
struct holder {
    struct product product;
    struct device device; /* id 0: it is the product */
    char *tokens[TOKEN_MODES];
};

static bool find_holder(struct request *request, struct db *db, bool is_device, struct holder *h)
{
    struct error e = {0};
    enum aloft_err err = products_get(db, request->product.name, &h->product, &e);

    h->device.id = 0;
    h->tokens[0] = h->product.token;
    h->tokens[1] = h->product.token_tls;
    if (err == ALOFT_ERR_OK && is_device) {
        err = devices_get(db, h->product.id, request->names[1], &h->device, &e);
        h->tokens[0] = h->device.token;
        h->tokens[1] = h->device.token_tls;
    }
    if (err != ALOFT_ERR_OK) {
        answer_failure(request, &e);
    }
    return err == ALOFT_ERR_OK;
}

struct rotation {
    unsigned modes;
    int64_t overlap_hours;
    char tokens[TOKEN_MODES][ALOFT_TOKEN_CHARS + 1];
};

static bool read_rotation(struct request *request, struct rotation *r)
{
    static const struct json_member members[] = {
        {"mode", JSON_STRING, true},   {"overlap_hours", JSON_INTEGER, true},
        {"token", JSON_STRING, false}, {"token_tls", JSON_STRING, false},
        {NULL, JSON_NULL, false},
    };

    if (!check_members(request, request->json, members) ||
        !take_modes(request, "mode", false, &r->modes)) {
        return false;
    }
    r->overlap_hours = json_integer_value(json_object_get(request->json, "overlap_hours"));
    if (r->overlap_hours < 0 || r->overlap_hours > OVERLAP_HOURS_MAX) {
        answer_error(request, MHD_HTTP_BAD_REQUEST, "bad_request",
                     "'overlap_hours' is a number from 0 to %d", OVERLAP_HOURS_MAX);
        return false;
    }
    for (int mode = 0; mode < TOKEN_MODES; mode++) {
        bool is_wanted = r->modes & (1u << mode);
        if (!is_wanted && json_object_get(request->json, member_names[mode])) {
            answer_error(request, MHD_HTTP_BAD_REQUEST, "bad_request",
                         "'%s' is of a mode that is not rotated", member_names[mode]);
            return false;
        }
        if (!take_token(request, request->json, member_names[mode], is_wanted, r->tokens[mode])) {
            return false;
        }
    }
    return true;
}

/* A token of its own that is still taken comes back: a rotation that went wrong. */
static enum aloft_err make_free(struct db *tx, const struct holder *h, int mode, const char *token,
                                struct error *e)
{
    struct token found;
    enum aloft_err err = tokens_find(tx, mode, token, &found, e);

    if (err == ALOFT_ERR_OK && found.expires_ms != 0 && found.product_id == h->product.id &&
        found.device_id == h->device.id) {
        return old_tokens_remove(tx, mode, token, e);
    }
    return err == ALOFT_ERR_NOT_FOUND ? ALOFT_ERR_OK : tokens_refuse_taken(tx, mode, token, "", e);
}

static enum aloft_err rotate_mode(struct db *tx, struct holder *h, int mode, const char *token,
                                  int64_t expires_ms, struct error *e)
{
    struct token old = {mode, "", h->product.id, h->device.id, expires_ms};
    enum aloft_err err = make_free(tx, h, mode, token, e);

    memcpy(old.token, h->tokens[mode], sizeof old.token);
    memcpy(h->tokens[mode], token, sizeof old.token);
    return err == ALOFT_ERR_OK && expires_ms != 0 && old.token[0] ? old_tokens_add(tx, &old, e)
                                                                  : err;
}

static enum aloft_err rotate(struct db *tx, struct holder *h, const struct rotation *r,
                             struct touched_tokens *touched, struct error *e)
{
    int64_t expires_ms = r->overlap_hours ? clock_wall_ms() + r->overlap_hours * MS_PER_HOUR : 0;
    enum aloft_err err = touch_tokens(touched, h->tokens[0], h->tokens[1], e);

    for (int mode = 0; err == ALOFT_ERR_OK && mode < TOKEN_MODES; mode++) {
        if (r->modes & (1u << mode)) {
            err = rotate_mode(tx, h, mode, r->tokens[mode], expires_ms, e);
        }
    }
    if (err == ALOFT_ERR_OK) {
        err = touch_tokens(touched, h->tokens[0], h->tokens[1], e);
    }
    if (err != ALOFT_ERR_OK) {
        return err;
    }
    return h->device.id ? devices_update(tx, h->product.id, &h->device, e)
                        : products_update(tx, &h->product, e);
}

static json_t *show(struct request *request, const struct holder *h, struct error *e)
{
    request->revision = h->device.id ? h->device.revision : h->product.revision;
    return h->device.id ? device_to_json(request, &h->device)
                        : product_to_json(request, &h->product, e);
}

static json_t *rotation_detail(const struct holder *h, const struct rotation *r)
{
    json_t *detail = json_pack("{s:I}", "overlap_hours", (json_int_t)r->overlap_hours);

    for (int mode = 0; mode < TOKEN_MODES; mode++) {
        if (r->modes & (1u << mode)) {
            (void)json_object_set_new(detail, mode ? "token_tls_prefix" : "token_prefix",
                                      prefix_to_json(h->tokens[mode]));
        }
    }
    return detail;
}

static void rotation_add(struct request *request, bool is_device)
{
    struct holder h;
    struct rotation r = {0};
    struct error e = {0};
    AUTO_TOUCHED touched = {0};

    if (!read_rotation(request, &r)) {
        return;
    }
    {
        AUTO_TRANSACTION tx = NULL;
        if (!change_begin(request, &tx) || !find_holder(request, tx, is_device, &h) ||
            !change_matches(request, is_device ? h.device.revision : h.product.revision)) {
            return;
        }
        if (rotate(tx, &h, &r, &touched, &e) != ALOFT_ERR_OK) {
            answer_failure(request, &e);
            return;
        }
        const struct change change = {.action = is_device ? "device.token_rotated"
                                                          : "product.token_rotated",
                                      .object = is_device ? h.device.device : h.product.name,
                                      .detail = rotation_detail(&h, &r)};
        change_end(request, &tx, &change, MHD_HTTP_OK, show(request, &h, &e));
    }
    publish_touched(request, &touched);
}

void op_product_rotation_add(struct request *request)
{
    rotation_add(request, false);
}

void op_device_rotation_add(struct request *request)
{
    rotation_add(request, true);
}

struct old_list {
    json_t *list;
    int64_t now_ms;
};

static enum aloft_err append_old(void *ctx, const struct token *t, struct error *e)
{
    struct old_list *l = ctx;

    if (t->expires_ms <= l->now_ms) {
        return ALOFT_ERR_OK;
    }
    return append_json(l->list,
                       json_pack("{s:s, s:o, s:I}", "mode", mode_words[t->mode], "token_prefix",
                                 prefix_to_json(t->token), "expires_ms", (json_int_t)t->expires_ms),
                       e);
}

static void rotation_get(struct request *request, bool is_device)
{
    struct holder h;
    struct error e = {0};
    struct old_list l = {json_array(), clock_wall_ms()};

    if (!find_holder(request, request->api->db, is_device, &h)) {
        json_decref(l.list);
        return;
    }
    if (old_tokens_each(request->api->db, h.product.id, h.device.id, append_old, &l, &e) !=
        ALOFT_ERR_OK) {
        json_decref(l.list);
        answer_failure(request, &e);
        return;
    }
    answer_json(request, MHD_HTTP_OK, json_pack("{s:o}", "old_tokens", l.list));
}

void op_product_rotation_get(struct request *request)
{
    rotation_get(request, false);
}

void op_device_rotation_get(struct request *request)
{
    rotation_get(request, true);
}

static void rotation_remove(struct request *request, bool is_device)
{
    struct holder h;
    struct error e = {0};
    AUTO_TOUCHED touched = {0};
    {
        AUTO_TRANSACTION tx = NULL;
        if (!change_begin(request, &tx) || !find_holder(request, tx, is_device, &h)) {
            return;
        }
        enum aloft_err err =
            old_tokens_each(tx, h.product.id, h.device.id, touch_token, &touched, &e);
        for (size_t i = 0; err == ALOFT_ERR_OK && i < touched.n; i++) {
            err = old_tokens_remove(tx, touched.items[i].mode, touched.items[i].token, &e);
        }
        if (err != ALOFT_ERR_OK) {
            answer_failure(request, &e);
            return;
        }
        const struct change change = {
            .action = is_device ? "device.overlap_ended" : "product.overlap_ended",
            .object = is_device ? h.device.device : h.product.name,
            .detail = json_pack("{s:I}", "old_tokens", (json_int_t)touched.n)};
        change_end(request, &tx, &change, MHD_HTTP_NO_CONTENT, NULL);
    }
    publish_touched(request, &touched);
}

void op_product_rotation_remove(struct request *request)
{
    rotation_remove(request, false);
}

void op_device_rotation_remove(struct request *request)
{
    rotation_remove(request, true);
}
