# SPDX-License-Identifier: Apache-2.0
"""AT+WEBSERVER on a virtual module, over HTTP: every URI byte for byte, connections, uploads (facts/at-commands.md 2.4, 3,
6.3, 8)."""

import http.client
import json
import pathlib
import socket

import pytest

import app_image
from web_module import BAD, DONE, FAILED, HTML, OK, READY, WebModule, answer, station

PAGE = pathlib.Path(__file__).resolve().parents[2] / "module" / "src" / "web" / "page" / "index.html"
OTA_INFO = ('{"state":0,"fw_version":"%s","at_core_version":"%s","partitions":["ota","mfg_nvs","fs_storage"],'
            '"chip":"esp32c3","ota_size":1900544,"restart":true}')
AIR = ["--ap", "home:12345678", "--ap-with", "rssi=-30,bssid=02:00:00:00:00:01",
       "--ap", 'a/b"c:', "--ap-with", "rssi=-40,bssid=02:00:00:00:00:02",
       "--ap", "nobody:12345678", "--ap-with", "rssi=-50,hidden=yes,bssid=02:00:00:00:00:03",
       "--ap", "Zürich:12345678", "--ap-with", "rssi=-60,auth=wpa2/wpa3,bssid=02:00:00:00:00:04"]


@pytest.fixture
def module(aloft, tmp_path):
    app = tmp_path / "app.bin"
    app.write_bytes(app_image.make(version="v1.0.0.0"))
    with WebModule(aloft, tmp_path, app=app, options=AIR) as one:
        yield one


def at_version(module):
    return module.command("AT+GMR").split(b"AT version:")[1].split(b"(")[0].split(b"-")[0].decode()


def upload(module, body, name="ota"):
    return module.ask("POST", "/setotadata", body,
                      [f"Object: {name}", "Content-Type: application/octet-stream;charset=UTF-8"])


# -- AT+WEBSERVER ------------------------------------------------------------------------------------------------------

def test_row_37_the_command_takes_what_it_may_and_nothing_else(module):
    for words in ("0,80,25", "1,80,20", "1,80,61", "1,65536,25", "1,-1,25", "1,80", "1", "2,80,25", "1,80,25,1", ""):
        assert module.command(f"AT+WEBSERVER={words}") == b"\r\nERROR\r\n", words
    for words in ("1,80,21", "1,8080,60", "0", "0", "1,80,60"):
        assert module.command(f"AT+WEBSERVER={words}") == OK, words


def test_a_stopped_server_is_not_there(module):
    with module.connect_web() as client:
        assert client.ask("GET", "/getversion") == answer('{"version":"1.0"}')  # it is accepted, not only queued
        assert module.command("AT+WEBSERVER=0") == OK
        assert client.has_ended()
    with pytest.raises(ConnectionRefusedError):
        module.connect_web()


def test_a_port_that_is_taken_is_an_error(module):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        assert module.command("AT+WEBSERVER=0") == OK
        assert module.command(f"AT+WEBSERVER=1,{taken.getsockname()[1]},25") == b"\r\nERROR\r\n"


# -- URIs --------------------------------------------------------------------------------------------------------------

def test_all_uris_answer_over_one_connection_byte_for_byte(module):
    page = PAGE.read_bytes()
    with module.connect_web() as client:
        assert client.ask("GET", "/") == (
            b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\n\r\n"
            + b"%x\r\n" % len(page) + page + b"\r\n0\r\n\r\n")
        assert client.ask("GET", "/getversion") == answer('{"version":"1.0"}')
        assert client.ask("GET", "/getstainfo") == station(0, "", "", "waiting config")
        assert client.ask("GET", "/getaprecord?x=1") == answer(
            '{"state":0,"message":"scan done","aplist":[{"ssid":"home","auth_mode":3},'
            '{"ssid":"a\\/b\\"c","auth_mode":0},{"ssid":"Zürich","auth_mode":7}]}')
        assert client.ask("GET", "/getotainfo", headers=["Object: none"]) == answer(
            OTA_INFO % ("v1.0.0.0", at_version(module)))
        assert client.ask("POST", "/getresult", b"received=1") == DONE
        assert client.ask("POST", "/setstainfo", b"{}") == BAD
        assert client.has_ended()


