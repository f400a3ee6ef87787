# SPDX-License-Identifier: Apache-2.0
"""Files sent in parts: whatever breaks, what the server says it has is there, and the file arrives whole. And files that are
only vetted, or of which only the app is kept."""

import contextlib
import hashlib
import itertools
import random
import socket
import sqlite3

import pytest

import app_image
import factory_image
from api import blob_files, call, rows, upload
from server import Server, wait_until

PRODUCTS = "/api/v1/products"
LAYOUT = "esp32c3_default"
FILE = "application/octet-stream"
DEADLINE_S = 30
SEED = 20261122
_names = (f"p{i}" for i in itertools.count())
IMAGE = app_image.make(version="parts", data_bytes=20000)
BIG = app_image.make(version="big", data_bytes=5 * 1024 * 1024 // 4)
FACTORY = factory_image.make(IMAGE)


@pytest.fixture
def product(server):
    return add_product(server)


def add_product(server, layout=LAYOUT):
    name = next(_names)
    assert call(server, "POST", PRODUCTS, {"name": name, "layout": layout}).status == 201
    return name


def announce(server, product, data=IMAGE, name="ota.bin", version="v1", **more):
    return call(server, "POST", f"{PRODUCTS}/{product}/partial-uploads",
                {"name": name, "version": version, "size_bytes": len(data)} | more)


def begin(server, product, data=IMAGE, **more):
    """Path of a new partial upload."""
    made = announce(server, product, data, **more)
    assert made.status == 201 and made.json["offset_bytes"] == 0
    return f"{PRODUCTS}/{product}/partial-uploads/{made.json['id']}"


def send(server, path, offset, data):
    return call(server, "PATCH", f"{path}?offset={offset}", data, FILE)


def has(server, path):
    return call(server, "GET", path).json["offset_bytes"]


def incoming(server, product):
    """Files half there, but for those of other products."""
    others = {f"incoming/{one}" for one, in rows(server, f"SELECT u.id FROM partial_upload u JOIN product p "
                                                         f"ON p.id = u.product_id WHERE p.name <> '{product}'")}
    return [name for name in blob_files(server) if name.startswith(("incoming/", "tmp/")) and name not in others]


def assert_taken(answer, data=IMAGE):
    assert answer.status == 201, answer.body
    assert (answer.json["sha256"], answer.json["size_bytes"]) == (hashlib.sha256(data).hexdigest(), len(data))


@contextlib.contextmanager
def half_sent(server, path, offset, data, length):
    """A connection that has announced `length` bytes and sent `data`."""
    with socket.create_connection(("127.0.0.1", server.console_port), timeout=DEADLINE_S) as connection:
        connection.sendall(f"PATCH {path}?offset={offset} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {server.api_token}\r\n"
                           f"Content-Type: {FILE}\r\nContent-Length: {length}\r\n\r\n".encode() + data)
        yield connection


# -- cut and gone on with -----------------------------------------------------------------------------

@pytest.mark.parametrize("at", [0, 1, 23, 24, 4095, 4096, 4097, 16384, len(IMAGE) - 1, len(IMAGE)])
def test_a_file_in_two_parts_is_the_file(server, product, at):
    path = begin(server, product)
    answer = send(server, path, 0, IMAGE[:at])
    if at < len(IMAGE):
        assert (answer.status, answer.json["offset_bytes"]) == (200, at)
        answer = send(server, path, at, IMAGE[at:])
    assert_taken(answer)
    assert incoming(server, product) == []


def test_a_file_in_many_parts_is_the_file(server, product):
    draw = random.Random(SEED)
    for _ in range(10):
        path, offset = begin(server, product), 0
        while offset < len(IMAGE):
            part = IMAGE[offset:offset + draw.choice([0, 1, 7, 1000, 9000])]
            answer = send(server, path, offset, part)
            offset += len(part)
        assert_taken(answer)


def test_it_becomes_an_upload_as_from_one_request(server, product):
    path = begin(server, product)
    sent = send(server, path, 0, IMAGE).json
    assert sent == upload(server, product, IMAGE).json | {"upload": path.split("/")[-1]}
    assert call(server, "GET", f"{PRODUCTS}/{product}/uploads/{sent['upload']}").json == sent
    looked = call(server, "GET", path).json  # the answer may have been lost: this tells as well
    assert (looked["upload"], looked["offset_bytes"]) == (sent["upload"], len(IMAGE))
    rom = {"version": "v1", "files": [{"name": "ota.bin", "upload": sent["upload"]}]}
    assert call(server, "POST", f"{PRODUCTS}/{product}/roms", rom).json["files"][0]["findings"] == sent["findings"]


def test_what_came_before_a_broken_connection_is_kept(server, product):
    draw, path, offset = random.Random(SEED), begin(server, product), 0
    for _ in range(20):
        n = draw.randrange(1, 900)
        with half_sent(server, path, offset, IMAGE[offset:offset + n], len(IMAGE) - offset):
            pass
        wait_until(f"{n} bytes more", lambda: has(server, path) == offset + n)
        offset += n
    assert_taken(send(server, path, offset, IMAGE[offset:]))


def test_a_newcomer_goes_on_for_one_that_hangs(server, product):
    path = begin(server, product)
    with half_sent(server, path, 0, IMAGE[:5000], len(IMAGE)) as old:
        wait_until("5000 bytes", lambda: has(server, path) == 5000)
        assert_taken(send(server, path, 5000, IMAGE[5000:]))
        old.sendall(IMAGE[5000:])
        assert b" 409 " in old.recv(4096).split(b"\r\n")[0]
    assert incoming(server, product) == []


def test_a_killed_server_goes_on_where_it_said(aloft, tmp_path):
    draw = random.Random(SEED)
    with Server(aloft, tmp_path) as server:
        product = add_product(server)
        path = begin(server, product, BIG)
        offset = 0
        for _ in range(8):
            n = draw.randrange(1, 120000)
            with half_sent(server, path, offset, BIG[offset:offset + n], len(BIG) - offset):
                told = wait_until("bytes more", lambda: max(0, has(server, path) - offset)) + offset
                server.kill()
            server.start()
            offset = has(server, path)
            assert offset >= told
        assert send(server, path, offset, BIG[offset:]).status == 201
        server.kill()
        server.start()
        kept = call(server, "GET", f"{PRODUCTS}/{product}/uploads/{path.split('/')[-1]}")
        assert kept.json["sha256"] == hashlib.sha256(BIG).hexdigest()
        assert incoming(server, product) == []


def test_a_start_sweeps_what_nobody_goes_on_with(aloft, tmp_path):
    with Server(aloft, tmp_path) as server:
        product = add_product(server)
        old, young = begin(server, product), begin(server, product)
        for path in (old, young):
            assert send(server, path, 0, IMAGE[:10]).status == 200
        (server.data / "blobs/incoming/stray").write_bytes(b"x")
        server.stop()
        database = sqlite3.connect(server.data / "aloft.db")
        database.execute("UPDATE partial_upload SET touched_ms = touched_ms - 86400001 WHERE id = ?", [old.split("/")[-1]])
        database.commit()
        database.close()
        server.start()
        wait_until("the old one's end", lambda: call(server, "GET", old).status == 404)
        assert has(server, young) == 10
        assert incoming(server, product) == [f"incoming/{young.split('/')[-1]}"]


# -- hostile ------------------------------------------------------------------------------------------

def test_another_offset_is_told_the_right_one(server, product):
    path = begin(server, product)
    assert send(server, path, 0, IMAGE[:100]).status == 200
    for offset in (0, 99, 101, len(IMAGE), 2 ** 62):
        answer = send(server, path, offset, IMAGE[:1])
        assert (answer.status, answer.code, answer.json["offset_bytes"]) == (409, "wrong_offset", 100)
    assert_taken(send(server, path, 100, IMAGE[100:]))


@pytest.mark.parametrize("query", ["", "?offset=", "?offset=-1", "?offset=1x", "?offset=0x10", "?offset=9223372036854775808",
                                   "?offset=0&offset=0", "?offset=+1", "?offset=%201"])
def test_an_offset_is_a_number(server, product, query):
    path = begin(server, product)
    answer = call(server, "PATCH", path + query, IMAGE, FILE)
    assert (answer.status, answer.code) == (400, "bad_request")
    assert has(server, path) == 0


def test_more_than_announced_is_refused_before_a_byte_is_taken(server, product):
    path = begin(server, product)
    assert send(server, path, 0, IMAGE + b"x").status == 413
    assert send(server, path, 0, IMAGE[:7]).status == 200
    assert send(server, path, 7, IMAGE[7:] + b"x").status == 413
    assert has(server, path) == 7


@pytest.mark.parametrize("size", [-1, 16 * 1024 * 1024 + 1, 2 ** 63 - 1, 1.5, "1", None])
def test_sizes_have_limits(server, product, size):
    answer = announce(server, product, size_bytes=size)
    assert answer.status == (413 if isinstance(size, int) and size > 0 else 400)
    assert incoming(server, product) == []


@pytest.mark.parametrize("name", ["", ".bin", "ota", "ota.bin/", "../ota.bin", "..", "ota.bin\0", "ota.bin\r\nX: y", "a b.bin",
                                  "a" * 65 + ".bin", "'; DROP TABLE rom; --.bin", "<b>.bin", "ö.bin"])
def test_names_that_are_none_are_refused(server, product, name):
    assert announce(server, product, name=name).status == 400
    assert incoming(server, product) == []


def test_a_wrong_name_is_refused_with_the_right_ones_before_the_file_is_sent(server):
    product = add_product(server, "esp32c3_v3")
    answer = announce(server, product, name="other.bin")
    assert (answer.status, answer.code) == (422, "PART_NAME")
    assert "ota.bin" in answer.message and "mqtt_ca.bin" in answer.message
    assert answer.json["findings"][-1] == {"row": 32, "code": "PART_NAME", "verdict": "refusal", "sentence": answer.message}
    assert answer.message == upload(server, product, IMAGE, name="other.bin").message


@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
def test_a_partial_upload_is_its_products(server, product, method):
    path = begin(server, product)
    other = path.replace(product, add_product(server))
    answer = call(server, method, other + ("?offset=0" if method == "PATCH" else ""), IMAGE if method == "PATCH" else None, FILE)
    assert answer.status == 404
    assert has(server, path) == 0


def test_a_refused_file_leaves_nothing(server, product):
    blobs = blob_files(server)
    path = begin(server, product)
    answer = send(server, path, 0, bytes(len(IMAGE)))
    assert answer.status == 422
    refused = [row for row in answer.json["findings"] if row["verdict"] == "refusal"]
    assert (refused[0]["sentence"], refused[0]["code"]) == (answer.message, answer.code)
    assert call(server, "GET", path).status == 404
    assert blob_files(server) == blobs


def test_one_given_up_leaves_nothing_even_while_it_comes(server, product):
    path = begin(server, product)
    with half_sent(server, path, 0, IMAGE[:5000], len(IMAGE)) as connection:
        wait_until("5000 bytes", lambda: has(server, path) == 5000)
        assert call(server, "DELETE", path).status == 204
        connection.sendall(IMAGE[5000:])
        assert b" 409 " in connection.recv(4096).split(b"\r\n")[0]
    assert call(server, "GET", path).status == 404
    assert incoming(server, product) == []


def test_the_limit_is_a_setting(aloft, tmp_path):
    with Server(aloft, tmp_path, "--upload-max-bytes", "65536") as server:
        product = add_product(server)
        assert announce(server, product, bytes(65537)).status == 413
        assert announce(server, product, bytes(65536)).status == 201
        assert upload(server, product, bytes(65537)).status == 413
        assert upload(server, product, IMAGE).status == 201


# -- a factory image ----------------------------------------------------------------------------------

def test_a_factory_image_is_refused_with_an_offer(server, product):
    answer = upload(server, product, FACTORY)
    assert (answer.status, answer.code, answer.json["app_bytes"]) == (422, "OTA_IS_FACTORY_IMAGE", len(IMAGE))
    assert "I can cut the app out for you" in answer.message


@pytest.mark.parametrize("is_partial", [False, True])
def test_the_app_is_cut_out_on_request(server, product, is_partial):
    flash = FACTORY
    if is_partial:
        answer = send(server, begin(server, product, flash, cut="app"), 0, flash)
    else:
        answer = call(server, "POST", f"{PRODUCTS}/{product}/uploads?name=ota.bin&version=v1&cut=app", flash, FILE)
    assert_taken(answer)
    assert "refusal" not in {row["verdict"] for row in answer.json["findings"]}
    sha256 = hashlib.sha256(IMAGE).hexdigest()
    assert (server.data / "blobs" / sha256[:2] / sha256).read_bytes() == IMAGE
    assert incoming(server, product) == []


def test_a_plain_image_has_nothing_to_cut(server, product):
    assert_taken(call(server, "POST", f"{PRODUCTS}/{product}/uploads?name=ota.bin&version=v1&cut=app", IMAGE, FILE))


@pytest.mark.parametrize("cut", ["", "all", "APP"])
def test_only_the_app_can_be_cut_out(server, product, cut):
    assert call(server, "POST", f"{PRODUCTS}/{product}/uploads?name=ota.bin&version=v1&cut={cut}", IMAGE, FILE).status == 400
    assert announce(server, product, cut=cut).status == 400


# -- vetting only -------------------------------------------------------------------------------------

def test_a_check_says_all_and_keeps_nothing(server, product):
    blobs, uploads = blob_files(server), rows(server, "SELECT count(*) FROM upload")
    image = app_image.make(version="checked")
    answer = call(server, "POST", f"{PRODUCTS}/{product}/check?name=ota.bin&version=v1", image, FILE)
    assert answer.status == 200 and answer.json["verdict"] in ("pass", "warning")
    assert (blob_files(server), rows(server, "SELECT count(*) FROM upload")) == (blobs, uploads)
    assert answer.json["findings"] == upload(server, product, image).json["findings"]


def test_a_check_tells_a_refusal_as_an_upload_does(server, product):
    answer = call(server, "POST", f"{PRODUCTS}/{product}/check", IMAGE[:500], FILE)
    assert (answer.status, answer.json["verdict"]) == (200, "refusal")
    refused = upload(server, product, IMAGE[:500])
    assert answer.json["findings"] == refused.json["findings"]
    assert refused.message in [row["sentence"] for row in answer.json["findings"]]


# -- what the product says ----------------------------------------------------------------------------

def verdict_of(server, product, row, image, version="v1.0.0"):
    findings = call(server, "POST", f"{PRODUCTS}/{product}/check?version={version}", image, FILE).json["findings"]
    return next((one["verdict"], one["sentence"]) for one in findings if one["row"] == row)


def add_product_with(server, **members):
    name = next(_names)
    answer = call(server, "POST", PRODUCTS, {"name": name, "layout": LAYOUT} | members)
    assert answer.status == 201, answer.body
    return answer.json


@pytest.mark.parametrize("downgrade, verdict", [("warn", "warning"), ("refuse", "refusal")])
def test_a_downgrade_is_what_the_product_says(server, downgrade, verdict):
    product = add_product_with(server, downgrade=downgrade)["name"]
    older, newer = (app_image.make(version=version) for version in ("v1.0.0", "v2.0.0"))
    assert verdict_of(server, product, 16, older)[0] == "pass"
    sent = upload(server, product, newer, "v2.0.0").json["upload"]
    rom = {"version": "v2.0.0", "use": True, "files": [{"name": "ota.bin", "upload": sent}]}
    assert call(server, "POST", f"{PRODUCTS}/{product}/roms", rom).status == 201
    assert verdict_of(server, product, 16, older)[0] == verdict
    assert verdict_of(server, product, 16, app_image.make(version="v2.0.1"), "v2.0.1")[0] == "pass"


def test_a_product_with_keys_takes_no_unsigned_image(server):
    image = app_image.make(version="v1.0.0")
    assert verdict_of(server, add_product_with(server)["name"], 20, image)[0] == "pass"
    product = add_product_with(server, signing_keys=["ab" * 32, "cd" * 32])["name"]
    assert verdict_of(server, product, 20, image)[0] == "refusal"


def test_an_image_is_of_the_products_project(server):
    ours = app_image.make(version="v1.0.0", project="lamp-at")
    plain, named = (add_product_with(server, **members)["name"] for members in ({}, {"project_name": "lamp-at"}))
    rows_of = {name: {one["row"] for one in call(server, "POST", f"{PRODUCTS}/{name}/check", ours, FILE).json["findings"]
                      if one["verdict"] != "pass" and "lamp-at" in one["sentence"]} for name in (plain, named)}
    assert rows_of[plain] and not rows_of[named]


def test_an_image_calls_the_products_server_with_the_products_token(server):
    product = add_product_with(server, server_host="ota.example.org:8080")
    image = bytearray(app_image.make(version="v1.0.0"))
    image[0x200:0x210] = b"ota.example.org\0"
    image[0x220:0x249] = product["token"].encode() + b"\0"
    app_image.set_version(image, 0, "v1.0.0")
    assert verdict_of(server, product["name"], 34, bytes(image)) == ("pass", "")
    image[0x200:0x210] = b"ota.example.com\0"
    app_image.set_version(image, 0, "v1.0.0")
    verdict, sentence = verdict_of(server, product["name"], 34, bytes(image))
    assert verdict == "warning" and "ota.example.com" in sentence
