# SPDX-License-Identifier: Apache-2.0
"""The whole story over the API, from an empty folder: a person joins, invites a colleague, makes a product and a batch of
devices; the colleague uploads a ROM and makes it current; a module of ours upgrades and is proven, a stock module
upgrades and is delivered. Each step is a request as any program would send it."""

import csv
import http.client
import io
import json

import pytest

from server import Server, wait_until
from stock_client import StockClient, Target
from virtual_module import VirtualModule

OLD, NEW = "v1.0.0.0", "v1.1.0.0"
LAYOUT, PRODUCT = "esp32c3_default", "lamp"
AP = ("bench", "12345678")


class Person:
    """Somebody with a browser: a cookie, and the session's CSRF token with each change."""

    def __init__(self, server):
        self.server, self.cookie, self.csrf = server, "", ""

    def ask(self, method, path, status, body=None, content_type="application/json"):
        fields = {"Cookie": self.cookie, "Aloft-Csrf": self.csrf}
        if body is not None:
            fields["Content-Type"] = content_type
            body = body if isinstance(body, bytes) else json.dumps(body).encode()
        connection = http.client.HTTPConnection("127.0.0.1", self.server.console_port, timeout=30)
        connection.request(method, path, body, fields)
        answer = connection.getresponse()
        data = answer.read()
        connection.close()
        assert answer.status == status, f"{method} {path}: {answer.status} {data.decode(errors='replace')}"
        if answer.headers["Set-Cookie"]:
            self.cookie = answer.headers["Set-Cookie"].split(";")[0]
        return json.loads(data) if "json" in (answer.headers["Content-Type"] or "") else data.decode()

    def join(self, name, code):
        self.csrf = self.ask("POST", "/api/v1/join", 201, {"name": name, "password": f"the password of {name}",
                                                           "code": code})["csrf"]
        return self


@pytest.fixture(scope="module")
def story(aloft, tmp_path_factory):
    """Everything before the first module comes: the server, the admin, the devices of the batch."""
    folder = tmp_path_factory.mktemp("story")
    with Server(aloft, folder / "serve") as server:
        admin = Person(server).join("alice", (server.data / "setup-code").read_text().strip())
        assert not (server.data / "setup-code").exists()
        invited = admin.ask("POST", "/api/v1/invitations", 201, {"role": "operator", "note": "Bob"})
        colleague = Person(server).join("bob", invited["code"])
        colleague.ask("POST", "/api/v1/products", 403, {"name": PRODUCT, "layout": LAYOUT})
        admin.ask("POST", "/api/v1/products", 201, {"name": PRODUCT, "layout": LAYOUT})
        text = colleague.ask("POST", f"/api/v1/products/{PRODUCT}/devices/batch", 201, {"count": 3, "prefix": "unit-"})
        devices = list(csv.DictReader(io.StringIO(text)))
        assert len(devices) == 3 and len({row["token"] for row in devices}) == 3
        image = server.make_image(LAYOUT, NEW, "300k").read_bytes()
        sent = colleague.ask("POST", f"/api/v1/products/{PRODUCT}/uploads?name=ota.bin&version={NEW}", 201, image,
                             "application/octet-stream")
        colleague.ask("POST", f"/api/v1/products/{PRODUCT}/roms", 201,
                      {"version": NEW, "note": "brighter", "files": [{"name": "ota.bin", "upload": sent["upload"]}]})
        colleague.ask("PUT", f"/api/v1/products/{PRODUCT}/current", 200, {"version": NEW})
        yield server, folder, admin, devices, image


def attempts_of(person, device):
    page = person.ask("GET", f"/api/v1/products/{PRODUCT}/attempts?device={device}", 200)
    return page["attempts"]


def test_a_module_of_ours_upgrades_and_is_proven(aloft, story):
    server, folder, admin, devices, _ = story
    unit = devices[0]
    with VirtualModule(aloft, folder, layout=LAYOUT, app=server.make_image(LAYOUT, OLD), ap=AP,
                       tokens=(unit["token"], unit["token_tls"]), ota=server.modules_port,
                       ota_tls=server.modules_tls_port) as module:
        module.read_until(b"ready\r\n")
        module.join(*AP)
        module.write(b"AT+CIUPDATE\r\n")
        module.read_until(b"ready\r\n")
        assert module.version() == NEW
        wait_until("the proof", lambda: admin.ask(
            "GET", f"/api/v1/products/{PRODUCT}/devices/{unit['device']}", 200)["proven_version"] == NEW)
    one = wait_until("the attempt's end", lambda: [row for row in attempts_of(admin, unit["device"])
                                                   if row["state"] == "proven"])[0]
    assert one["file"] == "ota.bin" and one["version"] == NEW and one["bytes_acked"] > 0
    assert NEW in one["sentence"]


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "TLS"])
def test_a_stock_module_upgrades_and_is_delivered(story, tls):
    server, _, admin, devices, image = story
    unit = devices[1 + tls]
    target = Target()
    client = StockClient("127.0.0.1", server.modules_tls_port if tls else server.modules_port,
                         unit["token_tls" if tls else "token"], tls)
    lines = client.ciupdate(target, verify=lambda content: content == image)
    assert lines == ["+CIPUPDATE:1", "+CIPUPDATE:2", "+CIPUPDATE:3", "+CIPUPDATE:4"]
    one = wait_until("the attempt's end", lambda: [row for row in attempts_of(admin, unit["device"])
                                                   if row["state"] == "delivered"])[0]
    assert one["bytes_acked"] == len(image) and one["version"] == NEW


def test_a_tls_module_that_closes_at_its_last_byte_has_all_of_it(story):
    """Stock reads its Content-Length and closes at once; its close must not hide the last acknowledgements."""
    server, _, _, devices, image = story

    def file_lines():
        return [line for line in server.log.read_text().splitlines() if " contact kind=file " in line and " mode=1 " in line]

    before = len(file_lines())
    for _ in range(20):
        StockClient("127.0.0.1", server.modules_tls_port, devices[2]["token_tls"], True).file(NEW, Target())
    wait_until("the contacts", lambda: len(file_lines()) == before + 20)
    assert all(f"sent_bytes={len(image)} " in line and " outcome=FILE_DELIVERED " in line for line in file_lines())


def test_what_was_done_stands_in_the_audit_log_and_its_chain_holds(story):
    _, _, admin, _, _ = story
    rows = admin.ask("GET", "/api/v1/audit", 200)["audit"]
    actions = {(row["actor"], row["action"]) for row in rows}
    assert {("alice", "product.added"), ("bob", "rom.deployed"), ("bob", "rom.chosen")} <= actions
    assert admin.ask("GET", "/api/v1/audit/verify", 200)["is_whole"] is True
