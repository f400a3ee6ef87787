# SPDX-License-Identifier: Apache-2.0
"""The contract list of facts/at-commands.md section 8 over a PTY, against a real server; the numbers are its items."""

import pytest

from server import Server
from virtual_module import VirtualModule

OLD, NEW = "v1.0.0.0", "v1.1.0.0"
LAYOUT = "esp32c3_default"
AP = ("bench", "12345678")


@pytest.fixture(scope="module")
def deployed(aloft, tmp_path_factory):
    with Server(aloft, tmp_path_factory.mktemp("serve")) as server:
        tokens = server.deploy("contract", LAYOUT, NEW, size="300k")
        yield server, tokens


@pytest.fixture
def module(aloft, tmp_path, deployed):
    """A module on a PTY, joined to the air, on its old version."""
    server, tokens = deployed
    image = server.make_image(LAYOUT, OLD, "200k")
    with VirtualModule(aloft, tmp_path, layout=LAYOUT, app=image, uart="pty", ap=AP, tokens=tokens,
                       ota=server.modules_port, ota_tls=server.modules_tls_port) as module:
        module.read_until(b"\r\nready\r\n")
        yield module


@pytest.fixture
def joined(module):
    module.command("ATE0")
    module.join(*AP)
    return module


def bin_version(module):
    return module.command("AT+GMR").split(b"Bin version:")[1].split(b"(")[0].decode()


def test_1_at_gives_ten_bytes_with_echo_and_six_without(module):
    module.write(b"AT\r\n")
    assert module.read_exactly(10) == b"AT\r\n\r\nOK\r\n"
    module.command("ATE0")
    module.write(b"AT\r\n")
    assert module.read_exactly(6) == b"\r\nOK\r\n"
    assert module.is_quiet()


def test_2_a_restart_emits_exactly_nine_bytes(module):
    module.command("ATE0")
    module.write(b"AT+RST\r\n")
    assert module.read_until(b"ready\r\n") == b"\r\nOK\r\n" + b"\r\nready\r\n"
    assert module.is_quiet()


@pytest.mark.parametrize("line", [
    "AT+CIUPDATE=2", "AT+CIUPDATE=", 'AT+CIUPDATE=0,"%s"' % ("v" * 65), "AT+CIUPDATE=0,,,", "AT+CIUPDATE=0,,,2",
    "AT+CIUPDATE=0,,,0,1", 'AT+CIUPDATE=0,"v","ota",', "AT+CIUPDATE=?"])
def test_5_wrong_parameters_are_errors_without_traffic(joined, deployed, line):
    server, _ = deployed
    device = joined.device_id
    before = server.contacts(device)
    joined.write(line.encode() + b"\r\n")
    assert joined.read_until(b"ERROR\r\n") == b"\r\nERROR\r\n"
    assert joined.command("AT+CIUPDATE?") == b"+CIUPDATE:0\r\n\r\nOK\r\n"
    assert server.contacts(device) == before


# Stock erases for these and then fails (facts 2.2, 5.4, defects 1 and 18).
@pytest.mark.parametrize("name", ["mfg_nvs", "fs_storage", "otadata", "ota_1", "nothing"])
def test_names_other_than_ota_fail_without_traffic_and_without_erase(joined, deployed, name):
    server, _ = deployed
    device = joined.device_id
    before = server.contacts(device), joined.flash.read_bytes()
    joined.write(b'AT+CIUPDATE=0,"v","%s"\r\n' % name.encode())
    assert joined.read_until(b"ERROR\r\n") == b"\r\nERROR\r\n"
    assert joined.command("AT+CIUPDATE?") == b"+CIUPDATE:-1\r\n\r\nOK\r\n"
    assert (server.contacts(device), joined.flash.read_bytes()) == before


@pytest.mark.parametrize("mode", [0, 1])
def test_6_a_named_version_prints_1_and_4_then_ok_and_restarts(joined, mode):
    joined.write(b'AT+CIUPDATE=%d,"%s","ota"\r\n' % (mode, NEW.encode()))
    answer = joined.read_until(b"ready\r\n")
    assert answer == b"+CIPUPDATE:1\r\n+CIPUPDATE:4\r\n\r\nOK\r\n\r\nready\r\n"
    joined.command("ATE0")
    assert bin_version(joined) == NEW


@pytest.mark.parametrize("line", ["AT+CIUPDATE", "AT+CIUPDATE=0", "AT+CIUPDATE=1", "AT+CIUPDATE=1,", 'AT+CIUPDATE=0,""'])
def test_6_without_a_version_it_prints_1_to_4(joined, line):
    joined.write(line.encode() + b"\r\n")
    answer = joined.read_until(b"ready\r\n")
    assert answer == (b"+CIPUPDATE:1\r\n+CIPUPDATE:2\r\n+CIPUPDATE:3\r\n+CIPUPDATE:4\r\n"
                      b"\r\nOK\r\n\r\nready\r\n")
    joined.command("ATE0")
    assert bin_version(joined) == NEW


def test_7_a_nonblocking_failure_ends_in_minus_1_and_the_port_stays_usable(joined):
    joined.write(b'AT+CIUPDATE=0,"v9.9.9","ota",1\r\n')
    assert joined.read_until(b"OK\r\n").endswith(b"\r\nOK\r\n")
    joined.read_until(b"+CIPUPDATE:-1\r\n")
    assert joined.command("AT+CIUPDATE?") == b"+CIUPDATE:-1\r\n\r\nOK\r\n"
    assert joined.command("AT") == b"\r\nOK\r\n"
    assert bin_version(joined) == OLD


def test_7_a_nonblocking_success_never_restarts_by_itself(joined):
    joined.write(b"AT+CIUPDATE=0,,,1\r\n")
    joined.read_until(b"+CIPUPDATE:4\r\n")
    assert bin_version(joined) == OLD
    joined.write(b"AT+RST\r\n")
    joined.read_until(b"ready\r\n")
    joined.command("ATE0")
    assert bin_version(joined) == NEW


def test_cipfwver_lists_what_the_server_has(joined):
    assert joined.command("AT+CIPFWVER?") == b'+CIPFWVER:"%s"\r\n\r\nOK\r\n' % NEW.encode()


def test_the_server_learns_that_the_new_version_runs(joined, deployed):
    server, _ = deployed
    joined.write(b"AT+CIUPDATE\r\n")
    joined.read_until(b"ready\r\n")
    server.wait_until_proven("contract", NEW, joined.device_id)


def test_11_a_blocking_update_answers_busy_and_at_rst_forces_a_restart(joined, deployed):
    server, _ = deployed
    with server.stalling_proxy(after_bytes=2000) as proxy:
        joined.restart_with(ota=proxy.port)
        joined.command("ATE0")
        joined.wait_for_ip()
        joined.write(b"AT+CIUPDATE\r\n")
        joined.read_until(b"+CIPUPDATE:3\r\n")
        joined.write(b"AT\r\n")
        assert joined.read_until(b"...\r\n") == b"\r\nbusy p...\r\n"
        joined.write(b"AT+RST\r\n")
        assert joined.read_until(b"ready\r\n") == b"\r\nWill force to restart!!!\r\n\r\nready\r\n"
    joined.command("ATE0")
    assert bin_version(joined) == OLD
