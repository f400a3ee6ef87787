/* SPDX-License-Identifier: Apache-2.0 */
#include "wifi_dialogue.h"

#include <string.h>

#include "unit.h"

void wifi_boot(struct fake_port *f)
{
    struct aloft_module_config config = fake_port_config();

    memset(&f->wifi, 0, sizeof f->wifi);
    fake_port_boot(f, &config);
    fake_port_send(f, "ATE0\r\n");
    (void)fake_port_read(f);
}

int wifi_set_up(void **state)
{
    struct fake_port *f = fake_port_new();

    wifi_boot(f);
    *state = f;
    return 0;
}

void expect_after(struct fake_port *f, uint32_t ms, const char *wanted)
{
    fake_port_run(f, ms);
    assert_string_equal(fake_port_read(f), wanted);
}

void set_status(struct fake_port *f, enum aloft_wifi_state state)
{
    f->wifi.status.state = state;
    memcpy(f->wifi.status.ssid, f->wifi.join.ssid, sizeof f->wifi.status.ssid);
    memcpy(f->wifi.status.bssid, "\x02\x00\x00\xaa\xbb\xcc", 6);
    memcpy(f->wifi.status.ip, "\xc0\xa8\x01\x17", 4);
    memcpy(f->wifi.status.gateway, "\xc0\xa8\x01\x01", 4);
    memcpy(f->wifi.status.netmask, "\xff\xff\xff\x00", 4);
    f->wifi.status.channel = 6;
    f->wifi.status.rssi = -42;
}

void wifi_join(struct fake_port *f)
{
    expect(f, "AT+CWMODE=1\r\n", OK);
    expect(f, "AT+CWJAP=\"home\",\"secret12\"\r\n", "");
    set_status(f, ALOFT_WIFI_GOT_IP);
    expect_after(f, 20, "WIFI CONNECTED\r\nWIFI GOT IP\r\n" OK);
}
