# SPDX-License-Identifier: Apache-2.0
"""Attempts over real sockets: who tried what, how it ended and why, in words; live, in lists, as CSV.

Not here but in tests/unit/test_causes.c and test_tracker*.c, because they take minutes, another server or another
kernel: too_slow, too_big, closed (in the middle of a wide window), never_came, only_a_part, not_proven, full, limited,
unreadable, link_expired, wrong_chip, rolled_back."""

import csv
import io
import itertools
import json
import os
import signal
import socket
import sqlite3
import ssl
import struct
import subprocess
import threading

import pytest

from api import Stream, call, talk
from server import Server, wait_until
from stock_client import StockClient, StockError, Target, packed_target

LAYOUT = "esp32c3_default"
DEVICE = "7cdfa1b2c3d4"
MEMBERS = {"state", "sentence", "file", "version", "bytes_acked", "duration_ms"}


@pytest.fixture(name="server")
def server_fixture(aloft, tmp_path):
    with Server(aloft, tmp_path) as one:
        yield one


@pytest.fixture(name="lamp")
def lamp_fixture(server):
    server.token, server.token_tls = server.deploy("lamp", LAYOUT, "v2")
    server.size = len((server.folder / f"{LAYOUT}-v2.bin").read_bytes())
    return server


def attempts(server, query="", product="lamp"):
    answer = call(server, "GET", f"/api/v1/products/{product}/attempts{query}")
    assert answer.status == 200, answer.body
    return answer.json["attempts"]


def strangers(server):
    return [one for one in call(server, "GET", "/api/v1/attempts").json["attempts"] if one["product"] is None]


def wait_for(server, look, **wanted):
    """The first attempt with these members."""
    return wait_until(f"an attempt with {wanted}", lambda: next(
        (one for one in look(server) if all(one[member] == value for member, value in wanted.items())), None))


def request(target, token, *fields):
    lines = [f"GET {target} HTTP/1.1", "Host: a", *([f"Authorization: token {token}"] if token is not None else []),
             *fields]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def ask_version(server, *fields, token=None):
    return talk(server.modules_port, request("/v1/device/rom/?is_format_simple=true", token or server.token, *fields))


def ask_file(server, name="ota.bin", version="v2", *fields):
    return talk(server.modules_port, request(
        f"/v1/device/rom/?action=download_rom&version={version}&filename={name}", server.token, *fields))


def ours(runs, boot):
    return (f"Aloft-Device: {DEVICE}", f"Aloft-Version: {runs}", f"Aloft-Boot: {boot}")


# -- how a try ends --------------------------------------------------------------------------------

def test_a_stock_module_ends_as_delivered(lamp):
    StockClient("127.0.0.1", lamp.modules_port, lamp.token).ciupdate(Target())
    one = wait_for(lamp, attempts, state="delivered")
    assert MEMBERS <= set(one)
    assert one["sentence"].startswith(f"got ota.bin of v2: all {lamp.size} bytes acknowledged in {one['duration_ms']} ms, ")
    assert (one["cause"], one["file"], one["version"]) == (None, "ota.bin", "v2")
    assert one["bytes_total"] == one["bytes_sent"] == one["bytes_acked"] == lamp.size
    assert (one["n_contacts"], one["device"], one["address"]) == (2, "127.0.0.1", "127.0.0.1")
    assert one["token_prefix"] == lamp.token[:6] and one["tls_version"] is None
    assert one["user_agent"].startswith("Mozilla/5.0 (Windows NT 5.1)")
    assert len(attempts(lamp)) == 1


def test_over_tls_the_version_of_tls_is_told(lamp):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with socket.create_connection(("127.0.0.1", lamp.modules_tls_port), 30) as plain, context.wrap_socket(plain) as module:
        module.sendall(request("/v1/device/rom/?action=download_rom&version=v2&filename=ota.bin", lamp.token_tls))
        while module.recv(65536):
            pass
    assert wait_for(lamp, attempts, state="delivered")["tls_version"] == "1.2"


