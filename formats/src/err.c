/* SPDX-License-Identifier: Apache-2.0 */
#include "aloft/err.h"

const char *aloft_err_text(enum aloft_err err)
{
    switch (err) {
#define ERR_TEXT(name, number, text)                                                               \
    case ALOFT_ERR_##name:                                                                         \
        return text;
        ALOFT_ERR_MAP(ERR_TEXT)
#undef ERR_TEXT
    }
    return "unknown error";
}

const char *aloft_err_name(enum aloft_err err)
{
    switch (err) {
#define ERR_NAME(name, number, text)                                                               \
    case ALOFT_ERR_##name:                                                                         \
        return #name;
        ALOFT_ERR_MAP(ERR_NAME)
#undef ERR_NAME
    }
    return "UNKNOWN";
}
