/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_CLI_MODULE_AIR_H
#define ALOFT_CLI_MODULE_AIR_H

#include "opt.h"
#include "process/virtual.h"

/** Take --ap, --ap-with and --soft-ap-client.
 * @return EXIT_DONE, or EXIT_USAGE with a line printed. */
int module_air_take(const struct opt_values *v, struct virtual_options *o);

#endif
