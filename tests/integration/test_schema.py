# SPDX-License-Identifier: Apache-2.0
"""server/api/openapi.yaml and the running server say the same: every operation is there, and no other; the answers follow
their schemas."""

import re

import pytest

import app_image
import schema
from account_story import play_accounts
from api import call, fill_uploads, talk, upload
from document import (DOCUMENT, METHODS, Checked, body_type, methods_of, operations, parameters_of, print_counts,
                      routes_of_the_source)
from server import wait_until
from webhook_story import play_webhooks

PRODUCT = "lamp"
# What has a short list as one of its members.
NO_LISTS = {"/api/v1/session", "/api/v1/products/{product}/token-rotation",
            "/api/v1/products/{product}/devices/{device}/token-rotation"}


def methods_at(target):
    """Of every path the target may be: a word written out in one may be a parameter of another."""
    return {method for path in DOCUMENT["paths"] for method in methods_of(path)
            if re.fullmatch(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(path)), target)}


def test_the_document_lists_the_operations_of_the_server_with_their_access_and_no_others():
    documented = {(method, re.sub(r"\{\w+\}", "{}", path), DOCUMENT["paths"][path][method.lower()]["x-access"])
                  for path in DOCUMENT["paths"] for method in methods_of(path)}
    assert documented == routes_of_the_source()


@pytest.mark.parametrize("path", DOCUMENT["paths"])
def test_the_running_server_knows_exactly_the_documented_methods(server, path):
    target = re.sub(r"\{\w+\}", "x", path)
    for method in METHODS:
        status = call(server, method, target).status
        assert (status == 405) == (method not in methods_at(target)), f"{method} {target}: {status}"


def responses_with(header, operation):
    return {status for status, response in operation["responses"].items()
            if header in schema.resolve(DOCUMENT, response).get("headers", {})}


def test_what_has_a_revision_is_changed_by_it():
    """An operation beside a GET with an ETag takes If-Match, and tells the new ETag."""
    n = 0
    for method, path, operation in operations():
        item = DOCUMENT["paths"][path].get("get")
        if method == "GET" or not item or not responses_with("ETag", item):
            continue
        n += 1
        assert ("header", "If-Match") in parameters_of(path, operation), f"{method} {path}"
        assert "412" in operation["responses"], f"{method} {path}"
        assert "204" in operation["responses"] or responses_with("ETag", operation), f"{method} {path}"
    assert n >= 8


def test_every_list_is_paged():
    n = 0
    for method, path, operation in operations():
        content = schema.resolve(DOCUMENT, operation["responses"].get("200", {})).get("content", {}).get("application/json")
        if method != "GET" or not content or path.endswith("}") or path in NO_LISTS:
            continue
        members = schema.resolve(DOCUMENT, content["schema"]).get("properties", {})
        if any(schema.resolve(DOCUMENT, one).get("type") == "array" for one in members.values()):
            n += 1
            assert {("query", "limit"), ("query", "cursor")} <= set(parameters_of(path, operation)), f"{method} {path}"
            assert "next" in members, f"{method} {path}"
    assert n >= 8


def test_every_post_that_creates_takes_an_idempotency_key():
    for method, path, operation in operations():
        if method == "POST" and "201" in operation["responses"] and operation.get("security") != [] \
                and body_type(operation) != "application/octet-stream":  # a file is known by its hash
            assert ("header", "Idempotency-Key") in parameters_of(path, operation), f"{method} {path}"


def check_partials(check, at, image):
    partials, one = ("/api/v1/products/{product}/partial-uploads" + end for end in ("", "/{upload}"))
    new = {"name": "ota.bin", "version": "v1", "size_bytes": len(image)}
    part = {"content_type": "application/octet-stream"}
    check("POST", partials, at(partials), 400, body=new | {"size_bytes": -1})
    check("POST", partials, at(partials), 413, body=new | {"size_bytes": 16 * 1024 * 1024 + 1})
    check("POST", partials, at(partials), 422, body=new | {"name": "other.bin"})
    started = at(f"{partials}/" + check("POST", partials, at(partials), 201, body=new).json["id"])
    check("GET", one, started, 200)
    check("PATCH", one, started, 400, body=image[:10], **part)
    check("PATCH", one, f"{started}?offset=0", 200, body=image[:10], **part)
    check("PATCH", one, f"{started}?offset=0", 409, body=image[10:], **part)
    check("PATCH", one, f"{started}?offset=10", 413, body=image, **part)
    check("PATCH", one, f"{started}?offset=10", 201, body=image[10:], **part)
    assert check("GET", one, started, 200).json["upload"] == started.split("/")[-1]
    check("DELETE", one, started, 404)
    bad = at(f"{partials}/" + check("POST", partials, at(partials), 201, body=new).json["id"])
    check("PATCH", one, f"{bad}?offset=0", 422, body=bytes(len(image)), **part)
    given_up = at(f"{partials}/" + check("POST", partials, at(partials), 201, body=new).json["id"])
    check("DELETE", one, given_up, 204)


