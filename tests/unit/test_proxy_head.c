/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <stdio.h>
#include <string.h>

#include "aloft/proxy_head.h"

#define SIGNATURE "\r\n\r\n\0\r\nQUIT\n"

static enum aloft_err parse(const char *bytes, size_t len, struct aloft_proxy_head *ret_head)
{
    *ret_head = (struct aloft_proxy_head){0};
    return aloft_proxy_head_parse((const uint8_t *)bytes, len, ret_head);
}

static void line__names_the_peer(void **state)
{
    (void)state;
    static const struct {
        const char *line;
        bool is_v6;
        uint8_t source[16];
        uint16_t port;
    } cases[] = {
        {"PROXY TCP4 192.0.2.7 198.51.100.1 40112 80\r\n", false, {192, 0, 2, 7}, 40112},
        {"PROXY TCP4 0.0.0.0 255.255.255.255 0 65535\r\n", false, {0}, 0},
        {"PROXY TCP6 2001:db8::7 2001:db8::1 40112 443\r\n",
         true,
         {0x20, 1, 0xD, 0xB8, [15] = 7},
         40112},
        {"PROXY TCP6 :: ::1 1 2\r\n", true, {0}, 1},
        {"PROXY TCP6 1:: ::1 1 2\r\n", true, {0, 1}, 1},
        {"PROXY TCP6 1:2:3:4:5:6:7:8 ::1 1 2\r\n",
         true,
         {0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0, 7, 0, 8},
         1},
        {"PROXY TCP6 1:2:3:4:5:6:7:: ::1 1 2\r\n",
         true,
         {0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0, 7},
         1},
        {"PROXY TCP6 ::ffff:192.0.2.7 ::1 1 2\r\n", true, {[10] = 0xFF, 0xFF, 192, 0, 2, 7}, 1},
        {"PROXY TCP6 FFFF:ffff:ffff:ffff:ffff:ffff:ffff:fffe "
         "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n",
         true,
         {255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 254},
         65535},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct aloft_proxy_head head;
        char more[160];
        size_t len = strlen(cases[i].line);
        (void)snprintf(more, sizeof more, "%sGET /", cases[i].line);
        assert_err(parse(more, len + 5, &head), ALOFT_ERR_OK);
        assert_int_equal(head.head_len, len);
        assert_true(head.has_source);
        assert_int_equal(head.is_v6, cases[i].is_v6);
        assert_memory_equal(head.source, cases[i].source, sizeof head.source);
        assert_int_equal(head.source_port, cases[i].port);
        for (size_t cut = 0; cut < len; cut++) {
            assert_err(parse(more, cut, &head), ALOFT_ERR_AGAIN);
        }
    }
}

static void line__of_an_unknown_peer_names_none(void **state)
{
    (void)state;
    static const char *const lines[] = {"PROXY UNKNOWN\r\n",
                                        "PROXY UNKNOWN ffff:f...f:ffff 1 whatever\r\n"};

    for (size_t i = 0; i < 2; i++) {
        struct aloft_proxy_head head;
        assert_err(parse(lines[i], strlen(lines[i]), &head), ALOFT_ERR_OK);
        assert_int_equal(head.head_len, strlen(lines[i]));
        assert_false(head.has_source);
    }
}

static void line__that_is_not_exactly_one_is_refused(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "GET / HTTP/1.0\r\n",
        "proxy TCP4 192.0.2.7 198.51.100.1 40112 80\r\n",
        "PROXY TCP4 192.0.2.7 198.51.100.1 40112 80\n",
        "PROXY TCP4 192.0.2.7 198.51.100.1 40112 80 \r\n",
        "PROXY TCP4  192.0.2.7 198.51.100.1 40112 80\r\n",
        "PROXY TCP4 192.0.2.7 198.51.100.1 40112\r\n",
        "PROXY TCP4 192.0.2 198.51.100.1 40112 80\r\n",
        "PROXY TCP4 192.0.2.256 198.51.100.1 40112 80\r\n",
        "PROXY TCP4 192.0.2.07 198.51.100.1 40112 80\r\n",
        "PROXY TCP4 192.0.2.7 198.51.100.1 65536 80\r\n",
        "PROXY TCP4 192.0.2.7 198.51.100.1 +1 80\r\n",
        "PROXY TCP4 192.0.2.7 198.51.100.1 99999999999999999999 80\r\n",
        "PROXY TCP4 ::1 ::1 1 2\r\n",
        "PROXY TCP6 192.0.2.7 198.51.100.1 1 2\r\n",
        "PROXY TCP6 1:2:3:4:5:6:7 ::1 1 2\r\n",
        "PROXY TCP6 1:2:3:4:5:6:7:8:9 ::1 1 2\r\n",
        "PROXY TCP6 1::2::3 ::1 1 2\r\n",
        "PROXY TCP6 1:2:3:4:5:6:7:8:: ::1 1 2\r\n",
        "PROXY TCP6 ::1:2:3:4:5:6:7:8 ::1 1 2\r\n",
        "PROXY TCP6 12345::1 ::1 1 2\r\n",
        "PROXY TCP6 1: ::1 1 2\r\n",
        "PROXY TCP6 : ::1 1 2\r\n",
        "PROXY TCP6 :::1 ::1 1 2\r\n",
        "PROXY TCP6 fe80::1%eth0 ::1 1 2\r\n",
        "PROXY UNKNOWNX\r\n",
        "PROXY UDP4 192.0.2.7 198.51.100.1 1 2\r\n",
        "PROXY \r\n",
    };

    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        struct aloft_proxy_head head;
        assert_err(parse(lines[i], strlen(lines[i]), &head), ALOFT_ERR_SYNTAX);
    }
}

