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

#define SCAN_END(begin) ((begin) + AIR_SCAN_MS)

static void add(struct air *air, const char *ssid, int8_t rssi, bool is_hidden)
{
    struct air_ap ap;

    air_ap_init(&ap, ssid, "12345678");
    ap.rssi = rssi;
    ap.is_hidden = is_hidden;
    assert_err(air_add_ap(air, &ap), ALOFT_ERR_OK);
}

static void join_at(struct air *air, const char *ssid, const char *password, uint64_t now_ms)
{
    struct aloft_wifi_join join = wish(ssid, password);

    assert_err(air_join(air, &join, now_ms), ALOFT_ERR_OK);
}

static enum aloft_wifi_state state_at(const struct air *air, uint64_t now_ms)
{
    struct aloft_wifi_status s;

    air_status(air, now_ms, &s);
    return s.state;
}

static void scan__gives_the_strongest_first_and_ties_in_order(void **state)
{
    static const char *const wanted[] = {"near", "tie one", "tie two", "", "far"};
    struct aloft_scan_entry entry;
    struct air air;

    (void)state;
    air_init(&air, station_mac, 0);
    add(&air, "far", -80, false);
    add(&air, "tie one", -50, false);
    add(&air, "tie two", -50, false);
    add(&air, "near", -30, false);
    add(&air, "hidden", -60, true);
    assert_err(air_set_mode(&air, 1, 0), ALOFT_ERR_OK);
    assert_err(air_scan_entry(&air, 0, 0, &entry), ALOFT_ERR_NOT_FOUND);
    assert_err(air_scan(&air, 100), ALOFT_ERR_OK);
    assert_int_equal(air_wait_ms(&air, 100), AIR_SCAN_MS);
    assert_err(air_scan_entry(&air, SCAN_END(100) - 1, 0, &entry), ALOFT_ERR_AGAIN);
    for (uint16_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
        assert_err(air_scan_entry(&air, SCAN_END(100), i, &entry), ALOFT_ERR_OK);
        assert_string_equal(entry.ssid, wanted[i]);
        assert_int_equal(entry.auth, ALOFT_WIFI_WPA2);
    }
    assert_err(air_scan_entry(&air, SCAN_END(100), 5, &entry), ALOFT_ERR_NOT_FOUND);
    assert_int_equal(air_wait_ms(&air, SCAN_END(100)), UINT32_MAX);
}

static void scan__that_runs_goes_on(void **state)
{
    struct aloft_scan_entry entry;
    struct air air;

    (void)state;
    set_up(&air);
    assert_err(air_scan(&air, 0), ALOFT_ERR_OK);
    assert_err(air_scan(&air, AIR_SCAN_MS - 1), ALOFT_ERR_OK);
    assert_err(air_scan_entry(&air, AIR_SCAN_MS, 0, &entry), ALOFT_ERR_OK);
    assert_err(air_scan(&air, AIR_SCAN_MS), ALOFT_ERR_OK);
    assert_err(air_scan_entry(&air, AIR_SCAN_MS, 0, &entry), ALOFT_ERR_AGAIN);
}

static void scan__needs_the_station_and_is_forgotten_with_it(void **state)
{
    struct aloft_scan_entry entry;
    struct air air;

    (void)state;
    set_up(&air);
    assert_err(air_scan(&air, 0), ALOFT_ERR_OK);
    assert_err(air_set_mode(&air, 2, 50), ALOFT_ERR_OK);
    assert_err(air_scan_entry(&air, 50, 0, &entry), ALOFT_ERR_NOT_FOUND);
    assert_err(air_scan(&air, 50), ALOFT_ERR_STATE);
    assert_err(air_set_mode(&air, 1, 60), ALOFT_ERR_OK);
    assert_err(air_scan(&air, 60), ALOFT_ERR_OK);
    air_reset(&air);
    assert_err(air_scan_entry(&air, 200, 0, &entry), ALOFT_ERR_NOT_FOUND);
}

static void join__finds_a_hidden_access_point_by_its_ssid(void **state)
{
    struct air air;

    (void)state;
    air_init(&air, station_mac, 0);
    add(&air, "hidden", -60, true);
    assert_err(air_set_mode(&air, 1, 0), ALOFT_ERR_OK);
    join_at(&air, "hidden", "12345678", 0);
    assert_int_equal(state_at(&air, AIR_LEASE_MS), ALOFT_WIFI_GOT_IP);
}

