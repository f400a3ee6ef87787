/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_SERVER_EXPIRY_H
#define ALOFT_SERVER_EXPIRY_H

#include "api/request.h"

/**
 * When something new ends: by the member `expires_ms`, or by `days` from now on, or by neither.
 *
 * @param days_max    The latest end.
 * @param ret_end_ms  Without a member it stays as it is.
 * @return False = answered.
 */
bool take_expiry(struct request *request, int64_t now_ms, int days_max, int64_t *ret_end_ms);

#endif
