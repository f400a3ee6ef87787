/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_SERVER_ROUTES_H
#define ALOFT_SERVER_ROUTES_H

#include "api/request.h"

/**
 * Find what answers this method and path, and take the path parameters out.
 *
 * @return NULL = there is none; the answer (404, or 405 with the methods there are) is given.
 */
const struct api_route *route_find(struct request *request, const char *method, const char *path);

#endif
