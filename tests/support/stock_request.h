/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_TESTS_STOCK_REQUEST_H
#define ALOFT_TESTS_STOCK_REQUEST_H

/** The seven lines that end each request of a stock module (facts/ciupdate-wire.md 2.1), without
 * the blank one. */
#define STOCK_TAIL                                                                                 \
    "Connection: keep-alive\r\n"                                                                   \
    "Cache-Control: no-cache\r\n"                                                                  \
    "User-Agent: Mozilla/5.0 (Windows NT 5.1) AppleWebKit/537.36 (KHTML, like Gecko) "             \
    "Chrome/30.0.1599.101 Safari/537.36 \r\n"                                                      \
    "Accept: */*\r\n"                                                                              \
    "Authorization: token 0123456789abcdef0123456789abcdef01234567\r\n"                            \
    "Accept-Encoding: gzip,deflate,sdch\r\n"                                                       \
    "Accept-Language: zh-CN,zh;q=0.8\r\n"

#endif
