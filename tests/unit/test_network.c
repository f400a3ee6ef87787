/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <string.h>

#include "host/network.h"

static void parse__reads_networks_and_addresses_of_both_families(void **state)
{
    static const struct {
        const char *list;
        const char *address;
        bool is_in;
    } rows[] = {
        {"192.0.2.0/24", "192.0.2.255", true},
        {"192.0.2.0/24", "192.0.3.0", false},
        {"192.0.2.128/25", "192.0.2.127", false},
        {"192.0.2.128/25", "192.0.2.200", true},
        {"192.0.2.7", "192.0.2.7", true},
        {"192.0.2.7", "192.0.2.6", false},
        {"0.0.0.0/0", "203.0.113.9", true},
        {"0.0.0.0/0", "::1", false},
        {"::/0", "2001:db8::1", true},
        {"::/0", "192.0.2.7", false},
        {"2001:db8::/33", "2001:db8:7fff::1", true},
        {"2001:db8::/33", "2001:db8:8000::1", false},
        {"10.0.0.0/8, 192.0.2.7,\t::1", "::1", true},
        {"192.0.2.0/24", "::ffff:192.0.2.9", true},
        {"::ffff:192.0.2.0/120", "192.0.2.9", true},
        {"::ffff:192.0.2.0/120", "::ffff:192.0.3.9", false},
        {"10.0.0.0/8", "10.1.2.3:80", false},
        {"10.0.0.0/8", "", false},
        {"", "10.1.2.3", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct networks list;
        assert_err(networks_parse(rows[i].list, &list, NULL), ALOFT_ERR_OK);
        assert_int_equal(networks_hold_text(&list, rows[i].address), rows[i].is_in);
    }
}

static void parse__refuses_what_is_no_network_and_leaves_the_list(void **state)
{
    static const struct {
        const char *text;
        const char *sentence;
    } rows[] = {
        {"proxy.example", "'proxy.example' is not a network such as"},
        {"192.0.2.0/33", "is not a network"},
        {"192.0.2.0/", "is not a network"},
        {"192.0.2.0/-1", "is not a network"},
        {"192.0.2.0/0024", "is not a network"},
        {"192.0.2", "is not a network"},
        {"::/129", "is not a network"},
        {"192.0.2.1/24", "'192.0.2.1/24' has bits set behind its prefix: write the network's first "
                         "address, or /32 for this address alone"},
        {"2001:db8::1/64", "or /128 for this address alone"},
        {"11111111111111111111111111111111111111111111111111111111111111111", "...' is not"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct networks list = {.n_items = 7};
        struct error e = {0};
        assert_err(networks_parse(rows[i].text, &list, &e), ALOFT_ERR_SYNTAX);
        assert_non_null(strstr(e.sentence, rows[i].sentence));
        assert_int_equal(list.n_items, 7);
    }
}

static void parse__bounds_the_list(void **state)
{
    char text[NETWORKS_MAX * 4 + 8] = "";
    struct networks list;

    (void)state;
    for (int i = 0; i < NETWORKS_MAX; i++) {
        memcpy(text + 4 * i, "::1 ", 5);
    }
    assert_err(networks_parse(text, &list, NULL), ALOFT_ERR_OK);
    assert_int_equal(list.n_items, NETWORKS_MAX);
    memcpy(text + 4 * NETWORKS_MAX, "::1", 4);
    assert_err(networks_parse(text, &list, NULL), ALOFT_ERR_TOO_BIG);
}

static void format__gives_what_parse_reads(void **state)
{
    char text[128];
    struct networks list;

    (void)state;
    assert_err(networks_parse("10.0.0.0/8 , 192.0.2.7/32 2001:DB8:0::/32,::1", &list, NULL),
               ALOFT_ERR_OK);
    networks_format(&list, text, sizeof text);
    assert_string_equal(text, "10.0.0.0/8,192.0.2.7,2001:db8::/32,::1");
    networks_format(&list, text, 5);
    assert_string_equal(text, "10.0");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parse__reads_networks_and_addresses_of_both_families),
        cmocka_unit_test(parse__refuses_what_is_no_network_and_leaves_the_list),
        cmocka_unit_test(parse__bounds_the_list),
        cmocka_unit_test(format__gives_what_parse_reads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
