# SPDX-License-Identifier: Apache-2.0
"""The console plane: what it takes, what it refuses and with which words, and that nothing half stays behind."""

import hashlib
import itertools
import resource
import socket

import pytest

import app_image
from api import blob_files, call, rows, statuses, talk, upload
from server import wait_until

PRODUCTS = "/api/v1/products"
LAYOUT = "esp32c3_default"
TOKEN = "0123456789abcdef0123456789abcdef01234567"
UPLOAD_MAX = 16 * 1024 * 1024
_names = (f"p{i}" for i in itertools.count())


@pytest.fixture
def product(server):
    name = next(_names)
    assert call(server, "POST", PRODUCTS, {"name": name, "layout": LAYOUT}).status == 201
    return name


@pytest.fixture
def image():
    """An image no other test has sent: its version is its number."""
    return app_image.make(version=next(_names))


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def blob_of(data):
    return f"{sha256(data)[:2]}/{sha256(data)}"


# -- who may ------------------------------------------------------------------------------------------

def test_healthz_needs_no_token(server):
    answer = call(server, "GET", "/healthz", token="")
    assert (answer.status, answer.json) == (200, {"status": "ok"})


@pytest.mark.parametrize("value", [None, "", "Bearer", "Bearer ", "Bearer 00", "Basic YWRtaW46YWRtaW4=", "Bearer " + "0" * 64,
                                   "Bearer " + "0" * 63 + "G", "Bearer " + "0" * 65])
def test_everything_else_needs_the_api_token(server, value):
    headers = {} if value is None else {"Authorization": value}
    answer = call(server, "GET", PRODUCTS, token="", headers=headers)
    assert (answer.status, answer.code) == (401, "unauthorized")
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert "API token" in answer.message


def test_a_stranger_changes_nothing(server, product, image):
    before = blob_files(server)
    assert call(server, "POST", PRODUCTS, {"name": next(_names), "layout": LAYOUT}, token="").status == 401
    assert call(server, "POST", f"{PRODUCTS}/{product}/uploads?name=ota.bin&version=v1", image,
                "application/octet-stream", token="").status == 401
    assert blob_files(server) == before


def test_the_api_token_is_kept_as_a_hash_only(server):
    assert server.api_token.encode() not in (server.data / "aloft.db").read_bytes()
    wal = server.data / "aloft.db-wal"
    assert not wal.exists() or server.api_token.encode() not in wal.read_bytes()
    assert (server.data / "aloft.db").stat().st_mode & 0o777 == 0o600
    assert server.data.stat().st_mode & 0o777 == 0o700


# -- bad input ----------------------------------------------------------------------------------------

@pytest.mark.parametrize("body, words", [
    ('', "not valid"),
    ('{', "not valid"),
    ('[]', "object"),
    ('"text"', "not valid"),
    ('{"name": "a", "layout": "esp32c3_default"} x', "not valid"),
    ('{"name": "a", "name": "b", "layout": "esp32c3_default"}', "not valid"),
    ('{"name": "a", "layout": "esp32c3_default", "colour": "red"}', "'colour' is not known"),
    ('{"name": 7, "layout": "esp32c3_default"}', "'name' has the wrong type"),
    ('{"name": null, "layout": "esp32c3_default"}', "'name' has the wrong type"),
    ('{"name": "a"}', "'layout' is missing"),
    ('{"name": "", "layout": "esp32c3_default"}', "name is 1 to 64"),
    ('{"name": "a/b", "layout": "esp32c3_default"}', "name is 1 to 64"),
    ('{"name": "..", "layout": "esp32c3_default"}', "name is 1 to 64"),
    ('{"name": "%s", "layout": "esp32c3_default"}' % ("a" * 65), "name is 1 to 64"),
    ('{"name": "a\\u0000b", "layout": "esp32c3_default"}', "not valid"),
    ('{"name": "a", "layout": "esp32c9"}', "no layout 'esp32c9'; there are: esp32_default"),
    ('{"name": "a", "layout": "esp32c3_default", "token": "00"}', "40 lower-case hex digits"),
    ('{"name": "a", "layout": "esp32c3_default", "token_tls": "%s"}' % TOKEN.upper(), "40 lower-case hex digits"),
    ('{"name": ' + '[' * 9 + ']' * 9 + '}', "nested too deep"),
    ('[' * 60000, "nested too deep"),
    (b'{"name": "\xff", "layout": "esp32c3_default"}', "not valid"),
])
def test_a_wrong_body_is_refused_with_a_reason(server, body, words):
    answer = call(server, "POST", PRODUCTS, body)
    assert answer.status == 400
    assert words in answer.message


