/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz.h"

#include <string.h>

#include "web/fields.h"

/* Parsers: module/src/web/fields.c */

#define N_FIELDS 3

/* Whatever the body says: values end within their field, and have no NUL before it. */
static void try_body(const char *body, size_t len, bool is_json)
{
    char ssid[33];
    char password[65];
    char port[6];
    struct aloft_field fields[N_FIELDS] = {
        {.name = "ssid", .text = ssid, .cap = sizeof ssid},
        {.name = "password", .text = password, .cap = sizeof password},
        {.name = "udp_port", .text = port, .cap = sizeof port, .takes_number = true},
    };
    size_t used = 0;
    enum aloft_err err = is_json ? aloft_fields_read_json(body, len, fields, N_FIELDS, &used)
                                 : aloft_fields_read_form(body, len, fields, N_FIELDS);

    MUST(err == ALOFT_ERR_OK || err == ALOFT_ERR_SYNTAX || err == ALOFT_ERR_TOO_BIG ||
         err == ALOFT_ERR_DUPLICATE);
    MUST(used <= len);
    for (size_t i = 0; err == ALOFT_ERR_OK && i < N_FIELDS; i++) {
        MUST(!fields[i].is_present || memchr(fields[i].text, '\0', fields[i].cap) != NULL);
    }
    if (is_json && err == ALOFT_ERR_OK) {
        MUST(body[used - 1] == '}');
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    /* A copy of the very size, so that one byte more is seen. */
    char *body = malloc(size > 0 ? size : 1);

    MUST(body != NULL);
    memcpy(body, data, size);
    try_body(body, size, true);
    try_body(body, size, false);
    free(body);
    return 0;
}
