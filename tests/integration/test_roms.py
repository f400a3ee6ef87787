# SPDX-License-Identifier: Apache-2.0
"""ROMs over the API: what people say of them, which one is current and how to get back, what modules are told, and what may
be removed."""

import itertools
import re

import pytest

import app_image
from api import blob_files, call, rows, talk, upload

PRODUCTS = "/api/v1/products"
LAYOUT = "esp32c3_default"
_names = (f"p{i}" for i in itertools.count())
IMAGE = app_image.make(version="roms")

# Texts that mean something to SQL, HTML, HTTP, JSON, a shell or a terminal's reader, all allowed in a text for people.
TEXTS = ["'; DROP TABLE rom; --", '" OR 1=1 --', "<script>alert(1)</script>", "&lt;b&gt;", "%s%n%d", "${HOME} `id` $(id)",
         "../../etc/passwd", "{\"a\": [\"b\\\"]}", "\\", "ünïcödé \U0001f527", "\u202eright to left", "a" * 64, "?1 :a @b $c"]


@pytest.fixture
def product(server):
    name = next(_names)
    assert call(server, "POST", PRODUCTS, {"name": name, "layout": LAYOUT}).status == 201
    return name


@pytest.fixture
def roms(server, product):
    return Roms(server, product)


class Roms:
    def __init__(self, server, product):
        self.server, self.product = server, product
        self.token = call(server, "GET", f"{PRODUCTS}/{product}").json["token"]

    def __call__(self, method, path, body=None, **arguments):
        return call(self.server, method, f"{PRODUCTS}/{self.product}{path}", body, **arguments)

    def deploy(self, version, image=IMAGE, **more):
        sent = upload(self.server, self.product, image, version).json["upload"]
        answer = self("POST", "/roms", {"version": version, "files": [{"name": "ota.bin", "upload": sent}]} | more)
        assert answer.status == 201, answer.body
        return answer.json

    def ask(self, target):
        return talk(self.server.modules_port, f"GET {target} HTTP/1.0\r\nHost: a\r\nAuthorization: token {self.token}\r\n"
                                              f"\r\n".encode())

    def current(self):
        """What a module is told."""
        said = re.search(rb'"recommended_rom_version": "([^"]*)"', self.ask("/v1/device/rom/?is_format_simple=true"))
        return said.group(1).decode() if said else None

    def download(self, version):
        return self.ask(f"/v1/device/rom/?action=download_rom&version={version}&filename=ota.bin")

    def choose(self, version):
        assert self("PUT", "/current", {"version": version}).status == 200
        assert self.current() == version


def test_pages_show_all_roms_once_the_newest_first(roms):
    made = [roms.deploy(f"v{i}")["version"] for i in range(7)]
    for limit in (1, 2, 3, 7, 8):
        seen, query = [], f"?limit={limit}"
        while query:
            page = roms("GET", "/roms" + query).json
            assert len(page["roms"]) <= limit
            seen += [rom["version"] for rom in page["roms"]]
            query = page["next"] and f"?limit={limit}&cursor={page['next']}"
        assert seen == made[::-1]


@pytest.mark.parametrize("cursor", ["", "x", "AAAA", "djE", "OTk5OTk5OTk5OTk5OTk5OTk5OTkgdjE", "MSA", "a" * 300, "%00"])
def test_a_cursor_made_up_is_refused(roms, cursor):
    answer = roms("GET", f"/roms?cursor={cursor}")
    assert (answer.status, answer.code) == (400, "bad_request")


def test_what_is_said_of_a_rom_can_be_changed_by_whoever_has_read_it(roms):
    roms.deploy("v1", corename="core", note="first")
    read = roms("GET", "/roms/v1")
    tag = {"headers": {"If-Match": read.headers["ETag"]}}
    changed = roms("PATCH", "/roms/v1", {"note": "better", "life_cycle": "beta"}, **tag)
    assert changed.status == 200 and changed.headers["ETag"] != read.headers["ETag"]
    assert changed.json == read.json | {"note": "better", "life_cycle": "beta"} == roms("GET", "/roms/v1").json
    answer = roms("PATCH", "/roms/v1", {"note": "mine"}, **tag)
    assert (answer.status, answer.code) == (412, "changed_meanwhile")
    assert roms("GET", "/roms/v1").json == changed.json
    assert b"beta" in roms.ask("/v1/device/rom/")


@pytest.mark.parametrize("text", TEXTS)
def test_texts_for_people_come_back_as_they_were_given(roms, text):
    roms.deploy("v1", corename=text, note=text)
    made = roms("GET", "/roms/v1").json
    assert (made["corename"], made["note"]) == (text[:64], text)
    changed = roms("PATCH", "/roms/v1", {"corename": text, "note": text + text}).json
    assert (changed["corename"], changed["note"]) == (text, text + text)
    assert roms("GET", "/roms").json["roms"][0]["note"] == text + text
    assert rows(roms.server, "SELECT count(*) > 0 FROM rom") == [(1,)]


