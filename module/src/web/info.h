/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_WEB_INFO_H
#define ALOFT_WEB_INFO_H

#include "web/out.h"

/* Bodies of the answers that tell something (facts/at-commands.md 3.2). */

struct aloft_module;

/** The page: the configured one, or the library's own. */
void aloft_info_write_page(const struct aloft_module *m, struct aloft_out *out);

/** GET /getotainfo. */
void aloft_info_write_ota(const struct aloft_module *m, struct aloft_out *out);

/** GET /getaprecord, after a scan that found something. */
void aloft_info_write_aps(const struct aloft_module *m, struct aloft_out *out);

#endif
