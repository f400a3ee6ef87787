# SPDX-License-Identifier: Apache-2.0
"""Products over the API and the CLI: what people say of them, their tokens and how these are replaced, their end."""

import itertools
import json

import pytest

from api import call, rows
from ask import ask_version
from server import wait_until

ROOT = "/api/v1/products"
LAYOUT = "esp32c3_default"
HOSTILE = ["'; DROP TABLE product; --", "\" OR \"1\"=\"1", "<script>alert(1)</script>", "<img src=x onerror=a()>", "=1+1",
           "%s%n%x", "${jndi:ldap://a}", "../../etc/passwd", "a\\'b", "\u202egpj", "äöü 漢字 🦙", "&lt;&amp;", "\\u0000"]
_names = (f"p{i}" for i in itertools.count())


@pytest.fixture
def product(server):
    """A product with a current version: modules with its token are answered with 200."""
    name = next(_names)
    server.deploy(name, LAYOUT, f"v-{name}")
    return name


def bare(server):
    name = next(_names)
    return call(server, "POST", ROOT, {"name": name, "layout": LAYOUT}).json


def get(server, name):
    return call(server, "GET", f"{ROOT}/{name}").json


def rotate(server, target, **body):
    return call(server, "POST", f"{ROOT}/{target}/token-rotation", {"mode": "both", "overlap_hours": 1} | body)


@pytest.fixture(scope="module")
def viewer(server):
    return call(server, "POST", "/api/v1/api-tokens", {"name": "viewer", "role": "viewer"}).json["secret"]


# -- what is said of it -------------------------------------------------------------------------------

@pytest.mark.parametrize("text", HOSTILE)
def test_every_text_comes_out_as_it_went_in(server, text):
    name = bare(server)["name"]
    said = {"serial": text, "description": text, "project_name": text[:20]}
    assert call(server, "PATCH", f"{ROOT}/{name}", said).status == 200
    shown = get(server, name)
    assert {member: shown[member] for member in said} == said
    assert json.loads(server.cli("product", "show", name, "--json").stdout)["description"] == text
    assert rows(server, "SELECT count(*) FROM product")[0][0] > 0


@pytest.mark.parametrize("change", [
    {"serial": "x" * 65}, {"serial": "a\r\nSet-Cookie: b"}, {"description": "x" * 1025}, {"description": "\u0000"}, {"description": "a\u009b31m"},
    {"description": 7}, {"status": "sold"}, {"downgrade": ""}, {"server_host": "a b"}, {"server_host": "a/b"},
    {"server_host": "a\r\nb"}, {"project_name": "x" * 32}, {"signing_keys": ["A" * 64]}, {"signing_keys": [7]},
    {"signing_keys": ["a" * 64] * 9}, {"name": "other"}, {"token": "1" * 40}, {"layout": LAYOUT}])
def test_what_it_cannot_be_is_refused_and_nothing_changed(server, change):
    made = bare(server)
    assert call(server, "PATCH", f"{ROOT}/{made['name']}", change).status == 400
    assert get(server, made["name"]) == made


@pytest.mark.parametrize("name", ["..", ".", "a/b", "a%2fb", "a\r\nb", "a b", "", "x" * 65, "<b>"])
def test_a_name_is_plain(server, name):
    assert call(server, "POST", ROOT, {"name": name, "layout": LAYOUT}).status == 400


def test_a_change_by_somebody_else_is_noticed(server):
    made = bare(server)
    target = f"{ROOT}/{made['name']}"
    tag = call(server, "GET", target).headers["ETag"]
    assert tag == '"1"' and made["revision"] == 1
    changed = call(server, "PATCH", target, {"status": "released"}, headers={"If-Match": tag})
    assert changed.headers["ETag"] == '"2"' and changed.json["status"] == "released"
    late = call(server, "PATCH", target, {"status": "developing"}, headers={"If-Match": tag})
    assert (late.status, late.code) == (412, "changed_meanwhile")
    assert get(server, made["name"])["status"] == "released"


def test_a_viewer_sees_the_first_digits_of_a_token_only(server, viewer):
    made = bare(server)
    call(server, "POST", f"{ROOT}/{made['name']}/devices", {"device": "d"})
    for path in ("", "/devices", "/devices/d", "/devices.csv"):
        text = call(server, "GET", f"{ROOT}/{made['name']}{path}", token=viewer).body.decode()
        tokens = rows(server, "SELECT token, token_tls FROM product UNION ALL SELECT token, token_tls FROM device")
        assert not any(token in text for row in tokens for token in row)
    shown = call(server, "GET", f"{ROOT}/{made['name']}", token=viewer).json
    assert (shown["token"], shown["token_prefix"]) == (None, made["token"][:6])
    listed = call(server, "GET", ROOT, token=viewer).json["products"]
    assert all(one["token"] is None and one["token_tls"] is None for one in listed)
    assert call(server, "PATCH", f"{ROOT}/{made['name']}", {}, token=viewer).status == 403
    assert rotate_as(server, made["name"], viewer).status == 403


def rotate_as(server, name, token):
    return call(server, "POST", f"{ROOT}/{name}/token-rotation", {"mode": "both", "overlap_hours": 0}, token=token)


# -- tokens -------------------------------------------------------------------------------------------

def test_after_a_rotation_both_tokens_are_taken_until_the_overlap_is_ended(server, product):
    old = get(server, product)["token"]
    assert ask_version(server, old) == 200
    new = rotate(server, product, mode="plain").json
    assert new["token"] != old and new["token_tls"] == get(server, product)["token_tls"]
    assert ask_version(server, old) == ask_version(server, new["token"]) == 200
    listed = call(server, "GET", f"{ROOT}/{product}/token-rotation").json["old_tokens"]
    assert [(row["mode"], row["token_prefix"]) for row in listed] == [("plain", old[:6])]
    assert call(server, "DELETE", f"{ROOT}/{product}/token-rotation").status == 204
    assert ask_version(server, old) != 200 and ask_version(server, new["token"]) == 200
    assert call(server, "GET", f"{ROOT}/{product}/token-rotation").json["old_tokens"] == []


