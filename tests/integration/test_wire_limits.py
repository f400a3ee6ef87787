# SPDX-License-Identifier: Apache-2.0
"""What the module plane refuses to protect itself, at the version query only; and changes while it runs."""

import re
import socket
import ssl
import subprocess

import pytest

from server import wait_until
from wire_plane import (BOTH, DEADLINE_S, DEVICE_TOKEN, FILE_BYTES, FILE_HEAD, FILE_REQUEST, LIST_ANSWER, LIST_REQUEST, PLAIN,
                        TLS, TOKEN, VERSION_ANSWER, VERSION_REQUEST, read_all, tls_context)

NO_LIMIT = 0xFFFFFFFF

# facts/ciupdate-wire.md 2.5: `status`, and no version
LIMITED = (b"HTTP/1.1 429 Too Many Requests\r\nContent-Type: application/json\r\nContent-Length: 45\r\nRetry-After: %d\r\n"
           b'Connection: close\r\n\r\n{"status": 429, "message": "asked too often"}')
FULL = (b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\nContent-Length: 62\r\nRetry-After: 60\r\n"
        b'Connection: close\r\n\r\n{"status": 503, "message": "too many downloads at the moment"}')


def as_device(request):
    return request.replace(TOKEN.encode(), DEVICE_TOKEN.encode())


# -- who asks too often ------------------------------------------------------------------------------


@BOTH
def test_who_asks_too_often_is_told_to_wait_but_gets_his_file(own_wire, mode):
    wire = own_wire("device_per_min=3", "first_pause_ms=600000")
    for request, answer in [(VERSION_REQUEST, VERSION_ANSWER), (LIST_REQUEST, LIST_ANSWER), (VERSION_REQUEST, VERSION_ANSWER)]:
        assert wire.ask(as_device(request), mode) == answer
    for request in (VERSION_REQUEST, LIST_REQUEST):
        # The loops read their clocks apart, and what is left of a second counts as one.
        assert wire.ask(as_device(request), mode) in (LIMITED % 600, LIMITED % 601)
    assert wire.ask(as_device(FILE_REQUEST), mode) == FILE_HEAD + wire.image
    wire.wait_for_log('text="asks too often: told to wait"', 2)


def test_a_limit_is_of_one_token(own_wire):
    wire = own_wire("device_per_min=1")
    wire.ask(as_device(VERSION_REQUEST))
    assert wire.ask(as_device(VERSION_REQUEST)) == LIMITED % 5
    for _ in range(50):
        assert wire.ask(VERSION_REQUEST) == VERSION_ANSWER


def test_a_limit_is_one_for_all_loops_and_both_listeners(own_wire):
    wire = own_wire("device_per_min=20", "threads=4")
    answers = [wire.ask(as_device(VERSION_REQUEST), i % 2) for i in range(40)]
    assert answers[:20] == [VERSION_ANSWER] * 20
    assert all(answer.startswith(b"HTTP/1.1 429 ") for answer in answers[20:])


def test_after_the_pause_he_is_let_in(own_wire):
    wire = own_wire("device_per_min=1", "first_pause_ms=300", "max_pause_ms=300")
    assert wire.ask(as_device(VERSION_REQUEST)) == VERSION_ANSWER
    assert wire.ask(as_device(VERSION_REQUEST)) == LIMITED % 1
    wait_until("the end of the pause", lambda: wire.ask(as_device(VERSION_REQUEST)) == VERSION_ANSWER)


def test_by_default_a_product_behind_one_address_may_start_together(own_wire):
    wire = own_wire()
    for _ in range(500):
        assert wire.ask(VERSION_REQUEST) == VERSION_ANSWER


# -- the ceiling -------------------------------------------------------------------------------------


@BOTH
def test_with_too_many_downloads_a_version_query_waits_and_a_file_does_not(own_wire, mode):
    wire = own_wire("max_downloads=2", "sndbuf=4096")
    slow = []
    for _ in range(2):
        slow.append(wire.connect(mode, receive_buffer=4096))
        slow[-1].sendall(FILE_REQUEST)
        assert slow[-1].recv(1) == b"H"
    assert wire.ask(VERSION_REQUEST, mode) == FULL
    assert wire.ask(LIST_REQUEST, mode) == FULL
    assert wire.ask(FILE_REQUEST, mode) == FILE_HEAD + wire.image
    wire.wait_for_log('text="asked while the server had as many downloads as it may have: told to wait"', 2)
    assert len(read_all(slow.pop())) == len(FILE_HEAD) + FILE_BYTES - 1
    wait_until("room", lambda: wire.ask(VERSION_REQUEST, mode) == VERSION_ANSWER)
    slow.pop().close()


# -- changes while it runs ---------------------------------------------------------------------------


