/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_CLI_ROM_WORD_H
#define ALOFT_CLI_ROM_WORD_H

#include <jansson.h>

#include "aloft/limits.h"

#define ROM_APP_FILE "ota.bin"

/** What a FILE word of the command line means. */
struct rom_word {
    char name[ALOFT_FILE_NAME_MAX + 1]; /**< Of the file in the ROM. */
    const char *path;                   /**< Borrowed from the word. */
};

/** `mfg_nvs.bin=PATH`, or only a path: then it is the app. A path may hold a `=` of its own. */
void rom_split_word(const char *word, struct rom_word *ret_word);

/** What the analyser said, but for passes: a line each on stderr. */
void rom_print_findings(const char *file_name, const json_t *answer);

#endif