def check_links(check, at):
    links, one = ("/api/v1/products/{product}/links" + end for end in ("", "/{short}"))
    new = "/api/v1/products/{product}/roms/{version}/files/{file}/links"
    target = at(new).replace("{version}", "v1").replace("{file}", "ota.bin")
    check("POST", new, target, 400, body={})
    check("POST", new, target.replace("v1/", "v9/"), 404, body={"public": True})
    short = check("POST", new, target, 201, body={"expires_hours": 1}).json["short"]
    check("POST", new, target, 201, body={"public": True})
    assert check("GET", links, at(links) + "?limit=1", 200).json["next"]
    check("GET", links, at(links) + "?limit=0", 400)
    for status in (204, 404):
        check("DELETE", one, f"{at(links)}/{short}", status)


def check_current(check, at):
    current, back, history = ("/api/v1/products/{product}/current" + end for end in ("", "/back", "/history"))
    stale = {"headers": {"If-Match": '"9999"'}}
    check("PUT", current, at(current), 200, body={"version": "v1"})
    check("PUT", current, at(current), 404, body={"version": "v9"})
    check("PUT", current, at(current), 400, body={})
    check("PUT", current, at(current), 412, body={"version": "v1"}, **stale)
    check("POST", back, at(back), 409)
    check("POST", back, at(back), 412, **stale)
    check("DELETE", current, at(current), 412, **stale)
    check("PUT", current, at(current), 200, body={"version": "v2"})
    check("POST", back, at(back), 200)
    assert check("GET", current, at(current), 200).json["version"] == "v1"
    check("GET", history, at(history) + "?limit=0", 400)
    assert check("GET", history, at(history), 200).json["choices"]


def check_roms(check, server, at, sent, image):
    roms, one, withdraw, restore = ("/api/v1/products/{product}/roms" + end
                                    for end in ("", "/{version}", "/{version}/withdraw", "/{version}/restore"))
    vet, upload_path = ("/api/v1/products/{product}" + end for end in ("/check", "/uploads/{upload}"))
    v1, v2 = (at(one).replace("{version}", version) for version in ("v1", "v2"))
    stale = {"headers": {"If-Match": '"9999"'}}
    check("GET", upload_path, at(upload_path).replace("{upload}", sent), 200)
    check("POST", vet, at(vet), 200, body=image, content_type="application/octet-stream")
    check("POST", vet, at(vet) + "?name=x", 400, body=image, content_type="application/octet-stream")
    rom = {"version": "v1", "corename": "core", "note": "first", "use": True, "files": [{"name": "ota.bin", "upload": sent}]}
    check("POST", roms, at(roms), 201, body=rom)
    check("POST", roms, at(roms), 409, body=rom)
    check("POST", roms, at(roms), 404, body=rom | {"version": "v2"})
    check("POST", roms, at(roms), 400, body=rom | {"files": []})
    second = upload(server, PRODUCT, image, "v2").json["upload"]
    check("POST", roms, at(roms), 201, body=rom | {"version": "v2", "use": False,
                                                   "files": [{"name": "ota.bin", "upload": second}]})
    assert check("GET", roms, at(roms) + "?limit=1", 200).json["next"]
    check("GET", roms, at(roms) + "?cursor=%20", 400)
    assert check("GET", one, v1, 200).headers["ETag"] == '"1"'
    check("PATCH", one, v1, 200, body={"note": "changed"})
    check("PATCH", one, v1, 400, body={"version": "v3"})
    check("PATCH", one, v1, 412, body={"note": "changed"}, headers={"If-Match": '"1"'})
    check_partials(check, at, image)
    check_links(check, at)
    check_current(check, at)
    check("POST", withdraw, f"{v1}/withdraw", 409)
    check("POST", withdraw, f"{v2}/withdraw", 412, **stale)
    check("POST", withdraw, f"{v2}/withdraw", 200)
    current = "/api/v1/products/{product}/current"
    check("PUT", current, at(current), 409, body={"version": "v2"})
    check("POST", restore, f"{v2}/restore", 412, **stale)
    check("POST", restore, f"{v2}/restore", 200)
    check("DELETE", one, v1, 409)
    check("DELETE", one, v2, 412, **stale)
    check("DELETE", one, v2, 204)
    check("DELETE", current, at(current), 200)


