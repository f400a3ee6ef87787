/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_SERVER_AUTHORIZE_H
#define ALOFT_SERVER_AUTHORIZE_H

#include "api/request.h"

/** Holds the secret of a session. */
#define API_SESSION_COOKIE "aloft_session"

/**
 * Who asks, and may they? Fills principal, role and, under API_PRODUCT, product; anew each time.
 *
 * @return False = no: 401 nobody knows them, 403 they may not, or their page did not send the
 *         session's CSRF token, 404 they may not even know of the
 *         product; that is the answer.
 */
bool authorize(struct request *request);

/**
 * A product named by the query parameter `product`, of a route that is not about one.
 *
 * @param ret_id  Untouched if it is not named.
 * @return        False = there is none one may see; that is the answer.
 */
bool query_product(struct request *request, int64_t *ret_id);

/** Is the session or API token of a long answer still good? Reads its roles again; a session does
 * not last longer by it. */
bool is_still_known(struct request *request);

#endif
