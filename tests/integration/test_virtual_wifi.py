# SPDX-License-Identifier: Apache-2.0
"""Wi-Fi of the virtual module over its PTY: the simulated air and the commands that look at it (facts/at-commands.md 1.8, 4)."""

import subprocess

import pytest

import app_image
from virtual_module import VirtualModule

READY = b"\r\nready\r\n"
OK = b"\r\nOK\r\n"
PHONE = "a2:b3:c4:d5:e6:01"


@pytest.fixture
def start(aloft, tmp_path):
    """Start a module with echo off and these words on its command line."""
    running = []
    app = tmp_path / "app.bin"
    app.write_bytes(app_image.make(version="v1.0.0.0"))

    def _start(*options):
        module = VirtualModule(aloft, tmp_path, app=app, uart="pty", mac="02:11:22:33:44:07", options=options)
        running.append(module)
        module.start()
        module.read_until(READY)
        module.command("ATE0")
        return module

    yield _start
    for module in running:
        module.stop()


def test_a_scan_lists_the_air_strongest_first(start):
    module = start("--ap", "far:12345678", "--ap-with", "rssi=-80,channel=11,bssid=02:00:00:00:00:01",
                   "--ap", "cafe:", "--ap-with", "rssi=-30,channel=1,bssid=02:00:00:00:00:02",
                   "--ap", "attic:12345678", "--ap-with", "auth=wpa/wpa2,rssi=-60,channel=6,bssid=02:00:00:00:00:03,hidden=yes")
    assert module.command("AT+CWLAP") == b"\r\nERROR\r\n"
    module.command("AT+CWMODE=1")
    assert module.command("AT+CWLAP") == (
        b'+CWLAP:(0,"cafe",-30,"02:00:00:00:00:02",1,-1,-1,0,0,7,0)\r\n'
        b'+CWLAP:(4,"",-60,"02:00:00:00:00:03",6,-1,-1,5,3,7,0)\r\n'
        b'+CWLAP:(3,"far",-80,"02:00:00:00:00:01",11,-1,-1,4,4,7,0)\r\n' + OK)
    assert module.command('AT+CWLAP="far"') == b'+CWLAP:(3,"far",-80,"02:00:00:00:00:01",11,-1,-1,4,4,7,0)\r\n' + OK
    # Hidden, but joined by its name.
    assert module.command('AT+CWJAP="attic","12345678"') == b"WIFI CONNECTED\r\nWIFI GOT IP\r\n" + OK
    assert module.command("AT+CWJAP?") == b'+CWJAP:"attic","02:00:00:00:00:03",6,-60,0,1,3,0,1\r\n' + OK


def test_forty_access_points_come_over_a_uart_that_is_read_late(start):
    words = []
    for i in range(40):
        words += ["--ap", f"{i:032d}:12345678", "--ap-with", f"rssi=-{i + 1},channel=6,bssid=02:00:00:00:00:{i:02x}"]
    module = start(*words)
    module.command("AT+CWMODE=1")
    wanted = b"".join(b'+CWLAP:(3,"%032d",-%d,"02:00:00:00:00:%02x",6,-1,-1,4,4,7,0)\r\n' % (i, i + 1, i)
                      for i in range(40))
    assert module.command("AT+CWLAP") == wanted + OK


def test_the_lease_is_the_access_points(start):
    module = start("--ap", "home:12345678", "--ap-with", "gateway=10.1.2.254,station=10.1.2.3")
    module.join("home", "12345678")
    assert module.command("AT+CIPSTA?") == (b'+CIPSTA:ip:"10.1.2.3"\r\n+CIPSTA:gateway:"10.1.2.254"\r\n'
                                            b'+CIPSTA:netmask:"255.255.255.0"\r\n' + OK)
    assert module.command('AT+CIPSTA="10.1.2.77"') == OK
    assert b'+CIFSR:STAIP,"10.1.2.77"\r\n' in module.command("AT+CIFSR")
    assert module.command("AT+CWDHCP?") == b"+CWDHCP:2\r\n" + OK
    module.write(b"AT+RST\r\n")
    module.wait_for_ip()
    assert b'+CIFSR:STAIP,"10.1.2.77"\r\n' in module.command("AT+CIFSR")


