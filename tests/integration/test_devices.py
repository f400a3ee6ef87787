# SPDX-License-Identifier: Apache-2.0
"""Devices over the API and the CLI: one by one, batches, import and export, search, and what modules bring about."""

import csv
import io
import itertools
import json
import os
import pty
import subprocess

import pytest

from api import call, rows
from ask import ask_version
from server import DEADLINE_S, wait_until

ROOT = "/api/v1/products"
LAYOUT = "esp32c3_default"
HOSTILE = ["'; DROP TABLE device; --", "\" OR \"1\"=\"1", "<script>alert(1)</script>", "=1+1", "+1", "-1", "@x", "'x",
           "%s%n%x", "..\\..\\x", "a,b;c", "say \"x\"", "\u202egpj", "äöü 漢字 🦙", "&lt;", "a?b#c", "%2F", "batch", "import"]
_names = (f"d{i}" for i in itertools.count())


@pytest.fixture
def product(server):
    name = next(_names)
    assert call(server, "POST", ROOT, {"name": name, "layout": LAYOUT}).status == 201
    return name


@pytest.fixture(scope="module")
def shipped(server):
    """A product with a current version: modules with its token are answered with 200."""
    name = next(_names)
    server.deploy(name, LAYOUT, "v1")
    return name


def devices(server, product, query=""):
    answer = call(server, "GET", f"{ROOT}/{product}/devices{query}")
    assert answer.status == 200, answer.body
    return answer.json["devices"]


def names(server, product, query=""):
    return [device["device"] for device in devices(server, product, query)]


def add(server, product, name, **facts):
    return call(server, "POST", f"{ROOT}/{product}/devices", {"device": name} | facts)


def quoted(name):
    return "".join(f"%{byte:02X}" for byte in name.encode())


def table(text):
    return list(csv.DictReader(io.StringIO(text, newline="")))


# -- one by one ---------------------------------------------------------------------------------------

@pytest.mark.parametrize("text", HOSTILE)
def test_every_text_comes_out_as_it_went_in(server, product, text):
    name = text.replace("/", "|")  # no slash: it could not stand in an address
    assert add(server, product, name, serial=text, note=text).status == 201
    target = f"{ROOT}/{product}/devices/{quoted(name)}"
    shown = call(server, "GET", target).json
    assert (shown["device"], shown["serial"], shown["note"]) == (name, text, text)
    assert names(server, product, f"?q={quoted(name)}") == names(server, product, f"?serial={quoted(text)}") == [name]
    assert call(server, "PATCH", target, {"note": text + text}).json["note"] == text + text
    exported = table(call(server, "GET", f"{ROOT}/{product}/devices.csv").body.decode())
    cell = exported[0]["serial"]
    assert cell == ("'" + text if text[0] in "=+-@'" else text) and cell[0] not in "=+-@"
    assert call(server, "DELETE", target).status == 204
    assert names(server, product) == []


@pytest.mark.parametrize("body", [
    {"device": ""}, {"device": "."}, {"device": ".."}, {"device": "a/b"}, {"device": "a\r\nX: y"}, {"device": "\u0000"},
    {"device": "x" * 65}, {"device": "d", "serial": "x" * 65}, {"device": "d", "note": "a\nb"},
    {"device": "d", "token": "1" * 39}, {"device": "d", "token": "A" * 40}, {"device": "d", "make_tokens": "all"},
    {"device": "d", "id": 7}, {"device": 7}, {}])
def test_what_it_cannot_be_is_refused(server, product, body):
    assert call(server, "POST", f"{ROOT}/{product}/devices", body).status == 400
    assert names(server, product) == []