def check_unknown(check):
    """Without a token nobody gets anywhere; an unknown product is not found."""
    for method, path in ((method, path) for path in DOCUMENT["paths"] for method in methods_of(path)):
        target = re.sub(r"\{\w+\}", "unknown", path.replace("{id}", "0"))
        body = {"body": "{}"} if method in ("POST", "PUT", "PATCH") else {}
        if DOCUMENT["paths"][path][method.lower()].get("security") != []:
            check(method, path, target, 401, token="", **body)
        if "{product}" in path and method in ("GET", "DELETE"):
            check(method, path, target, 404)


def ask_about_products(check):
    """Changes, rotation and end of a product of its own."""
    root, one = "/api/v1/products", "/api/v1/products/{product}"
    rotation, target = one + "/token-rotation", root + "/changed"
    check("POST", root, root, 201, body={"name": "changed", "layout": "esp32c3_default"})
    check("PATCH", one, target, 200, body={"serial": "7", "signing_keys": ["a" * 64]}, headers={"If-Match": '"1"'})
    check("PATCH", one, target, 412, body={"serial": "8"}, headers={"If-Match": '"1"'})
    check("PATCH", one, target, 400, body={"status": "sold"})
    check("PATCH", one, root + "/unknown", 404, body={})
    rotate = {"mode": "both", "overlap_hours": 1}
    check("POST", rotation, target + "/token-rotation", 200, body=rotate)
    check("POST", rotation, target + "/token-rotation", 412, body=rotate, headers={"If-Match": '"1"'})
    check("POST", rotation, target + "/token-rotation", 400, body={})
    other = check("POST", root, root, 201, body={"name": "other", "layout": "esp32c3_default"}).json
    check("POST", rotation, target + "/token-rotation", 409, body=rotate | {"token": other["token"]})
    assert len(check("GET", rotation, target + "/token-rotation", 200).json["old_tokens"]) == 2
    check("DELETE", rotation, target + "/token-rotation", 204)
    check("POST", one + "/devices", target + "/devices", 201, body={"device": "d"})
    check("DELETE", one, target, 409)
    check("DELETE", one + "/devices/{device}", target + "/devices/d", 204)
    check("DELETE", one, target, 412, headers={"If-Match": '"1"'})
    check("DELETE", one, target, 204)


def ask_about_devices(check):
    """Devices one by one and many at once."""
    devices = "/api/v1/products/{product}/devices"
    one, target = devices + "/{device}", devices.replace("{product}", PRODUCT)
    check("POST", devices, target, 201, body={"device": "d 1", "serial": "S1"})
    check("POST", devices, target, 409, body={"device": "d 1"})
    check("POST", devices, target, 400, body={"device": "a/b"})
    check("GET", devices, target + "?limit=0", 400)
    check("GET", one, target + "/d%201", 200)
    check("PATCH", one, target + "/d%201", 200, body={"device": "d1", "note": "bench"})
    check("PATCH", one, target + "/d1", 412, body={}, headers={"If-Match": '"1"'})
    check("PATCH", one, target + "/d1", 400, body={"device": ""})
    check("POST", devices, target, 201, body={"device": "d2", "make_tokens": "none"})
    check("PATCH", one, target + "/d1", 409, body={"device": "d2"})
    check("PATCH", one, target + "/none", 404, body={})
    check("DELETE", one, target + "/d2", 412, headers={"If-Match": '"7"'})
    rotation = one + "/token-rotation"
    rotate = {"mode": "tls", "overlap_hours": 1}
    token = check("POST", rotation, target + "/d2/token-rotation", 200, body=rotate).json["token_tls"]
    check("POST", rotation, target + "/d2/token-rotation", 412, body=rotate, headers={"If-Match": '"1"'})
    check("POST", rotation, target + "/d2/token-rotation", 400, body=rotate | {"token": "1" * 40})
    check("POST", rotation, target + "/d1/token-rotation", 409, body=rotate | {"token_tls": token})
    check("POST", rotation, target + "/none/token-rotation", 404, body=rotate)
    check("GET", rotation, target + "/d1/token-rotation", 200)
    check("DELETE", rotation, target + "/d1/token-rotation", 204)
    check("DELETE", one, target + "/d2", 204)
    check("POST", devices + "/batch", target + "/batch", 201, body={"count": 3, "prefix": "b", "start": 1})
    check("POST", devices + "/batch", target + "/batch", 409, body={"count": 3, "prefix": "b", "start": 3})
    check("POST", devices + "/batch", target + "/batch", 400, body={"count": 0})
    rows = {"devices": [{"device": "i1", "token": "3" * 40}]}
    check("POST", devices + "/import", target + "/import", 200, body=rows)
    check("POST", devices + "/import", target + "/import", 409, body={"devices": [{"device": "i1"}]})
    check("POST", devices + "/import", target + "/import", 400, body={"devices": []})
    check("GET", devices + ".csv", target + ".csv", 200)


