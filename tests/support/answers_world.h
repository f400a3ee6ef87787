/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_TESTS_ANSWERS_WORLD_H
#define ALOFT_TESTS_ANSWERS_WORLD_H

#include "wire/answer.h"

/*
 * A catalog, and the answers to requests from it: product 1 with the two ROMs of the worked
 * examples of facts/ciupdate-wire.md, product 2 without any.
 */

#define TOKEN       "0123456789abcdef0123456789abcdef01234567"
#define EMPTY_TOKEN "00000000000000000000000000000000000000ff"
#define SHA         "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define ETAG        "\"00112233445566778899aabbccddeeff\""
#define FILE_BYTES  1000000
#define NOW_MS      1800000000000

#define STOCK_FIELDS                                                                               \
    "Host: iot.espressif.cn:80\r\nConnection: keep-alive\r\nCache-Control: no-cache\r\n"           \
    "User-Agent: Mozilla/5.0 (Windows NT 5.1) AppleWebKit/537.36 (KHTML, like Gecko) "             \
    "Chrome/30.0.1599.101 Safari/537.36 \r\nAccept: */*\r\n"                                       \
    "Authorization: token " TOKEN "\r\nAccept-Encoding: gzip,deflate,sdch\r\n"                     \
    "Accept-Language: zh-CN,zh;q=0.8\r\n"
#define VERSION_REQUEST "GET /v1/device/rom/?is_format_simple=true HTTP/1.0\r\n" STOCK_FIELDS "\r\n"
#define FILE_TARGET     "/v1/device/rom/?action=download_rom&version=v5.0.1.0&filename=ota.bin"
#define FILE_REQUEST    "GET " FILE_TARGET " HTTP/1.1\r\n" STOCK_FIELDS
#define LIST_REQUEST                                                                               \
    "GET /v1/device/rom HTTP/1.1\r\nUser-Agent: ESP32 HTTP Client/1.0\r\n"                         \
    "Host: iot.espressif.cn\r\nAuthorization: token " TOKEN "\r\n\r\n"

/** facts/ciupdate-wire.md 3.4, byte for byte. */
extern const char stock_file_head[];
extern const char no_such_file[];

/** For cmocka's fixtures; the catalog is new for each test. */
int answers_set_up(void **state);
int answers_tear_down(void **state);
#define WITH_CATALOG(name) cmocka_unit_test_setup_teardown(name, answers_set_up, answers_tear_down)

/** The blob of all files. */
extern char answers_path[];

/** A ROM with `ota.bin`. */
void add_rom(struct catalog_product *product, const char *version, bool is_current);
struct catalog_product *add_product(struct catalog_draft *draft, int64_t id, const char *token);
void publish(struct catalog_draft *draft);

/** Who is let in when; NULL: everybody. */
extern struct gate *gate;
extern uint64_t monotonic_ms;

/** What the last one to ask got. */
extern struct contact contact;
extern struct answer answer;
void ask_in(enum catalog_mode mode, const char *text);
void ask(const char *text); /**< Over plain TCP. */
void assert_bytes(const char *wanted);
void assert_status(uint16_t status);

#endif
