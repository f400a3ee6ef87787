# SPDX-License-Identifier: Apache-2.0
"""What signals do to `aloft serve`: SIGHUP reads the settings again, SIGTERM lets downloads finish, twice cuts them."""

import contextlib
import json
import os
import signal
import socket
import ssl
import subprocess

import pytest

from server import DEADLINE_S, Server, wait_until

LAYOUT, VERSION = "esp32c3_default", "v1.0.0"
SLOW_BUFFER = 4096  # of the client: most of the file stays in the server


@pytest.fixture
def make(aloft, tmp_path):
    """A server with one ROM and a config file with these lines."""
    with contextlib.ExitStack() as held:
        def _make(*lines):
            (tmp_path / "data").mkdir(mode=0o700)
            server = Server(aloft, tmp_path)
            write(server, *lines)
            held.enter_context(server)
            server.token = server.deploy("lamp", LAYOUT, VERSION, size="1500k")[0]
            return server

        yield _make


def write(server, *lines):
    (server.data / "aloft.conf").write_text("".join(line + "\n" for line in lines))


def log_after(server, mark):
    return server.log.read_text(errors="replace")[mark:]


def reload(server, event):
    """SIGHUP; what was logged since, up to and with `event`."""
    mark = len(server.log.read_text(errors="replace"))
    server.process.send_signal(signal.SIGHUP)
    return wait_until(event, lambda: event in log_after(server, mark) and log_after(server, mark))


class Download:
    """One slow plain download: the head and the first bytes are there, the rest waits for finish()."""

    def __init__(self, server):
        self.socket = socket.socket()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SLOW_BUFFER)
        self.socket.settimeout(DEADLINE_S)
        self.socket.connect(("127.0.0.1", server.modules_port))
        self.socket.sendall(f"GET /v1/device/rom/?action=download_rom&version={VERSION}&filename=ota.bin HTTP/1.1\r\n"
                            f"Host: x\r\nAuthorization: token {server.token}\r\n\r\n".encode())
        self.data = self.socket.recv(2048)
        assert self.data.startswith(b"HTTP/1.1 200 OK\r\n"), self.data

    def finish(self):
        """All bytes to the end of the connection, without the head."""
        with contextlib.suppress(ConnectionResetError), self.socket:
            while piece := self.socket.recv(65536):
                self.data += piece
        return self.data.partition(b"\r\n\r\n")[2]


def is_closed(server):
    try:
        socket.create_connection(("127.0.0.1", server.modules_port), timeout=DEADLINE_S).close()
    except ConnectionRefusedError:
        return True
    return False


# -- SIGHUP -------------------------------------------------------------------------------------------

def test_sighup_takes_what_may_change_and_names_what_waits(make):
    server = make("log_format = text", "threads = 1")
    write(server, "log_format = json", "threads = 2")
    text = reload(server, "serve.reloaded")
    assert 'serve.setting key=log_format value="json"' in text
    assert 'serve.setting_waits key=threads value="2" until="the next start"' in text
    last = json.loads(text.splitlines()[-1])
    assert (last["event"], last["level"], last["file"]) == ("serve.reloaded", "info", str(server.data / "aloft.conf"))
    lines = reload(server, "serve.reloaded").splitlines()
    events = [json.loads(line)["event"] for line in lines]
    assert events == ["serve.setting_waits", "serve.reloaded"]  # the format changed once, the threads still wait


def test_a_file_that_is_wrong_leaves_everything_as_it_was(make):
    server = make("log_contacts = none")
    write(server, "log_contacts = all", "log_format = json", "stop_seconds = never")
    text = reload(server, "serve.reload_failed")
    assert "aloft.conf:3: stop_seconds: 'never' is not a number from 0 to 3600 (seconds)" in text
    write(server, "log_contacts = all")
    assert 'serve.setting key=log_contacts value="all"' in reload(server, "serve.reloaded")  # it was still none


def test_which_contacts_are_logged_changes_without_a_restart(make):
    server = make("log_contacts = none")
    assert len(Download(server).finish()) == os.path.getsize(server.folder / f"{LAYOUT}-{VERSION}.bin")
    write(server, "log_contacts = all")
    text = reload(server, "serve.reloaded")
    assert " contact kind=file" not in server.log.read_text()
    Download(server).finish()
    wait_until("the contact's line", lambda: " contact kind=" in server.log.read_text())
    assert text


def test_a_download_goes_on_over_sighup(make):
    server = make()
    download = Download(server)
    for _ in range(3):
        reload(server, "serve.reloaded")
    assert download.finish() == (server.folder / f"{LAYOUT}-{VERSION}.bin").read_bytes()


# -- SIGTERM ------------------------------------------------------------------------------------------

