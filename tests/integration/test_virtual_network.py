# SPDX-License-Identifier: Apache-2.0
"""The virtual module's way to the network: name look-up, sockets, TLS, maps. The server here only listens and notes."""

import contextlib
import re
import socket
import ssl
import subprocess
import threading

import pytest

import app_image
from virtual_module import VirtualModule

AP = ("bench", "12345678")
NAME = "update.example"
DEADLINE_S = 30
ANSWER = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


class Listener:
    """Takes connections one by one and notes the first bytes of each; answers 404, or keeps silent."""

    def __init__(self, tls=None, is_silent=False, greeting=b""):
        self.tls, self.is_silent, self.greeting = tls, is_silent, greeting
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.heads = []
        self.has_head, self.has_end = threading.Event(), threading.Event()
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def _serve(self):
        while True:
            try:
                peer, _ = self.socket.accept()
            except OSError:
                return
            peer.settimeout(DEADLINE_S)
            with contextlib.suppress(OSError), peer:
                with self.tls.wrap_socket(peer, server_side=True) if self.tls else peer as stream:
                    self._talk(stream)

    def _talk(self, stream):
        stream.sendall(self.greeting)
        head = b""
        while b"\r\n\r\n" not in head and (data := stream.recv(4096)):
            head += data
        self.heads.append(head)
        self.has_head.set()
        if not self.is_silent:
            stream.sendall(ANSWER)
        with contextlib.suppress(OSError):
            stream.recv(1)
        self.has_end.set()

    def close(self):
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()


@pytest.fixture
def listen():
    listeners = []

    def _listen(**options):
        listeners.append(Listener(**options))
        return listeners[-1]

    yield _listen
    for listener in listeners:
        listener.close()


@pytest.fixture
def start(aloft, tmp_path):
    (tmp_path / "app.bin").write_bytes(app_image.make())
    modules = []

    def _start(*options, is_joined=True):
        module = VirtualModule(aloft, tmp_path, app=tmp_path / "app.bin", ap=AP, options=options)
        modules.append(module)
        module.start()
        module.read_until(b"ready\r\n")
        module.command("ATE0")
        if is_joined:
            module.join(*AP)
        return module

    yield _start
    for module in modules:
        module.stop()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    folder = tmp_path_factory.mktemp("certificate")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                    "-days", "2", "-subj", "/CN=wrong.name", "-keyout", folder / "key.pem", "-out", folder / "cert.pem"],
                   check=True, capture_output=True)
    return folder / "cert.pem", folder / "key.pem"


@pytest.fixture
def tls(certificate):
    """A context that notes the names asked for in `names`."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    context.names = []
    context.sni_callback = lambda _, name, __: context.names.append(name)
    return context


def test_a_mapped_name_reaches_its_target(start, listen):
    server = listen()
    module = start("--ota", f"{NAME}:80", "--net-map", f"{NAME}:80=127.0.0.1:{server.port}")
    assert module.command("AT+CIUPDATE=0").endswith(b"\r\nERROR\r\n")
    assert f"\r\nHost: {NAME}:80\r\n".encode() in server.heads[0]


@pytest.mark.parametrize("from_", [f"{NAME}:81", "127.0.0.2:80"])
def test_a_map_for_something_else_does_not_lead_there(start, listen, from_):
    server = listen()
    asked = NAME if from_.startswith(NAME) else "127.0.0.2"
    port = 80 if asked == NAME else 1
    module = start("--ota", f"{asked}:{port}", "--net-map", f"{from_}=127.0.0.1:{server.port}")
    assert module.command("AT+CIUPDATE=0").endswith(b"\r\nERROR\r\n")
    assert server.heads == []


def test_a_mapped_literal_reaches_its_target(start, listen):
    server = listen()
    module = start("--ota", "127.0.0.2:80", "--net-map", f"127.0.0.2:80=localhost:{server.port}")
    module.command("AT+CIUPDATE=0")
    assert len(server.heads) == 1


def test_a_name_is_looked_up(start, listen):
    server = listen()
    start("--ota", f"localhost:{server.port}").command("AT+CIUPDATE=0")
    assert b"\r\nHost: localhost:" in server.heads[0]


def test_a_name_that_does_not_exist_is_an_error_and_blocks_nothing(start):
    module = start("--ota", "nonexistent.invalid:80")
    assert module.command("AT+CIUPDATE=0,,,1").endswith(b"\r\nOK\r\n")
    assert module.command("AT") == b"\r\nOK\r\n"
    module.read_until(b"+CIPUPDATE:-1\r\n")


def test_a_refused_connection_is_an_error(start, listen):
    server = listen()
    server.close()
    assert start("--ota", f"127.0.0.1:{server.port}").command("AT+CIUPDATE=0").endswith(b"\r\nERROR\r\n")


def test_without_an_address_there_is_no_network(start, listen):
    server = listen()
    module = start("--ota", f"127.0.0.1:{server.port}", is_joined=False)
    assert module.command("AT+CIUPDATE=0").endswith(b"\r\nERROR\r\n")
    assert server.heads == []


def test_tls_names_the_host_and_accepts_any_certificate(start, listen, tls):
    """As stock does: facts/at-commands.md 6.1, row 11."""
    server = listen(tls=tls)
    module = start("--ota-tls", f"{NAME}:443", "--net-map", f"{NAME}:443=127.0.0.1:{server.port}")
    module.command("AT+CIUPDATE=1")
    assert tls.names[0] == NAME
    assert server.heads[0].startswith(b"GET ")


def test_tls_to_a_literal_names_no_host(start, listen, tls):
    server = listen(tls=tls)
    start("--ota-tls", f"127.0.0.1:{server.port}").command("AT+CIUPDATE=1")
    assert tls.names[0] is None
    assert server.heads[0].startswith(b"GET ")


def test_a_failed_handshake_is_an_error(start, listen):
    server = listen(greeting=b"220 this is no TLS\r\n")
    module = start("--ota-tls", f"127.0.0.1:{server.port}")
    assert module.command("AT+CIUPDATE=1").endswith(b"\r\nERROR\r\n")
    assert "net.failed" in module.log.read_text()


def test_tls_1_3_alone_is_a_failed_handshake(start, listen, tls):
    tls.minimum_version = ssl.TLSVersion.TLSv1_3
    module = start("--ota-tls", f"127.0.0.1:{listen(tls=tls).port}")
    assert module.command("AT+CIUPDATE=1").endswith(b"\r\nERROR\r\n")
    assert "net.failed" in module.log.read_text()


def test_a_restart_ends_the_connections(start, listen):
    server = listen(is_silent=True)
    module = start("--ota", f"127.0.0.1:{server.port}")
    module.write(b"AT+CIUPDATE=0\r\n")
    assert server.has_head.wait(DEADLINE_S)
    module.write(b"AT+RST\r\n")
    assert server.has_end.wait(DEADLINE_S)
    module.read_until(b"ready\r\n")


def test_a_lost_network_ends_the_connections(start, listen):
    server = listen(is_silent=True)
    module = start("--ota", f"127.0.0.1:{server.port}")
    module.command("AT+CIUPDATE=0,,,1")
    assert server.has_head.wait(DEADLINE_S)
    module.command("AT+CWQAP")
    assert server.has_end.wait(DEADLINE_S)
    module.read_until(b"+CIPUPDATE:-1\r\n")


def test_the_token_never_reaches_the_log(start, listen):
    server = listen()
    token = "0123456789abcdef" * 2 + "01234567"
    module = start("--ota", f"127.0.0.1:{server.port}", "--token", token)
    module.command("AT+CIUPDATE=0")
    assert f"Authorization: token {token}\r\n".encode() in server.heads[0]
    assert token not in module.log.read_text()


def place_of(module, port):
    """Where the module's listener of `port` really is: (host, port)."""
    found = re.search(rf"net\.listening asked={port} at=([0-9.]+):([0-9]+)", module.log.read_text())
    assert found, module.log.read_text()
    return found.group(1), int(found.group(2))