def test_errors_close_the_connection(module):
    for words, wanted in ((("GET", "/nothing"), answer("Nothing matches the given URI", "404 Not Found", HTML)),
                          (("POST", "/"), answer("Specified method is invalid for this resource",
                                                 "405 Method Not Allowed", HTML)),
                          (("POST", "/getresult", b"x" * 320), answer(
                              "Server has encountered an unexpected error", "500 Internal Server Error", HTML))):
        with module.connect_web() as client:
            assert client.ask(*words) == wanted
            assert client.has_ended()


def test_a_second_client_agrees(module):
    """Python's own HTTP client, which knows nothing of ours."""
    connection = http.client.HTTPConnection("127.0.0.1", module.web_port, timeout=30)
    connection.request("GET", "/")
    response = connection.getresponse()
    assert (response.status, response.read()) == (200, PAGE.read_bytes())
    connection.request("GET", "/getotainfo")
    assert json.loads(connection.getresponse().read())["partitions"] == ["ota", "mfg_nvs", "fs_storage"]
    connection.close()


def test_row_31_no_access_point_is_an_error_and_only_hidden_ones_an_empty_list(aloft, tmp_path):
    app = tmp_path / "app.bin"
    app.write_bytes(app_image.make())
    with WebModule(aloft, tmp_path, app=app, options=["--ap", "x:12345678", "--ap-with", "hidden=yes"]) as module:
        assert module.ask("GET", "/getaprecord") == answer('{"state":0,"message":"scan done","aplist":[]}')
        assert module.command("AT+CWMODE=2") == OK
        assert module.ask("GET", "/getaprecord") == FAILED


def test_row_30_ten_of_forty_long_names_are_listed(aloft, tmp_path):
    app = tmp_path / "app.bin"
    app.write_bytes(app_image.make())
    air = []
    for i in range(40):
        air += ["--ap", f"{i:02d}{'/' * 30}:12345678", "--ap-with", f"rssi=-{i + 1},bssid=02:00:00:00:00:{i:02x}"]
    with WebModule(aloft, tmp_path, app=app, options=air) as module:
        body = module.ask("GET", "/getaprecord").split(b"\r\n\r\n", 1)[1]
        assert [ap["ssid"] for ap in json.loads(body)["aplist"]] == [f"{i:02d}{'/' * 30}" for i in range(10)]


# -- connections -------------------------------------------------------------------------------------------------------

def test_seven_connections_stay_and_an_eighth_is_taken_too(module):
    clients = [module.connect_web() for _ in range(7)]
    for client in clients:
        assert client.ask("GET", "/getversion") == answer('{"version":"1.0"}')
    assert module.ask("GET", "/getversion") == answer('{"version":"1.0"}')
    assert clients[0].has_ended()  # idle for longest
    for client in clients[1:]:
        assert client.ask("GET", "/getversion") == answer('{"version":"1.0"}')
    for client in clients:
        client.socket.close()


def test_row_41_a_request_that_stops_halfway_does_not_hold_up_others(module):
    with module.connect_web() as stalled:
        stalled.socket.sendall(b"POST /getresult HTTP/1.1\r\nHost: m\r\nContent-Length: 10\r\n\r\nrece")
        assert module.ask("GET", "/getversion") == answer('{"version":"1.0"}')
        assert stalled.has_ended()


# -- uploads -----------------------------------------------------------------------------------------------------------