def test_soft_ap_and_its_clients_are_told(start):
    module = start("--soft-ap-client", f"{PHONE},from=800", "--soft-ap-client", "a2:b3:c4:d5:e6:02,until=2500")
    module.write(b"AT+CWMODE=2\r\n")
    assert module.read_until(b'_DISCONNECTED:"a2:b3:c4:d5:e6:02"\r\n') == (
        OK + b'+STA_CONNECTED:"a2:b3:c4:d5:e6:02"\r\n'
        b'+DIST_STA_IP:"a2:b3:c4:d5:e6:02","192.168.4.3"\r\n'
        b'+STA_CONNECTED:"a2:b3:c4:d5:e6:01"\r\n'
        b'+DIST_STA_IP:"a2:b3:c4:d5:e6:01","192.168.4.2"\r\n'
        b'+STA_DISCONNECTED:"a2:b3:c4:d5:e6:02"\r\n')
    assert module.command("AT+CWLIF") == b"+CWLIF:192.168.4.2,a2:b3:c4:d5:e6:01\r\n" + OK
    assert module.command("AT+CWSAP?") == b'+CWSAP:"ESP_334408","",1,0,4,0\r\n' + OK
    assert module.command("AT+CIFSR") == b'+CIFSR:APIP,"192.168.4.1"\r\n+CIFSR:APMAC,"02:11:22:33:44:08"\r\n' + OK


def test_the_soft_ap_survives_a_restart_and_not_a_restore(start):
    module = start()
    module.command("AT+CWMODE=3")
    assert module.command('AT+CWSAP="pos_softap","espressif",11,3,3') == OK
    assert module.command('AT+CIPAP="192.168.5.1"') == OK
    module.write(b"AT+RST\r\n")
    module.read_until(READY)
    module.command("ATE0")
    assert module.command("AT+CWSAP?") == b'+CWSAP:"pos_softap","espressif",11,3,3,0\r\n' + OK
    assert module.command("AT+CIPAP?").startswith(b'+CIPAP:ip:"192.168.5.1"\r\n')
    module.write(b"AT+RESTORE\r\n")
    module.read_until(READY)
    module.command("ATE0")
    assert module.command("AT+CWMODE?") == b"+CWMODE:0\r\n" + OK
    module.command("AT+CWMODE=2")
    assert module.command("AT+CWSAP?") == b'+CWSAP:"ESP_334408","",1,0,4,0\r\n' + OK


def test_an_access_point_that_vanishes_is_told_and_looked_for(start):
    module = start("--ap", "home:12345678", "--ap-with", "until=4000",
                   "--ap", "home:12345678", "--ap-with", "from=5000,bssid=02:00:00:00:00:99")
    module.write(b'AT+CWMODE=1\r\nAT+CWJAP="home","12345678"\r\n')
    assert module.read_until(b"WIFI DISCONNECT\r\n") == OK + b"WIFI CONNECTED\r\nWIFI GOT IP\r\n" + OK + b"WIFI DISCONNECT\r\n"
    module.wait_for_ip()
    assert b'"02:00:00:00:00:99"' in module.command("AT+CWJAP?")


def test_cwautoconn_0_leaves_the_stored_access_point_alone(start):
    module = start()
    module.join("aloft", "12345678")
    assert module.command("AT+CWAUTOCONN=0") == OK
    module.write(b"AT+RST\r\n")
    module.read_until(READY)
    module.command("ATE0")
    assert module.command("AT+CWSTATE?") == b'+CWSTATE:0,""\r\n' + OK
    assert module.command("AT+CWJAP") == b"WIFI CONNECTED\r\nWIFI GOT IP\r\n" + OK


@pytest.mark.parametrize("options, said", [
    (("--ap-with", "rssi=-40"), "--ap-with 'rssi=-40' has no --ap before it"),
    (("--ap", "a:", "--ap-with", "colour=red"), "--ap-with: 'colour=red' is none of its KEY=VALUE words"),
    (("--ap", "a:", "--ap-with", "auth=wpa2"), "--ap a: an SSID has 1 to 32 bytes, a password none if open"),
    (("--ap", "a"), "--ap 'a' is not SSID:PASSWORD"),
    (("--soft-ap-client", "phone"), "--soft-ap-client 'phone' does not begin with AA:BB:CC:DD:EE:FF"),
    (("--soft-ap-client", PHONE) * 11, "--soft-ap-client may be given 10 times"),
])
def test_words_about_the_air_are_checked(aloft, start, options, said):
    module = start()
    module.stop()
    done = subprocess.run([aloft, "module", "--flash", str(module.flash), *options], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode in (1, 2) and said in done.stderr, done.stderr
