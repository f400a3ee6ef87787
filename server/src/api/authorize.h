/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_SERVER_AUTHORIZE_H
#define ALOFT_SERVER_AUTHORIZE_H

#include "api/request.h"

/**
 * Who asks, and may they? Fills principal, role and, under API_PRODUCT, product.
 *
 * @return False = no: 401 nobody knows them, 403 they may not, 404 they may not even know of the
 *         product; that is the answer.
 */
bool authorize(struct request *request);

#endif