static void join__takes_the_strongest_of_one_ssid(void **state)
{
    struct aloft_wifi_status s;
    struct air air;

    (void)state;
    air_init(&air, station_mac, 0);
    add(&air, "home", -70, false);
    add(&air, "home", -30, false);
    add(&air, "home", -50, false);
    air.aps[1].channel = 13;
    assert_err(air_set_mode(&air, 1, 0), ALOFT_ERR_OK);
    join_at(&air, "home", "12345678", 0);
    air_status(&air, AIR_LEASE_MS, &s);
    assert_int_equal(s.rssi, -30);
    assert_int_equal(s.channel, 13);
}

/* The threshold of facts/at-commands.md 3.4, step 6. */
static void join__does_not_see_what_is_below_its_authentication(void **state)
{
    static const struct {
        const char *ssid;
        uint8_t min_auth;
        enum aloft_wifi_fail fail;
    } rows[] = {
        {"cafe", ALOFT_WIFI_OPEN, ALOFT_WIFI_FAIL_NONE},
        {"cafe", ALOFT_WIFI_WEP, ALOFT_WIFI_FAIL_NO_AP},
        {"home", ALOFT_WIFI_WEP, ALOFT_WIFI_FAIL_NONE},
        {"home", ALOFT_WIFI_WPA2, ALOFT_WIFI_FAIL_NONE},
        {"home", ALOFT_WIFI_WPA3, ALOFT_WIFI_FAIL_NO_AP},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct aloft_wifi_status s;
        struct air air;
        set_up(&air);
        struct aloft_wifi_join join = wish(rows[i].ssid, "12345678");
        join.min_auth = rows[i].min_auth;
        assert_err(air_join(&air, &join, 0), ALOFT_ERR_OK);
        air_status(&air, AIR_LEASE_MS, &s);
        assert_int_equal(s.fail, rows[i].fail);
    }
}

static void join__with_a_password_alone_does_not_enter_an_enterprise_net(void **state)
{
    struct aloft_wifi_status s;
    struct air_ap ap;
    struct air air;

    (void)state;
    air_init(&air, station_mac, 0);
    air_ap_init(&ap, "campus", "12345678");
    ap.auth = ALOFT_WIFI_WPA2_ENT;
    assert_err(air_add_ap(&air, &ap), ALOFT_ERR_OK);
    assert_err(air_set_mode(&air, 1, 0), ALOFT_ERR_OK);
    join_at(&air, "campus", "12345678", 0);
    air_status(&air, AIR_LEASE_MS, &s);
    assert_int_equal(s.fail, ALOFT_WIFI_FAIL_OTHER);
}

static void access_point__is_there_in_its_window_only(void **state)
{
    struct aloft_scan_entry entry;
    struct aloft_wifi_status s;
    struct air_ap ap;
    struct air air;

    (void)state;
    air_init(&air, station_mac, 5000);
    air_ap_init(&ap, "phone", "12345678");
    ap.window = (struct air_window){.from_ms = 1000, .until_ms = 2000};
    assert_err(air_add_ap(&air, &ap), ALOFT_ERR_OK);
    assert_err(air_set_mode(&air, 1, 5000), ALOFT_ERR_OK);
    assert_int_equal(air_wait_ms(&air, 5000), 1000);
    join_at(&air, "phone", "12345678", 5999 - AIR_JOIN_MS);
    air_status(&air, 6500, &s); /* It was not there yet when the station looked for it. */
    assert_int_equal(s.fail, ALOFT_WIFI_FAIL_NO_AP);
    join_at(&air, "phone", "12345678", 6500);
    assert_int_equal(state_at(&air, 6999), ALOFT_WIFI_GOT_IP);
    assert_err(air_scan(&air, 6900), ALOFT_ERR_OK);
    assert_err(air_scan_entry(&air, 7500, 0, &entry), ALOFT_ERR_OK); /* As it was then. */
    air_status(&air, 7000, &s);
    assert_int_equal(s.state, ALOFT_WIFI_DISCONNECTED);
    assert_int_equal(s.fail, ALOFT_WIFI_FAIL_NONE);
    assert_err(air_scan(&air, 7000), ALOFT_ERR_OK);
    assert_err(air_scan_entry(&air, 7500, 0, &entry), ALOFT_ERR_NOT_FOUND);
}

static void station_ip__takes_the_place_of_dhcp(void **state)
{
    static const struct aloft_ip_config fixed = {
        {192, 168, 6, 100}, {192, 168, 6, 1}, {255, 255, 255, 0}};
    struct aloft_wifi_status s;
    struct air air;

    (void)state;
    set_up(&air);
    air_set_station_ip(&air, &fixed, 0);
    join_at(&air, "home", "12345678", 0);
    air_status(&air, AIR_JOIN_MS, &s); /* At once: nobody is asked. */
    assert_int_equal(s.state, ALOFT_WIFI_GOT_IP);
    assert_memory_equal(s.ip, fixed.ip, 4);
    assert_memory_equal(s.gateway, fixed.gateway, 4);
    air_set_station_ip(&air, NULL, 1000);
    assert_int_equal(state_at(&air, 1000), ALOFT_WIFI_CONNECTED);
    assert_int_equal(air_wait_ms(&air, 1000), AIR_LEASE_MS - AIR_JOIN_MS);
    air_status(&air, 1000 + AIR_LEASE_MS - AIR_JOIN_MS, &s);
    assert_int_equal(s.state, ALOFT_WIFI_GOT_IP);
    assert_memory_not_equal(s.ip, fixed.ip, 4);
}

