/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_SERVER_ATTEMPT_FILES_H
#define ALOFT_SERVER_ATTEMPT_FILES_H

#include "attempt/tracker.h"

/** A tracker_look_up: layout of the product and first bytes of the file; `ctx` is the struct blobs.
 * What cannot be read is not known. */
enum aloft_err attempt_file_look_up(void *ctx, struct db *tx, const struct contact *contact,
                                    struct cause_file *ret_file, struct error *e);

/** Remove attempts that ended before, in transactions of bounded size. */
ALOFT_MUST_CHECK
enum aloft_err attempts_expire(struct db *db, int64_t before_ms, struct error *e);

/** Every minute or so: what has waited long enough ends, what is old goes. Failures are logged. */
void attempts_tidy(struct tracker *tracker, struct db *db, unsigned keep_days);

#endif
