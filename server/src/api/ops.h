/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_SERVER_OPS_H
#define ALOFT_SERVER_OPS_H

#include "api/request.h"

/* The operations of the API; each gives an answer. openapi.yaml says what they take and give. */

api_operation op_healthz;
api_operation op_products_list;
api_operation op_products_add;
api_operation op_products_get;
api_operation op_upload_prepare;
api_operation op_upload_run;
api_operation op_upload_remove;
api_operation op_roms_list;
api_operation op_roms_add;
api_operation op_current_set;
api_operation op_devices_list;

#endif