def test_limits_change_while_it_runs(own_wire):
    wire = own_wire("device_per_min=1")
    wire.ask(as_device(VERSION_REQUEST))
    assert wire.ask(as_device(VERSION_REQUEST)) == LIMITED % 5
    assert wire.reload(f"device_per_min={NO_LIMIT}") == "ok"
    assert [wire.ask(as_device(VERSION_REQUEST)) for _ in range(100)] == [VERSION_ANSWER] * 100
    assert wire.reload("device_per_min=60001") == "a limit has at most 60000 version queries a minute"
    assert wire.ask(as_device(VERSION_REQUEST)) == VERSION_ANSWER


def test_a_time_out_changes_while_it_runs(own_wire):
    wire = own_wire("head_ms=120000")
    assert wire.reload("head_ms=200") == "ok"
    with wire.connect() as peer:
        peer.sendall(LIST_REQUEST[:50])
        assert read_all(peer) == b""
    wire.wait_for_log("outcome=REQUEST_LATE")


def make_certificate(folder, name):
    cert, key = folder / f"{name}.pem", folder / f"{name}.key"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                    "-subj", f"/CN={name}", "-keyout", str(key), "-out", str(cert)], check=True, capture_output=True, timeout=60)
    return cert, key


def shown_certificate(wire):
    with wire.connect(TLS) as peer:
        return ssl.DER_cert_to_PEM_cert(peer.getpeercert(binary_form=True))


def test_a_new_certificate_drops_no_download(own_wire, tmp_path):
    wire = own_wire("sndbuf=4096", "record=1024")
    before = shown_certificate(wire)
    cert, key = make_certificate(tmp_path, "second")
    with wire.connect(TLS, receive_buffer=4096) as peer:
        peer.sendall(FILE_REQUEST)
        got = peer.recv(2000)
        assert wire.reload(f"cert={cert}", f"key={key}") == "ok"
        assert shown_certificate(wire) == cert.read_text() != before
        assert got + read_all(peer) == FILE_HEAD + wire.image
    wire.wait_for_log("outcome=FILE_DELIVERED")


def test_a_bad_certificate_leaves_the_old_one(own_wire, tmp_path):
    wire = own_wire()
    before = shown_certificate(wire)
    _, other_key = make_certificate(tmp_path, "other")
    (tmp_path / "empty.pem").touch()
    cert = wire.folder / "cert.pem"
    for options, sentence in [((f"key={other_key}",), "cannot use the key"), ((f"cert={tmp_path}/none.pem",), "cannot use the cert"),
                              ((f"cert={tmp_path}/empty.pem",), "cannot use the certificate")]:
        assert wire.reload(*options).startswith(sentence)
        assert shown_certificate(wire) == before
        assert wire.ask(VERSION_REQUEST, TLS) == VERSION_ANSWER
        assert wire.reload(f"cert={cert}", f"key={wire.folder}/key.pem") == "ok"


def test_many_changes_under_load_lose_no_answer(own_wire):
    wire = own_wire("threads=2")
    for i in range(50):
        assert wire.reload(f"stall_ms={60000 + i}", f"proxies={'192.0.2.0/24' if i % 2 else ''}") == "ok"
        assert wire.ask(VERSION_REQUEST, i % 2) == VERSION_ANSWER
    assert wire.ask(FILE_REQUEST, TLS) == FILE_HEAD + wire.image


# -- proxies -----------------------------------------------------------------------------------------

LINE = b"PROXY TCP4 192.0.2.77 198.51.100.1 40112 80\r\n"
LINE_V6 = b"PROXY TCP6 2001:db8::77 2001:db8::1 40112 80\r\n"
SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
BINARY = SIGNATURE + b"\x21\x11\x00\x0f" + bytes([192, 0, 2, 77, 198, 51, 100, 1]) + b"\x9c\xb0\x00\x50" + b"\x04\x00\x00"
LOCAL = SIGNATURE + b"\x20\x00\x00\x00"


def ask_through(wire, header, request, mode=PLAIN, pieces=None):
    """As a proxy does: its header in front of what the module sends, of the TLS handshake too."""
    peer = socket.create_connection(("127.0.0.1", wire.ports[mode]), DEADLINE_S)
    peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for piece in pieces or [header]:
        peer.sendall(piece)
    if mode == TLS:
        peer = tls_context().wrap_socket(peer, suppress_ragged_eofs=False)
    with peer:
        peer.sendall(request)
        return read_all(peer)


@BOTH
@pytest.mark.parametrize("header, told", [(LINE, "192.0.2.77:40112"), (LINE_V6, "[2001:db8::77]:40112"),
                                          (BINARY, "192.0.2.77:40112"), (LOCAL, "127.0.0.1:"),
                                          (b"PROXY UNKNOWN\r\n", "127.0.0.1:"),
                                          (b"PROXY TCP6 ::ffff:192.0.2.77 ::1 40112 80\r\n", "192.0.2.77:40112")],
                         ids=["v1", "v1-ipv6", "v2", "v2-local", "v1-unknown", "v1-mapped"])
