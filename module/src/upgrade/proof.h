/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_UPGRADE_PROOF_H
#define ALOFT_UPGRADE_PROOF_H

#include <stdint.h>

#include "aloft/attr.h"
#include "aloft/err.h"

/*
 * The proof request (facts/ciupdate-wire.md 7): after an upgrade the first boot with an address
 * sends one version request, whose headers tell the server which version runs now. Its body is not
 * looked at. The setting `upgrade.mode` (one byte, the mode) says that it is due.
 */

struct aloft_module;

void aloft_proof_init(struct aloft_module *m);

/** Go on. Returns milliseconds until the next call. */
uint32_t aloft_proof_step(struct aloft_module *m);

/** Leave the HTTP client to a command at once; tried again later. */
void aloft_proof_yield(struct aloft_module *m);

/** An image is about to be selected: the next boot owes a proof to the server of `mode`, if there
 * is one; this boot no longer does. */
ALOFT_MUST_CHECK
enum aloft_err aloft_proof_arm(struct aloft_module *m, uint8_t mode);

/** It was not selected after all. */
void aloft_proof_disarm(struct aloft_module *m);

/** Remove all settings but the one of a proof that is owed: AT+RESTORE is recommended right behind
 * the first boot of an upgrade (facts/at-commands.md 4). */
ALOFT_MUST_CHECK
enum aloft_err aloft_proof_remove_others(struct aloft_module *m);

#endif