def test_a_module_that_says_what_it_runs_is_proven(lamp):
    ask_version(lamp, *ours("v1", "power"))
    ask_file(lamp, "ota.bin", "v2", *ours("v1", "power"))
    wait_for(lamp, attempts, state="delivered", device=DEVICE)
    ask_version(lamp, *ours("v2", "upgrade"))
    one = wait_for(lamp, attempts, state="proven", device=DEVICE)
    assert (one["sentence"], one["n_contacts"], one["running_version"]) == ("runs v2 now: proven", 3, "v1")
    ask_version(lamp, *ours("v2", "upgrade"))  # only looks whether there is anything new
    ask_version(lamp, "Aloft-Device: other")
    wait_for(lamp, attempts, device="other")
    assert len(attempts(lamp)) == 2
    assert call(lamp, "GET", f"/api/v1/products/lamp/devices/{DEVICE}").json["attempts"] == 1


def test_a_module_that_comes_back_unchanged_has_refused_the_image(lamp):
    ask_file(lamp, "ota.bin", "v2", *ours("v1", "power"))
    wait_for(lamp, attempts, state="delivered", device=DEVICE)
    ask_version(lamp, *ours("v1", "power"))
    one = wait_for(lamp, attempts, cause="refused_after_last_byte")
    assert one["state"] == "failed"
    assert one["sentence"] == (f"all {lamp.size} bytes arrived, but the module came back after 0 s, still on v1 and not "
                               "restarted: its own verification refused the image after the last byte")


def test_a_stock_module_that_asks_again_for_the_same_file_may_have_refused_it(lamp):
    for _ in range(2):
        StockClient("127.0.0.1", lamp.modules_port, lamp.token).ciupdate(Target())
        wait_for(lamp, attempts, state="delivered")
    one = wait_for(lamp, attempts, cause="refused_after_last_byte")
    assert one["sentence"] == (f"all {lamp.size} bytes arrived, but the module came back after 0 s for the same version: "
                               "its own verification refused the image after the last byte, or it is another module, as "
                               "the product's token behind one address does not tell them apart")
    assert [row["state"] for row in attempts(lamp)] == ["delivered", "failed"]


# -- causes ----------------------------------------------------------------------------------------

class NarrowClient(StockClient):
    """With a receive window as small as a module's: what it has acknowledged is little more than what it has read."""

    def _connect(self, port):
        connection = socket.socket()
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 5760)
        connection.settimeout(self.timeout_s)
        connection.connect((self.host, port))
        return connection


def test_a_module_that_wants_another_kind_of_file(lamp):
    with pytest.raises(StockError):
        NarrowClient("127.0.0.1", lamp.modules_port, lamp.token).ciupdate(packed_target())
    one = wait_for(lamp, attempts, cause="wrong_magic")
    assert one["sentence"] == (f"closed after {one['bytes_acked']} bytes: this module wants 'ESP' (packed v2) first, the file "
                               f"starts with 0xE9; the layout {LAYOUT} takes plain files, so put modules of another build "
                               "in a product with their own layout")
    assert (one["state"], one["closed_by"]) == ("failed", "module")


