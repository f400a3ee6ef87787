/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_UPGRADE_POLICY_H
#define ALOFT_UPGRADE_POLICY_H

#include "aloft/app_image.h"
#include "aloft/attr.h"
#include "aloft/err.h"
#include "aloft/upgrade.h"

/** @retval ALOFT_ERR_POLICY  Another project, or too old a version. */
ALOFT_MUST_CHECK
enum aloft_err aloft_policy_judge(const struct aloft_upgrade_policy *policy,
                                  const struct aloft_app_desc *desc);

#endif