def test_an_upload_runs_after_a_reset_by_the_host(module):
    assert upload(module, app_image.make(version="v2.0.0.0", data_bytes=1 << 20)) == DONE
    assert module.read_until(b":4\r\n") == b"+WEBSERVERRSP:3\r\n+WEBSERVERRSP:4\r\n"
    assert module.version() == "v1.0.0.0"
    assert module.command("AT+RST") == OK
    module.prepare()
    assert module.version() == "v2.0.0.0"
    assert module.ask("GET", "/getotainfo") == answer(OTA_INFO % ("v2.0.0.0", at_version(module)))


def test_row_44_the_page_can_restart_the_module(module):
    assert upload(module, app_image.make(version="v2.0.0.0")) == DONE
    assert module.ask("POST", "/restart") == DONE
    assert module.read_until(READY) == b"+WEBSERVERRSP:3\r\n+WEBSERVERRSP:4\r\n" + READY
    assert module.command("ATE0")
    assert module.version() == "v2.0.0.0"


@pytest.mark.parametrize("name", ["mfg_nvs", "fs_storage", "nothing"])
def test_row_35_user_partitions_are_refused_and_keep_their_content(module, name):
    before = module.flash.read_bytes()
    assert upload(module, b"\xf1\xf1" + bytes(100000), name) == FAILED
    assert module.read_until(b":5\r\n") == b"+WEBSERVERRSP:3\r\n+WEBSERVERRSP:5\r\n"
    assert module.flash.read_bytes() == before


@pytest.mark.parametrize("name", ["otadata", "ota_1"])
def test_row_38_other_names_that_begin_with_ota_are_refused(module, name):
    assert upload(module, app_image.make(), name) == FAILED
    assert module.read_until(b":5\r\n") == b"+WEBSERVERRSP:3\r\n+WEBSERVERRSP:5\r\n"


def test_row_36_an_upload_for_nothing_is_400(module):
    with module.connect_web() as client:
        assert client.ask("POST", "/setotadata", app_image.make()) == BAD
        assert client.has_ended()
    assert module.is_quiet()


def test_a_file_that_is_too_large_is_refused_and_the_client_hears_it(module):
    """While it still sends: the answer must not be lost with a reset."""
    before = module.flash.read_bytes()
    assert upload(module, app_image.make(data_bytes=0x1d0000)) == FAILED
    assert module.read_until(b":5\r\n") == b"+WEBSERVERRSP:3\r\n+WEBSERVERRSP:5\r\n"
    assert module.flash.read_bytes() == before


def test_a_client_that_leaves_is_a_failure_and_the_next_upload_works(module):
    image = app_image.make(version="v2.0.0.0", data_bytes=1 << 18)
    with module.connect_web() as client:
        client.socket.sendall(b"POST /setotadata HTTP/1.1\r\nHost: m\r\nObject: ota\r\nContent-Length: %d\r\n\r\n"
                              % len(image) + image[:100000])
    assert module.read_until(b":5\r\n") == b"+WEBSERVERRSP:3\r\n+WEBSERVERRSP:5\r\n"
    assert upload(module, image) == DONE
    assert module.read_until(b":4\r\n") == b"+WEBSERVERRSP:3\r\n+WEBSERVERRSP:4\r\n"


def test_row_19_a_second_door_is_closed_while_one_is_in_use(module):
    image = app_image.make(version="v2.0.0.0", data_bytes=1 << 18)
    with module.connect_web() as client:
        client.socket.sendall(b"POST /setotadata HTTP/1.1\r\nHost: m\r\nObject: ota\r\nContent-Length: %d\r\n\r\n"
                              % len(image) + image[:-1])
        assert module.read_until(b":3\r\n") == b"+WEBSERVERRSP:3\r\n"
        assert module.command('AT+CIUPDATE=0,"v1","ota",1') == b"\r\nERROR\r\n"
        client.socket.sendall(image[-1:])
        assert client.read_answer() == DONE
    assert module.read_until(b":4\r\n") == b"+WEBSERVERRSP:4\r\n"
