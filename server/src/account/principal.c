/* SPDX-License-Identifier: Apache-2.0 */
#include "account/principal.h"

#include <stdio.h>

#include "store/api_tokens.h"
#include "store/grants.h"
#include "store/sessions.h"

enum aloft_err principal_role(struct db *db, const struct principal *p, int64_t product_id,
                              enum role *ret_role, struct error *e)
{
    enum role granted = ROLE_NONE;

    *ret_role = ROLE_NONE;
    if (p->only_product != 0 && p->only_product != product_id) {
        return ALOFT_ERR_OK;
    }
    if (p->account_id != 0) {
        enum aloft_err err = grants_get(db, p->account_id, product_id, &granted, e);
        if (err != ALOFT_ERR_OK) {
            return err;
        }
    }
    *ret_role = role_greater(p->role, role_lesser(granted, p->cap));
    return ALOFT_ERR_OK;
}

enum aloft_err principal_by_api_token(struct db *db, const char *text, int64_t now_ms,
                                      struct principal *ret, struct error *e)
{
    struct api_token t;

    if (!is_api_token(text)) {
        return ALOFT_ERR_NOT_FOUND;
    }
    enum aloft_err err = api_tokens_find(db, text, &t, e);
    if (err != ALOFT_ERR_OK) {
        return err;
    }
    bool is_over = t.expires_ms != 0 && t.expires_ms <= now_ms;
    if (is_over || !t.is_active) {
        return ALOFT_ERR_NOT_FOUND;
    }
    *ret = (struct principal){.kind = PRINCIPAL_API_TOKEN,
                              .account_id = t.account_id,
                              .api_token_id = t.id,
                              .role = role_lesser(t.account_role, t.role),
                              .cap = t.role,
                              .only_product = t.product_id,
                              .expires_ms = t.expires_ms};
    (void)snprintf(ret->name, sizeof ret->name, "%s", t.account_name);
    (void)snprintf(ret->only_product_name, sizeof ret->only_product_name, "%s", t.product_name);
    return api_tokens_note_use(db, &t, now_ms, e);
}

enum aloft_err principal_by_session(struct db *db, const char *secret, int64_t now_ms,
                                    int64_t life_ms, struct principal *ret, struct error *e)
{
    struct session s;
    enum aloft_err err = sessions_find(db, secret, now_ms, &s, e);

    if (err != ALOFT_ERR_OK) {
        return err;
    }
    if (!s.is_active) {
        return ALOFT_ERR_NOT_FOUND;
    }
    *ret = (struct principal){.kind = PRINCIPAL_SESSION,
                              .account_id = s.account_id,
                              .role = s.account_role,
                              .cap = ROLE_ADMIN,
                              .expires_ms = s.expires_ms};
    (void)snprintf(ret->name, sizeof ret->name, "%s", s.account_name);
    (void)snprintf(ret->csrf, sizeof ret->csrf, "%s", s.csrf);
    return sessions_slide(db, &s, secret, now_ms + life_ms, e);
}
