# SPDX-License-Identifier: Apache-2.0
"""The module plane over real sockets: the stock requests, hostile ones, slow ones, and what is said about them."""

import contextlib
import os
import re
import resource
import signal
import socket
import ssl
import subprocess

import pytest

from server import wait_until
from wire_plane import (BOTH, DEADLINE_S, FILE_HEAD, FILE_REQUEST, FIRST_BODY_MIN, LIST_ANSWER, LIST_REQUEST, PLAIN, TLS, TOKEN,
                        VERSION_ANSWER, VERSION_REQUEST, Wire, read_all, reset, tls_context)


# -- the three answers -------------------------------------------------------------------------------


@BOTH
def test_the_version_document_is_byte_exact(wire, mode):
    assert wire.ask(VERSION_REQUEST, mode) == VERSION_ANSWER


@BOTH
def test_the_version_list_is_byte_exact(wire, mode):
    assert wire.ask(LIST_REQUEST, mode) == LIST_ANSWER


@BOTH
def test_a_file_comes_whole_behind_the_stock_head(wire, mode):
    assert wire.ask(FILE_REQUEST, mode) == FILE_HEAD + wire.image


@BOTH
def test_the_first_read_holds_the_head_and_the_first_body_bytes(wire, mode):
    with wire.connect(mode) as peer:
        peer.sendall(FILE_REQUEST)
        first = peer.recv(1024)
        assert first.startswith(FILE_HEAD + b"\xe9")
        assert len(first) >= len(FILE_HEAD) + FIRST_BODY_MIN


@BOTH
def test_a_head_request_gets_the_head_alone(wire, mode):
    assert wire.ask(FILE_REQUEST.replace(b"GET", b"HEAD", 1), mode) == FILE_HEAD


@BOTH
def test_a_range_gets_the_rest_of_the_file(wire, mode):
    answer = wire.ask(FILE_REQUEST[:-2] + b"Range: bytes=999990-\r\n\r\n", mode)
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 206 ")
    assert b"\r\nContent-Range: bytes 999990-999999/1000000" in head
    assert body == wire.image[-10:]


def test_a_range_past_the_end_is_416(wire):
    answer = wire.ask(FILE_REQUEST[:-2] + b"Range: bytes=1000000-\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 416 ")
    assert b"\r\nContent-Range: bytes */1000000\r\n" in answer


@BOTH
def test_a_link_gives_the_file_to_userota(wire, mode):
    request = b"GET /ota/short-1/ota.bin HTTP/1.1\r\nUser-Agent: ESP32 HTTP Client/1.0\r\nHost: 127.0.0.1\r\n\r\n"
    assert wire.ask(request, mode) == FILE_HEAD + wire.image
    wire.wait_for_log('got ota.bin of v5.0.0.0, all 1000000 bytes')
    refused = wire.ask(request.replace(b"short-1", b"short-2"), mode)
    assert refused == (b"HTTP/1.1 404 Not Found\r\nContent-Type: text/plain\r\nContent-Length: 13\r\n"
                       b"Connection: close\r\n\r\nno such link\n")


@BOTH
def test_an_unknown_token_gets_no_version(wire, mode):
    answer = wire.ask(VERSION_REQUEST.replace(TOKEN.encode(), b"f" * 40), mode)
    assert answer.startswith(b"HTTP/1.1 404 ")
    assert b'rom_version": ' not in answer


# -- requests in other shapes ------------------------------------------------------------------------


@BOTH
def test_a_request_may_arrive_byte_by_byte(wire, mode):
    with wire.connect(mode) as peer:
        if mode == PLAIN:
            peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for i in range(len(LIST_REQUEST)):
            peer.sendall(LIST_REQUEST[i:i + 1])
        assert read_all(peer) == LIST_ANSWER


@BOTH
def test_a_request_may_be_cut_anywhere_into_two(wire, mode):
    for cut in range(1, len(LIST_REQUEST), 1 if mode == PLAIN else 16):
        with wire.connect(mode) as peer:
            peer.sendall(LIST_REQUEST[:cut])
            peer.sendall(LIST_REQUEST[cut:])
            assert read_all(peer) == LIST_ANSWER


