# SPDX-License-Identifier: Apache-2.0
"""AT+CIUPDATECFG and AT+UPDATETLS on a virtual module, against `aloft serve` with a certificate of a CA of its own."""

import hashlib

import pytest

from certificates import Authority, pin_of
from server import Server
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
def module(aloft, tmp_path, deployed):
    """A module that knows no server but a closed port; joined, echo off, on its old version."""
    image = deployed.make_image(LAYOUT, OLD, "100k")
    with VirtualModule(aloft, tmp_path, layout=LAYOUT, app=image, ap=AP, ota=1, ota_tls=1) as module:
        module.read_until(READY)
        module.command("ATE0")
        module.join(*AP)
        yield module


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
    """The server was not trusted: it got no request at all, and the flash is as it was."""
    contacts, flash = server.contacts(), module.flash.read_bytes()
    assert upgrade(module, 1) == b"+CIPUPDATE:1\r\n" + ERROR
    assert module.command("AT+CIPFWVER?") == ERROR
    assert server.contacts() == contacts
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