@pytest.mark.parametrize("text", ["a\0b", "a\nb", "a\r\nSet-Cookie: a=b", "\x1b[31m", "\x7f", "a" * 1001, 1, None, ["a"]])
@pytest.mark.parametrize("member", ["note", "corename"])
def test_control_characters_and_long_texts_are_refused(roms, member, text):
    roms.deploy("v1")
    answer = roms("PATCH", "/roms/v1", {member: text})
    assert (answer.status, answer.code) == (400, "bad_request")


def test_no_module_gets_a_withdrawn_rom(roms):
    roms.deploy("v1")
    roms.deploy("v2", use=True)
    assert roms.download("v1").endswith(IMAGE)
    assert roms("POST", "/roms/v1/withdraw").json["withdrawn"] is True
    assert b" 404 " in roms.download("v1").split(b"\r\n")[0] and b"v1" not in roms.ask("/v1/device/rom/")
    answer = roms("PUT", "/current", {"version": "v1"})
    assert (answer.status, answer.code) == (409, "in_use") and "withdrawn" in answer.message
    answer = roms("POST", "/roms/v2/withdraw")
    assert (answer.status, answer.code) == (409, "in_use") and "current" in answer.message
    assert roms("POST", "/roms/v1/restore").json["withdrawn"] is False
    assert roms.download("v1").endswith(IMAGE)


def test_back_is_one_call_and_goes_further_each_time(roms):
    for version in ("v1", "v2", "v3"):
        roms.deploy(version)
        roms.choose(version)
    assert roms("POST", "/current/back").json["version"] == "v2" == roms.current()
    assert roms("POST", "/current/back").json["version"] == "v1" == roms.current()
    answer = roms("POST", "/current/back")
    assert (answer.status, answer.code) == (409, "no_way_back")
    history = roms("GET", "/current/history").json["choices"]
    assert [choice["version"] for choice in history] == ["v1", "v2", "v3", "v2", "v1"]
    assert all(choice["chosen_by"] == "admin" and choice["chosen_ms"] > 0 for choice in history)
    page = roms("GET", "/current/history?limit=2").json
    assert roms("GET", f"/current/history?cursor={page['next']}").json["choices"] == history[2:]


def test_none_can_be_current(roms):
    assert roms("GET", "/current").json == {"version": None, "chosen_by": None, "chosen_ms": None}
    roms.deploy("v1", use=True)
    assert roms("DELETE", "/current").json["version"] is None
    assert roms.current() in (None, "")
    assert roms("POST", "/current/back").json["version"] == "v1" == roms.current()


def test_two_people_do_not_choose_at_once(roms):
    roms.deploy("v1")
    roms.deploy("v2")
    roms.choose("v1")
    tag = {"headers": {"If-Match": roms("GET", "/current").headers["ETag"]}}
    assert roms("PUT", "/current", {"version": "v2"}, **tag).status == 200
    for method, path, body in (("PUT", "/current", {"version": "v1"}), ("DELETE", "/current", None),
                               ("POST", "/current/back", None)):
        assert roms(method, path, body, **tag).status == 412
    assert roms.current() == "v2"


def test_only_what_nobody_needs_is_removed(roms):
    image = app_image.make(version=roms.product)
    for version in ("v1", "v2"):
        roms.deploy(version, image)
        assert roms("PUT", "/current", {"version": version}).status == 200  # no module was told
    blobs = blob_files(roms.server)
    for version, why in (("v2", "current version"), ("v1", "way back")):
        answer = roms("DELETE", f"/roms/{version}")
        assert (answer.status, answer.code) == (409, "in_use") and why in answer.message
    roms("DELETE", "/current")
    roms("POST", "/roms/v2/withdraw")
    link = roms("POST", "/roms/v2/files/ota.bin/links", {"public": True}).json["short"]
    answer = roms("DELETE", "/roms/v2")
    assert answer.status == 409 and "links" in answer.message
    assert roms("DELETE", f"/links/{link}").status == 204
    assert roms("DELETE", "/roms/v2").status == 204
    assert roms("GET", "/roms/v2").status == 404
    assert blob_files(roms.server) == blobs  # v1 stands on the same bytes
    assert b" 404 " in roms.download("v2").split(b"\r\n")[0]
    roms("POST", "/roms/v1/withdraw")
    assert roms("DELETE", "/roms/v1").status == 204
    assert len(blob_files(roms.server)) == len(blobs) - 1


def test_changes_are_in_the_audit_log(roms):
    roms.deploy("v1", use=True)
    roms("DELETE", "/current")
    roms("PATCH", "/roms/v1", {"note": "x"})
    roms("POST", "/roms/v1/withdraw")
    roms("POST", "/roms/v1/restore")
    roms("DELETE", f"/links/{roms('POST', '/roms/v1/files/ota.bin/links', {'expires_hours': 1}).json['short']}")
    roms("POST", "/roms/v1/withdraw")
    roms("DELETE", "/roms/v1")
    said = [action for action, in rows(roms.server, f"SELECT action FROM audit WHERE product = '{roms.product}' ORDER BY id")]
    assert said == ["product.added", "rom.deployed", "rom.unchosen", "rom.changed", "rom.withdrawn", "rom.restored",
                    "link.added", "link.removed", "rom.withdrawn", "rom.removed"]
