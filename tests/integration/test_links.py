# SPDX-License-Identifier: Apache-2.0
"""Links for AT+USEROTA (facts/at-commands.md 2.1): made over API and CLI, followed by a virtual module, and no good any more
when they have expired or were removed."""

import itertools
import re
import sqlite3

import pytest

import app_image
from api import call, rows, talk, upload
from server import Server
from virtual_module import VirtualModule

PRODUCTS = "/api/v1/products"
LAYOUT = "esp32c3_default"
AP = ("bench", "12345678")
OLD, NEW = "v1.0.0.0", "v2.0.0.0"
PROMPT = b"\r\nOK\r\n\r\n>"
TARGET_MAX = 459  # facts/at-commands.md 2.1
_names = (f"p{i}" for i in itertools.count())
IMAGE = app_image.make(version=NEW)


@pytest.fixture
def product(server):
    return deployed(server)


def deployed(server):
    name = next(_names)
    assert call(server, "POST", PRODUCTS, {"name": name, "layout": LAYOUT}).status == 201
    sent = upload(server, name, IMAGE, NEW).json["upload"]
    rom = {"version": NEW, "files": [{"name": "ota.bin", "upload": sent}]}
    assert call(server, "POST", f"{PRODUCTS}/{name}/roms", rom).status == 201
    return name


def add(server, product, body, file="ota.bin"):
    return call(server, "POST", f"{PRODUCTS}/{product}/roms/{NEW}/files/{file}/links", body)


def follow(server, link):
    return talk(server.modules_port, f"GET /ota/{link['short']}/{link['file']} HTTP/1.1\r\nUser-Agent: ESP32 HTTP Client/1.0\r\n"
                                     f"Host: 127.0.0.1\r\nConnection: close\r\n\r\n".encode())


def test_a_link_gives_the_file_without_a_token(server, product):
    answer = add(server, product, {"expires_hours": 24})
    link = answer.json
    assert answer.status == 201 and re.fullmatch("[A-Za-z0-9_-]{12}", link["short"])
    assert link["url"] == f"http://127.0.0.1:{server.modules_port}/ota/{link['short']}/ota.bin"
    assert link["url_tls"] == f"https://127.0.0.1:{server.modules_tls_port}/ota/{link['short']}/ota.bin"
    assert link["at_command"] == f"AT+USEROTA={len(link['url'])}"
    assert link["at_command_tls"] == f"AT+USEROTA={len(link['url_tls'])}"
    assert len(f"/ota/{link['short']}/ota.bin") <= TARGET_MAX
    assert link["expires_ms"] - link["created_ms"] == 24 * 3600 * 1000
    assert follow(server, link).endswith(IMAGE)


@pytest.mark.parametrize("body", [{}, {"expires_hours": 0}, {"expires_hours": 8785}, {"expires_hours": -1}, {"public": False},
                                  {"expires_hours": 1, "public": True}, {"expires_hours": "1"}, {"expires_hours": 2 ** 62},
                                  {"public": 1}, {"hours": 1}])
def test_a_link_says_when_it_ends_or_that_it_does_not(server, product, body):
    answer = add(server, product, body)
    assert (answer.status, answer.code) == (400, "bad_request")


@pytest.mark.parametrize("file", ["other.bin", "ota.bin%2f", "..", "%00", "ota.bin%0d%0aX:y"])
def test_a_link_is_to_a_file_of_the_rom(server, product, file):
    assert add(server, product, {"public": True}, file).status == 404


def test_links_are_listed_and_removed(server, product):
    made = sorted((add(server, product, {"public": True}).json for _ in range(3)), key=lambda link: link["short"])
    first = call(server, "GET", f"{PRODUCTS}/{product}/links?limit=2").json
    rest = call(server, "GET", f"{PRODUCTS}/{product}/links?cursor={first['next']}").json
    assert first["links"] + rest["links"] == made and rest["next"] is None
    other = deployed(server)
    assert call(server, "DELETE", f"{PRODUCTS}/{other}/links/{made[0]['short']}").status == 404
    assert follow(server, made[0]).endswith(IMAGE)
    assert call(server, "DELETE", f"{PRODUCTS}/{product}/links/{made[0]['short']}").status == 204
    assert b" 404 " in follow(server, made[0]).split(b"\r\n")[0]
    assert follow(server, made[1]).endswith(IMAGE)


def test_a_withdrawn_rom_has_no_links(server, product):
    link = add(server, product, {"public": True}).json
    call(server, "POST", f"{PRODUCTS}/{product}/roms/{NEW}/withdraw")
    assert b" 404 " in follow(server, link).split(b"\r\n")[0]
    call(server, "POST", f"{PRODUCTS}/{product}/roms/{NEW}/restore")
    assert follow(server, link).endswith(IMAGE)


def test_the_secret_of_a_link_is_in_no_log(server, product):
    short = add(server, product, {"public": True}).json["short"]
    said = rows(server, "SELECT detail, object FROM audit WHERE action = 'link.added'") + rows(server, "SELECT body FROM event")
    assert said and short not in str(said)
    assert short not in server.log.read_text()


def test_an_expired_link_is_refused_and_swept(aloft, tmp_path):
    with Server(aloft, tmp_path) as server:
        link, ticket = (add(server, product, {"expires_hours": 1}).json for product in [deployed(server)] * 2)
        server.stop()
        database = sqlite3.connect(server.data / "aloft.db")
        database.execute("UPDATE link SET expires_ms = 1 WHERE short = ?", [link["short"]])
        database.commit()
        database.close()
        server.start()
        assert follow(server, ticket).endswith(IMAGE)
        assert IMAGE not in follow(server, link)
        assert rows(server, "SELECT short FROM link") == [(ticket["short"],)]


@pytest.mark.parametrize("public, begin", [("updates.example", "http://updates.example:{port}/"),
                                           ("updates.example:80", "http://updates.example/"),
                                           ("192.0.2.7:8080", "http://192.0.2.7:8080/"),
                                           ("[2001:db8::1]:80", "http://[2001:db8::1]/")])
def test_links_name_the_public_address(aloft, tmp_path, public, begin):
    with Server(aloft, tmp_path, "--public", public) as server:
        link = add(server, deployed(server), {"public": True}).json
        assert link["url"].startswith(begin.format(port=server.modules_port) + "ota/")
        assert link["at_command"] == f"AT+USEROTA={len(link['url'])}"


@pytest.mark.parametrize("options", [[], ["--tls"]])
def test_a_module_upgrades_by_what_the_command_prints(aloft, server, product, tmp_path, options):
    printed = server.cli("rom", "url", "--product", product, "--version", NEW, *options, "ota.bin")
    url, command = printed.stdout.splitlines()
    assert url.startswith("https://" if options else "http://") and "this machine only" in printed.stderr
    (tmp_path / "app.bin").write_bytes(app_image.make(version=OLD))
    with VirtualModule(aloft, tmp_path, app=tmp_path / "app.bin", ap=AP) as module:
        module.read_until(b"ready\r\n")
        module.command("ATE0")
        module.join(*AP)
        module.write(command.encode() + b"\r\n")
        assert module.read_exactly(len(PROMPT)) == PROMPT
        module.write(url.encode())
        assert module.read_until(b"\r\nOK\r\n", b"\r\nERROR\r\n") == b"\r\nRecv %d bytes\r\n\r\nOK\r\n" % len(url)
        module.read_until(b"ready\r\n")
        module.command("ATE0")
        assert module.version() == NEW
