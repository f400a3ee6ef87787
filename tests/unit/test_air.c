/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <string.h>

#include "models/air.h"

static const uint8_t station_mac[] = {0x02, 0x11, 0x22, 0x33, 0x44, 0x07};

static enum aloft_err add_ap(struct air *air, const char *ssid, const char *password)
{
    struct air_ap ap;

    air_ap_init(&ap, ssid, password);
    return air_add_ap(air, &ap);
}

static void set_up(struct air *air)
{
    air_init(air, station_mac, 0);
    assert_err(add_ap(air, "home", "12345678"), ALOFT_ERR_OK);
    assert_err(add_ap(air, "cafe", ""), ALOFT_ERR_OK);
    assert_err(air_set_mode(air, 1, 0), ALOFT_ERR_OK);
}

static struct aloft_wifi_join wish(const char *ssid, const char *password)
{
    struct aloft_wifi_join join = {0};

    (void)strncpy(join.ssid, ssid, sizeof join.ssid - 1);
    (void)strncpy(join.password, password, sizeof join.password - 1);
    return join;
}

static void join__ends_with_the_code_of_the_reason(void **state)
{
    static const struct {
        const char *ssid;
        const char *password;
        enum aloft_wifi_state state;
        enum aloft_wifi_fail fail;
    } cases[] = {
        {"home", "12345678", ALOFT_WIFI_GOT_IP, ALOFT_WIFI_FAIL_NONE},
        {"home", "87654321", ALOFT_WIFI_DISCONNECTED, ALOFT_WIFI_FAIL_PASSWORD},
        {"home", "", ALOFT_WIFI_DISCONNECTED, ALOFT_WIFI_FAIL_PASSWORD},
        {"elsewhere", "12345678", ALOFT_WIFI_DISCONNECTED, ALOFT_WIFI_FAIL_NO_AP},
        {"hom", "12345678", ALOFT_WIFI_DISCONNECTED, ALOFT_WIFI_FAIL_NO_AP},
        {"cafe", "", ALOFT_WIFI_GOT_IP, ALOFT_WIFI_FAIL_NONE},
        {"cafe", "whatever", ALOFT_WIFI_GOT_IP, ALOFT_WIFI_FAIL_NONE},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct air air;
        struct aloft_wifi_status s;
        set_up(&air);
        struct aloft_wifi_join join = wish(cases[i].ssid, cases[i].password);
        assert_err(air_join(&air, &join, 1000), ALOFT_ERR_OK);
        air_status(&air, 1000 + AIR_LEASE_MS, &s);
        assert_int_equal(s.state, cases[i].state);
        assert_int_equal(s.fail, cases[i].fail);
        assert_string_equal(s.ssid, cases[i].ssid);
    }
}

static void join__passes_through_joining_and_connected(void **state)
{
    struct air air;
    struct aloft_wifi_status s;
    struct aloft_wifi_join join = wish("home", "12345678");

    (void)state;
    set_up(&air);
    air_status(&air, 5, &s);
    assert_int_equal(s.state, ALOFT_WIFI_IDLE);
    assert_int_equal(air_wait_ms(&air, 5), UINT32_MAX);
    assert_err(air_join(&air, &join, 10), ALOFT_ERR_OK);
    assert_int_equal(air_wait_ms(&air, 12), AIR_JOIN_MS - 2);
    air_status(&air, 10 + AIR_JOIN_MS - 1, &s);
    assert_int_equal(s.state, ALOFT_WIFI_JOINING);
    air_status(&air, 10 + AIR_JOIN_MS, &s);
    assert_int_equal(s.state, ALOFT_WIFI_CONNECTED);
    assert_false(air_has_address(&air, 10 + AIR_JOIN_MS));
    assert_int_equal(air_wait_ms(&air, 10 + AIR_JOIN_MS), AIR_LEASE_MS - AIR_JOIN_MS);
    assert_true(air_has_address(&air, 10 + AIR_LEASE_MS));
    assert_int_equal(air_wait_ms(&air, 10 + AIR_LEASE_MS), UINT32_MAX);
}

