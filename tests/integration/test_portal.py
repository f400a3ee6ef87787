# SPDX-License-Identifier: Apache-2.0
"""The captive portal of a virtual module: DNS by hand-made packets, redirects (facts/at-commands.md 3.6, 6.3)."""

import json
import pathlib
import socket
import struct

import pytest

import app_image
from capture import in_namespace
from web_module import HTML, OK, WebModule, answer

SCRIPT = str(pathlib.Path(__file__).resolve().parents[1] / "support" / "portal_look.py")
PAGE = pathlib.Path(__file__).resolve().parents[2] / "module" / "src" / "web" / "page" / "index.html"
A, AAAA, HTTPS, ANY = 1, 28, 65, 255
NAME = b"\x07example\x03com\x00"
RECORD = b"\xc0\x0c\x00\x01\x00\x01\x00\x00\x01\x2c\x00\x04" + bytes([192, 168, 4, 1])
OPT = b"\x00\x00\x29\x04\xd0\x00\x00\x00\x00\x00\x0c\x00\x0a\x00\x08cookie!!"


@pytest.fixture
def module(aloft, tmp_path):
    app = tmp_path / "app.bin"
    app.write_bytes(app_image.make())
    with WebModule(aloft, tmp_path, app=app, options=["--portal", "--net-map", "own:53=127.0.0.1:0"]) as one:
        yield one


@pytest.fixture
def dns(module):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(30)
        sock.connect(("127.0.0.1", module.find_port(53)))
        yield sock


def head(number, flags, *counts):
    return struct.pack(">HHHHHH", number, flags, *counts)


def question(kind):
    return NAME + struct.pack(">HH", kind, 1)


def test_row_40_names_lead_to_the_soft_ap(dns):
    dns.send(head(1, 0x0100, 1, 0, 0, 0) + question(A))
    assert dns.recv(512) == head(1, 0x8180, 1, 1, 0, 0) + question(A) + RECORD


@pytest.mark.parametrize("kind", [AAAA, HTTPS])
def test_row_40_other_types_have_no_records(dns, kind):
    dns.send(head(2, 0x0100, 1, 0, 0, 0) + question(kind))
    assert dns.recv(512) == head(2, 0x8180, 1, 0, 0, 0) + question(kind)


def test_row_40_edns_and_flags_of_tools_do_no_harm(dns):
    dns.send(head(3, 0x0120, 1, 0, 0, 1) + question(A) + OPT)  # AD, as dig sends it
    assert dns.recv(512) == head(3, 0x8180, 1, 1, 0, 0) + question(A) + RECORD


def test_row_40_answers_and_broken_packets_are_not_answered_and_the_next_is(dns):
    for packet in (b"", b"\x00", head(4, 0x8180, 1, 1, 0, 0) + question(A) + RECORD):
        dns.send(packet)
    dns.send(head(5, 0x2900, 1, 0, 0, 0) + question(A))
    assert dns.recv(512) == head(5, 0xA984, 0, 0, 0, 0)  # NOTIMP
    dns.send(head(6, 0x0100, 1, 0, 0, 0) + b"\xc0\x0c\x00\x01\x00\x01")
    assert dns.recv(512) == head(6, 0x8181, 0, 0, 0, 0)  # FORMERR
    dns.send(head(7, 0x0100, 1, 0, 0, 0) + question(ANY))
    assert dns.recv(512) == head(7, 0x8180, 1, 1, 0, 0) + question(ANY) + RECORD


def test_a_hundred_names_at_once_are_answered(dns):
    for i in range(100):
        dns.send(head(i, 0x0100, 1, 0, 0, 0) + question(A))
    assert {struct.unpack_from(">H", dns.recv(512))[0] for _ in range(100)} == set(range(100))


def test_dns_ends_with_the_server(module, dns):
    assert module.command("AT+WEBSERVER=0") == OK
    with pytest.raises(ConnectionRefusedError):
        dns.send(head(1, 0x0100, 1, 0, 0, 0) + question(A))
        dns.recv(512)


def test_unknown_paths_are_redirected_and_the_connection_stays(module):
    redirect = (b"HTTP/1.1 302 Temporary Redirect\r\nContent-Type: text/html\r\nContent-Length: 26\r\n"
                b"Location: http://192.168.4.1/\r\n\r\nRedirect to captive portal")
    with module.connect_web() as client:
        for path in ("/generate_204", "/hotspot-detect.html", "/ncsi.txt"):
            assert client.ask("GET", path) == redirect
        assert client.ask("POST", "/", b"body") == redirect
        assert client.ask("GET", "/getversion") == answer('{"version":"1.0"}')


def test_row_40_a_redirect_names_the_port(aloft, tmp_path):
    app = tmp_path / "app.bin"
    app.write_bytes(app_image.make())
    maps = ["--net-map", "own:53=127.0.0.1:0", "--net-map", "own:8080=127.0.0.1:0"]
    with WebModule(aloft, tmp_path, app=app, options=["--portal", *maps]) as module:
        assert module.command("AT+WEBSERVER=0") == OK
        assert module.command("AT+WEBSERVER=1,8080,25") == OK
        module.web_port = module.find_port(8080)
        assert b"\r\nLocation: http://192.168.4.1:8080/\r\n" in module.ask("GET", "/x")


def test_without_a_portal_unknown_paths_are_404(aloft, tmp_path):
    app = tmp_path / "app.bin"
    app.write_bytes(app_image.make())
    with WebModule(aloft, tmp_path, app=app) as module:
        assert module.ask("GET", "/generate_204") == answer("Nothing matches the given URI", "404 Not Found", HTML)


def test_a_phone_finds_the_page_at_the_real_address(aloft, tmp_path):
    (tmp_path / "app.bin").write_bytes(app_image.make())
    seen = json.loads(in_namespace(SCRIPT, aloft, str(tmp_path)))
    assert seen["address"] == "192.168.4.1"
    assert "\r\nLocation: http://192.168.4.1/\r\n" in seen["probe"]
    assert PAGE.read_text(encoding="utf-8") in seen["page"]
    assert seen["beacon"].endswith('{"state": 0}')