def test_a_request_that_ends_anywhere_harms_nobody(own_wire):
    wire = own_wire()
    for cut in range(1, len(LIST_REQUEST)):
        with wire.connect() as peer:
            peer.sendall(LIST_REQUEST[:cut])
            peer.shutdown(socket.SHUT_WR)
            assert read_all(peer) == b""
    wire.wait_for_log("outcome=REQUEST_CUT", len(LIST_REQUEST) - 1)
    assert wire.ask(LIST_REQUEST) == LIST_ANSWER


def with_line(line):
    return LIST_REQUEST[:-2] + line + b"\r\n\r\n"


# facts/serving.md 6
@pytest.mark.parametrize("request_bytes", [
    with_line(b"Content-Length: 5\r\nContent-Length: 6"),
    with_line(b"Content-Length: 5\r\nTransfer-Encoding: chunked"),
    with_line(b"Content-Length : 5"),
    with_line(b"Transfer-Encoding: xchunked"),
    with_line(b"Content-Length: +5"),
    LIST_REQUEST.replace(b"Host: 127.0.0.1\r\n", b""),
    with_line(b"X: a\0b"),
    with_line(b"X: a\r\n folded"),
    b"nonsense\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\n" * 8,
], ids=["two-lengths", "length-and-chunked", "space-before-colon", "xchunked", "signed-length", "no-host", "nul",
        "folded", "nonsense", "tls-on-the-plain-port"])
def test_an_ambiguous_request_is_refused(wire, request_bytes):
    answer = wire.ask(request_bytes)
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"\r\nContent-Length: " in answer


def test_bare_line_feeds_are_taken(wire):
    assert wire.ask(LIST_REQUEST.replace(b"\r\n", b"\n")) == LIST_ANSWER


def test_a_request_of_1100_bytes_is_taken(wire):
    padding = b"X-Padding: " + b"p" * (1100 - len(LIST_REQUEST) - len(b"X-Padding: \r\n"))
    assert len(with_line(padding)) == 1100
    assert wire.ask(with_line(padding)) == LIST_ANSWER


@BOTH
def test_a_head_that_is_too_long_is_told_so_before_the_close(wire, mode):
    answer = wire.ask(with_line(b"X-Padding: " + b"p" * 20000), mode)
    assert answer.startswith(b"HTTP/1.1 431 ")
    assert answer.endswith(b"the request is too long\n")


def test_what_follows_the_request_neither_is_answered_nor_spoils_the_answer(wire):
    assert wire.ask(LIST_REQUEST + LIST_REQUEST) == LIST_ANSWER
    assert wire.ask(FILE_REQUEST + b"x" * 3000) == FILE_HEAD + wire.image


# -- time and numbers --------------------------------------------------------------------------------


def test_half_a_request_and_silence_is_closed(own_wire):
    wire = own_wire("head_ms=300")
    with wire.connect() as peer:
        peer.sendall(LIST_REQUEST[:50])
        assert read_all(peer) == b""
    wire.wait_for_log("outcome=REQUEST_LATE")


def test_a_tls_handshake_that_does_not_go_on_is_closed(own_wire):
    wire = own_wire("head_ms=300")
    with wire.connect() as peer:
        peer.close()
    with socket.create_connection(("127.0.0.1", wire.ports[TLS]), DEADLINE_S) as peer:
        peer.sendall(b"\x16\x03\x01\x02\x00")
        assert peer.recv(100) == b""


