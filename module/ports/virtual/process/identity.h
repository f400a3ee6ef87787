/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_VIRTUAL_IDENTITY_H
#define ALOFT_VIRTUAL_IDENTITY_H

#include <stdint.h>

#include "aloft/attr.h"
#include "host/error.h"

/* What belongs to the part and not to its flash, in FILE.module beside the flash file: two lines,
 * `layout=NAME` and `mac=AA:BB:CC:DD:EE:FF`. */

#define IDENTITY_LAYOUT_BYTES 32

struct identity {
    char layout[IDENTITY_LAYOUT_BYTES];
    uint8_t mac[6];
};

/** Read `AA:BB:CC:DD:EE:FF`. @retval ALOFT_ERR_SYNTAX Not of this form, or not one station's. */
ALOFT_MUST_CHECK
enum aloft_err mac_parse(const char *text, uint8_t *ret_mac, struct error *e);

/** A MAC of our own making: random, locally administered. */
void mac_make(uint8_t *ret_mac);

/** @retval ALOFT_ERR_NOT_FOUND No such file. @retval ALOFT_ERR_SYNTAX It is not one of ours. */
ALOFT_MUST_CHECK
enum aloft_err identity_load(const char *path, struct identity *ret_identity, struct error *e);

ALOFT_MUST_CHECK
enum aloft_err identity_save(const char *path, const struct identity *identity, struct error *e);

#endif