def abort(connection):
    """Close with RST, as a module does whose socket is dropped."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def open_download(server, window=4096, *fields):
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, window)
    connection.settimeout(30)
    connection.connect(("127.0.0.1", server.modules_port))
    connection.sendall(request("/v1/device/rom/?action=download_rom&version=v2&filename=ota.bin", server.token, *fields))
    return connection


def test_a_module_of_ours_that_closes_at_once(lamp):
    connection = open_download(lamp, 4096, *ours("v1", "power"))
    assert connection.recv(256)
    abort(connection)
    one = wait_for(lamp, attempts, cause="closed_first_window")
    assert one["sentence"] == (f"closed after {one['bytes_acked']} of {lamp.size} bytes of ota.bin, within its first window: "
                               "the module refused the file by its beginning, or was cut off at once; see that the file is "
                               "made for this module")


def test_a_module_that_stops_reading_in_the_middle(lamp):
    connection = open_download(lamp)
    got = 0
    while got < 150000:
        got += len(connection.recv(4096))
    abort(connection)
    one = wait_for(lamp, attempts, cause="closed")
    assert one["sentence"] == (f"closed after {one['bytes_acked']} of {lamp.size} bytes of ota.bin, at "
                               f"{one['bytes_per_second']} bytes per second: the module stopped reading, as it does when it "
                               "is restarted or loses its network; let it try again")
    assert 100000 < one["bytes_acked"] < lamp.size


def test_a_server_that_stops_in_the_middle(aloft, tmp_path):
    with Server(aloft, tmp_path, "--stop-seconds", "0") as server:
        server.token, _ = server.deploy("lamp", LAYOUT, "v2")
        size = len((server.folder / f"{LAYOUT}-v2.bin").read_bytes())
        connection = open_download(server)
        assert connection.recv(4096)
        server.stop()
        connection.close()
        server.start()
        one = wait_for(server, attempts, cause="server_stopped")
        assert one["sentence"] == (f"cut after {one['bytes_acked']} of {size} bytes of ota.bin: the server was stopped; let "
                                   "the module try again, and give downloads more time with stop-seconds")


REFUSALS = [
    ("unknown_version", lambda s: ask_file(s, version="v9"),
     "asked for ota.bin of v9: the product has no such version; deploy it, or name one it has"),
    ("no_file", lambda s: ask_file(s, name="client_ca.bin"),
     "asked for client_ca.bin of v2: this version has no such file; deploy a version with it"),
    ("erased_for_nothing", lambda s: ask_file(s, name="mfg_nvs.bin"),
     "asked for mfg_nvs.bin: there is no such file, and stock firmware has erased that partition before it asked; never "
     "name this partition in AT+CIUPDATE"),
    ("bad_range", lambda s: ask_file(s, "ota.bin", "v2", "Range: bytes=99999999-"),
     "asked for bytes past the end of ota.bin of v2: the file has changed since its first part; let the module begin again"),
]


@pytest.mark.parametrize("cause, ask, sentence", REFUSALS, ids=[row[0] for row in REFUSALS])
def test_what_is_not_there_is_told(lamp, cause, ask, sentence):
    ask(lamp)
    assert wait_for(lamp, attempts, cause=cause)["sentence"] == sentence


def test_a_product_without_a_current_version(server):
    made = json.loads(server.cli("product", "add", "lamp", "--layout", LAYOUT, "--json").stdout)
    ask_version(server, token=made["token"])
    assert wait_for(server, attempts, cause="no_current")["sentence"] == (
        "asked for the current version: the product has none; choose one")


STRANGERS = [
    ("unknown_token", "f" * 40, "unknown token ffffff…: no product or device has it; add a product with this token, or give "
     "the module the right one"),
    ("bad_token", "F00", "sent a token that is not 40 lower-case hex digits: build the module with the token of its product"),
    ("no_token", None, "sent no token: build the module with the token of its product"),
]


@pytest.mark.parametrize("cause, token, sentence", STRANGERS, ids=[row[0] for row in STRANGERS])
def test_who_is_nobody_has_an_attempt_of_no_product(lamp, cause, token, sentence):
    for _ in range(5):
        talk(lamp.modules_port, request("/v1/device/rom/?is_format_simple=true", token))
    one = wait_for(lamp, strangers, cause=cause)
    assert one["sentence"] == sentence
    assert len(strangers(lamp)) == 1


def test_a_link_that_is_not_here(lamp):
    talk(lamp.modules_port, request("/ota/nothing/ota.bin", None))
    assert wait_for(lamp, strangers, cause="link_unknown")["sentence"] == (
        "asked for a link that is not here, with the file ota.bin: make a link and take its address as it is")


def test_a_handshake_that_fails(lamp):
    context = ssl.create_default_context()
    with pytest.raises(ssl.SSLError), socket.create_connection(("127.0.0.1", lamp.modules_tls_port), 30) as connection:
        context.wrap_socket(connection, server_hostname="iot.espressif.cn")
    assert wait_for(lamp, strangers, cause="tls_refused")["sentence"] == (
        "the TLS handshake failed: the module refused the certificate; give it this server's pin or the CA of its "
        "certificate")


def test_scanners_leave_nothing(lamp):
    talk(lamp.modules_port, b"GET /wp-login.php HTTP/1.1\r\nHost: a\r\n\r\n")
    talk(lamp.modules_port, b"POST / HTTP/1.1\r\nHost: a\r\n\r\n")
    talk(lamp.modules_port, request("/v1/device/rom", lamp.token))
    ask_version(lamp, "Aloft-Device: last")
    wait_for(lamp, attempts, device="last")
    assert len(call(lamp, "GET", "/api/v1/attempts").json["attempts"]) == 1


# -- lists -----------------------------------------------------------------------------------------

def test_lists_go_by_pages_and_filters(lamp):
    for i in range(5):
        ask_file(lamp, "ota.bin", f"v{i + 5}", f"Aloft-Device: d{i}")
        wait_for(lamp, attempts, device=f"d{i}")
    seen, cursor = [], ""
    while cursor is not None:
        page = call(lamp, "GET", f"/api/v1/products/lamp/attempts?limit=2{cursor}").json
        seen += [one["device"] for one in page["attempts"]]
        cursor = page["next"] and f"&cursor={page['next']}"
    assert seen == ["d4", "d3", "d2", "d1", "d0"]
    one = attempts(lamp, "?device=d3")[0]
    for query in ("version=v8", f"since_ms={one['started_ms']}&until_ms={one['started_ms'] + 1}", "device=d3&state=failed",
                  "file=ota.bin&version=v8&cause=unknown_version", "address=127.0.0.1&device=d3",
                  f"token_prefix={lamp.token[:6]}&device=d3"):
        assert "d3" in [row["device"] for row in attempts(lamp, "?" + query)], query
    for query in ("version=v2", "state=proven", "cause=stalled", "file=x", "address=::1", "token_prefix=000", "until_ms=1"):
        assert attempts(lamp, "?" + query) == [], query
    assert call(lamp, "GET", f"/api/v1/attempts/{one['id']}").json == one
    assert call(lamp, "GET", f"/api/v1/products/lamp/attempts/{one['id']}").json == one


def test_csv_has_a_row_for_each_however_many(lamp):
    ask_file(lamp, "ota.bin", "v9", "Aloft-Device: =1+1", 'User-Agent: a,b')
    wait_for(lamp, attempts, device="=1+1")
    lamp.stop()
    with sqlite3.connect(lamp.data / "aloft.db") as db:
        columns = [row[1] for row in db.execute("PRAGMA table_info(attempt)")]
        for i in range(2, 302):
            db.execute(f"INSERT INTO attempt SELECT {', '.join(str(i) if c == 'id' else c for c in columns)} "
                       "FROM attempt WHERE id = 1")
    lamp.start()
    text = call(lamp, "GET", "/api/v1/products/lamp/attempts.csv").body.decode()
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [int(row["id"]) for row in rows] == list(range(301, 0, -1))
    assert rows[-1]["device"] == "'=1+1" and rows[-1]["user_agent"] == "a,b"
    assert rows[-1]["cause"] == "unknown_version" and rows[-1]["bytes_acked"] == "0"
    assert call(lamp, "GET", "/api/v1/attempts.csv?state=proven").body.decode().count("\r\n") == 1


def test_old_attempts_go_at_the_start(lamp):
    for name in ("old", "new"):
        ask_file(lamp, "ota.bin", "v9", f"Aloft-Device: {name}")
        wait_for(lamp, attempts, device=name)
    lamp.stop()
    with sqlite3.connect(lamp.data / "aloft.db") as db:
        db.execute("UPDATE attempt SET ended_ms = ended_ms - 86400000 * 91 WHERE device = 'old'")
    lamp.start()
    assert [one["device"] for one in attempts(lamp)] == ["new"]


def test_a_restart_does_not_lose_the_thread(lamp):
    ask_version(lamp, *ours("v1", "power"))
    wait_for(lamp, attempts, state="running")
    lamp.kill()
    lamp.start()
    ask_file(lamp, "ota.bin", "v2", *ours("v1", "power"))
    wait_for(lamp, attempts, state="delivered", n_contacts=2)
    lamp.kill()
    lamp.start()
    ask_version(lamp, *ours("v2", "upgrade"))
    wait_for(lamp, attempts, state="proven", n_contacts=3)
    assert len(attempts(lamp)) == 1


# -- live ------------------------------------------------------------------------------------------

def test_a_stream_tells_what_happens(lamp):
    with Stream(lamp, "?product=lamp&kinds=attempt.*") as stream:
        ask_version(lamp, *ours("v1", "power"))
        began = stream.next()
        assert (began["kind"], began["product"]) == ("attempt.began", "lamp")
        assert began["body"]["device"] == DEVICE and began["body"]["sentence"].startswith("was told v2")
        ask_file(lamp, "ota.bin", "v2", *ours("v1", "power"))
        assert stream.next()["kind"] == "attempt.delivered"
        ask_version(lamp, *ours("v2", "upgrade"))
        proven = stream.next()
        assert proven["kind"] == "attempt.proven"
        assert proven["body"]["attempt"] == began["body"]["attempt"]
    with Stream(lamp, "?kinds=attempt.*", headers={"Last-Event-ID": str(began["id"])}) as again:
        assert [again.next()["kind"], again.next()["id"]] == ["attempt.delivered", proven["id"]]


def test_a_stream_shows_changes_and_only_the_kinds_asked_for(lamp):
    with Stream(lamp, "?kinds=product.added") as stream:
        ask_version(lamp)
        lamp.cli("product", "add", "fan", "--layout", LAYOUT)
        event = stream.next()
        assert (event["kind"], event["product"], event["body"]["object"]) == ("product.added", "fan", "fan")


def test_a_quiet_stream_beats(lamp):
    with Stream(lamp, "?kinds=product.added") as stream:
        assert stream.block() == [": heartbeat"]
        lamp.cli("product", "add", "fan", "--layout", LAYOUT)
        assert stream.next()["product"] == "fan"


def test_a_stream_ends_with_its_api_token(lamp):
    made = call(lamp, "POST", "/api/v1/api-tokens", {"name": "watch", "role": "viewer"}).json
    with Stream(lamp, "", made["secret"]) as stream:
        call(lamp, "DELETE", f"/api/v1/api-tokens/{made['id']}")
        assert stream.next() is None


def test_there_are_only_so_many_streams(lamp):
    streams = [Stream(lamp) for _ in range(100)]
    answer = call(lamp, "GET", "/api/v1/events")
    assert (answer.status, answer.code) == (503, "too_many_streams")
    for stream in streams:
        stream.connection.close()
        stream.answer.close()
    lamp.cli("product", "add", "fan", "--layout", LAYOUT)  # wakes them: their clients are found to be gone
    wait_until("a free stream", lambda: call(lamp, "GET", "/api/v1/events").status == 200)


def test_the_server_stops_with_streams_open(lamp):
    streams = [Stream(lamp) for _ in range(20)]
    threads = [threading.Thread(target=stream.next) for stream in streams]
    for thread in threads:
        thread.start()
    lamp.process.send_signal(signal.SIGTERM)
    assert lamp.process.wait(30) == 0
    for thread in threads:
        thread.join(30)
        assert not thread.is_alive()


# -- the command line ------------------------------------------------------------------------------

def test_the_command_lists_and_filters(lamp):
    ask_file(lamp, "ota.bin", "v9", "Aloft-Device: d1")
    ask_version(lamp, "Aloft-Device: d2")
    talk(lamp.modules_port, request("/v1/device/rom/?is_format_simple=true", "f" * 40))
    wait_for(lamp, strangers, cause="unknown_token")
    wait_for(lamp, attempts, device="d2")
    rows = json.loads(lamp.cli("attempt", "ls", "--product", "lamp", "--json").stdout)
    assert [row["device"] for row in rows] == ["d2", "d1"] and MEMBERS <= set(rows[0])
    assert len(json.loads(lamp.cli("attempt", "ls", "--json").stdout)) == 3
    one = json.loads(lamp.cli("attempt", "ls", "--product", "lamp", "--state", "failed", "--json").stdout)
    assert [row["cause"] for row in one] == ["unknown_version"]
    assert "the product has no such version" in lamp.cli("attempt", "ls", "--product", "lamp").stdout
    assert len(lamp.cli("attempt", "ls", "--csv", "--cause", "unknown_token").stdout.splitlines()) == 2
    assert lamp.cli("attempt", "ls", "--state", "x", check=False).returncode == 1


def test_the_command_shows_what_happens(lamp):
    environment = os.environ | {"ALOFT_SERVER": lamp.url, "ALOFT_API_TOKEN_FILE": str(lamp.api_token_file)}
    with subprocess.Popen([lamp.aloft, "attempt", "watch", "--product", "lamp"], stdout=subprocess.PIPE, text=True,
                          env=environment) as watch:
        try:
            seen = []
            reader = threading.Thread(target=lambda: seen.append(watch.stdout.readline()))
            reader.start()
            names = itertools.count()  # until the stream is open, nobody sees them
            wait_until("a line", lambda: seen or ask_version(lamp, f"Aloft-Device: d{next(names)}") and False)
            reader.join(30)
            assert "attempt.began" in seen[0] and "was told v2" in seen[0]
        finally:
            watch.kill()