def test_bytes_that_are_no_tls_are_told_in_the_log(own_wire):
    wire = own_wire()
    with socket.create_connection(("127.0.0.1", wire.ports[TLS]), DEADLINE_S) as peer:
        peer.sendall(LIST_REQUEST)
        try:
            read_all(peer)
        except ConnectionResetError:
            pass
    wire.wait_for_log("the TLS handshake failed: what came is no TLS")


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # TLS 1.1 is what is tested
def test_a_tls_handshake_that_fails_says_why(own_wire):
    wire = own_wire()
    old = tls_context(ssl.TLSVersion.TLSv1_1)
    old.minimum_version = ssl.TLSVersion.TLSv1_1
    old.set_ciphers("ALL:@SECLEVEL=0")
    poor = tls_context()
    poor.set_ciphers("AES256-SHA")
    choosy = ssl.create_default_context()
    choosy.check_hostname = False
    for context, reason in [(old, "unsupported protocol version"), (poor, "no shared cipher"),
                            (choosy, "the module refused the certificate")]:
        with socket.create_connection(("127.0.0.1", wire.ports[TLS]), DEADLINE_S) as peer, pytest.raises(ssl.SSLError):
            context.wrap_socket(peer)
        wire.wait_for_log(f"the TLS handshake failed: {reason}")
    with socket.create_connection(("127.0.0.1", wire.ports[TLS]), DEADLINE_S) as peer:
        peer.sendall(b"\x16\x03\x01\x02\x00")
    wire.wait_for_log("the TLS handshake failed: closed in the middle of it")


def test_a_module_that_stops_reading_is_given_up(own_wire):
    wire = own_wire("stall_ms=400", "sndbuf=4096")
    with wire.connect(receive_buffer=4096) as peer:
        peer.sendall(FILE_REQUEST)
        wire.wait_for_log("outcome=FILE_STALLED")
    assert "text=\"went silent after " in wire.log()


def test_a_slow_module_is_not_given_up(own_wire):
    """Each pause is shorter than the time-out, the whole is much longer."""
    wire = own_wire("stall_ms=500", "sndbuf=4096")
    with wire.connect(receive_buffer=4096) as peer:
        peer.sendall(FILE_REQUEST)
        got = b""
        for _ in range(8):
            got += peer.recv(4096)
            pause = socket.socketpair()
            with pause[0], pause[1]:
                pause[0].settimeout(0.2)
                with pytest.raises(TimeoutError):
                    pause[0].recv(1)
        while piece := peer.recv(65536):
            got += piece
    assert got == FILE_HEAD + wire.image
    wire.wait_for_log("outcome=FILE_DELIVERED")


def test_200_idle_connections_keep_nobody_waiting(wire):
    idle = [wire.connect() for _ in range(200)]
    for peer in idle[:100]:
        peer.sendall(b"GET ")
    try:
        assert wire.ask(VERSION_REQUEST) == VERSION_ANSWER
        assert wire.ask(FILE_REQUEST, TLS) == FILE_HEAD + wire.image
    finally:
        for peer in idle:
            peer.close()


def test_connections_leave_no_descriptors_behind(own_wire):
    wire = own_wire("threads=1")
    assert wire.ask(FILE_REQUEST) == FILE_HEAD + wire.image  # opens the blob
    assert wire.ask(FILE_REQUEST, TLS) == FILE_HEAD + wire.image
    before = wire.n_descriptors()
    for i in range(1000):
        peer = wire.connect()
        peer.sendall((VERSION_REQUEST, FILE_REQUEST, b"x\r\n\r\n", LIST_REQUEST[:9])[i % 4])
        if i % 2:
            reset(peer)
        peer.close()
    for _ in range(50):
        wire.ask(VERSION_REQUEST, TLS)
    wait_until("the close of all connections", lambda: wire.n_descriptors() <= before)


def test_out_of_descriptors_it_goes_on_as_soon_as_there_are_some(own_wire):
    wire = own_wire("threads=1")
    assert wire.ask(VERSION_REQUEST) == VERSION_ANSWER
    resource.prlimit(wire.process.pid, resource.RLIMIT_NOFILE, (wire.n_descriptors() + 5, 256))
    held = [wire.connect() for _ in range(10)]
    for peer in held:
        peer.sendall(b"GET ")
    wire.wait_for_log("wire.accept_paused")
    for peer in held:
        peer.close()
    assert wire.ask(VERSION_REQUEST) == VERSION_ANSWER