def test_its_own_token_is_taken_from_the_answer_on_and_refused_from_its_deletion_on(server, shipped):
    made = add(server, shipped, "own").json
    assert ask_version(server, made["token"]) == 200
    wait_until("seen", lambda: call(server, "GET", f"{ROOT}/{shipped}/devices/own").json["last_seen_ms"])
    new = call(server, "POST", f"{ROOT}/{shipped}/devices/own/token-rotation", {"mode": "plain", "overlap_hours": 1}).json
    assert ask_version(server, made["token"]) == ask_version(server, new["token"]) == 200
    assert call(server, "DELETE", f"{ROOT}/{shipped}/devices/own").status == 204
    assert ask_version(server, made["token"]) != 200 and ask_version(server, new["token"]) != 200


def test_it_is_known_by_its_token_whatever_name_it_says(server, shipped):
    made = add(server, shipped, "unit-1").json
    ask_version(server, made["token"], headers="Aloft-Device: somebody\r\nAloft-Version: v0\r\nAloft-Boot: power\r\n")
    seen = wait_until("seen", lambda: next((row for row in devices(server, shipped, "?device=unit-1")
                                            if row["last_seen_ms"]), None))
    assert (seen["address"], seen["running_version"], seen["boot"]) == ("127.0.0.1", "v0", "power")
    assert seen["first_seen_ms"] == seen["last_seen_ms"] and seen["origin"] == "registered"
    assert names(server, shipped, "?device=somebody") == []


def test_a_reported_device_becomes_a_registered_one_and_keeps_its_history(server, shipped):
    token = call(server, "GET", f"{ROOT}/{shipped}").json["token"]
    ask_version(server, token, headers="Aloft-Device: 7cdfa1b2c3d4\r\n")
    wait_until("the row", lambda: names(server, shipped, "?device=7cdf"))
    assert devices(server, shipped, "?device=7cdf")[0]["origin"] == "reported"
    made = add(server, shipped, "7cdfa1b2c3d4", serial="S1", make_tokens="none")
    assert made.status == 201 and made.json["origin"] == "registered" and made.json["last_seen_ms"]
    assert made.json["token"] is None
    assert add(server, shipped, "7cdfa1b2c3d4").status == 409


# -- what modules bring about -------------------------------------------------------------------------

def test_modules_without_a_name_stand_under_their_address_and_the_latest_stay(aloft, tmp_path):
    from server import Server
    with Server(aloft, tmp_path, "--address-devices-max", "2") as server:
        token, _ = server.deploy("lamp", LAYOUT, "v1")
        for i in range(2, 6):
            ask_version(server, token, source=f"127.0.0.{i}")
            wait_until("the row", lambda: names(server, "lamp", f"?address=127.0.0.{i}"))
        assert names(server, "lamp") == ["127.0.0.4", "127.0.0.5"]
        assert {row["origin"] for row in devices(server, "lamp")} == {"address"}
        assert names(server, "lamp", "?origin=reported") == []
        wrong = call(server, "GET", "/api/v1/products/lamp/devices?origin=elsewhere")
        assert (wrong.status, wrong.message) == (400, "'origin' is one of registered, reported, address")
        assert "127.0.0.5 (address)" in server.cli("device", "ls", "--product", "lamp").stdout


# -- many at once -------------------------------------------------------------------------------------

def test_a_batch_is_a_file_for_the_factory_line(server, shipped):
    answer = call(server, "POST", f"{ROOT}/{shipped}/devices/batch",
                  {"count": 5, "prefix": "lamp-", "serial_prefix": "=S", "start": 99, "note": "line 3"})
    assert (answer.status, answer.headers["Content-Type"]) == (201, "text/csv")
    lines = answer.body.decode().split("\r\n")
    assert lines[0] == "device,serial,token,token_tls" and lines[-1] == "" and len(lines) == 7
    made = table(answer.body.decode())
    assert [row["device"] for row in made] == [f"lamp-{i:06}" for i in range(99, 104)]
    assert made[0]["serial"] == "'=S000099"
    assert len({row[mode] for row in made for mode in ("token", "token_tls")}) == 10
    assert all(ask_version(server, row["token"]) == 200 for row in made)
    shown = call(server, "GET", f"{ROOT}/{shipped}/devices/lamp-000100").json
    assert (shown["serial"], shown["note"], shown["token"]) == ("=S000100", "line 3", made[1]["token"])