def test_brackets_in_texts_are_no_depth(server):
    answer = call(server, "POST", PRODUCTS, {"name": "[[[[[[[[[[\\\"[[[[", "layout": LAYOUT})
    assert "name is 1 to 64" in answer.message


@pytest.mark.parametrize("content_type", [None, "text/plain", "application/jsonp", "application/octet-stream"])
def test_json_must_say_so(server, content_type):
    answer = call(server, "POST", PRODUCTS, b"{}", content_type)
    assert (answer.status, answer.code) == (415, "unsupported_media_type")


def test_json_may_name_its_charset(server):
    assert call(server, "POST", PRODUCTS, {"name": next(_names), "layout": LAYOUT},
                "application/json; charset=utf-8").status == 201


def test_json_has_a_limit(server):
    assert call(server, "POST", PRODUCTS, b" " * 65537).status == 413
    assert call(server, "POST", PRODUCTS, b" " * 65536).status == 400


def test_a_body_where_none_belongs_is_refused(server):
    assert call(server, "GET", PRODUCTS, b"{}").status == 413


@pytest.mark.parametrize("path", ["/", "/api", "/api/v1/product", PRODUCTS + "/", PRODUCTS + "/unknown",
                                  PRODUCTS + "/unknown/roms", PRODUCTS + "/unknown/devices", PRODUCTS + "/" + "a" * 65])
def test_what_is_not_there_is_404(server, path):
    assert (call(server, "GET", path).status, call(server, "GET", path).code) == (404, "not_found")


@pytest.mark.parametrize("path", ["%2Froms", "%2froms", "%00", "%00/roms", "/roms%00"])
def test_a_slash_or_nul_in_an_escape_does_not_part_the_path(server, product, path):
    answer = call(server, "GET", f"{PRODUCTS}/{product}{path}")
    assert (answer.status, answer.code) == (404, "not_found")


@pytest.mark.parametrize("method, path, allow", [
    ("DELETE", PRODUCTS, "GET, POST"), ("HEAD", "/healthz", "GET"), ("POST", "/healthz", "GET"),
    ("PUT", PRODUCTS + "/a/roms", "GET, POST"), ("PATCH", PRODUCTS + "/a/current", "GET, PUT, DELETE"),
    ("PUT", PRODUCTS + "/a", "GET, PATCH, DELETE"), ("PUT", PRODUCTS + "/a/uploads/b", "GET, DELETE")])
def test_a_wrong_method_names_the_right_ones(server, method, path, allow):
    answer = call(server, method, path)
    assert (answer.status, answer.headers["Allow"]) == (405, allow)


@pytest.mark.parametrize("method, path", [
    ("GET", "/healthz"), ("GET", PRODUCTS), ("POST", PRODUCTS), ("GET", PRODUCTS + "/%s"), ("GET", PRODUCTS + "/%s/roms"),
    ("POST", PRODUCTS + "/%s/roms"), ("PUT", PRODUCTS + "/%s/current"), ("DELETE", PRODUCTS + "/%s/uploads/b"),
    ("GET", PRODUCTS + "/%s/devices"), ("POST", PRODUCTS + "/%s/uploads")])
def test_an_unknown_query_parameter_is_refused_everywhere(server, product, method, path):
    answer = call(server, method, path.replace("%s", product) + "?colour=red", {} if method in ("POST", "PUT") else None)
    assert (answer.status, answer.code) == (400, "bad_request")
    assert "'colour' is unknown" in answer.message