def test_sigterm_refuses_new_modules_and_lets_downloads_finish(make):
    server = make("stop_seconds = 600")
    download = Download(server)
    server.process.send_signal(signal.SIGTERM)
    wait_until("the module plane to close", lambda: is_closed(server))
    assert server.process.poll() is None
    assert download.finish() == (server.folder / f"{LAYOUT}-{VERSION}.bin").read_bytes()
    assert server.process.wait(DEADLINE_S) == 0
    assert not (server.data / "ports.json").exists()


@pytest.mark.parametrize("again", [signal.SIGTERM, signal.SIGINT])
def test_a_second_signal_cuts_downloads_at_once(make, again):
    server = make("stop_seconds = 3600")
    download = Download(server)
    server.process.send_signal(signal.SIGTERM)
    wait_until("the module plane to close", lambda: is_closed(server))
    server.process.send_signal(again)
    assert server.process.wait(DEADLINE_S) == 0
    assert "serve.cut" in server.log.read_text()
    assert 0 < len(download.finish()) < os.path.getsize(server.folder / f"{LAYOUT}-{VERSION}.bin")


def test_the_time_to_stop_is_a_setting_that_may_change(make):
    server = make("stop_seconds = 3600")
    download = Download(server)
    write(server, "stop_seconds = 0")
    reload(server, "serve.reloaded")
    server.process.send_signal(signal.SIGTERM)
    assert server.process.wait(DEADLINE_S) == 0
    assert "serve.cut" not in server.log.read_text()
    assert len(download.finish()) < os.path.getsize(server.folder / f"{LAYOUT}-{VERSION}.bin")


# -- the certificate ----------------------------------------------------------------------------------

def make_certificate(folder, name):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                    "-keyout", folder / f"{name}.key", "-out", folder / f"{name}.pem", "-days", "2", "-subj",
                    f"/CN={name}"], check=True, capture_output=True, timeout=60)


def subject(server):
    """Of the certificate that a new TLS connection gets."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with socket.create_connection(("127.0.0.1", server.modules_tls_port), timeout=DEADLINE_S) as plain:
        with context.wrap_socket(plain) as tls:
            der = tls.getpeercert(binary_form=True)
    text = subprocess.run(["openssl", "x509", "-inform", "DER", "-noout", "-subject", "-nameopt", "RFC2253"], input=der,
                          check=True, capture_output=True, timeout=60).stdout
    return text.decode().strip().removeprefix("subject=CN=")


def test_sighup_reads_the_certificate_again(make):
    server = make()
    assert subject(server) == "aloft"
    for name in ("one", "two"):
        make_certificate(server.folder, name)
    write(server, f"cert = {server.folder}/one.pem", f"key = {server.folder}/one.key")
    assert "serve.pin pin=" in reload(server, "serve.reloaded")
    assert subject(server) == "one"
    (server.folder / "two.pem").rename(server.folder / "one.pem")  # a renewal: the same names, other bytes
    (server.folder / "two.key").rename(server.folder / "one.key")
    reload(server, "serve.reloaded")
    assert subject(server) == "two"


def test_a_certificate_that_cannot_be_used_leaves_everything_as_it_was(make):
    server = make()
    make_certificate(server.folder, "one")
    make_certificate(server.folder, "two")
    write(server, f"cert = {server.folder}/one.pem", f"key = {server.folder}/two.key", "log_format = json")
    text = reload(server, "serve.reload_failed")
    assert "two.key" in text or "one.pem" in text
    assert subject(server) == "aloft"
    assert " serve.reload_failed reason=" in text  # still a text line


# -- limits of the module plane -----------------------------------------------------------------------

def ask_version(server, head=b""):
    with socket.create_connection(("127.0.0.1", server.modules_port), timeout=DEADLINE_S) as module:
        module.sendall(head + f"GET /v1/device/rom/?is_format_simple=true HTTP/1.1\r\nHost: x\r\n"
                              f"Authorization: token {server.token}\r\n\r\n".encode())
        data = b""
        while piece := module.recv(4096):
            data += piece
    return data


def test_named_proxies_are_believed_from_the_next_connection_on(make):
    server = make()
    header = b"PROXY TCP4 203.0.113.9 192.0.2.1 4711 80\r\n"
    assert ask_version(server, header).startswith(b"HTTP/1.1 400 ")
    write(server, "proxies = 127.0.0.0/8")
    reload(server, "serve.reloaded")
    assert VERSION.encode() in ask_version(server, header)
    wait_until("the contact's line", lambda: "peer=203.0.113.9:4711" in server.log.read_text())


def test_the_limit_of_version_queries_changes_without_a_restart(make):
    server = make()
    write(server, "product_limit_per_minute = 1")
    reload(server, "serve.reloaded")
    answers = [ask_version(server) for _ in range(3)]
    assert VERSION.encode() in answers[0] and VERSION.encode() not in answers[-1]
