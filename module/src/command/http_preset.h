/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_COMMAND_HTTP_PRESET_H
#define ALOFT_COMMAND_HTTP_PRESET_H

#include <stddef.h>

struct aloft_module;

/** The URL of AT+HTTPURLCFG, without NUL; NULL = none. */
const char *aloft_http_preset_url(const struct aloft_module *m, size_t *ret_len);

/** Somebody else takes `config.url_buf`: the preset URL is gone. */
void aloft_http_preset_forget_url(struct aloft_module *m);

/** The headers of AT+HTTPCHEAD, each with its CR LF; NULL = none. */
const char *aloft_http_preset_headers(const struct aloft_module *m);

#endif