def test_what_is_taken_is_409(server, product):
    tokens = call(server, "GET", f"{PRODUCTS}/{product}").json
    for body in ({"name": product}, {"name": next(_names), "token": tokens["token"]},
                 {"name": next(_names), "token_tls": tokens["token_tls"]}):
        answer = call(server, "POST", PRODUCTS, {"layout": LAYOUT} | body)
        assert (answer.status, answer.code) == (409, "conflict")


def test_answers_are_not_kept_by_caches(server):
    assert call(server, "GET", PRODUCTS).headers["Cache-Control"] == "no-store"


# -- hostile framing (facts/serving.md 6) -------------------------------------------------------------

BODY = b'{"name": "%s", "layout": "esp32c3_default"}'


@pytest.mark.parametrize("head, extra", [
    ("1.1", b"Content-Length: %d\r\nContent-Length: 5\r\n"),
    ("1.1", b"Content-Length: %d\r\nContent-Length: %d\r\n"),
    ("1.1", b"Content-Length: %d\r\nTransfer-Encoding: chunked\r\n"),
    ("1.1", b"Transfer-Encoding: chunked\r\nContent-Length: %d\r\n"),
    ("1.1", b"Content-Length : %d\r\n"),
    ("1.1", b"Content-Length: +%d\r\n"),
    ("1.1", b"Content-Length: %d, %d\r\n"),
    ("1.1", b"Content-Length: 0x20\r\n"),
    ("1.1", b"Content-Length: 99999999999999999999999999\r\n"),
    ("1.1", b"Content-Length: %d\r\nTransfer-Encoding: identity\r\n"),
    ("1.1", b"Transfer-Encoding: xchunked\r\n"),
    ("1.1", b"Transfer-Encoding: gzip, chunked\r\n"),
    ("1.1", b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"),
    ("1.0", b"Transfer-Encoding: chunked\r\n"),
    ("1.1", b"Content-Length: %d\r\nHost: two\r\n"),
    ("1.1", b"Content-Length: %d\r\nX (bad): a\r\n"),
    ("1.1 no host", b"Content-Length: %d\r\n"),
    ("1.1", b"Content-Length: %d\r\nX-Folded: a\r\n b\r\n"),
    ("1.1", b"Content-Length: %d\r\nX-Folded: a\r\n\tb\r\n"),
    ("1.1", b"Content-Length: %d\r\nX-Nul: a\0b\r\n"),
    ("1.1", b"Content-Length: %d\nX-Bare: a\r\n"),
    ("1.1", b"Content-Length: %d\r\n\n"),
])
def test_ambiguous_framing_is_refused_and_the_connection_closed(server, head, extra):
    name = next(_names)
    body = BODY % name.encode()
    extra = extra.replace(b"%d", b"%d" % len(body))
    host = b"" if "no host" in head else b"Host: aloft\r\n"
    lines = (b"POST %s HTTP/%s\r\n%sAuthorization: Bearer %s\r\nContent-Type: application/json\r\n%s\r\n"
             % (PRODUCTS.encode(), head[:3].encode(), host, server.api_token.encode(), extra))
    second = b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"  # smuggled behind it; must not be answered
    said = talk(server.console_port, lines + body + second)
    assert statuses(said) == [400] and b'"bad_framing"' in said and b"broken or ambiguous" in said, said
    assert call(server, "GET", f"{PRODUCTS}/{name}").status == 404


def test_what_stands_behind_a_request_is_not_answered(server):
    one = b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"
    assert statuses(talk(server.console_port, one + one)) == [200]


def test_a_request_in_single_bytes_is_answered(server):
    with socket.create_connection(("127.0.0.1", server.console_port), timeout=30) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n":
            connection.sendall(bytes([byte]))
        assert connection.makefile("rb").readline() == b"HTTP/1.1 200 OK\r\n"


def test_a_request_cut_at_any_byte_leaves_nothing_and_the_server_goes_on(server):
    name = next(_names)
    body = BODY % name.encode()
    whole = (b"POST %s HTTP/1.1\r\nHost: aloft\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\n"
             b"Content-Length: %d\r\n\r\n%s" % (PRODUCTS.encode(), server.api_token.encode(), len(body), body))
    for length in range(len(whole)):
        with socket.create_connection(("127.0.0.1", server.console_port), timeout=30) as connection:
            connection.sendall(whole[:length])
    assert call(server, "GET", f"{PRODUCTS}/{name}").status == 404
    assert statuses(talk(server.console_port, whole)) == [201]


def test_a_head_that_is_too_long_is_refused(server):
    said = talk(server.console_port, b"GET /healthz HTTP/1.1\r\nHost: a\r\nX-Long: " + b"a" * 20000 + b"\r\n\r\n")
    assert statuses(said) == [431]


def test_thousands_of_idle_connections_do_not_keep_people_out(server):
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    crowd = []
    try:
        for _ in range(min(10000, most - 200)):
            connection = socket.create_connection(("127.0.0.1", server.console_port), timeout=30)
            connection.send(b"GET /healthz HTTP/1.1\r\n")
            crowd.append(connection)
        assert call(server, "GET", "/healthz", token="").status == 200
    finally:
        for connection in crowd:
            connection.close()
    assert call(server, "GET", "/healthz", token="").status == 200


def test_the_same_request_framed_well_is_taken(server):
    name = next(_names)
    body = BODY % name.encode()
    said = talk(server.console_port, b"POST %s HTTP/1.1\r\nHost: aloft\r\nAuthorization: Bearer %s\r\nContent-Type: "
                b"application/json\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s"
                % (PRODUCTS.encode(), server.api_token.encode(), len(body), body))
    assert statuses(said) == [201]


def test_chunks_are_refused_with_411(server, product):
    said = talk(server.console_port, b"POST %s/%s/uploads?name=ota.bin&version=v1 HTTP/1.1\r\nHost: aloft\r\nAuthorization: "
                b"Bearer %s\r\nContent-Type: application/octet-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
                % (PRODUCTS.encode(), product.encode(), server.api_token.encode()))
    assert statuses(said) == [411]


# -- uploads ------------------------------------------------------------------------------------------

def test_an_upload_is_vetted_and_kept_under_its_hash(server, product, image):
    answer = upload(server, product, image)
    assert answer.status == 201
    assert answer.json["sha256"] == sha256(image)
    assert answer.json["size_bytes"] == len(image)
    assert all(finding["verdict"] in ("pass", "warning") for finding in answer.json["findings"])
    assert blob_of(image) in blob_files(server)


def test_an_upload_given_up_leaves_nothing(server, product, image):
    one = upload(server, product, image).json["upload"]
    path = f"{PRODUCTS}/{product}/uploads/{one}"
    answer = call(server, "DELETE", path)
    assert (answer.status, answer.body) == (204, b"")
    assert blob_of(image) not in blob_files(server)
    assert call(server, "DELETE", path).status == 404


def test_shared_bytes_stay_as_long_as_one_upload_needs_them(server, product, image):
    first, second = (upload(server, product, image).json["upload"] for _ in range(2))
    call(server, "DELETE", f"{PRODUCTS}/{product}/uploads/{first}")
    assert blob_of(image) in blob_files(server)
    call(server, "DELETE", f"{PRODUCTS}/{product}/uploads/{second}")
    assert blob_of(image) not in blob_files(server)


def test_an_upload_of_another_product_is_not_mine(server, product, image):
    other = next(_names)
    call(server, "POST", PRODUCTS, {"name": other, "layout": LAYOUT})
    one = upload(server, product, image).json["upload"]
    assert call(server, "DELETE", f"{PRODUCTS}/{other}/uploads/{one}").status == 404
    assert call(server, "POST", f"{PRODUCTS}/{other}/roms",
                {"version": "v1", "files": [{"name": "ota.bin", "upload": one}]}).status == 404


def test_a_refused_upload_leaves_nothing(server, product):
    before, uploads = blob_files(server), rows(server, "SELECT count(*) FROM upload")
    answer = upload(server, product, b"PK\x03\x04" + bytes(5000))
    assert (answer.status, answer.code) == (422, "OTA_WRONG_KIND")
    assert "zip" in answer.message
    assert blob_files(server) == before and rows(server, "SELECT count(*) FROM upload") == uploads


@pytest.mark.parametrize("share", [0.0, 0.01, 0.5, 0.99])
def test_an_upload_broken_off_leaves_nothing(server, product, image, share):
    before, uploads = blob_files(server), rows(server, "SELECT count(*) FROM upload")
    head = (b"POST %s/%s/uploads?name=ota.bin&version=v1 HTTP/1.1\r\nHost: aloft\r\nAuthorization: Bearer %s\r\n"
            b"Content-Type: application/octet-stream\r\nContent-Length: %d\r\n\r\n"
            % (PRODUCTS.encode(), product.encode(), server.api_token.encode(), len(image)))
    with socket.create_connection(("127.0.0.1", server.console_port)) as connection:
        connection.sendall(head + image[:int(len(image) * share)])
        wait_until("the temporary file", lambda: any(name.startswith("tmp/") for name in blob_files(server)))
    wait_until("the end of the temporary file", lambda: blob_files(server) == before)
    assert rows(server, "SELECT count(*) FROM upload") == uploads


def test_a_file_over_the_limit_is_refused_before_its_bytes(server, product):
    said = talk(server.console_port, b"POST %s/%s/uploads?name=ota.bin&version=v1 HTTP/1.1\r\nHost: aloft\r\nAuthorization: "
                b"Bearer %s\r\nContent-Type: application/octet-stream\r\nContent-Length: %d\r\n\r\n"
                % (PRODUCTS.encode(), product.encode(), server.api_token.encode(), UPLOAD_MAX + 1))
    assert statuses(said) == [413]
    assert b"the limit is 16777216" in said


@pytest.mark.parametrize("query, words", [
    ("", "'name' is missing"), ("?name=ota.bin", "'version' is missing"), ("?version=v1", "'name' is missing"),
    ("?name=ota.bin&version=v1&colour=red", "'colour' is unknown"),
    ("?name=ota.bin&version=v1&version=v2", "'version' is unknown, has no value, or is there twice"),
    ("?name=ota.bin&version", "'version'"), ("?name=ota.bin&version=", "a version is"),
    ("?name=ota.bin&version=a%2Fb", "a version is"), ("?name=ota.bin&version=a%00b", "'version'"),
    ("?name=..%2Fota.bin&version=v1", "a file is named"), ("?name=ota.elf&version=v1", "a file is named"),
    ("?name=.bin&version=v1", "a file is named"), ("?name=ota.bin&version=" + "v" * 65, "a version is")])
def test_a_wrong_query_is_refused(server, product, query, words):
    answer = call(server, "POST", f"{PRODUCTS}/{product}/uploads{query}", b"x", "application/octet-stream")
    assert (answer.status, answer.code) == (400, "bad_request")
    assert words in answer.message


def test_a_file_must_come_as_bytes(server, product, image):
    assert call(server, "POST", f"{PRODUCTS}/{product}/uploads?name=ota.bin&version=v1", image, "text/plain").status == 415


# -- ROMs ---------------------------------------------------------------------------------------------

def ask_version(server, token):
    return talk(server.modules_port, b"GET /v1/device/rom/?is_format_simple=true HTTP/1.0\r\nHost: a\r\nAuthorization: "
                b"token %s\r\n\r\n" % token.encode())


def test_a_rom_is_what_modules_are_told_as_soon_as_it_is_answered(server, product, image):
    token = call(server, "GET", f"{PRODUCTS}/{product}").json["token"]
    one = upload(server, product, image).json["upload"]
    answer = call(server, "POST", f"{PRODUCTS}/{product}/roms",
                  {"version": "v1", "life_cycle": "beta", "use": True, "files": [{"name": "ota.bin", "upload": one}]})
    assert b'"recommended_rom_version": "v1"' in ask_version(server, token)
    assert answer.status == 201
    made = answer.json
    assert {row["verdict"] for row in made["files"][0].pop("findings")} <= {"pass", "warning"}
    assert made | {"created_ms": 0} == {
        "version": "v1", "corename": "", "life_cycle": "beta", "note": "", "current": True, "withdrawn": False,
        "created_ms": 0, "files": [{"name": "ota.bin", "sha256": sha256(image), "size_bytes": len(image)}]}
    assert call(server, "GET", f"{PRODUCTS}/{product}").json["current_version"] == "v1"


def test_without_use_a_rom_waits_until_it_is_made_current(server, product, image):
    token = call(server, "GET", f"{PRODUCTS}/{product}").json["token"]
    one = upload(server, product, image).json["upload"]
    made = call(server, "POST", f"{PRODUCTS}/{product}/roms",
                {"version": "v1", "files": [{"name": "ota.bin", "upload": one}]})
    assert made.json["current"] is False
    assert b'"v1"' not in ask_version(server, token)
    assert call(server, "PUT", f"{PRODUCTS}/{product}/current", {"version": "v2"}).status == 404
    assert call(server, "PUT", f"{PRODUCTS}/{product}/current", {"version": "v1"}).json["version"] == "v1"
    assert b'"recommended_rom_version": "v1"' in ask_version(server, token)


def test_a_rom_comes_with_all_its_files_or_not_at_all(server, product, image):
    one = upload(server, product, image).json["upload"]
    answer = call(server, "POST", f"{PRODUCTS}/{product}/roms",
                  {"version": "v1", "use": True, "files": [{"name": "ota.bin", "upload": one},
                                                           {"name": "mfg_nvs.bin", "upload": "0" * 32}]})
    assert (answer.status, answer.code) == (404, "not_found")
    assert "mfg_nvs.bin" in answer.message
    assert call(server, "GET", f"{PRODUCTS}/{product}/roms").json == {"roms": [], "next": None}
    assert call(server, "DELETE", f"{PRODUCTS}/{product}/uploads/{one}").status == 204  # still there


@pytest.mark.parametrize("body, words", [
    ({"version": "v1", "files": []}, "1 to 10 files"), ({"version": "v1", "files": [{}] * 11}, "1 to 10 files"),
    ({"version": "v1", "files": ["ota.bin"]}, "must be an object"),
    ({"version": "v1", "files": [{"name": "ota.bin"}]}, "'upload' is missing"),
    ({"version": "v1", "files": [{"name": "ota.bin", "upload": "a"}] * 2}, "there twice"),
    ({"version": "v1 ", "files": [{"name": "ota.bin", "upload": "a"}]}, "'version' is 1 to 64"),
    ({"version": "v1", "use": 1, "files": [{"name": "ota.bin", "upload": "a"}]}, "'use' has the wrong type"),
    ({"version": "v1", "life_cycle": "a b", "files": [{"name": "ota.bin", "upload": "a"}]}, "'life_cycle' is 1 to 32"),
    ({"version": "v1", "corename": "c" * 65, "files": [{"name": "ota.bin", "upload": "a"}]}, "'corename' is at most 64")])
def test_a_wrong_rom_is_refused(server, product, body, words):
    answer = call(server, "POST", f"{PRODUCTS}/{product}/roms", body)
    assert answer.status == 400
    assert words in answer.message


def test_a_version_is_never_replaced(server, product, image):
    for status in (201, 409):
        one = upload(server, product, image).json["upload"]
        answer = call(server, "POST", f"{PRODUCTS}/{product}/roms",
                      {"version": "v1", "files": [{"name": "ota.bin", "upload": one}]})
        assert answer.status == status
    assert "version v1 already" in answer.message
    assert call(server, "DELETE", f"{PRODUCTS}/{product}/uploads/{one}").status == 204
    assert blob_of(image) in blob_files(server)  # the ROM stands on it