def test_the_soft_limit_of_descriptors_does_not_limit_downloads(tool, tmp_path):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(256, soft), hard))
    try:
        with Wire(tool, tmp_path) as wire:
            assert resource.prlimit(wire.process.pid, resource.RLIMIT_NOFILE) == (hard, hard)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


# -- what is said about it ---------------------------------------------------------------------------


@BOTH
def test_a_download_is_delivered_when_all_is_acknowledged(own_wire, mode):
    wire = own_wire()
    wire.ask(FILE_REQUEST, mode)
    wire.wait_for_log("outcome=FILE_DELIVERED")
    assert "text=\"got ota.bin of v5.0.1.0, all 1000000 bytes acknowledged in " in wire.log()
    assert f" mode={mode} " in wire.log()
    assert TOKEN not in wire.log()


def test_a_module_that_keeps_the_connection_still_counts_as_delivered(own_wire):
    wire = own_wire()
    with wire.connect() as peer:
        peer.sendall(FILE_REQUEST)
        assert read_all(peer) == FILE_HEAD + wire.image
        wire.wait_for_log("outcome=FILE_DELIVERED")


@BOTH
def test_a_download_says_at_its_end_who_asked(own_wire, mode):
    wire = own_wire()
    for agent in (b"Mozilla/5.0 (Windows NT 5.1) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/30.0.1599.101 Safari/537.36",
                  b"ESP32 HTTP Client/1.0", b"curl/7.88.1 of somebody"):
        request = re.sub(rb"User-Agent: [^\r]*", b"User-Agent: " + agent, FILE_REQUEST)
        assert wire.ask(request, mode) == FILE_HEAD + wire.image
        wire.wait_for_log(f'agent="{agent.decode()}"')
    wire.wait_for_log("outcome=FILE_DELIVERED", 3)


@BOTH
def test_a_download_that_is_closed_early_says_after_how_many_bytes(own_wire, mode):
    wire = own_wire("sndbuf=8192")
    peer = wire.connect(mode, receive_buffer=8192)
    peer.sendall(FILE_REQUEST)
    peer.recv(1024)
    reset(peer)
    wire.wait_for_log("outcome=FILE_CLOSED")
    acked = int(re.search(r"closed after (\d+) of 1000000 bytes of ota.bin: the module stopped reading", wire.log())[1])
    assert 0 < acked < 500000


def test_a_file_that_left_whole_but_was_not_taken_is_not_delivered(own_wire):
    """The whole file fits the send buffer of a fast link; what was in it when the reset came is not acknowledged."""
    wire = own_wire()
    peer = wire.connect(receive_buffer=262144)
    peer.sendall(FILE_REQUEST)
    peer.recv(1024)
    reset(peer)
    wire.wait_for_log("outcome=FILE_")
    assert "outcome=FILE_CLOSED" in wire.log()


@BOTH
def test_a_part_of_the_file_is_no_delivery_unless_it_is_the_rest(own_wire, mode):
    wire = own_wire()
    for part in (b"0-0", b"10-999998"):
        wire.ask(FILE_REQUEST[:-2] + b"Range: bytes=" + part + b"\r\n\r\n", mode)
    wire.wait_for_log("outcome=FILE_PART", 2)
    assert "text=\"got a part of ota.bin of v5.0.1.0, 999989 bytes acknowledged in " in wire.log()
    wire.ask(FILE_REQUEST[:-2] + b"Range: bytes=400000-\r\n\r\n", mode)
    wire.wait_for_log("outcome=FILE_DELIVERED")
    assert wire.log().count("outcome=FILE_") == 3


@BOTH
def test_a_blob_cut_on_the_disk_ends_that_download_and_nothing_else(own_wire, mode):
    wire = own_wire("sndbuf=4096", "record=512")
    with wire.connect(mode, receive_buffer=4096) as peer:
        peer.sendall(FILE_REQUEST)
        peer.recv(1024)
        os.truncate(wire.folder / "ota.bin", 4096)
        with pytest.raises(OSError):  # a reset, not an end that looks regular
            read_all(peer)
    wire.wait_for_log("outcome=FILE_UNREADABLE")
    assert wire.ask(VERSION_REQUEST, mode) == VERSION_ANSWER


