/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_SERVER_OPS_H
#define ALOFT_SERVER_OPS_H

#include "api/request.h"

/* The operations of the API by topic; each table is in ops_<topic>.c and ends with
 * API_ROUTES_END. */

extern const struct api_route health_routes[];
extern const struct api_route metrics_routes[];
extern const struct api_route session_routes[];
extern const struct api_route account_routes[];
extern const struct api_route api_token_routes[];
extern const struct api_route invitation_routes[];
extern const struct api_route audit_routes[];
extern const struct api_route product_routes[];
extern const struct api_route upload_routes[];
extern const struct api_route partial_routes[];
extern const struct api_route rom_routes[];
extern const struct api_route current_routes[];
extern const struct api_route link_routes[];
extern const struct api_route device_routes[];
extern const struct api_route webhook_routes[];
extern const struct api_route attempt_routes[];
extern const struct api_route event_routes[];

#endif
