# SPDX-License-Identifier: Apache-2.0
"""AT+CIUPDATECFG and AT+UPDATETLS on a virtual module, against `aloft serve` with a certificate of a CA of its own.
Rows are those of facts/at-commands.md 6."""

import hashlib
import http.server
import ssl
import subprocess
import threading

import pytest

from certificates import Authority, pin_of
from server import Server, wait_until
from virtual_module import VirtualModule

OLD, NEW = "v1.0.0.0", "v1.1.0.0"
LAYOUT = "esp32c3_default"
AP = ("bench", "12345678")
OK, ERROR, READY = b"\r\nOK\r\n", b"\r\nERROR\r\n", b"\r\nready\r\n"
UPGRADED = b"+CIPUPDATE:1\r\n+CIPUPDATE:2\r\n+CIPUPDATE:3\r\n+CIPUPDATE:4\r\n" + OK + READY
SPARE = slice(0x230000, 0x400000)  # ota_1 of this layout: facts/at-commands.md 5.1, group C


@pytest.fixture(scope="module")
def authorities(tmp_path_factory):
    """The CA that signed the server's certificate, and another one."""
    folder = tmp_path_factory.mktemp("ca")
    return Authority(folder, "right"), Authority(folder, "wrong")


@pytest.fixture(scope="module")
def deployed(aloft, tmp_path_factory, authorities):
    server = Server(aloft, tmp_path_factory.mktemp("serve"))
    server.data.mkdir(mode=0o700)
    authorities[0].sign(server.data / "cert.pem", server.data / "key.pem", "IP:127.0.0.1")
    (server.data / "key.pem").chmod(0o600)
    with server:
        server.tokens = server.deploy("kettle", LAYOUT, NEW, size="200k")
        yield server


@pytest.fixture
def start(aloft, tmp_path, deployed):
    """Start a module on its old version that knows no server but a closed port; joined, echo off."""
    image = deployed.make_image(LAYOUT, OLD, "100k")
    running = []

    def _start(*options):
        module = VirtualModule(aloft, tmp_path, layout=LAYOUT, app=image, ap=AP, ota=1, ota_tls=1, options=options)
        running.append(module)
        module.start()
        module.read_until(READY)
        module.command("ATE0")
        module.join(*AP)
        return module

    yield _start
    for module in running:
        module.stop()


@pytest.fixture
def module(start):
    return start()


@pytest.fixture
def pointed(module, deployed):
    """The same, pointed at the server by AT+CIUPDATECFG."""
    assert module.command(line_of(deployed)) == OK
    return module


def line_of(server, host="127.0.0.1"):
    return (f'AT+CIUPDATECFG="{host}",{server.modules_port},{server.modules_tls_port},"{server.tokens[0]}",'
            f'"{server.tokens[1]}"')


def upgrade(module, mode):
    module.write(f"AT+CIUPDATE={mode}\r\n".encode())
    return module.read_until(READY, ERROR)


def store_ca(module, pem):
    module.write(f"AT+UPDATETLS=1,{len(pem)}\r\n".encode())
    assert module.read_until(b">") == OK + b"\r\n>"
    module.write(pem)
    return module.read_until(OK, ERROR)


def assert_refused_before_any_request(module, server):
    """The server was not trusted: it got no request at all, and the flash is as it was. Contacts are written down a
    little later but in order, so one over plain TCP shows that there was none before it."""
    device, flash = module.device_id, module.flash.read_bytes()
    before = server.contacts(device)
    assert upgrade(module, 1) == b"+CIPUPDATE:1\r\n" + ERROR
    assert module.command("AT+CIPFWVER?") == ERROR
    assert module.command('AT+CIUPDATE=0,"v9.9.9.9"').endswith(ERROR)
    wait_until("the contact over plain TCP", lambda: server.contacts(device) > before)
    assert server.contacts(device) == before + 1
    assert module.flash.read_bytes()[SPARE] == flash[SPARE]