def test_a_batch_gives_tokens_to_devices_that_were_seen_before_too(server, shipped):
    token = call(server, "GET", f"{ROOT}/{shipped}").json["token"]
    for i in (1, 3):
        ask_version(server, token, headers=f"Aloft-Device: seen-00000{i}\r\n")
        wait_until("the row", lambda: names(server, shipped, f"?device=seen-00000{i}"))
    made = table(call(server, "POST", f"{ROOT}/{shipped}/devices/batch",
                      {"count": 4, "prefix": "seen-", "start": 0}).body.decode())
    assert all(ask_version(server, row["token"]) == 200 for row in made)


def test_a_batch_is_made_whole_or_not_at_all(server, product):
    add(server, product, "x000007")
    answer = call(server, "POST", f"{ROOT}/{product}/devices/batch", {"count": 8, "prefix": "x", "start": 0})
    assert (answer.status, answer.message) == (409, "there is a device 'x000007' already")
    assert names(server, product) == ["x000007"]


def test_batches_without_a_start_do_not_meet(server, product):
    for _ in range(2):
        assert call(server, "POST", f"{ROOT}/{product}/devices/batch", {"count": 3, "make_tokens": "tls"}).status == 201
    made = devices(server, product)
    assert len(made) == 6 and all(row["token"] is None and row["token_tls"] for row in made)


@pytest.mark.parametrize("body", [
    {"count": 0}, {"count": 100001}, {"count": "1"}, {"count": 1, "start": -1}, {"count": 1, "prefix": "a/"},
    {"count": 1, "prefix": "x" * 60}, {"count": 1, "serial_prefix": "x" * 60}, {"count": 1, "make_tokens": "none"}])
def test_a_batch_that_cannot_be_is_refused(server, product, body):
    assert call(server, "POST", f"{ROOT}/{product}/devices/batch", body).status == 400
    assert names(server, product) == []


def test_a_batch_of_secrets_is_not_given_twice_for_one_key(server, product):
    body, key = {"count": 2}, {"Idempotency-Key": "line-3"}
    assert call(server, "POST", f"{ROOT}/{product}/devices/batch", body, headers=key).status == 201
    again = call(server, "POST", f"{ROOT}/{product}/devices/batch", body, headers=key)
    assert (again.status, again.code) == (409, "done_before")
    assert len(names(server, product)) == 2


def test_a_hundred_thousand_devices_are_made_listed_and_exported(server, product):
    answer = call(server, "POST", f"{ROOT}/{product}/devices/batch", {"count": 100000, "prefix": "u", "start": 1}, timeout=300)
    assert answer.status == 201 and answer.body.count(b"\r\n") == 100001
    exported = call(server, "GET", f"{ROOT}/{product}/devices.csv", timeout=300).body
    assert exported.count(b"\r\n") == 100001 and b"u100000," in exported
    assert names(server, product, "?device=u09999") == [f"u{i:06}" for i in range(99990, 100000)]
    token = table(answer.body.decode())[77777]["token"]
    assert "u077778" in names(server, product, f"?token_prefix={token}")
    assert call(server, "GET", f"{ROOT}/{product}").json["devices_total"] == 100000


