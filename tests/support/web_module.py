# SPDX-License-Identifier: Apache-2.0
"""A virtual module with its web server, and a browser-like client that keeps every byte (facts/at-commands.md 3)."""

import re
import socket
import time

from server import wait_until
from virtual_module import VirtualModule

READY = b"\r\nready\r\n"
OK = b"\r\nOK\r\n"
DEADLINE_S = 30
JSON, HTML = "application/json", "text/html"


class WebModule(VirtualModule):
    """Echo is off, the mode is 3, and the server runs; `web_port` is where it really is."""

    def __init__(self, aloft, folder, timeout_s=21, options=(), **more):
        super().__init__(aloft, folder, options=["--net-map", "own:80=127.0.0.1:0", *options], **more)
        self.timeout_s = timeout_s
        self.web_port = None

    def start(self):
        super().start()
        self.prepare()

    def prepare(self):
        """After a boot."""
        assert self.read_until(READY) == READY
        self.command("ATE0")
        assert self.command("AT+CWMODE=3") == OK
        assert self.command(f"AT+WEBSERVER=1,80,{self.timeout_s}").endswith(OK)
        self.web_port = self.find_port(80)

    def find_port(self, asked):
        """Where the module's own server for `asked` was last opened."""
        found = wait_until(f"port {asked} in the log", lambda: re.findall(
            rb"net\.(?:listening|udp) asked=%d at=127\.0\.0\.1:(\d+)" % asked, self.log.read_bytes()))
        return int(found[-1])

    def connect_web(self):
        return WebClient(self.web_port)

    def ask(self, *words, **more):
        """One request over a connection of its own."""
        with self.connect_web() as client:
            return client.ask(*words, **more)


class WebClient:
    """One connection, kept open."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=DEADLINE_S)
        self._pending = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, method, path, body=None, headers=()):
        lines = [f"{method} {path} HTTP/1.1", "Host: 192.168.4.1", *headers]
        if body is not None:
            lines.append(f"Content-Length: {len(body)}")
        self.socket.sendall("\r\n".join([*lines, "", ""]).encode() + (body or b""))

    def _fill(self):
        data = self.socket.recv(65536)
        self._pending += data
        return bool(data)

    def read_answer(self):
        """Head and body, byte for byte as they came."""
        while b"\r\n\r\n" not in self._pending:
            assert self._fill(), f"ended within the head: {self._pending!r}"
        head = self._pending[:self._pending.index(b"\r\n\r\n") + 4]
        length = re.search(rb"\r\nContent-Length: (\d+)\r\n", head)
        while len(self._pending) < len(head) + int(length[1]) if length else b"\r\n0\r\n\r\n" not in self._pending:
            assert self._fill(), f"ended within the body: {self._pending[-100:]!r}"
        end = len(head) + int(length[1]) if length else self._pending.index(b"\r\n0\r\n\r\n") + 7
        answer, self._pending = self._pending[:end], self._pending[end:]
        return answer

    def ask(self, method, path, body=None, headers=()):
        self.send(method, path, body, headers)
        return self.read_answer()

    def has_ended(self):
        """The module closes the connection, and nothing more comes."""
        return not self._pending and not self._fill()


def answer(body, status="200 OK", kind=JSON):
    """A whole answer as facts/at-commands.md 3.1 has it."""
    length = len(body.encode())
    return f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n\r\n{body}".encode()


DONE = answer('{"state": 0}')
BAD = answer('{"state": 1}', "400 Bad Request")
FAILED = answer('{"state": 1}', "500 Internal Server Error")


def station(number, ssid, password, message):
    return answer(f'{{"state":{number},"sta_ssid":"{ssid}","sta_password":"{password}","message":"{message}"}}')


def poll_station(client, wanted, seconds):
    """GET /getstainfo again and again, until `wanted` comes; the answers before it."""
    seen = []
    deadline = time.monotonic() + seconds
    while (got := client.ask("GET", "/getstainfo")) != wanted:
        seen.append(got)
        assert time.monotonic() < deadline, seen[-3:]
    return seen
