# SPDX-License-Identifier: Apache-2.0
"""The supporting commands of facts/at-commands.md 4 on a virtual module over a PTY: clock, names, ping, memory, UART."""

import calendar
import contextlib
import http.server
import pathlib
import re
import socket
import struct
import threading
import time

import pytest

import app_image
from virtual_module import VirtualModule

AP = ("bench", "12345678")
OK, ERROR, READY = b"\r\nOK\r\n", b"\r\nERROR\r\n", b"\r\nready\r\n"
MANUAL = pathlib.Path(__file__).resolve().parents[2] / "docs" / "guide" / "at-commands.md"
SINCE_1900 = 2208988800  # RFC 868
DEADLINE_S = 30


class UdpServer:
    """Answers datagrams by `answer(datagram) -> datagram or None`; keeps what it was asked."""

    def __init__(self, answer):
        self.answer, self.asked = answer, []
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def _serve(self):
        with contextlib.suppress(OSError):
            while True:
                datagram, sender = self.socket.recvfrom(2048)
                if not datagram:
                    return
                self.asked.append(datagram)
                answer = self.answer(datagram)
                if answer:
                    self.socket.sendto(answer, sender)

    def close(self):
        """An empty datagram ends the thread, and with it the only user of the socket."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as end:
            end.sendto(b"", ("127.0.0.1", self.port))
        self.thread.join(DEADLINE_S)
        self.socket.close()


@pytest.fixture
def serve():
    """Start UDP servers that end with the test."""
    running = []

    def _serve(answer):
        running.append(UdpServer(answer))
        return running[-1]

    yield _serve
    for server in running:
        server.close()


@pytest.fixture
def start(aloft, tmp_path):
    """Start a module over a PTY, echo off."""
    running = []

    def _start(*options, **values):
        image = tmp_path / "app.bin"
        image.write_bytes(app_image.make(version="v1.0.0.0"))
        module = VirtualModule(aloft, tmp_path, uart="pty", app=image, ap=AP, options=options, **values)
        running.append(module)
        module.start()
        assert module.read_until(READY) == READY
        assert module.command("ATE0") == b"ATE0\r\n" + OK
        return module

    yield _start
    for module in running:
        module.stop()


@pytest.fixture
def joined(start):
    def _joined(*options, **values):
        module = start(*options, **values)
        module.join(*AP)
        return module

    return _joined


# -- SNTP --------------------------------------------------------------------------------------------------------------

def time_answer(unix_s):
    """A server of stratum 2 for which it is `unix_s` (RFC 4330 4)."""

    def answer(request):
        assert request[0] == 0x23 and len(request) == 48  # version 4, client
        return struct.pack("!BBbb11I", 0x24, 2, 6, -20, 0, 0, 0x7F000001, 0, 0,
                           *struct.unpack("!2I", request[40:48]), unix_s + SINCE_1900, 0, unix_s + SINCE_1900, 0)

    return answer


def test_sntp_sets_the_clock(joined, serve):
    unix_s = calendar.timegm((2026, 11, 22, 17, 47, 56))
    server = serve(time_answer(unix_s))
    module = joined("--net-map", f"time.example:123=127.0.0.1:{server.port}")
    assert module.command("AT+CIPSNTPTIME?").startswith(b"+CIPSNTPTIME:Thu Jan  1 00:0")
    assert module.command('AT+CIPSNTPCFG=1,530,"time.example"') == OK
    assert module.read_until(b"+TIME_UPDATED\r\n") == b"+TIME_UPDATED\r\n"
    stamp = int(re.fullmatch(rb"\+SYSTIMESTAMP:(\d+)\r\n\r\nOK\r\n", module.command("AT+SYSTIMESTAMP?")).group(1))
    assert unix_s <= stamp <= unix_s + DEADLINE_S
    text = re.fullmatch(rb"\+CIPSNTPTIME:(.*)\r\n\r\nOK\r\n", module.command("AT+CIPSNTPTIME?")).group(1).decode()
    assert stamp <= calendar.timegm(time.strptime(text)) - 19800 <= stamp + DEADLINE_S
    assert module.command("AT+CIPSNTPCFG?") == b'+CIPSNTPCFG:1,530,"time.example"\r\n' + OK


def test_sntp_asks_the_second_server_when_the_first_answers_nonsense(joined, serve):
    liar = serve(lambda request: time_answer(1000)(request[:40] + bytes(8)))  # not what it was sent
    denier = serve(lambda request: b"\x24\x00" + bytes(10) + b"DENY" + bytes(8) + request[40:48] + bytes(16))
    good = serve(time_answer(1634665676))
    module = joined(*(word for name, server in (("one", liar), ("two", denier), ("three", good))
                      for word in ("--net-map", f"{name}.example:123=127.0.0.1:{server.port}")))
    assert module.command('AT+CIPSNTPCFG=1,0,"one.example","two.example","three.example"') == OK
    module.read_until(b"+TIME_UPDATED\r\n")
    assert b"+SYSTIMESTAMP:16346656" in module.command("AT+SYSTIMESTAMP?")
    assert [len(server.asked) for server in (liar, denier, good)] == [1, 1, 1]


# -- names and ping ----------------------------------------------------------------------------------------------------

def test_cipdomain_and_ping_of_this_machine(joined):
    module = joined()
    assert module.command('AT+CIPDOMAIN="localhost",2') == b'+CIPDOMAIN:"127.0.0.1"\r\n' + OK
    assert module.command('AT+CIPDOMAIN="192.0.2.7"') == b'+CIPDOMAIN:"192.0.2.7"\r\n' + OK
    assert module.command('AT+CIPDOMAIN="2001:db8:0::7"') == b'+CIPDOMAIN:"2001:db8::7"\r\n' + OK
    assert re.fullmatch(rb"\+PING:\d+\r\n\r\nOK\r\n", module.command('AT+PING="127.0.0.1"'))


def test_cipdomain_and_ping_without_a_network_fail(start):
    module = start()
    assert module.command('AT+CIPDOMAIN="localhost"') == ERROR
    assert module.command('AT+PING="127.0.0.1"') == b"+PING:TIMEOUT\r\n" + ERROR


def dns_answer(request):
    """192.0.2.77 for each name, no IPv6 address (RFC 1035 4.1)."""
    question = request[12:request.index(b"\0", 12) + 5]
    is_a = question[-4:-2] == b"\0\1"
    head = request[:2] + b"\x81\x80\0\1" + (b"\0\1" if is_a else b"\0\0") + bytes(4)
    record = b"\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4" + bytes((192, 0, 2, 77))
    return head + question + (record if is_a else b"")


def test_cipdns_names_the_server_that_is_asked(joined, serve):
    server = serve(dns_answer)
    module = joined("--net-map", f"192.0.2.53:53=127.0.0.1:{server.port}")
    assert module.command('AT+CIPDNS=1,"192.0.2.53"') == OK
    assert module.command('AT+CIPDOMAIN="kettle.example"') == b'+CIPDOMAIN:"192.0.2.77"\r\n' + OK
    assert any(b"\6kettle\7example" in datagram for datagram in server.asked)
    module.write(b"AT+RST\r\n")
    module.read_until(READY)
    module.wait_for_ip()
    module.command("ATE0")
    assert module.command("AT+CIPDNS?") == b'+CIPDNS:1,"192.0.2.53"\r\n' + OK
    assert module.command('AT+CIPDOMAIN="pot.example"') == b'+CIPDOMAIN:"192.0.2.77"\r\n' + OK


# -- HTTP --------------------------------------------------------------------------------------------------------------

class Files(http.server.BaseHTTPRequestHandler):
    """One file of 5000 bytes, also in ranges."""

    body = bytes(range(256)) * 19 + b"." * 136

    def do_GET(self):  # pylint: disable=invalid-name
        wanted = re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("Range", ""))
        part = self.body[int(wanted.group(1)):int(wanted.group(2)) + 1] if wanted else self.body
        self.send_response(404 if self.path != "/file" else 206 if wanted else 200)
        self.send_header("Content-Length", str(len(part)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(part)

    do_HEAD = do_GET  # pylint: disable=invalid-name

    def log_message(self, *_):
        pass


@pytest.fixture
def files():
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Files) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def read_get(module):
    """The body of an AT+HTTPCGET that was sent, by its lines."""
    body = b""
    while module.read_exactly(1) == b"+":
        n = int(re.fullmatch(rb"HTTPCGET:(\d+),", module.read_until(b",")).group(1))
        body += module.read_exactly(n)
        assert module.read_exactly(2) == b"\r\n"
    assert module.read_exactly(5) == b"\nOK\r\n"
    return body


def test_httpcget_and_httpgetsize_of_a_file(joined, files):
    module = joined()
    assert module.command(f'AT+HTTPGETSIZE="{files}/file"') == b"+HTTPGETSIZE:5000\r\n" + OK
    module.write(f'AT+HTTPCGET="{files}/file"\r\n'.encode())
    assert read_get(module) == Files.body
    assert module.command("AT+SYSLOG=1") == OK
    assert module.command(f'AT+HTTPCGET="{files}/none"') == b"ERR CODE:0x010a7194\r\n" + ERROR


def test_a_file_in_ranges_by_presets(joined, files):
    module = joined()
    for command, data, answer in ((b"HTTPURLCFG", f"{files}/file".encode(), b"\r\nSET OK\r\n"),
                                  (b"HTTPCHEAD", b"Range: bytes=256-1279", OK)):
        module.write(b"AT+%s=%d\r\n" % (command, len(data)))
        assert module.read_until(b">") == OK + b"\r\n>"
        module.write(data)
        assert module.read_exactly(len(answer)) == answer
    module.write(b'AT+HTTPCGET="",2048,200\r\n')
    assert read_get(module) == Files.body[256:1280]


# -- the module itself -------------------------------------------------------------------------------------------------

def test_userram_holds_what_was_written(start):
    module = start()
    data = bytes(range(256)) * 16
    assert module.command("AT+USERRAM=1,4097") == ERROR
    assert module.command("AT+USERRAM=1,4096") == OK
    module.write(b"AT+USERRAM=2,4096\r\n")
    assert module.read_until(b">") == OK + b"\r\n>"
    module.write(data)
    assert module.read_until(b"WRITE OK\r\n") == b"\r\nWRITE OK\r\n"
    module.write(b"AT+USERRAM=3,4096\r\n")
    wanted = b"".join(b"+USERRAM:1024," + data[at:at + 1024] for at in range(0, 4096, 1024)) + OK
    assert module.read_exactly(len(wanted)) == wanted
    module.write(b"AT+RST\r\n")
    module.read_until(READY)
    module.command("ATE0")
    assert module.command("AT+USERRAM?") == b"+USERRAM:0\r\n" + OK


def test_uart_def_holds_over_a_restart(start):
    module = start()
    assert module.command("AT+UART_DEF=57600,8,1,0,0") == OK
    module.write(b"AT+RST\r\n")
    module.read_until(READY)
    module.command("ATE0")
    assert module.command("AT+UART_CUR?") == b"+UART_CUR:57600,8,1,0,0\r\n" + OK


def test_the_module_says_what_it_is_and_has(start):
    module = start()
    now, least = map(int, re.fullmatch(rb"\+SYSRAM:(\d+),(\d+)\r\n\r\nOK\r\n", module.command("AT+SYSRAM?")).groups())
    assert now >= least > 0
    assert module.command("AT+USERDOCS?").count(b"/esp32c3/index.html\"\r\n") == 2
    assert module.command("AT+SLEEP=0") == OK
    assert module.command("AT+CIPMUX=1") == OK


# -- the manual --------------------------------------------------------------------------------------------------------

def test_the_manual_lists_what_at_cmd_lists(start):
    """docs/guide/at-commands.md, row by row: the same commands in the same order, with the same forms."""
    words = {"=?": 0, "?": 1, "=": 2, "run": 3}
    in_manual = []
    for row in re.finditer(r"^\| `(AT[^`]*)` \| ([^|]*) \|", MANUAL.read_text(), re.MULTILINE):
        forms = [words[word] for word in row.group(2).split(", ")]
        in_manual.append((row.group(1), ",".join("1" if i in forms else "0" for i in range(4))))
    answer = start().command("AT+CMD?").decode()
    listed = re.findall(r'^\+CMD:\d+,"([^"]*)",([01,]*)\r$', answer, re.MULTILINE)
    assert listed == in_manual
    assert [int(n) for n in re.findall(r"\+CMD:(\d+)", answer)] == list(range(len(listed)))
