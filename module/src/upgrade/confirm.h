/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_UPGRADE_CONFIRM_H
#define ALOFT_UPGRADE_CONFIRM_H

#include <stdbool.h>
#include <stdint.h>

/*
 * The trial of a new image (facts/esp-formats.md 3.5): it runs unconfirmed until the policy of the
 * configuration is fulfilled, and gives itself up when the limit is over. Any restart before that
 * is a rollback, made by the boot loader.
 */

struct aloft_module;

/** Behind aloft_proof_init(). */
void aloft_confirm_init(struct aloft_module *m);

/** Go on: the first time just before `ready`. Returns milliseconds until the next call. */
uint32_t aloft_confirm_step(struct aloft_module *m);

/** A restart follows, which would end the trial: if the policy is fulfilled by now, confirm. */
void aloft_confirm_before_restart(struct aloft_module *m);

/** The running image is on trial. */
bool aloft_confirm_is_due(const struct aloft_module *m);

#endif
