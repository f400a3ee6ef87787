/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <string.h>

#include "process/air_text.h"

static void ap__keeps_colons_and_all_else_of_the_password(void **state)
{
    struct error e = {0};
    struct air_ap ap;

    (void)state;
    assert_err(air_text_ap("my net, 2.4:pass:word,=", &ap, &e), ALOFT_ERR_OK);
    assert_string_equal(ap.ssid, "my net, 2.4");
    assert_string_equal(ap.password, "pass:word,=");
    assert_int_equal(ap.auth, ALOFT_WIFI_WPA2);
    assert_err(air_text_ap("cafe:", &ap, &e), ALOFT_ERR_OK);
    assert_int_equal(ap.auth, ALOFT_WIFI_OPEN);
}

static void ap__without_colon_or_too_long_is_refused(void **state)
{
    static const char *const bad[] = {
        "cafe",
        "123456789012345678901234567890123:12345678",
        "cafe:12345678901234567890123456789012345678901234567890123456789012345",
    };
    struct air_ap ap;

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct error e = {0};
        assert_err(air_text_ap(bad[i], &ap, &e), ALOFT_ERR_SYNTAX);
        assert_non_null(strstr(e.sentence, bad[i]));
    }
}

static void ap_with__sets_every_key(void **state)
{
    static const char text[] =
        "auth=wpa/wpa2,channel=13,rssi=-71,hidden=yes,bssid=02:00:00:AA:bb:cc,"
        "gateway=10.1.2.254,station=10.1.2.3,from=10,until=86400000";
    struct error e = {0};
    struct air_ap ap;

    (void)state;
    assert_err(air_text_ap("home:12345678", &ap, &e), ALOFT_ERR_OK);
    assert_err(air_text_ap_with(text, &ap, &e), ALOFT_ERR_OK);
    assert_int_equal(ap.auth, ALOFT_WIFI_WPA_WPA2);
    assert_int_equal(ap.channel, 13);
    assert_int_equal(ap.rssi, -71);
    assert_true(ap.is_hidden);
    assert_memory_equal(ap.bssid, "\x02\x00\x00\xaa\xbb\xcc", 6);
    assert_memory_equal(ap.lease.gateway, "\x0a\x01\x02\xfe", 4);
    assert_memory_equal(ap.lease.ip, "\x0a\x01\x02\x03", 4);
    assert_int_equal(ap.window.from_ms, 10);
    assert_int_equal(ap.window.until_ms, 86400000);
    assert_err(air_text_ap_with("hidden=no", &ap, &e), ALOFT_ERR_OK);
    assert_false(ap.is_hidden);
}

static void ap_with__names_the_word_it_does_not_take(void **state)
{
    static const struct {
        const char *text;
        const char *said;
    } rows[] = {
        {"", "''"},
        {"colour=red", "'colour=red'"},
        {"rssi", "'rssi'"},
        {"rssi=-40,", "''"},
        {"rssi=-40,,channel=1", "''"},
        {"rs=-40", "'rs=-40'"},
        {"rssis=-40", "'rssis=-40'"},
        {"auth=WPA2", "auth=open, wep"},
        {"channel=0", "channel=1..14"},
        {"channel=15", "channel=1..14"},
        {"channel=", "channel=1..14"},
        {"channel=6x", "channel=1..14"},
        {"rssi=1", "rssi=-128..0"},
        {"rssi=-129", "rssi=-128..0"},
        {"hidden=", "hidden=yes or no"},
        {"bssid=02:00:00:aa:bb", "bssid=AA:BB:CC:DD:EE:FF"},
        {"gateway=10.1.2", "gateway=A.B.C.D"},
        {"from=-1", "from=milliseconds"},
        {"from=99999999999999999999", "from=milliseconds"},
        {"until=86400001", "until=milliseconds"},
        {"from=5,until=5", "until=5 does not come after from=5"},
        {"auth=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "auth="},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct error e = {0};
        struct air_ap ap;
        assert_err(air_text_ap("home:12345678", &ap, &e), ALOFT_ERR_OK);
        assert_err(air_text_ap_with(rows[i].text, &ap, &e), ALOFT_ERR_SYNTAX);
        assert_non_null(strstr(e.sentence, rows[i].said));
    }
}

static void client__is_a_mac_and_a_window(void **state)
{
    static const char *const bad[] = {
        "",
        ",",
        "a2:b3:c4:d5:e6",
        "a2:b3:c4:d5:e6:01,",
        "a2:b3:c4:d5:e6:01,from",
        "a2:b3:c4:d5:e6:01,rssi=-40",
        "a2:b3:c4:d5:e6:01,from=2,until=1",
    };
    struct error e = {0};
    struct air_client client;

    (void)state;
    assert_err(air_text_client("a2:b3:c4:d5:e6:01", &client, &e), ALOFT_ERR_OK);
    assert_memory_equal(client.mac, "\xa2\xb3\xc4\xd5\xe6\x01", 6);
    assert_int_equal(client.window.from_ms, 0);
    assert_int_equal(client.window.until_ms, 0);
    assert_err(air_text_client("A2:B3:C4:D5:E6:01,from=100,until=200", &client, &e), ALOFT_ERR_OK);
    assert_int_equal(client.window.from_ms, 100);
    assert_int_equal(client.window.until_ms, 200);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_err(air_text_client(bad[i], &client, &e), ALOFT_ERR_SYNTAX);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ap__keeps_colons_and_all_else_of_the_password),
        cmocka_unit_test(ap__without_colon_or_too_long_is_refused),
        cmocka_unit_test(ap_with__sets_every_key),
        cmocka_unit_test(ap_with__names_the_word_it_does_not_take),
        cmocka_unit_test(client__is_a_mac_and_a_window),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