@pytest.mark.parametrize("mode", [0, 1])
def test_a_module_pointed_at_a_server_upgrades_from_it_and_proves_it(module, deployed, mode):
    device = module.device_id
    assert module.command(line_of(deployed)) == OK
    assert upgrade(module, mode) == UPGRADED
    module.wait_for_ip()  # the choice survived the restart: the proof goes to the same server
    deployed.wait_until_proven("kettle", NEW, device)
    module.command("ATE0")
    assert module.version() == NEW
    assert module.command("AT+CIUPDATECFG?") == line_of(deployed).replace("AT", "", 1).replace("=", ":").encode() + b"\r\n" + OK
    log = module.log.read_text()
    assert deployed.tokens[0] not in log and deployed.tokens[1] not in log


def test_restore_forgets_server_and_trust(pointed, authorities):
    assert store_ca(pointed, authorities[0].pem) == OK
    pointed.write(b"AT+RESTORE\r\n")
    pointed.read_until(READY)
    pointed.command("ATE0")
    assert pointed.command("AT+CIUPDATECFG?") == b'+CIUPDATECFG:"127.0.0.1",1,1,"",""\r\n' + OK
    assert pointed.command("AT+UPDATETLS?") == b'+UPDATETLS:0,"",0,""\r\n' + OK


def test_row_11_without_trust_any_certificate_will_do_and_the_log_warns(pointed):
    assert upgrade(pointed, 1) == UPGRADED
    assert "tls.unverified" in pointed.log.read_text()


def test_row_11_the_right_ca_upgrades(pointed, authorities):
    pem = authorities[0].pem
    assert store_ca(pointed, pem) == OK
    wanted = f'+UPDATETLS:1,"",{len(pem)},"{hashlib.sha256(pem).hexdigest()}"\r\n'.encode()
    assert pointed.command("AT+UPDATETLS?") == wanted + OK
    assert upgrade(pointed, 1) == UPGRADED
    assert "tls.unverified" not in pointed.log.read_text()


def test_row_11_one_right_ca_among_several_upgrades(pointed, authorities):
    assert store_ca(pointed, authorities[1].pem + b"and the one that counts\n" + authorities[0].pem) == OK
    assert upgrade(pointed, 1) == UPGRADED


def test_row_11_the_wrong_ca_gets_no_request(pointed, deployed, authorities):
    assert store_ca(pointed, authorities[1].pem) == OK
    assert_refused_before_any_request(pointed, deployed)


def test_row_11_a_certificate_for_another_host_gets_no_request(module, deployed, authorities):
    """The server's certificate is for 127.0.0.1; localhost leads to the same place."""
    assert module.command(line_of(deployed, host="localhost")) == OK
    assert store_ca(module, authorities[0].pem) == OK
    assert_refused_before_any_request(module, deployed)


def test_row_11_the_right_pin_upgrades_whatever_the_name(module, deployed):
    assert module.command(line_of(deployed, host="localhost")) == OK
    assert module.command(f'AT+UPDATETLS=2,"{pin_of(deployed.data / "cert.pem")}"') == OK
    assert upgrade(module, 1) == UPGRADED


def test_row_11_the_wrong_pin_gets_no_request(pointed, deployed, authorities):
    assert pointed.command(f'AT+UPDATETLS=2,"{pin_of(authorities[1].cert)}"') == OK
    assert_refused_before_any_request(pointed, deployed)


def test_trust_holds_after_a_restart(pointed, deployed, authorities):
    assert store_ca(pointed, authorities[1].pem) == OK
    pointed.write(b"AT+RST\r\n")
    pointed.read_until(READY)
    pointed.wait_for_ip()
    pointed.command("ATE0")
    assert_refused_before_any_request(pointed, deployed)


def test_a_private_key_is_not_taken_for_a_ca(pointed, authorities):
    assert store_ca(pointed, authorities[0].key.read_bytes()) == ERROR
    assert pointed.command("AT+UPDATETLS?") == b'+UPDATETLS:0,"",0,""\r\n' + OK


# -- AT+USEROTA with https ---------------------------------------------------------------------------------------------

def userota(module, server, host):
    """The file of the server as AT+USEROTA gets it; all bytes from the prompt to the end."""
    url = f"https://{host}:{server.port}/new.bin".encode()
    module.write(f"AT+USEROTA={len(url)}\r\n".encode())
    assert module.read_until(b">") == OK + b"\r\n>"
    module.write(url)
    answer = module.read_until(READY, ERROR)
    return answer.removeprefix(b"\r\nRecv %d bytes\r\n" % len(url))


