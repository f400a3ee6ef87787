# SPDX-License-Identifier: Apache-2.0
"""A browser, or a phone, gives a virtual module its access point (facts/at-commands.md 3.4, 3.5, 3.7, 6.3)."""

import json
import socket

import pytest

import app_image
from web_module import BAD, DONE, OK, READY, WebModule, answer, poll_station, station

HOME = {"ssid_len": 4, "ssid": "home", "password_len": 8, "password": "12345678"}
TRACE = b"+WEBSERVERRSP:1\r\nWIFI CONNECTED\r\nWIFI GOT IP\r\n"
PHONE_MAC = "3c:22:fb:10:20:30"
STATION_IP = "172.20.10.5"


@pytest.fixture
def start(aloft, tmp_path):
    running = []
    app = tmp_path / "app.bin"
    app.write_bytes(app_image.make(version="v1.0.0.0"))

    def _start(*options):
        module = WebModule(aloft, tmp_path, app=app, options=options)
        running.append(module)
        module.start()
        return module

    yield _start
    for module in running:
        module.stop()


def post(client, fields, path="/setstainfo"):
    return client.ask("POST", path, json.dumps(fields).encode(), ["Content-Type: application/json"])


def test_the_sequence_of_the_stock_page(start):
    module = start("--ap", "home:12345678", "--ap-with", "rssi=-40")
    with module.connect_web() as client:
        assert client.ask("GET", "/getstainfo") == station(0, "", "", "waiting config")
        assert client.ask("GET", "/getaprecord") == answer(
            '{"state":0,"message":"scan done","aplist":[{"ssid":"home","auth_mode":3}]}')
        assert post(client, HOME) == DONE
        seen = poll_station(client, station(1, "home", "12345678", "connect OK"), 10)
        assert set(seen) == {station(0, "home", "12345678", "connecting")}
        assert module.read_until(b"GOT IP\r\n") == TRACE
        assert client.ask("POST", "/getresult", b"received=1",
                          ["Content-Type: application/x-www-form-urlencoded;charset=UTF-8"]) == DONE
        assert module.read_until(b":2\r\n") == b"+WEBSERVERRSP:2\r\n"
        assert client.ask("GET", "/getstainfo") == station(0, "", "", "waiting config")
    assert module.command("AT+CWSTATE?") == b'+CWSTATE:2,"home"\r\n' + OK


def test_the_form_of_older_pages_joins_too(start):
    module = start("--ap", "my home:a+b%c&12")
    with module.connect_web() as client:
        assert client.ask("POST", "/setstainfo", b"sta_ssid=my%20home&sta_password=a+b%25c%2612") == DONE
        poll_station(client, station(1, "my home", "a+b%c&12", "connect OK"), 10)
    assert module.read_until(b"GOT IP\r\n") == TRACE


def test_a_failure_shows_after_the_timeout_and_can_be_repeated(start):
    module = start("--ap", "home:12345678")
    with module.connect_web() as client:
        assert post(client, HOME | {"password": "wrong password"}) == DONE
        assert module.read_until(b":1\r\n") == b"+WEBSERVERRSP:1\r\n"
        assert client.ask("POST", "/getresult", b"received=1") == DONE  # nothing is decided yet
        assert module.read_until(b":2\r\n") == b"+WEBSERVERRSP:2\r\n"
        with module.connect_web() as other:
            assert post(other, HOME) == BAD
            assert other.has_ended()
        poll_station(client, station(2, "home", "wrong password", "connect fail"), module.timeout_s + 10)
        assert post(client, HOME) == DONE
        poll_station(client, station(1, "home", "12345678", "connect OK"), 10)
    assert module.read_until(b"GOT IP\r\n") == TRACE


def test_only_station_and_soft_ap_together_can_be_provisioned(start):
    module = start()
    for mode in (0, 1, 2):
        assert module.command(f"AT+CWMODE={mode}") == OK
        with module.connect_web() as client:
            assert post(client, HOME) == BAD


def test_the_access_point_is_joined_again_after_a_restart(start):
    module = start("--ap", "home:12345678")
    with module.connect_web() as client:
        assert post(client, HOME) == DONE
    assert module.read_until(b"GOT IP\r\n") == TRACE
    module.write(b"AT+RST\r\n")
    module.read_until(READY)
    module.wait_for_ip()


@pytest.mark.parametrize("body", [
    b'{"ssid":"","password":"12345678"}&udp_port=%d', b'{"password":"12345678","udp_port":%d}',
    b"sta_ssid=&sta_password=12345678&udp_port=%d"])
def test_a_phone_is_told_of_its_own_hotspot_by_udp(start, body):
    with (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as everybody,
          socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as gateway):
        for sock in (everybody, gateway):
            sock.bind(("127.0.0.1", 0))
            sock.settimeout(30)
        module = start("--ap", "phone:12345678", "--ap-with",
                       f"rssi=-30,bssid={PHONE_MAC[:-2]}31,gateway=172.20.10.1,station={STATION_IP}",
                       "--ap", "stronger:12345678", "--ap-with", "rssi=-20,bssid=02:00:00:00:00:01",
                       "--soft-ap-client", PHONE_MAC, "--net-map", "own:3339=127.0.0.1:0",
                       "--net-map", f"255.255.255.255:8266=127.0.0.1:{everybody.getsockname()[1]}",
                       "--net-map", f"172.20.10.1:8266=127.0.0.1:{gateway.getsockname()[1]}")
        with module.connect_web() as client:
            assert client.ask("POST", "/setstainfo", body % 8266) == DONE
            assert everybody.recv(100) == b"ip=172.20.10.5&port=3339"
            assert gateway.recv(100) == b"ip=172.20.10.5&port=3339"
            assert everybody.recv(100) == b"ip=172.20.10.5&port=3339"  # and again, until the phone says so
            assert client.ask("GET", "/getstainfo") == station(1, "", "", "connect OK")
            everybody.sendto(b"received", ("127.0.0.1", module.find_port(3339)))
        assert module.read_until(b":2\r\n").endswith(TRACE + b"+WEBSERVERRSP:2\r\n")
    assert module.command("AT+CWSTATE?") == b'+CWSTATE:2,"phone"\r\n' + OK
