/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_UPGRADE_PROOF_H
#define ALOFT_UPGRADE_PROOF_H

#include <stdbool.h>
#include <stdint.h>

#include "aloft/attr.h"
#include "aloft/err.h"

/*
 * The proof request (facts/ciupdate-wire.md 7): after an upgrade the first boot with an address
 * sends one version request, whose headers tell the server which version runs now. Its body is not
 * looked at. The setting `upgrade.mode` (one byte, the mode) says that it is due. It stays while
 * the image is on trial: after a rollback the image before owes the server the same request.
 */

struct aloft_module;

void aloft_proof_init(struct aloft_module *m);

/** Go on. Returns milliseconds until the next call. */
uint32_t aloft_proof_step(struct aloft_module *m);

/** The trial of the running image waits for an answer: ask although no upgrade left the setting,
 * and go on asking. */
void aloft_proof_demand(struct aloft_module *m);

/** The server answered in this boot: anything but a fault of its own. */
bool aloft_proof_is_answered(const struct aloft_module *m);

/** The trial is over: an answered proof is no longer owed. */
void aloft_proof_settle(struct aloft_module *m);

/** Leave the HTTP client to a command at once; tried again later. */
void aloft_proof_yield(struct aloft_module *m);

/** An image is about to be selected: the next boot owes a proof to the server of `mode`, or to that
 * of the other where there is none, if there is one; this boot no longer does. */
ALOFT_MUST_CHECK
enum aloft_err aloft_proof_arm(struct aloft_module *m, uint8_t mode);

/** It was not selected after all. */
void aloft_proof_disarm(struct aloft_module *m);

/** Remove all settings but the one of a proof that is owed: AT+RESTORE is recommended right behind
 * the first boot of an upgrade (facts/at-commands.md 4). */
ALOFT_MUST_CHECK
enum aloft_err aloft_proof_remove_others(struct aloft_module *m);

#endif
