/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_SERVER_PEER_H
#define ALOFT_SERVER_PEER_H

#include "api/request.h"

/**
 * Where the request comes from: fills address and is_secure. A proxy named in the settings is
 * believed: the last address of X-Forwarded-For, which is the one it added itself, and
 * X-Forwarded-Proto. From anybody else these headers count for nothing.
 */
void peer_find(struct request *request);

#endif