/* DHCP off, no address set: linked, and nothing more. */
static void station_ip__of_zeros_is_no_address(void **state)
{
    static const struct aloft_ip_config none = {{0}, {0}, {0}};
    struct air air;

    (void)state;
    set_up(&air);
    air_set_station_ip(&air, &none, 0);
    join_at(&air, "home", "12345678", 0);
    assert_int_equal(state_at(&air, 10 * AIR_LEASE_MS), ALOFT_WIFI_CONNECTED);
}

static void lease__is_what_the_access_point_says(void **state)
{
    struct aloft_wifi_status s;
    struct air_ap ap;
    struct air air;

    (void)state;
    air_init(&air, station_mac, 0);
    air_ap_init(&ap, "home", "12345678");
    ap.lease = (struct aloft_ip_config){{10, 1, 2, 3}, {10, 1, 2, 254}, {255, 255, 255, 0}};
    assert_err(air_add_ap(&air, &ap), ALOFT_ERR_OK);
    assert_err(air_set_mode(&air, 1, 0), ALOFT_ERR_OK);
    join_at(&air, "home", "12345678", 0);
    air_status(&air, AIR_LEASE_MS, &s);
    assert_memory_equal(s.ip, "\x0a\x01\x02\x03", 4);
    assert_memory_equal(s.gateway, "\x0a\x01\x02\xfe", 4);
}

static void add_client(struct air *air, uint8_t last, uint32_t from_ms, uint32_t until_ms)
{
    struct air_client client = {.mac = {0xa2, 0xb3, 0xc4, 0xd5, 0xe6, last},
                                .window = {from_ms, until_ms}};

    assert_err(air_add_client(air, &client), ALOFT_ERR_OK);
}

static void expect_client(const struct air *air, uint64_t now_ms, uint8_t index, uint8_t last,
                          uint8_t host)
{
    struct aloft_soft_ap_client client;

    assert_err(air_soft_ap_client(air, now_ms, index, &client), ALOFT_ERR_OK);
    assert_int_equal(client.mac[5], last);
    assert_int_equal(client.ip[3], host);
    assert_int_equal(client.ip[2], host > 0 ? 4 : 0);
}

static void expect_clients(const struct air *air, uint64_t now_ms, uint8_t n)
{
    struct aloft_soft_ap_client client;

    assert_err(air_soft_ap_client(air, now_ms, n, &client), ALOFT_ERR_NOT_FOUND);
    if (n > 0) {
        assert_err(air_soft_ap_client(air, now_ms, (uint8_t)(n - 1), &client), ALOFT_ERR_OK);
    }
}

static void clients__join_in_order_and_get_addresses(void **state)
{
    struct air air;

    (void)state;
    air_init(&air, station_mac, 0);
    add_client(&air, 1, 500, 0);
    add_client(&air, 2, 0, 800);
    expect_clients(&air, 0, 0);
    assert_err(air_set_mode(&air, 2, 1000), ALOFT_ERR_OK);
    assert_int_equal(air_wait_ms(&air, 1000), AIR_CLIENT_LEASE_MS);
    expect_client(&air, 1000, 0, 2, 0);
    expect_client(&air, 1000 + AIR_CLIENT_LEASE_MS, 0, 2, 3);
    expect_clients(&air, 1499, 1);
    expect_client(&air, 1500 + AIR_CLIENT_LEASE_MS, 0, 2, 3);
    expect_client(&air, 1500 + AIR_CLIENT_LEASE_MS, 1, 1, 2);
    expect_clients(&air, 1800, 1);
    expect_client(&air, 1800, 0, 1, 2);
    assert_err(air_set_mode(&air, 3, 2000), ALOFT_ERR_OK); /* The soft-AP stays up. */
    expect_client(&air, 2000, 0, 1, 2);
    assert_err(air_set_mode(&air, 1, 2000), ALOFT_ERR_OK);
    expect_clients(&air, 2000, 0);
}

