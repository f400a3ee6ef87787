# SPDX-License-Identifier: Apache-2.0
"""server/api/openapi.yaml and the running server say the same: every operation is there, and no other; the answers follow
their schemas."""

import pathlib
import re

import pytest
import yaml

import app_image
import schema
from account_story import play_accounts
from api import call, talk, upload
from server import wait_until

ROOT = pathlib.Path(__file__).resolve().parents[2]
DOCUMENT = yaml.safe_load((ROOT / "server/api/openapi.yaml").read_text())
METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
PRODUCT = "lamp"


def methods_of(path):
    return METHODS & {key.upper() for key in DOCUMENT["paths"][path]}


def routes_of_the_source():
    """(method, path with {} for parameters) of the server's own tables."""
    product = re.search(r'#define API_PRODUCT\s+"([^"]+)"', (ROOT / "server/src/api/request.h").read_text()).group(1)
    found = set()
    for source in (ROOT / "server/src/api").glob("ops_*.c"):
        for table in re.findall(r"_routes\[\] = \{(.*?)API_ROUTES_END", source.read_text(), re.S):
            for method, path in re.findall(r'\{"([A-Z]+)",\s*((?:API_PRODUCT\s*)?(?:"[^"]*")?)', table):
                found.add((method, path.replace("API_PRODUCT", product, 1).replace('"', "").replace(" ", "")))
    return found


def test_the_document_lists_the_operations_of_the_server_and_no_others():
    documented = {(method, re.sub(r"\{\w+\}", "{}", path)) for path in DOCUMENT["paths"] for method in methods_of(path)}
    assert documented == routes_of_the_source()


@pytest.mark.parametrize("path", DOCUMENT["paths"])
def test_the_running_server_knows_exactly_the_documented_methods(server, path):
    target = re.sub(r"\{\w+\}", "x", path)
    for method in METHODS:
        status = call(server, method, target).status
        assert (status == 405) == (method not in methods_of(path)), f"{method} {target}: {status}"


class Checked:
    """Calls the server and holds each answer to the document."""

    def __init__(self, server):
        self.server, self.seen = server, set()

    def __call__(self, method, path, target, status, answer=None, **arguments):
        answer = answer or call(self.server, method, target, **arguments)
        assert answer.status == status, answer.body
        operation = DOCUMENT["paths"][path][method.lower()]
        response = schema.resolve(DOCUMENT, operation["responses"][str(status)])
        if "content" in response:
            kind, content = next(iter(response["content"].items()))
            assert answer.headers["Content-Type"] == kind
            schema.check(DOCUMENT, content["schema"], answer.json, f"{method} {target}")
        else:
            assert answer.body == b""
        self.seen.add((method, path, str(status)))
        return answer


def test_answers_follow_their_schemas(server):
    check = Checked(server)
    root, image = "/api/v1/products", app_image.make()
    one, roms, current, devices, uploads = ("/api/v1/products/{product}" + end
                                            for end in ("", "/roms", "/current", "/devices", "/uploads"))

    def at(path):
        return path.replace("{product}", PRODUCT)

    check("GET", "/healthz", "/healthz", 200, token="")
    new = {"name": PRODUCT, "layout": "esp32c3_default"}
    token = check("POST", root, root, 201, body=new).json["token"]
    check("POST", root, root, 409, body=new)
    check("POST", root, root, 400, body={})
    check("GET", root, root, 200)
    check("GET", one, at(one), 200)
    sent = check("POST", uploads, at(uploads), 201, upload(server, PRODUCT, image)).json["upload"]
    check("POST", uploads, at(uploads), 422, upload(server, PRODUCT, image[:500]))
    check("POST", uploads, at(uploads), 400, body=b"x", content_type="application/octet-stream")
    check("POST", uploads, at(uploads), 415, body=b"x", content_type="text/plain")
    check("POST", uploads, at(uploads) + "?name=ota.bin&version=v1", 413, body=b"x",
          content_type="application/octet-stream", headers={"Content-Length": str(16 * 1024 * 1024 + 1)})
    given_up = upload(server, PRODUCT, image).json["upload"]
    for status in (204, 404):
        check("DELETE", uploads + "/{upload}", f"{at(uploads)}/{given_up}", status)
    rom = {"version": "v1", "corename": "core", "use": True, "files": [{"name": "ota.bin", "upload": sent}]}
    check("POST", roms, at(roms), 201, body=rom)
    check("POST", roms, at(roms), 409, body=rom)
    check("POST", roms, at(roms), 404, body=rom | {"version": "v2"})
    check("POST", roms, at(roms), 400, body=rom | {"files": []})
    assert check("GET", roms, at(roms), 200).json["roms"]
    check("PUT", current, at(current), 200, body={"version": "v1"})
    check("PUT", current, at(current), 404, body={"version": "v2"})
    check("PUT", current, at(current), 400, body={})
    talk(server.modules_port, b"GET /v1/device/rom/?is_format_simple=true HTTP/1.0\r\nHost: a\r\n"
         b"Authorization: token %s\r\nAloft-Device: 7cdfa1b2c3d4\r\n\r\n" % token.encode())
    wait_until("the device", lambda: check("GET", devices, at(devices), 200).json["devices"])
    play_accounts(check, server)
    for method, path in ((method, path) for path in DOCUMENT["paths"] for method in methods_of(path)):
        target = path.replace("{product}", "unknown").replace("{upload}", "unknown").replace("{id}", "0")
        body = {"body": "{}"} if method in ("POST", "PUT") else {}
        if DOCUMENT["paths"][path][method.lower()].get("security") != []:
            check(method, path, target, 401, token="", **body)
        if "{product}" in path and method in ("GET", "DELETE"):
            check(method, path, target, 404)
    documented = {(method, path, status) for path in DOCUMENT["paths"] for method in methods_of(path)
                  for status in DOCUMENT["paths"][path][method.lower()]["responses"]}
    # A full disk and chunks have tests of their own; an unknown product answers alike everywhere.
    left = {status for _, _, status in documented - check.seen}
    assert check.seen <= documented and left <= {"507", "411", "404"}, documented - check.seen