def get_version(place, source=None):
    """The first bytes the module's web server answers."""
    with socket.create_connection(place, DEADLINE_S, source_address=source) as stream:
        stream.sendall(b"GET /getversion HTTP/1.1\r\nHost: a\r\n\r\n")
        return stream.recv(4096)


def test_a_server_of_the_module_is_where_the_map_of_own_says_and_needs_no_station_link(start):
    module = start("--net-map", "own:80=127.0.0.3:0", is_joined=False)
    assert module.command("AT+WEBSERVER=1,80,25") == b"\r\nOK\r\n"
    place = place_of(module, 80)
    assert place[0] == "127.0.0.3"
    assert get_version(place).startswith(b"HTTP/1.1 200 OK\r\n")


def test_a_server_of_the_module_is_at_the_bind_address(start):
    module = start("--bind", "127.0.0.4", is_joined=False)
    assert module.command("AT+WEBSERVER=1,0,25") == b"\r\nOK\r\n"
    place = place_of(module, 0)
    assert place[0] == "127.0.0.4"
    assert get_version(place).startswith(b"HTTP/1.1 200 OK\r\n")


def test_by_default_a_server_of_the_module_is_on_loopback_only(start):
    module = start(is_joined=False)
    module.command("AT+WEBSERVER=1,0,25")
    assert place_of(module, 0)[0] == "127.0.0.1"


def test_a_restart_closes_the_servers_of_the_module(start):
    module = start(is_joined=False)
    module.command("AT+WEBSERVER=1,0,25")
    place = place_of(module, 0)
    module.command("AT+RST")
    module.read_until(b"ready\r\n")
    with pytest.raises(ConnectionRefusedError):
        get_version(place)


def test_a_port_that_is_taken_is_an_error_and_the_log_names_the_remedy(start, listen):
    port = listen().port
    module = start(is_joined=False)
    assert module.command(f"AT+WEBSERVER=1,{port},25") == b"\r\nERROR\r\n"
    log = module.log.read_text()
    assert f"net.refused asked={port} protocol=tcp at=127.0.0.1:{port} " in log
    assert f"--net-map own:{port}=127.0.0.1:" in log


@pytest.mark.parametrize("address", ["localhost", "", "127.0.0.1:80", "[::1]"])
def test_a_bind_address_that_is_none_is_wrong_usage(aloft, tmp_path, address):
    done = subprocess.run([aloft, "module", "--flash", tmp_path / "f", "--bind", address], capture_output=True, text=True,
                          timeout=DEADLINE_S, check=False)
    assert done.returncode == 2
    assert f"--bind '{address}' is no IPv4 or IPv6 address" in done.stderr
