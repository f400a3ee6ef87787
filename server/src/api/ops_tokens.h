/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_SERVER_OPS_TOKENS_H
#define ALOFT_SERVER_OPS_TOKENS_H

#include "api/publish_tokens.h"
#include "store/devices.h"

/* Tokens in the bodies and answers of products and devices. */

/** Which modes a body's member says: bit 0 plain, bit 1 TLS. */
enum { MODES_NONE = 0, MODES_PLAIN = 1, MODES_TLS = 2, MODES_BOTH = 3 };

/** `plain`, `tls`, `both`, and `none` if it may be; without the member `*modes` stays. False =
 * answered. */
bool take_modes(struct request *request, const char *member, bool may_be_none, unsigned *modes);

/**
 * The token a body names; without the member one is made if `is_wanted`, or `ret_token` is empty.
 * False = answered.
 */
bool take_token(struct request *request, const json_t *object, const char *member, bool is_wanted,
                char ret_token[ALOFT_TOKEN_CHARS + 1]);

/** The whole token for those who may know it; else JSON's null. */
json_t *token_to_json(const struct request *request, const char *token);

/** Its first digits; null if there is none. */
json_t *prefix_to_json(const char *token);

/** GET, POST and DELETE of a rotation: of the product of the path, or of one of its devices. */
api_operation op_product_rotation_get, op_product_rotation_add, op_product_rotation_remove;
api_operation op_device_rotation_get, op_device_rotation_add, op_device_rotation_remove;

/** How products and devices are shown. */
json_t *product_to_json(struct request *request, const struct product *p, struct error *e);
json_t *device_to_json(const struct request *request, const struct device *d);

#endif
