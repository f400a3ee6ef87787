/* SPDX-License-Identifier: Apache-2.0 */
#include "command/families.h"

const struct aloft_family aloft_ciupdate_family = {NULL, 0, NULL, NULL};