static void lease__is_in_the_net_of_its_gateway(void **state)
{
    struct air air;
    struct aloft_wifi_status s;
    struct aloft_wifi_join join = wish("home", "12345678");

    (void)state;
    set_up(&air);
    assert_err(air_join(&air, &join, 0), ALOFT_ERR_OK);
    air_status(&air, AIR_LEASE_MS, &s);
    assert_memory_equal(s.ip, s.gateway, 3);
    assert_memory_not_equal(s.ip, s.gateway, 4);
    assert_true(s.channel >= 1 && s.channel <= 13);
    assert_true(s.rssi < 0 && s.rssi > -90);
}

static void join__with_a_bssid_takes_only_that_access_point(void **state)
{
    struct air air;
    struct aloft_wifi_status s;
    struct aloft_wifi_join join = wish("home", "12345678");

    (void)state;
    set_up(&air);
    join.has_bssid = true;
    air_bssid("cafe", join.bssid);
    assert_err(air_join(&air, &join, 0), ALOFT_ERR_OK);
    air_status(&air, AIR_LEASE_MS, &s);
    assert_int_equal(s.fail, ALOFT_WIFI_FAIL_NO_AP);
    air_bssid("home", join.bssid);
    assert_err(air_join(&air, &join, 0), ALOFT_ERR_OK);
    air_status(&air, AIR_LEASE_MS, &s);
    assert_int_equal(s.state, ALOFT_WIFI_GOT_IP);
    assert_memory_equal(s.bssid, join.bssid, 6);
}

static void join__needs_the_station(void **state)
{
    struct air air;
    struct aloft_wifi_join join = wish("home", "12345678");

    (void)state;
    set_up(&air);
    assert_err(air_set_mode(&air, 2, 0), ALOFT_ERR_OK);
    assert_err(air_join(&air, &join, 0), ALOFT_ERR_STATE);
    assert_err(air_set_mode(&air, 3, 0), ALOFT_ERR_OK);
    assert_err(air_join(&air, &join, 0), ALOFT_ERR_OK);
    assert_err(air_set_mode(&air, 4, 0), ALOFT_ERR_RANGE);
}

static void leaving__differs_from_never_having_tried(void **state)
{
    struct air air;
    struct aloft_wifi_status s;
    struct aloft_wifi_join join = wish("home", "12345678");

    (void)state;
    set_up(&air);
    air_leave(&air);
    air_status(&air, 0, &s);
    assert_int_equal(s.state, ALOFT_WIFI_IDLE);
    assert_err(air_join(&air, &join, 0), ALOFT_ERR_OK);
    assert_err(air_set_mode(&air, 0, 0), ALOFT_ERR_OK);
    air_status(&air, AIR_LEASE_MS, &s);
    assert_int_equal(s.state, ALOFT_WIFI_DISCONNECTED);
    assert_int_equal(s.fail, ALOFT_WIFI_FAIL_NONE);
    air_reset(&air);
    air_status(&air, AIR_LEASE_MS, &s);
    assert_int_equal(s.state, ALOFT_WIFI_IDLE);
}

static void add_ap__refuses_what_no_access_point_can_be(void **state)
{
    struct air air;
    char long_text[66];

    (void)state;
    memset(long_text, 'a', sizeof long_text);
    long_text[65] = '\0';
    air_init(&air, station_mac, 0);
    assert_err(add_ap(&air, "", ""), ALOFT_ERR_RANGE);
    assert_err(add_ap(&air, long_text, ""), ALOFT_ERR_RANGE);
    assert_err(add_ap(&air, "a", long_text), ALOFT_ERR_RANGE);
    assert_err(add_ap(&air, "a", "1234567"), ALOFT_ERR_RANGE);
    long_text[64] = '\0';
    assert_err(add_ap(&air, "a", long_text), ALOFT_ERR_OK);
    long_text[32] = '\0';
    for (size_t i = 1; i < AIR_APS_MAX; i++) {
        assert_err(add_ap(&air, long_text, ""), ALOFT_ERR_OK);
    }
    assert_err(add_ap(&air, "one more", ""), ALOFT_ERR_TOO_BIG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(join__ends_with_the_code_of_the_reason),
        cmocka_unit_test(join__passes_through_joining_and_connected),
        cmocka_unit_test(lease__is_in_the_net_of_its_gateway),
        cmocka_unit_test(join__with_a_bssid_takes_only_that_access_point),
        cmocka_unit_test(join__needs_the_station),
        cmocka_unit_test(leaving__differs_from_never_having_tried),
        cmocka_unit_test(add_ap__refuses_what_no_access_point_can_be),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