def ask_about_attempts(check):
    """What the module that asked for the version left behind."""
    for path in ("/api/v1/attempts", "/api/v1/products/{product}/attempts"):
        target = path.replace("{product}", PRODUCT)
        found = wait_until("the attempt", lambda: check("GET", path, target, 200).json["attempts"])
        check("GET", path, target + "?state=none", 400)
        check("GET", path + "/{id}", f"{target}/{found[0]['id']}", 200)
        check("GET", path + "/{id}", target + "/999999", 404)
        check("GET", path + ".csv", target + ".csv", 200)
        check("GET", path + ".csv", target + ".csv?since_ms=-1", 400)
    for path in ("/api/v1/attempts", "/api/v1/attempts.csv", "/api/v1/events"):
        check("GET", path, path + "?product=unknown", 404)
    check("GET", "/api/v1/events", "/api/v1/events", 200)
    check("GET", "/api/v1/events", "/api/v1/events?kinds=,", 400)


def check_full(check, server, at):
    """No upload more, until some are gone."""
    uploads, partials = ("/api/v1/products/{product}/" + end for end in ("uploads", "partial-uploads"))
    fill_uploads(server, 256)
    check("POST", uploads, at(uploads), 409, upload(server, PRODUCT, b"x"))
    check("POST", partials, at(partials), 409, body={"name": "ota.bin", "version": "v1", "size_bytes": 1})
    for i in range(256):
        assert call(server, "DELETE", f"{at(uploads)}/waiting{i}").status == 204


def test_answers_follow_their_schemas(server):
    check = Checked(server)
    root, image = "/api/v1/products", app_image.make()
    one, devices, uploads = ("/api/v1/products/{product}" + end for end in ("", "/devices", "/uploads"))

    def at(path):
        return path.replace("{product}", PRODUCT)

    check("GET", "/healthz", "/healthz", 200, token="")
    check("GET", "/readyz", "/readyz", 200, token="")
    check("GET", "/metrics", "/metrics", 200)
    new = {"name": PRODUCT, "layout": "esp32c3_default"}
    token = check("POST", root, root, 201, body=new).json["token"]
    check("POST", root, root, 409, body=new)
    check("POST", root, root, 400, body={})
    check("GET", root, root, 200)
    check("GET", root, root + "?limit=0", 400)
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
    check_full(check, server, at)
    check_roms(check, server, at, sent, image)
    talk(server.modules_port, b"GET /v1/device/rom/?is_format_simple=true HTTP/1.0\r\nHost: a\r\n"
         b"Authorization: token %s\r\nAloft-Device: 7cdfa1b2c3d4\r\n\r\n" % token.encode())
    wait_until("the device", lambda: check("GET", devices, at(devices), 200).json["devices"])
    ask_about_attempts(check)
    ask_about_products(check)
    ask_about_devices(check)
    play_webhooks(check, server)
    play_accounts(check, server)
    check_unknown(check)
    documented = {(method, path, status) for path in DOCUMENT["paths"] for method in methods_of(path)
                  for status in DOCUMENT["paths"][path][method.lower()]["responses"]}
    print_counts(check)
    # A full disk, chunks, wrong bodies and small roles have tests of their own; an unknown product answers alike
    # everywhere.
    elsewhere = {"403", "404", "411", "413", "415", "503", "507"}
    assert not check.seen - documented
    missing = sorted(one for one in documented - check.seen if one[2] not in elsewhere)
    assert not missing, f"never seen: {missing}; the stories above lack a call"
