# SPDX-License-Identifier: Apache-2.0
"""The module plane among people who mean it harm: ambiguous requests, requests cut anywhere, the slow, the silent and
the many. After each of them it answers as before."""

import random
import re
import resource
import socket
import ssl

import pytest

from server import wait_until
from wire_plane import (BOTH, DEADLINE_S, FILE_HEAD, FILE_REQUEST, LIST_ANSWER, LIST_REQUEST, PLAIN, STOCK_FIELDS, TLS, TOKEN,
                        VERSION_ANSWER, VERSION_REQUEST, read_all, reset, tls_context)

N_IDLE = 10000
LINK_REQUEST = b"GET /ota/short-1/ota.bin HTTP/1.1\r\nUser-Agent: ESP32 HTTP Client/1.0\r\nHost: 127.0.0.1\r\n\r\n"

REQUESTS = {"version": VERSION_REQUEST, "list": LIST_REQUEST, "file": FILE_REQUEST, "link": LINK_REQUEST}

# facts/serving.md 6, and their kin (RFC 9112 2.2, 3, 5, 6, 11.2)
ROWS = {
    "two-lengths": b"Content-Length: 5\r\nContent-Length: 6\r\n",
    "two-equal-lengths": b"Content-Length: 5\r\nContent-Length: 5\r\n",
    "length-list": b"Content-Length: 5, 5\r\n",
    "length-and-chunked": b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
    "chunked-and-length": b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
    "space-before-colon": b"Content-Length : 5\r\n",
    "tab-before-colon": b"Content-Length\t: 5\r\n",
    "xchunked": b"Transfer-Encoding: xchunked\r\n",
    "chunked-twice": b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
    "identity": b"Transfer-Encoding: identity\r\n",
    "plus": b"Content-Length: +5\r\n",
    "minus": b"Content-Length: -5\r\n",
    "hex": b"Content-Length: 0x5\r\n",
    "no-length": b"Content-Length:\r\n",
    "huge-length": b"Content-Length: 99999999999999999999999\r\n",
    "nul-in-a-value": b"X: a\0b\r\n",
    "nul-in-a-name": b"X\0: a\r\n",
    "bare-cr": b"X: a\rb\r\n",
    "control": b"X: a\x01b\r\n",
    "folded": b"X: a\r\n folded\r\n",
    "folded-by-tab": b"X: a\r\n\tfolded\r\n",
    "no-name": b": a\r\n",
    "no-colon": b"nonsense\r\n",
    "two-hosts": b"Host: a\r\nHost: b\r\n",
}

START_LINES = {
    "no-version": b"GET /v1/device/rom\r\n",
    "http-0.9": b"GET /v1/device/rom HTTP/0.9\r\n",
    "http-2": b"GET /v1/device/rom HTTP/2.0\r\n",
    "small-letters": b"GET /v1/device/rom http/1.1\r\n",
    "two-spaces": b"GET  /v1/device/rom HTTP/1.1\r\n",
    "space-in-target": b"GET /v1/device/ro m HTTP/1.1\r\n",
    "nul-in-target": b"GET /v1/device/rom\0 HTTP/1.1\r\n",
    "bare-cr-in-target": b"GET /v1/device/rom\rX: y HTTP/1.1\r\n",
    "no-method": b" /v1/device/rom HTTP/1.1\r\n",
    "line-before": b"\x01\r\nGET /v1/device/rom HTTP/1.1\r\n",
}


def with_fields(request, fields):
    return request[:-2] + fields + b"\r\n"


@BOTH
@pytest.mark.parametrize("row", ROWS)
@pytest.mark.parametrize("kind", REQUESTS)
def test_an_ambiguous_field_is_refused(wire, mode, kind, row):
    answer = wire.ask(with_fields(REQUESTS[kind], ROWS[row]), mode)
    assert re.match(rb"HTTP/1\.1 (400|431) ", answer), answer[:80]
    assert answer.count(b"HTTP/1.") == 1


@BOTH
@pytest.mark.parametrize("line", START_LINES)
def test_an_odd_start_line_is_refused(wire, mode, line):
    answer = wire.ask(START_LINES[line] + LIST_REQUEST.split(b"\r\n", 1)[1], mode)
    assert re.match(rb"HTTP/1\.1 (400|431) ", answer), answer[:80]


@pytest.mark.parametrize("kind", ["list", "file", "link"])
def test_a_request_of_http_1_1_without_host_is_refused(wire, kind):
    request = re.sub(rb"Host: [^\r]*\r\n", b"", REQUESTS[kind])
    assert wire.ask(request).startswith(b"HTTP/1.1 400 ")


@BOTH
def test_bare_line_feeds_are_taken_because_old_modules_send_them(wire, mode):
    assert wire.ask(VERSION_REQUEST.replace(b"\r\n", b"\n"), mode) == VERSION_ANSWER
    assert wire.ask(FILE_REQUEST.replace(b"\r\n", b"\n"), mode) == FILE_HEAD + wire.image


