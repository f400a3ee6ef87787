# SPDX-License-Identifier: Apache-2.0
"""The module plane alone (wire_tool.c), the requests of stock modules and their answers, for tests over real sockets."""

import os
import pathlib
import re
import socket
import ssl
import struct
import subprocess

import pytest

from server import wait_until

TOKEN = "0123456789abcdef0123456789abcdef01234567"  # of the product
DEVICE_TOKEN = "89abcdef0123456789abcdef0123456789abcdef"  # of one device
STOCK_FIELDS = (
    "Host: 127.0.0.1:80\r\nConnection: keep-alive\r\nCache-Control: no-cache\r\n"
    "User-Agent: Mozilla/5.0 (Windows NT 5.1) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/30.0.1599.101 Safari/537.36 \r\n"
    f"Accept: */*\r\nAuthorization: token {TOKEN}\r\nAccept-Encoding: gzip,deflate,sdch\r\n"
    "Accept-Language: zh-CN,zh;q=0.8\r\n")
VERSION_REQUEST = f"GET /v1/device/rom/?is_format_simple=true HTTP/1.0\r\n{STOCK_FIELDS}\r\n".encode()
FILE_TARGET = "/v1/device/rom/?action=download_rom&version=v5.0.1.0&filename=ota.bin"
FILE_REQUEST = f"GET {FILE_TARGET} HTTP/1.1\r\n{STOCK_FIELDS}\r\n".encode()
LIST_REQUEST = (f"GET /v1/device/rom HTTP/1.1\r\nUser-Agent: ESP32 HTTP Client/1.0\r\nHost: 127.0.0.1\r\n"
                f"Authorization: token {TOKEN}\r\n\r\n").encode()

# facts/ciupdate-wire.md 2.5, 4.4 and 3.4
DOCUMENT = (b'{"recommended_rom_version": "v5.0.1.0", "status": 200, "productRoms": '
            b'[{"version": "v5.0.1.0", "recommended": 1, "life_cycle": "release"}, '
            b'{"version": "v5.0.0.0", "recommended": 0, "life_cycle": "release"}]}')
VERSION_ANSWER = (b"HTTP/1.0 200 OK\r\nContent-Type: application/json\r\nContent-Length: 207\r\n"
                  b"Cache-Control: no-store\r\nConnection: close\r\n\r\n" + DOCUMENT)
LIST_ANSWER = (b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 207\r\n"
               b"Connection: close\r\n\r\n" + DOCUMENT)
FILE_BYTES = 1000000
FILE_HEAD = (b"HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nContent-Length: 1000000\r\n"
             b"Cache-Control: no-store, no-transform\r\nConnection: close\r\n\r\n")
FIRST_BODY_MIN = 128
DEADLINE_S = 20
PLAIN, TLS = 0, 1
BOTH = pytest.mark.parametrize("mode", [PLAIN, TLS], ids=["plain", "tls"])


class Wire:
    """The module plane alone (tests/support/wire_tool.c)."""

    def __init__(self, tool, folder, *options, image=None):
        self.folder = folder
        self.image = image or b"\xe9" + os.urandom(FILE_BYTES - 1)
        (folder / "ota.bin").write_bytes(self.image)
        (folder / "tokens").write_text(DEVICE_TOKEN + "\n")
        self.log_path = folder / "log"
        with open(self.log_path, "wb") as log:
            self.process = subprocess.Popen([tool, str(folder), str(folder / "ota.bin"), *options], stdin=subprocess.PIPE,
                                            stdout=subprocess.PIPE, stderr=log)
        ports = re.match(rb"plain=(\d+) tls=(\d+)", self.process.stdout.readline())
        assert ports, self.log()
        self.ports = int(ports[1]), int(ports[2])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        assert self.process.wait(DEADLINE_S) == 0, self.log()
        self.process.stdout.close()

    def log(self):
        return self.log_path.read_text(errors="replace")

    def wait_for_log(self, text, count=1):
        wait_until(f"'{text}' in the log", lambda: self.log().count(text) >= count)

    def n_descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def connect(self, mode=PLAIN, receive_buffer=0):
        peer = socket.socket()
        peer.settimeout(DEADLINE_S)
        if receive_buffer:
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        peer.connect(("127.0.0.1", self.ports[mode]))
        if mode == TLS:
            peer = tls_context().wrap_socket(peer, server_hostname="iot.espressif.cn", suppress_ragged_eofs=False)
        return peer

    def reload(self, *options):
        """wire_reload() with these on top of the options of the start; what it said."""
        self.process.stdin.write(" ".join(options).encode() + b"\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().decode().strip()

    def ask(self, request, mode=PLAIN):
        with self.connect(mode) as peer:
            peer.sendall(request)
            return read_all(peer)


def tls_context(version=ssl.TLSVersion.TLSv1_2):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE  # as stock modules do
    context.maximum_version = version
    context.options &= ~ssl.OP_IGNORE_UNEXPECTED_EOF  # a bare FIN is an error, as to a module
    return context


def read_all(peer):
    got = b""
    while piece := peer.recv(65536):
        got += piece
    return got


def reset(peer):
    """Close with RST instead of FIN."""
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    peer.close()


@pytest.fixture(scope="session")
def tool(aloft):
    return str(pathlib.Path(aloft).parent / "tests" / "wire_tool")


@pytest.fixture(scope="module")
def wire(tool, tmp_path_factory):
    with Wire(tool, tmp_path_factory.mktemp("wire")) as wire:
        yield wire


@pytest.fixture
def own_wire(tool, tmp_path):
    """A module plane of the test's own, with options; its log is read."""
    started = []

    def start(*options):
        started.append(Wire(tool, tmp_path, *options))
        return started[0].__enter__()

    yield start
    for one in started:
        one.__exit__()
