/* SPDX-License-Identifier: Apache-2.0 */
#include "upgrade/policy.h"

#include <stdbool.h>
#include <string.h>

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* The number at `*at`, and step over it and the dot that another number follows. */
static uint32_t take_number(const char **at)
{
    uint32_t number = 0;

    while (is_digit(**at)) {
        uint32_t digit = (uint32_t)(**at - '0');
        number = number > (UINT32_MAX - digit) / 10 ? UINT32_MAX : number * 10 + digit;
        (*at)++;
    }
    if ((*at)[0] == '.' && is_digit((*at)[1])) {
        (*at)++;
    }
    return number;
}

static const char *skip_v(const char *text)
{
    return *text == 'v' || *text == 'V' ? text + 1 : text;
}

static bool is_at_least(const char *version, const char *minimum)
{
    version = skip_v(version);
    minimum = skip_v(minimum);
    if (!is_digit(*version)) {
        return false;
    }
    while (is_digit(*version) || is_digit(*minimum)) {
        uint32_t number = take_number(&version);
        uint32_t least = take_number(&minimum);
        if (number != least) {
            return number > least;
        }
    }
    return true;
}

enum aloft_err aloft_policy_judge(const struct aloft_upgrade_policy *policy,
                                  const struct aloft_app_desc *desc)
{
    bool is_project =
        policy->project_name == NULL || strcmp(policy->project_name, desc->project_name) == 0;
    bool is_new =
        policy->minimum_version == NULL || is_at_least(desc->version, policy->minimum_version);

    return is_project && is_new ? ALOFT_ERR_OK : ALOFT_ERR_POLICY;
}