def test_without_an_overlap_the_old_token_is_refused_at_once(server, product):
    old = get(server, product)["token"]
    new = rotate(server, product, overlap_hours=0).json["token"]
    assert ask_version(server, old) != 200 and ask_version(server, new) == 200


def test_a_rotation_can_be_taken_back(server, product):
    old = get(server, product)["token"]
    new = rotate(server, product, mode="plain").json["token"]
    assert rotate(server, product, mode="plain", token=old).json["token"] == old
    listed = call(server, "GET", f"{ROOT}/{product}/token-rotation").json["old_tokens"]
    assert [row["token_prefix"] for row in listed] == [new[:6]]
    assert ask_version(server, old) == ask_version(server, new) == 200


def test_both_tokens_are_taken_after_a_kill_too(server, product):
    old = get(server, product)["token"]
    new = rotate(server, product).json["token"]
    server.kill()
    server.start()
    assert ask_version(server, old) == ask_version(server, new) == 200


def test_a_token_is_one_owners_in_each_mode(server):
    one, two = bare(server), bare(server)
    device = call(server, "POST", f"{ROOT}/{one['name']}/devices", {"device": "d"}).json
    former = two["token"]
    rotate(server, two["name"], mode="plain")
    for token in (one["token"], device["token"], former):
        for answer in (call(server, "POST", ROOT, {"name": "not-made", "layout": LAYOUT, "token": token}),
                       call(server, "POST", f"{ROOT}/{one['name']}/devices", {"device": "e", "token": token}),
                       rotate(server, one["name"], mode="plain", token=token)):
            assert answer.status == 409 and token[:6] in answer.message and token not in answer.message
    # The other mode has tokens of its own.
    swapped = call(server, "POST", ROOT, {"name": next(_names), "layout": LAYOUT, "token_tls": one["token"]})
    assert swapped.status == 201


@pytest.mark.parametrize("body", [
    {"mode": "none"}, {"mode": "ssl"}, {"overlap_hours": -1}, {"overlap_hours": 8785}, {"overlap_hours": "1"},
    {"mode": "tls", "token": "1" * 40}, {"token": "X" * 40}])
def test_a_rotation_says_what_it_means(server, product, body):
    before = get(server, product)
    assert rotate(server, product, **body).status == 400
    assert get(server, product) == before


def test_tokens_are_not_in_the_log_nor_in_the_audit_rows(server):
    made = bare(server)
    new = rotate(server, made["name"]).json
    texts = server.log.read_text() + str(rows(server, "SELECT * FROM audit")) + str(rows(server, "SELECT * FROM event"))
    assert not any(token in texts for token in (made["token"], made["token_tls"], new["token"], new["token_tls"]))


# -- its end ------------------------------------------------------------------------------------------

def test_what_stands_in_the_way_of_a_deletion_is_said(server, product):
    answer = call(server, "DELETE", f"{ROOT}/{product}")
    assert (answer.status, answer.message) == (409, f"'{product}' still has 1 ROMs: remove them first")
    made = bare(server)
    call(server, "POST", f"{ROOT}/{made['name']}/devices", {"device": "d"})
    answer = call(server, "DELETE", f"{ROOT}/{made['name']}")
    assert answer.message == f"'{made['name']}' still has 1 devices with tokens of their own: remove them first"


def test_a_deleted_product_is_gone_with_its_tokens_and_the_devices_it_saw(server):
    made = bare(server)
    former = made["token"]
    token = rotate(server, made["name"], mode="plain").json["token"]
    ask_version(server, token, headers="Aloft-Device: seen\r\n")
    wait_until("the device", lambda: call(server, "GET", f"{ROOT}/{made['name']}").json["devices_activated"] == 1)
    assert call(server, "DELETE", f"{ROOT}/{made['name']}").status == 204
    assert call(server, "GET", f"{ROOT}/{made['name']}").status == 404
    for gone in (token, former):
        ask_version(server, gone)
        wait_until("the log line", lambda: f"unknown token {gone[:6]}" in server.log.read_text())
    # Both are free again, and the name.
    again = call(server, "POST", ROOT, {"name": made["name"], "layout": LAYOUT, "token": former})
    assert again.status == 201 and again.json["devices_total"] == 0


def test_the_command_line_reaches_it_all(server):
    name = next(_names)
    server.cli("product", "add", name, "--layout", LAYOUT, "--serial", "S7", "--signing-key", "a" * 64)
    shown = json.loads(server.cli("product", "set", name, "--status", "released", "--signing-key", "", "--json").stdout)
    assert (shown["serial"], shown["status"], shown["signing_keys"]) == ("S7", "released", [])
    old = shown["token"]
    server.cli("product", "rotate-token", name, "--overlap-hours", "2", "--mode", "plain")
    assert f"old plain token {old[:6]} is taken until " in server.cli("product", "show", name).stdout
    server.cli("product", "rotate-token", name, "--end")
    assert "old plain" not in server.cli("product", "show", name).stdout
    bad = server.cli("product", "rotate-token", name, check=False)
    assert bad.returncode == 2 and "--overlap-hours" in bad.stderr
    assert name in server.cli("product", "ls").stdout
    server.cli("product", "rm", name)
    gone = server.cli("product", "show", name, check=False)
    assert (gone.returncode, gone.stderr) == (1, "aloft: there is no product of this name\n")