def test_an_import_is_whole_or_not_at_all_and_names_the_row(server, product):
    good = {"device": "a", "serial": "1", "token": "aa" * 20}
    target = f"{ROOT}/{product}/devices/import"
    for bad, word in (({"device": "b", "token": "x"}, "row 2: a token has 40"), ({"device": "b/c"}, "row 2: a device's name"),
                      ({"device": "b", "serial": "x" * 65}, "row 2: serial or note"),
                      ({"device": "b", "token": "aa" * 20}, "row 2: the token aaaaaa… is taken already by a device")):
        answer = call(server, "POST", target, {"devices": [good, bad]})
        assert answer.status in (400, 409) and answer.message.startswith(word)
        assert names(server, product) == []
    assert call(server, "POST", target, {"devices": [good]}).json == {"added": 1, "unchanged": 0}
    assert call(server, "POST", target, {"devices": [good, {"device": "b"}]}).json == {"added": 1, "unchanged": 1}
    assert call(server, "POST", target, {"devices": [good | {"serial": "2"}]}).message == (
        "row 1: there is a device 'a' already, with another serial, note or token")
    assert call(server, "POST", target, {"devices": [good] * 1001}).status == 400


# -- lists --------------------------------------------------------------------------------------------

def test_pages_hold_each_device_once(server, product):
    call(server, "POST", f"{ROOT}/{product}/devices/batch", {"count": 25, "prefix": "x", "serial_prefix": "y", "start": 1})
    for query in ("", "&q=x", "&serial=y", "&address=", "&origin=registered"):
        found, cursor = [], ""
        while cursor is not None:
            page = call(server, "GET", f"{ROOT}/{product}/devices?limit=7{query}{cursor and '&cursor=' + cursor}").json
            assert len(page["devices"]) <= 7
            found += [device["device"] for device in page["devices"]]
            cursor = page["next"]
        assert found == [f"x{i:06}" for i in range(1, 26)]


@pytest.mark.parametrize("query", [
    "limit=0", "limit=1001", "limit=x", "cursor=%21", "cursor=QQ", "cursor=OSAxIHg", "cursor=MCAwIHg", "q=%FF",
    "serial=" + "x" * 65, "seen_since_ms=-1", "seen_since_ms=x", "name=x", "q=a&q=b", "q"])
def test_a_query_that_says_nothing_is_refused(server, product, query):
    assert call(server, "GET", f"{ROOT}/{product}/devices?{query}").status == 400


# -- the command line ---------------------------------------------------------------------------------

def test_the_command_line_makes_files_and_takes_them_back(server, product, tmp_path):
    other = next(_names)
    call(server, "POST", ROOT, {"name": other, "layout": LAYOUT})
    made = server.cli("device", "add", "--product", product, "--count", "1500", "--prefix", "=x", "--csv").stdout
    assert made.startswith("device,serial,token,token_tls\n") and len(table(made)) == 1500
    exported = server.cli("device", "export", "--product", product).stdout
    file = tmp_path / "devices.csv"
    file.write_text(exported)
    assert server.cli("device", "import", str(file), "--product", product).stdout == "0 added, 1500 were there\n"
    refused = server.cli("device", "import", str(file), "--product", other, check=False)
    assert refused.returncode == 1 and f"that is line 2 of '{file}'" in refused.stderr
    assert json.loads(server.cli("device", "ls", "--product", other, "--json").stdout) == []


def test_an_import_that_stops_can_go_on_after_a_correction(server, product, tmp_path):
    file = tmp_path / "devices.csv"
    lines = ["serial,device,token", *(f"S{i},u{i},{i:040x}" for i in range(2500))]
    lines[2001] = "S2000,u2000,xyz"
    file.write_text("\n".join(lines))
    stopped = server.cli("device", "import", str(file), "--product", product, check=False)
    assert stopped.returncode == 1
    assert f"aloft: that is line 2002 of '{file}'\n" in stopped.stderr and "from line 2002 on" in stopped.stderr
    file.write_text("\n".join(lines).replace("xyz", "f" * 40))
    done = json.loads(server.cli("device", "import", str(file), "--product", product, "--json").stdout)
    assert done == {"added": 500, "unchanged": 2000}
    row = json.loads(server.cli("device", "show", "u7", "--product", product, "--json").stdout)
    assert (row["serial"], row["token"], row["token_tls"]) == ("S7", f"{7:040x}", None)