@pytest.fixture
def web(deployed, tmp_path):
    """An https server with the certificate of the update server and one image; counts its requests."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(deployed.data / "cert.pem", deployed.data / "key.pem")
    folder = tmp_path / "www"
    folder.mkdir()
    (folder / "new.bin").write_bytes(deployed.make_image(LAYOUT, NEW, "200k").read_bytes())
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), lambda *words: Files(*words, directory=str(folder))) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        server.n_requests, server.port = 0, server.server_port
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


class Files(http.server.SimpleHTTPRequestHandler):
    def log_request(self, *_):
        self.server.n_requests += 1


@pytest.mark.parametrize("host, which", [("127.0.0.1", 0), ("127.0.0.1", 1), ("localhost", 0)])
def test_row_28_userota_asks_only_a_server_of_the_ca_with_the_right_name(module, authorities, web, host, which):
    is_right = (host, which) == ("127.0.0.1", 0)
    assert store_ca(module, authorities[which].pem) == OK
    assert userota(module, web, host) == (OK + READY if is_right else ERROR)
    assert web.n_requests == (1 if is_right else 0)


@pytest.mark.parametrize("is_right", [True, False])
def test_row_28_userota_asks_only_the_server_with_the_pin(module, deployed, authorities, web, is_right):
    cert = deployed.data / "cert.pem" if is_right else authorities[0].cert
    assert module.command(f'AT+UPDATETLS=2,"{pin_of(cert)}"') == OK
    assert userota(module, web, "localhost") == (OK + READY if is_right else ERROR)
    assert web.n_requests == (1 if is_right else 0)


def test_row_28_without_trust_userota_takes_any_server_and_the_log_warns(module, web):
    assert userota(module, web, "localhost") == OK + READY
    assert "tls.unverified" in module.log.read_text()


# -- compiled in -------------------------------------------------------------------------------------------------------

def test_a_compiled_in_ca_holds_until_the_host_mcu_stores_another_trust(start, deployed, authorities):
    module = start("--ca", str(authorities[1].cert))
    module.command(line_of(deployed))
    assert_refused_before_any_request(module, deployed)
    assert module.command("AT+UPDATETLS=1") == OK  # the same CA, now by the setting
    assert_refused_before_any_request(module, deployed)
    assert store_ca(module, authorities[0].pem) == OK
    assert upgrade(module, 1) == UPGRADED


def test_a_fixed_ca_is_the_only_one_that_counts(start, deployed, authorities):
    module = start()
    assert store_ca(module, authorities[1].pem) == OK
    module.stop()
    module = start("--ca", str(authorities[0].cert), "--fixed-trust")
    assert module.command("AT+UPDATETLS=0") == ERROR
    assert module.command(line_of(deployed)) == OK
    assert upgrade(module, 1) == UPGRADED


def test_the_server_tells_its_pin_at_start_and_it_can_be_compiled_in(start, deployed):
    pin = pin_of(deployed.data / "cert.pem")
    assert f"\n                    {pin}\n" in deployed.log.read_text()
    module = start("--pin", pin)
    assert module.command("AT+UPDATETLS?") == f'+UPDATETLS:2,"{pin}",0,""\r\n'.encode() + OK
    assert module.command(line_of(deployed)) == OK
    assert upgrade(module, 1) == UPGRADED


@pytest.mark.parametrize("options, sentence", [
    (("--pin", "00"), "--pin is not 64 hex digits"),
    (("--pin", "0" * 65), "--pin is not 64 hex digits"),
    (("--pin", "g" * 64), "--pin is not 64 hex digits"),
    (("--ca", "/nonexistent"), "/nonexistent"),
    (("--ca", "APP"), "--ca: "),
    (("--ca", "APP", "--pin", "0" * 64), "exclude each other"),
])
def test_an_option_that_names_no_trust_is_refused(aloft, tmp_path, deployed, options, sentence):
    image = str(deployed.make_image(LAYOUT, OLD, "100k"))
    words = [image if word == "APP" else word for word in options]
    done = subprocess.run([aloft, "module", "--flash", str(tmp_path / "m.bin"), "--app", image, *words], text=True,
                          stdin=subprocess.DEVNULL, capture_output=True, timeout=30, check=False)
    assert done.returncode in (1, 2)
    assert sentence in done.stderr
    assert not (tmp_path / "m.bin").exists()
