/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz.h"

#include <string.h>

#include "aloft/factory_param.h"

/* Parsers: formats/src/factory_param.c */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct aloft_factory_param p;
    enum aloft_err err = aloft_factory_param_parse(data, size, &p);

    MUST(memchr(p.country_code, '\0', sizeof p.country_code) != NULL);
    MUST(memchr(p.platform, '\0', sizeof p.platform) != NULL);
    MUST(memchr(p.module_name, '\0', sizeof p.module_name) != NULL);
    if (err == ALOFT_ERR_OK) {
        MUST(p.version >= 1 && p.version <= 3 && p.size_bytes <= size);
    }
    return 0;
}