@pytest.mark.parametrize("text, word", [
    ("", "it is empty"), ("serial\nx\n", "'device' is missing"), ("device\na,b\n", "line 2 has 2 values, the heading has 1"),
    ('device\n"a', "line 2: a quote is not closed"), ("device\n\xff\n", "line 2 is not valid UTF-8")])
def test_a_file_that_is_none_is_refused(server, product, tmp_path, text, word):
    file = tmp_path / "devices.csv"
    file.write_bytes(text.encode("latin-1"))
    refused = server.cli("device", "import", str(file), "--product", product, check=False)
    assert refused.returncode == 1 and word in refused.stderr


def test_an_import_shows_where_it_is_on_a_terminal(aloft, server, product, tmp_path):
    file = tmp_path / "devices.csv"
    file.write_text("device\n" + "\n".join(f"u{i}" for i in range(1001)))
    env = os.environ | {"ALOFT_SERVER": server.url, "ALOFT_API_TOKEN_FILE": str(server.api_token_file)}
    ours, theirs = pty.openpty()
    subprocess.run([aloft, "device", "import", str(file), "--product", product], env=env, stderr=theirs,
                   stdout=subprocess.DEVNULL, timeout=DEADLINE_S, check=True)
    os.close(theirs)
    shown = os.read(ours, 4096)
    os.close(ours)
    assert b"1000 imported" in shown and b"1001 imported" in shown


def test_the_command_line_reaches_one_device(server, product):
    made = json.loads(server.cli("device", "add", "one", "--product", product, "--serial", "S1", "--json").stdout)
    assert server.cli("device", "add", "two", "--product", product, "--csv").stdout.startswith("device,serial,token,token_tls")
    server.cli("device", "set", "one", "--product", product, "--rename", "uno", "--note", "bench")
    assert json.loads(server.cli("device", "ls", "--product", product, "--search", "S1", "--json").stdout)[0]["note"] == "bench"
    server.cli("device", "rotate-token", "uno", "--product", product, "--overlap-hours", "1")
    assert f"old plain token {made['token'][:6]} is taken" in server.cli("device", "show", "uno", "--product", product).stdout
    listed = table(server.cli("device", "ls", "--product", product, "--csv").stdout)
    assert [row["device"] for row in listed] == ["two", "uno"]
    assert server.cli("device", "ls", "--product", product, "--seen-since", "2026-01-31T10:00", "--json").stdout == "[]\n"
    server.cli("device", "rm", "uno", "--product", product)
    assert names(server, product) == ["two"]
    for words in (("add", "--product", product), ("add", "x", "--product", product, "--count", "2"),
                  ("add", "x", "--product", product, "--start", "2"), ("ls", "--product", product, "--seen-since", "monday"),
                  ("set", "two", "--product", product)):
        assert server.cli("device", *words, check=False).returncode == 2, words


def test_all_changes_stand_in_the_audit_log(server, product):
    add(server, product, "a")
    call(server, "POST", f"{ROOT}/{product}/devices/batch", {"count": 2})
    call(server, "POST", f"{ROOT}/{product}/devices/import", {"devices": [{"device": "i"}]})
    call(server, "PATCH", f"{ROOT}/{product}/devices/a", {"device": "b"})
    call(server, "POST", f"{ROOT}/{product}/devices/b/token-rotation", {"mode": "tls", "overlap_hours": 1})
    call(server, "DELETE", f"{ROOT}/{product}/devices/b/token-rotation")
    call(server, "DELETE", f"{ROOT}/{product}/devices/b")
    actions = [row[0] for row in rows(server, f"SELECT action FROM audit WHERE product = '{product}' ORDER BY id")]
    assert actions == ["product.added", "device.added", "device.batch_added", "device.imported", "device.changed",
                       "device.token_rotated", "device.overlap_ended", "device.removed"]