def test_the_address_a_named_proxy_tells_is_the_one_that_counts(own_wire, mode, header, told):
    wire = own_wire("proxies=10.0.0.0/8,127.0.0.1")
    assert ask_through(wire, header, VERSION_REQUEST, mode) == VERSION_ANSWER
    assert ask_through(wire, header, FILE_REQUEST, mode) == FILE_HEAD + wire.image
    wire.wait_for_log("outcome=FILE_DELIVERED")
    wire.wait_for_log(f"peer={told}", 2)


@BOTH
@pytest.mark.parametrize("header", [LINE, BINARY], ids=["v1", "v2"])
def test_a_proxy_header_may_come_in_pieces(own_wire, mode, header):
    wire = own_wire("proxies=127.0.0.0/8")
    for cut in range(1, len(header)):
        pieces = [header[:cut], header[cut:]]
        assert ask_through(wire, header, LIST_REQUEST, mode, pieces) == LIST_ANSWER
    pieces = [header[i:i + 1] for i in range(len(header))]
    assert ask_through(wire, header, LIST_REQUEST, mode, pieces) == LIST_ANSWER


@pytest.mark.parametrize("header", [b"", b"PROXY TCP4 192.0.2.300 198.51.100.1 40112 80\r\n", b"PROXY " + b"x" * 200 + b"\r\n",
                                    SIGNATURE + b"\x31\x11\x00\x00", SIGNATURE + b"\x21\x11\xff\xff"],
                         ids=["none", "bad-address", "too-long", "version-3", "too-big"])
def test_a_named_proxy_that_does_not_say_for_whom_is_cut(own_wire, header):
    wire = own_wire("proxies=127.0.0.1/32")
    with pytest.raises(ConnectionResetError):
        ask_through(wire, header, VERSION_REQUEST)
    wire.wait_for_log("outcome=BAD_PROXY")


@pytest.mark.parametrize("header", [LINE, BINARY], ids=["v1", "v2"])
def test_a_proxy_header_of_anybody_else_is_a_bad_request(own_wire, header):
    wire = own_wire("proxies=127.0.0.2,10.0.0.0/8")
    assert ask_through(wire, header, VERSION_REQUEST).startswith(b"HTTP/1.1 400 ")
    wire.wait_for_log("outcome=BAD_REQUEST")
    assert not re.search(r"peer=192\.0\.2\.77", wire.log())
    assert wire.ask(VERSION_REQUEST) == VERSION_ANSWER


def test_a_limit_is_of_the_address_behind_the_proxy(own_wire):
    wire = own_wire("proxies=127.0.0.1", "device_per_min=1")
    request = as_device(VERSION_REQUEST)
    assert ask_through(wire, LINE, request) == VERSION_ANSWER
    assert ask_through(wire, LINE, request) == LIMITED % 5
    assert ask_through(wire, LINE.replace(b".77", b".78"), request) == VERSION_ANSWER
    assert ask_through(wire, LINE_V6, request) == VERSION_ANSWER


def test_a_proxy_is_named_while_it_runs(own_wire):
    wire = own_wire()
    assert ask_through(wire, LINE, VERSION_REQUEST).startswith(b"HTTP/1.1 400 ")
    assert wire.reload("proxies=127.0.0.1") == "ok"
    assert ask_through(wire, LINE, VERSION_REQUEST) == VERSION_ANSWER
    assert wire.reload("proxies=127.0.0.1/33").startswith("'127.0.0.1/33'")
    assert ask_through(wire, LINE, VERSION_REQUEST) == VERSION_ANSWER


def test_a_proxy_header_that_is_cut_is_closed_at_once(own_wire):
    wire = own_wire("proxies=127.0.0.1", "head_ms=3600000")
    for cut in (1, 20, len(LINE) - 1):
        with wire.connect() as peer:
            peer.sendall(LINE[:cut])
            peer.shutdown(socket.SHUT_WR)
            with pytest.raises(ConnectionResetError):  # its bytes were looked at and never read
                read_all(peer)
    wire.wait_for_log("outcome=REQUEST_CUT", 3)


def test_a_named_proxy_that_stays_silent_is_closed(own_wire):
    wire = own_wire("proxies=127.0.0.1", "head_ms=300")
    with wire.connect() as peer:
        peer.sendall(LINE[:20])
        with pytest.raises(ConnectionResetError):  # its bytes were looked at and never read
            read_all(peer)
    wire.wait_for_log("outcome=REQUEST_LATE")