def test_a_small_send_buffer_still_gives_whole_answers(own_wire):
    wire = own_wire("sndbuf=2048")
    assert wire.ask(FILE_REQUEST) == FILE_HEAD + wire.image
    assert wire.ask(FILE_REQUEST, TLS) == FILE_HEAD + wire.image


def test_a_stop_lets_a_download_finish(own_wire):
    wire = own_wire("sndbuf=4096")
    with wire.connect(receive_buffer=4096) as peer:
        peer.sendall(FILE_REQUEST)
        got = peer.recv(1024)
        wire.process.stdin.close()
        while piece := peer.recv(65536):
            got += piece
    assert got == FILE_HEAD + wire.image


def test_a_stop_still_answers_who_waits_to_be_accepted(own_wire):
    wire = own_wire("threads=1")
    wire.process.send_signal(signal.SIGSTOP)
    with contextlib.ExitStack() as held:
        peers = [held.enter_context(wire.connect()) for _ in range(100)]
        for peer in peers:
            peer.sendall(FILE_REQUEST)
        wire.process.stdin.close()
        wire.process.send_signal(signal.SIGCONT)
        assert all(read_all(peer) == FILE_HEAD + wire.image for peer in peers)


def test_a_stop_cuts_a_download_that_does_not_finish(own_wire):
    wire = own_wire("sndbuf=4096")
    with wire.connect(receive_buffer=4096) as peer:
        peer.sendall(FILE_REQUEST)
        peer.recv(1024)
        wire.process.stdin.close()
        wire.wait_for_log("outcome=FILE_STOPPED")


# -- TLS ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_it_speaks_tls_1_2_and_1_3(wire, version):
    with socket.create_connection(("127.0.0.1", wire.ports[TLS]), DEADLINE_S) as raw:
        with tls_context(version).wrap_socket(raw, suppress_ragged_eofs=False) as peer:
            assert peer.version() == version.name.replace("v1_", "v1.")
            peer.sendall(VERSION_REQUEST)
            assert peer.recv(1024) == VERSION_ANSWER  # one record
            assert peer.recv(1024) == b""  # close_notify, not a bare FIN


def test_small_records_still_begin_with_head_and_body(own_wire):
    wire = own_wire("record=512")
    with wire.connect(TLS) as peer:
        peer.sendall(FILE_REQUEST)
        assert len(peer.recv(16384)) == 512
        read_all(peer)


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_max_fragment_length_is_honoured(wire, version):
    done = subprocess.run(["openssl", "s_client", "-quiet", "-connect", f"127.0.0.1:{wire.ports[TLS]}", version,
                           "-maxfraglen", "512"], input=FILE_REQUEST, capture_output=True, timeout=DEADLINE_S, check=False)
    assert done.stdout == FILE_HEAD + wire.image


def test_the_certificate_is_made_once_and_its_key_is_private(tool, tmp_path):
    def start_and_read():
        with Wire(tool, tmp_path):
            return (tmp_path / "cert.pem").read_bytes()

    first = start_and_read()
    assert start_and_read() == first
    assert (tmp_path / "key.pem").stat().st_mode & 0o777 == 0o600
    text = subprocess.run(["openssl", "x509", "-noout", "-text", "-in", str(tmp_path / "cert.pem")], capture_output=True,
                          text=True, check=True).stdout
    assert "ASN1 OID: prime256v1" in text


def test_a_second_server_on_the_same_port_is_refused(wire, tool, tmp_path):
    """SO_REUSEPORT would let it in and split the modules between the two."""
    (tmp_path / "ota.bin").write_bytes(b"\xe9")
    done = subprocess.run([tool, str(tmp_path), str(tmp_path / "ota.bin"), f"port={wire.ports[PLAIN]}"],
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=DEADLINE_S, check=False)
    assert done.returncode == 1
    assert "Address already in use" in done.stderr
