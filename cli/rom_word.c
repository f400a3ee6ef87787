/* SPDX-License-Identifier: Apache-2.0 */
#include "rom_word.h"

#include <stdio.h>
#include <string.h>

#include "client.h"

#define FILE_SUFFIX ".bin"

void rom_split_word(const char *word, struct rom_word *ret_word)
{
    size_t len = strcspn(word, "=");

    (void)snprintf(ret_word->name, sizeof ret_word->name, ROM_APP_FILE);
    ret_word->path = word;
    if (word[len] == '=' && len < sizeof ret_word->name && len > strlen(FILE_SUFFIX) &&
        !memchr(word, '/', len) &&
        memcmp(word + len - strlen(FILE_SUFFIX), FILE_SUFFIX, strlen(FILE_SUFFIX)) == 0) {
        (void)snprintf(ret_word->name, sizeof ret_word->name, "%.*s", (int)len, word);
        ret_word->path = word + len + 1;
    }
}

void rom_print_findings(const char *file_name, const json_t *answer)
{
    size_t i;
    json_t *f;

    json_array_foreach(json_object_get(answer, "findings"), i, f)
    {
        if (strcmp(client_text(f, "verdict"), "pass") != 0) {
            (void)fprintf(stderr, "%s: %s: %s (%s)\n", file_name, client_text(f, "verdict"),
                          client_text(f, "sentence"), client_text(f, "code"));
        }
    }
}
