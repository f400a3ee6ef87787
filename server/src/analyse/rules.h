/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_SERVER_ANALYSE_RULES_H
#define ALOFT_SERVER_ANALYSE_RULES_H

#include "analyse/analyse.h"

#define RULE_TEXT_BYTES 128

/** The rules with all that they point to. */
struct rules_copy {
    struct analysis_rules rules; /**< Points into the rest. */
    char version[RULE_TEXT_BYTES];
    char file_name[RULE_TEXT_BYTES];
    char project_name[RULE_TEXT_BYTES];
    char current_version[RULE_TEXT_BYTES];
    char **hosts;
    char **tokens;
    uint8_t (*trusted_keys)[ALOFT_SHA256_BYTES];
};

/** @return False when memory is out. Free with rules_copy_deinit() in any case. */
bool rules_copy_init(struct rules_copy *copy, const struct analysis_rules *rules);
void rules_copy_deinit(struct rules_copy *copy);

#endif