def test_more_fields_than_there_is_room_for_are_refused(wire):
    assert wire.ask(with_fields(LIST_REQUEST, b"X: y\r\n" * 33)).startswith(b"HTTP/1.1 431 ")


@pytest.mark.parametrize("target", ["/", "*", "/v1/device/rom/../rom", "/v1/device//rom", "/v1/device/rom%2f", "/V1/device/rom",
                                    "/v1/device/rom/x", "//v1/device/rom", "/ota/../v1/device/rom", "/etc/passwd",
                                    "/v1/device/rom;x", "http://x/", "http://x"])
def test_a_target_that_is_not_one_of_ours_finds_nothing(wire, target):
    assert re.match(rb"HTTP/1\.1 40[04] ", wire.ask(LIST_REQUEST.replace(b"/v1/device/rom", target.encode())))


@pytest.mark.parametrize("name", ["../ota.bin", "..%2fota.bin", "/etc/passwd", "ota.bin%00", "OTA.BIN", "ota.bin.", "./ota.bin",
                                  "ota.bin/", "\\ota.bin", "a" * 400])
def test_a_file_name_is_no_path(wire, name):
    assert wire.ask(FILE_REQUEST.replace(b"filename=ota.bin", b"filename=" + name.encode())).startswith(b"HTTP/1.1 404 ")


def test_texts_from_outside_stay_one_value_of_one_log_line(own_wire):
    wire = own_wire()
    wire.ask(FILE_REQUEST.replace(b"filename=ota.bin", b'filename="outcome=FORGED"\\'))
    wire.ask(b'GET / HTTP/1.0\r\nUser-Agent: "outcome=FORGED" \xff\xfe \\\r\n\r\n')
    wire.wait_for_log("outcome=NOT_HERE")
    for line in wire.log().splitlines():
        outside = re.sub(r'"[^"]*"', "", line)
        assert "FORGED" not in outside and '"' not in outside and "\\" not in line
        assert line.isascii() or "…" in line


@pytest.mark.parametrize("token", ["", " ", TOKEN[:-1], TOKEN + "0", TOKEN.upper(), "(null)", "0" * 40, "g" * 40, TOKEN + "\t\t0",
                                   "'; DROP TABLE products; --", "a" * 3000])
def test_a_wrong_token_opens_nothing(wire, token):
    for request in (VERSION_REQUEST, LIST_REQUEST, FILE_REQUEST):
        answer = wire.ask(request.replace(TOKEN.encode(), token.encode()))
        assert re.match(rb"HTTP/1\.1 40[14] ", answer)
        assert b"version" not in answer and b"\xe9" not in answer


def test_the_answer_of_head_has_no_body_even_when_refused(wire):
    for request in (VERSION_REQUEST, LIST_REQUEST, FILE_REQUEST, LINK_REQUEST, with_fields(LIST_REQUEST, b"X")):
        head = wire.ask(request.replace(b"GET ", b"HEAD ", 1))
        assert head.endswith(b"\r\n\r\n") or head.startswith(b"HTTP/1.1 400 ")


