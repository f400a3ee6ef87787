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

#endif
