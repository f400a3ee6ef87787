/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_WEB_PAGE_H
#define ALOFT_WEB_PAGE_H

#include <stddef.h>
#include <stdint.h>

/* The library's own page, index.html beside this file, as tools/embed_page.py makes it an array. */

/** The file byte for byte: UTF-8, no NUL behind it. */
extern const uint8_t aloft_page[];
extern const size_t aloft_page_len;

#endif
