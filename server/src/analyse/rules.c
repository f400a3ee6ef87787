/* SPDX-License-Identifier: Apache-2.0 */
#include "analyse/rules.h"

#include <stdlib.h>
#include <string.h>

#include "analyse/rows.h"

#define PROJECT_DEFAULT "esp-at"

static void copy_text(const char *text, char *out, const char **ret_text)
{
    if (text) {
        copy_printable(text, out, RULE_TEXT_BYTES);
        *ret_text = out;
    }
}

/* A list with NULL behind its last member. @return NULL when memory is out. */
static char **copy_list(const char *const *texts, size_t n)
{
    char **copies = calloc(n + 1, sizeof *copies);

    for (size_t i = 0; copies && i < n; i++) {
        size_t cap = strlen(texts[i]) + 1;
        copies[i] = malloc(cap);
        if (!copies[i]) {
            return copies; /* shorter than wanted: rules_copy_init() sees it */
        }
        copy_printable(texts[i], copies[i], cap);
    }
    return copies;
}

static void free_list(char **texts)
{
    for (size_t i = 0; texts && texts[i]; i++) {
        free(texts[i]);
    }
    free(texts);
}

static bool is_whole(char *const *texts, size_t n)
{
    return texts && (n == 0 || texts[n - 1]);
}

bool rules_copy_init(struct rules_copy *copy, const struct analysis_rules *rules)
{
    size_t keys_bytes = rules->n_trusted_keys * sizeof *copy->trusted_keys;

    *copy = (struct rules_copy){.rules = *rules};
    copy_text(rules->version, copy->version, &copy->rules.version);
    copy_text(rules->file_name, copy->file_name, &copy->rules.file_name);
    copy_text(rules->project_name ? rules->project_name : PROJECT_DEFAULT, copy->project_name,
              &copy->rules.project_name);
    copy_text(rules->current_version, copy->current_version, &copy->rules.current_version);
    copy->hosts = copy_list(rules->hosts, rules->n_hosts);
    copy->tokens = copy_list(rules->tokens, rules->n_tokens);
    copy->trusted_keys = malloc(keys_bytes > 0 ? keys_bytes : 1);
    if (!is_whole(copy->hosts, rules->n_hosts) || !is_whole(copy->tokens, rules->n_tokens) ||
        !copy->trusted_keys) {
        return false;
    }
    if (keys_bytes > 0) {
        memcpy(copy->trusted_keys, rules->trusted_keys, keys_bytes);
    }
    copy->rules.hosts = (const char *const *)copy->hosts;
    copy->rules.tokens = (const char *const *)copy->tokens;
    copy->rules.trusted_keys = (const uint8_t(*)[ALOFT_SHA256_BYTES])copy->trusted_keys;
    return true;
}

void rules_copy_deinit(struct rules_copy *copy)
{
    free_list(copy->hosts);
    free_list(copy->tokens);
    free(copy->trusted_keys);
}