static void line__has_107_bytes_at_most(void **state)
{
    (void)state;
    struct aloft_proxy_head head;
    char line[200];

    memset(line, 'x', sizeof line);
    memcpy(line, "PROXY UNKNOWN ", 14);
    assert_err(parse(line, 106, &head), ALOFT_ERR_AGAIN);
    assert_err(parse(line, 107, &head), ALOFT_ERR_SYNTAX);
    memcpy(line + 105, "\r\n", 2);
    assert_err(parse(line, sizeof line, &head), ALOFT_ERR_OK);
    assert_int_equal(head.head_len, 107);
    memcpy(line + 105, "x\r\n", 3);
    assert_err(parse(line, sizeof line, &head), ALOFT_ERR_SYNTAX);
}

/* Section 2.2 of its specification. */
static const char binary_v4[] = SIGNATURE "\x21\x11\x00\x0F"
                                          "\xC0\x00\x02\x07\xC6\x33\x64\x01\x9C\xB0\x00\x50"
                                          "\x04\x00\x00";
static const char binary_v6[] =
    SIGNATURE "\x21\x21\x00\x24"
              "\x20\x01\x0D\xB8\0\0\0\0\0\0\0\0\0\0\0\x07\x20\x01\x0D\xB8\0\0\0\0\0\0\0\0\0\0\0\x01"
              "\x9C\xB0\x01\xBB";

static void binary__names_the_peer(void **state)
{
    (void)state;
    static const uint8_t v4[16] = {192, 0, 2, 7};
    static const uint8_t v6[16] = {0x20, 1, 0xD, 0xB8, [15] = 7};
    struct aloft_proxy_head head;

    assert_err(parse(binary_v4, sizeof binary_v4 - 1, &head), ALOFT_ERR_OK);
    assert_int_equal(head.head_len, 16 + 15); /* with three bytes of an extension */
    assert_true(head.has_source && !head.is_v6);
    assert_memory_equal(head.source, v4, sizeof v4);
    assert_int_equal(head.source_port, 40112);
    assert_err(parse(binary_v6, sizeof binary_v6 - 1, &head), ALOFT_ERR_OK);
    assert_int_equal(head.head_len, 16 + 36);
    assert_true(head.has_source && head.is_v6);
    assert_memory_equal(head.source, v6, sizeof v6);
    assert_int_equal(head.source_port, 40112);
    for (size_t cut = 0; cut < sizeof binary_v6 - 1; cut++) {
        assert_err(parse(binary_v6, cut, &head), ALOFT_ERR_AGAIN);
    }
}

static void binary__of_no_peer_names_none(void **state)
{
    (void)state;
    static const char local[] = SIGNATURE "\x20\x00\x00\x00";
    static const char local_v4[] = SIGNATURE "\x20\x11\x00\x0C"
                                             "\xC0\x00\x02\x07\xC6\x33\x64\x01\x9C\xB0\x00\x50";
    static const char no_family[] = SIGNATURE "\x21\x00\x00\x00";
    struct aloft_proxy_head head;

    assert_err(parse(local, sizeof local - 1, &head), ALOFT_ERR_OK);
    assert_false(head.has_source);
    assert_err(parse(local_v4, sizeof local_v4 - 1, &head), ALOFT_ERR_OK);
    assert_false(head.has_source);
    assert_int_equal(head.head_len, 28);
    assert_err(parse(no_family, sizeof no_family - 1, &head), ALOFT_ERR_OK);
    assert_false(head.has_source);
}

static void binary__that_is_wrong_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char bytes[17];
        enum aloft_err err;
    } cases[] = {
        {SIGNATURE "\x11\x11\x00\x0C", ALOFT_ERR_SYNTAX}, /* version 1 */
        {SIGNATURE "\x22\x11\x00\x0C", ALOFT_ERR_SYNTAX}, /* no such command */
        {SIGNATURE "\x21\x11\x03\xF1", ALOFT_ERR_TOO_BIG},
        {SIGNATURE "\x21\x11\xFF\xFF", ALOFT_ERR_TOO_BIG},
        {SIGNATURE "\x21\x11\x03\xF0", ALOFT_ERR_AGAIN}, /* 1024 bytes in all */
        {"\r\n\r\n\0\r\nQUIT\r\x21\x11\x00\x0C", ALOFT_ERR_SYNTAX},
    };
    static const char too_short[] = SIGNATURE "\x21\x11\x00\x0B"
                                              "\xC0\x00\x02\x07\xC6\x33\x64\x01\x9C\xB0\x00";
    struct aloft_proxy_head head;

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_err(parse(cases[i].bytes, 16, &head), cases[i].err);
    }
    assert_err(parse(too_short, sizeof too_short - 1, &head), ALOFT_ERR_SYNTAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(line__names_the_peer),
        cmocka_unit_test(line__of_an_unknown_peer_names_none),
        cmocka_unit_test(line__that_is_not_exactly_one_is_refused),
        cmocka_unit_test(line__has_107_bytes_at_most),
        cmocka_unit_test(binary__names_the_peer),
        cmocka_unit_test(binary__of_no_peer_names_none),
        cmocka_unit_test(binary__that_is_wrong_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