# -- cut, slow, silent -------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", REQUESTS)
def test_a_request_cut_at_any_byte_gets_no_answer(own_wire, kind):
    wire = own_wire()
    request = REQUESTS[kind]
    for cut in range(1, len(request)):
        peer = wire.connect()
        peer.sendall(request[:cut])
        if cut % 2:
            reset(peer)
            continue
        with peer:
            peer.shutdown(socket.SHUT_WR)
            assert read_all(peer) == b""
    wire.wait_for_log("outcome=REQUEST_CUT", (len(request) - 1) // 2)
    assert wire.ask(VERSION_REQUEST) == VERSION_ANSWER


def test_a_tls_handshake_cut_at_any_byte_harms_nobody(own_wire):
    wire = own_wire()
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    with pytest.raises(ssl.SSLWantReadError):
        tls_context().wrap_bio(incoming, outgoing, server_hostname="iot.espressif.cn").do_handshake()
    hello = outgoing.read()
    for cut in range(1, len(hello)):
        with socket.create_connection(("127.0.0.1", wire.ports[TLS]), DEADLINE_S) as peer:
            peer.sendall(hello[:cut])
    wire.wait_for_log("the TLS handshake failed: closed in the middle of it", len(hello) - 1)
    assert wire.ask(VERSION_REQUEST, TLS) == VERSION_ANSWER


@BOTH
def test_a_request_that_trickles_in_is_closed_when_its_time_is_over(own_wire, mode):
    wire = own_wire("head_ms=500")
    with wire.connect(mode) as peer:
        peer.settimeout(0.02)
        n_sent = 0
        while True:  # each byte comes soon after the one before: only the whole is slow
            try:
                peer.sendall(b"G" if n_sent == 0 else b"x")
                n_sent += 1
                assert n_sent < 4000
                if peer.recv(1) == b"":
                    break
            except (TimeoutError, ssl.SSLWantReadError):
                continue
            except (ConnectionResetError, BrokenPipeError, ssl.SSLError):
                break
    assert n_sent > 3
    wire.wait_for_log("outcome=REQUEST_LATE")


def test_a_body_that_never_ends_is_not_read_for_ever(own_wire):
    wire = own_wire()
    with wire.connect() as peer:
        peer.sendall(LIST_REQUEST.replace(b"\r\n\r\n", b"\r\nContent-Length: 1000000000\r\n\r\n"))
        assert peer.recv(len(LIST_ANSWER), socket.MSG_WAITALL) == LIST_ANSWER
        peer.settimeout(0.01)
        n_sent = 0
        with pytest.raises((ConnectionResetError, BrokenPipeError)):
            while n_sent < 2**34:
                try:
                    n_sent += peer.send(bytes(1000))
                    peer.recv(1)
                except TimeoutError:
                    continue
    assert wire.ask(VERSION_REQUEST) == VERSION_ANSWER


def test_garbage_of_any_kind_leaves_it_as_it_was(own_wire):
    wire = own_wire("threads=2")
    for request in (FILE_REQUEST, LINK_REQUEST):  # opens the blobs
        assert wire.ask(request) == FILE_HEAD + wire.image
    before = wire.n_descriptors()
    dice = random.Random(4)
    for i in range(600):
        request = bytearray(dice.choice(list(REQUESTS.values())))
        for _ in range(dice.randrange(1, 6)):
            request[dice.randrange(len(request))] = dice.randrange(256)
        bytes_sent = bytes(request) if i % 3 else dice.randbytes(dice.randrange(1, 3000))
        with socket.create_connection(("127.0.0.1", wire.ports[i % 2]), DEADLINE_S) as peer:
            try:
                peer.sendall(bytes_sent)
                peer.shutdown(socket.SHUT_WR)
                read_all(peer)
            except (ConnectionResetError, BrokenPipeError, OSError):
                pass
    wait_until("the close of all connections", lambda: wire.n_descriptors() <= before)
    assert wire.ask(VERSION_REQUEST) == VERSION_ANSWER
    assert wire.ask(FILE_REQUEST, TLS) == FILE_HEAD + wire.image


# -- many --------------------------------------------------------------------------------------------


@pytest.fixture
def many_descriptors():
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (before[1], before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


def anonymous_bytes(pid):
    with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:
        return int(re.search(r"Anonymous:\s+(\d+) kB", file.read())[1]) * 1024


@pytest.mark.usefixtures("many_descriptors")
@pytest.mark.parametrize("begun", [b"GET /v1/device/rom HTTP/1.1\r\nHost: a", b""], ids=["half-a-head", "silence"])
def test_ten_thousand_idle_connections_keep_nobody_waiting(own_wire, begun):
    wire = own_wire("head_ms=120000")
    before_fds, before_bytes = wire.n_descriptors(), anonymous_bytes(wire.process.pid)
    idle = []
    try:
        for i in range(N_IDLE):
            peer = socket.socket()
            peer.bind((f"127.0.1.{i % 4 + 1}", 0))
            peer.connect(("127.0.0.1", wire.ports[PLAIN]))
            idle.append(peer)
            peer.sendall(begun)
        if begun:  # the silent ones wait in the kernel (TCP_DEFER_ACCEPT)
            wait_until("all of them accepted", lambda: wire.n_descriptors() >= before_fds + N_IDLE, 60)
            each = (anonymous_bytes(wire.process.pid) - before_bytes) / N_IDLE
            print(f"{N_IDLE} idle connections, {each:.0f} bytes of process memory each")
        for mode in (PLAIN, TLS):
            assert wire.ask(VERSION_REQUEST, mode) == VERSION_ANSWER
            assert wire.ask(FILE_REQUEST, mode) == FILE_HEAD + wire.image
    finally:
        for peer in idle:
            reset(peer)
    wait_until("the close of all connections", lambda: wire.n_descriptors() <= before_fds + 1, 60)
    assert wire.ask(VERSION_REQUEST) == VERSION_ANSWER


@pytest.mark.usefixtures("many_descriptors")
def test_idle_connections_are_closed_when_their_time_is_over(own_wire):
    wire = own_wire("head_ms=1000")
    before = wire.n_descriptors()
    idle = [wire.connect() for _ in range(1000)]
    for peer in idle:
        peer.sendall(b"GET ")
    for peer in idle:
        assert peer.recv(1) == b""
        peer.close()
    wait_until("the close of all connections", lambda: wire.n_descriptors() <= before)
    wire.wait_for_log("outcome=REQUEST_LATE", 1000)


def test_fields_of_a_stock_request_are_all_needed_by_nobody(wire):
    """Each line of the stock request may be missing, but for Host (1.1) and the token."""
    lines = STOCK_FIELDS.encode().split(b"\r\n")[:-1]
    for i, line in enumerate(lines):
        request = b"GET /v1/device/rom HTTP/1.0\r\n" + b"".join(x + b"\r\n" for k, x in enumerate(lines) if k != i) + b"\r\n"
        answer = wire.ask(request)
        assert (answer == LIST_ANSWER) == (not line.startswith(b"Authorization")), line