static void clients__beyond_the_most_are_turned_away(void **state)
{
    struct aloft_soft_ap soft_ap = {.ssid = "mine", .channel = 1, .max_stations = 2};
    struct air air;

    (void)state;
    air_init(&air, station_mac, 0);
    add_client(&air, 1, 0, 0);
    add_client(&air, 2, 0, 0);
    add_client(&air, 3, 0, 0);
    assert_err(air_set_mode(&air, 2, 0), ALOFT_ERR_OK);
    expect_clients(&air, 0, 3);
    air_set_soft_ap(&air, &soft_ap, 100);
    expect_clients(&air, 100, 2);
    expect_client(&air, 100, 0, 1, 0); /* It came up anew. */
    air_reset(&air);
    expect_clients(&air, 100, 0);
}

static void clients__get_addresses_of_the_soft_aps_net(void **state)
{
    static const struct aloft_ip_config five = {
        {192, 168, 5, 7}, {192, 168, 5, 7}, {255, 255, 255, 0}};
    struct aloft_soft_ap_client client;
    struct aloft_ip_config ip;
    struct air air;

    (void)state;
    air_init(&air, station_mac, 0);
    air_ap_ip(&air, &ip);
    assert_memory_equal(ip.ip, "\xc0\xa8\x04\x01", 4);
    add_client(&air, 1, 0, 0);
    air_set_ap_ip(&air, &five);
    assert_err(air_set_mode(&air, 2, 0), ALOFT_ERR_OK);
    assert_err(air_soft_ap_client(&air, 100, 0, &client), ALOFT_ERR_OK);
    assert_memory_equal(client.ip, "\xc0\xa8\x05\x08", 4);
    air_reset(&air);
    air_ap_ip(&air, &ip);
    assert_memory_equal(ip.ip, "\xc0\xa8\x04\x01", 4);
}

static void add__refuses_what_cannot_be(void **state)
{
    static const struct {
        uint8_t auth;
        const char *password;
        bool is_good;
    } rows[] = {
        {ALOFT_WIFI_OPEN, "12345678", false},
        {ALOFT_WIFI_WPA2, "", false},
        {ALOFT_WIFI_WEP, "12345", true},
        {ALOFT_WIFI_WEP, "12345678", false},
        {ALOFT_WIFI_WEP, "1234567890123", true},
        {ALOFT_WIFI_WPA3, "12345678", true},
        {ALOFT_WIFI_WPA2_WPA3 + 1, "12345678", false},
    };
    struct air_client client = {.window = {5, 5}};
    struct air_ap ap;
    struct air air;

    (void)state;
    air_init(&air, station_mac, 0);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        air_ap_init(&ap, "home", rows[i].password);
        ap.auth = rows[i].auth;
        assert_err(air_add_ap(&air, &ap), rows[i].is_good ? ALOFT_ERR_OK : ALOFT_ERR_RANGE);
    }
    air_ap_init(&ap, "home", "");
    ap.channel = 15;
    assert_err(air_add_ap(&air, &ap), ALOFT_ERR_RANGE);
    ap.channel = 0;
    assert_err(air_add_ap(&air, &ap), ALOFT_ERR_RANGE);
    ap.channel = 1;
    ap.window = (struct air_window){2, 1};
    assert_err(air_add_ap(&air, &ap), ALOFT_ERR_RANGE);
    assert_err(air_add_client(&air, &client), ALOFT_ERR_RANGE);
    client.window.until_ms = 0;
    for (size_t i = 0; i < AIR_CLIENTS_MAX; i++) {
        assert_err(air_add_client(&air, &client), ALOFT_ERR_OK);
    }
    assert_err(air_add_client(&air, &client), ALOFT_ERR_TOO_BIG);
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
        cmocka_unit_test(scan__gives_the_strongest_first_and_ties_in_order),
        cmocka_unit_test(scan__that_runs_goes_on),
        cmocka_unit_test(scan__needs_the_station_and_is_forgotten_with_it),
        cmocka_unit_test(join__finds_a_hidden_access_point_by_its_ssid),
        cmocka_unit_test(join__takes_the_strongest_of_one_ssid),
        cmocka_unit_test(join__does_not_see_what_is_below_its_authentication),
        cmocka_unit_test(join__with_a_password_alone_does_not_enter_an_enterprise_net),
        cmocka_unit_test(access_point__is_there_in_its_window_only),
        cmocka_unit_test(station_ip__takes_the_place_of_dhcp),
        cmocka_unit_test(station_ip__of_zeros_is_no_address),
        cmocka_unit_test(lease__is_what_the_access_point_says),
        cmocka_unit_test(clients__join_in_order_and_get_addresses),
        cmocka_unit_test(clients__beyond_the_most_are_turned_away),
        cmocka_unit_test(clients__get_addresses_of_the_soft_aps_net),
        cmocka_unit_test(add__refuses_what_cannot_be),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
