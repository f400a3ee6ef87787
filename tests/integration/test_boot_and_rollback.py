# SPDX-License-Identifier: Apache-2.0
"""What a new image must do before it is kept, the ways back, and anti-rollback: a virtual module and a real server, and the
second reader's judgement of flash and eFuse."""

import http.server
import json
import pathlib
import re
import socket
import subprocess
import threading

import pytest

import app_image
import esp_formats as esp
from flash_reader import boot_flash, booted_version, efuse_version
from server import Server, wait_until
from virtual_module import VirtualModule

OLD, NEW = "v1.0.0.0", "v1.1.0.0"
LAYOUT = "esp32c3_default"
OTA_0, OTA_1, OTADATA = 0x60000, 0x230000, 0xD000
READY = b"\r\nready\r\n"
FORCED = b"\r\nWill force to restart!!!\r\n"
AP, OTHER_AP = ("bench", "12345678"), ("elsewhere", "12345678")
PRODUCT = "trial"


@pytest.fixture(scope="module")
def deployed(aloft, tmp_path_factory):
    """A server with NEW as the current ROM, and beside it `v2.0.0.0-sv1` to `-sv3` of these secure versions."""
    with Server(aloft, tmp_path_factory.mktemp("serve")) as server:
        tokens = server.deploy(PRODUCT, LAYOUT, NEW, size="200k")
        for secure in (1, 2, 3):
            version = f"v2.0.0.0-sv{secure}"
            image = server.make_image(LAYOUT, version, "200k", secure_version=secure)
            server.cli("rom", "deploy", "--product", PRODUCT, "--version", version, str(image))
        yield server, tokens


@pytest.fixture
def start(aloft, tmp_path, deployed):
    """Start a module on `flash.bin` (made from `app` the first time), wait for `ready`; all end with the test."""
    server, tokens = deployed
    running = []

    def _start(*options, app=None, ota=None, ap=AP):
        app = app or server.make_image(LAYOUT, OLD, "200k")
        module = VirtualModule(aloft, tmp_path, layout=LAYOUT, app=app, ap=ap, tokens=tokens, ota=ota or server.modules_port,
                               ota_tls=server.modules_tls_port, options=options)
        running.append(module)
        module.start()
        module.read_until(READY)
        module.command("ATE0")
        return module

    yield _start
    for module in running:
        module.stop()


@pytest.fixture
def dead_port():
    """A port nobody listens on: connections are refused."""
    with socket.socket() as keeper:
        keeper.bind(("127.0.0.1", 0))
        yield keeper.getsockname()[1]


class Recorder(http.server.BaseHTTPRequestHandler):
    """Refuses everything and keeps what the module said of itself."""

    said = []

    def do_GET(self):  # pylint: disable=invalid-name
        self.said.append({name: value for name, value in self.headers.items() if name.startswith("Aloft-")})
        self.send_error(404)

    def log_message(self, *_):
        pass


@pytest.fixture
def recorder():
    """A server that is not ours; its port."""
    Recorder.said = []
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Recorder) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


def upgrade(module, version=NEW):
    """AT+CIUPDATE up to the `ready` of the new image."""
    module.command("ATE0")
    module.write(f'AT+CIUPDATE=0,"{version}"\r\n'.encode())
    module.read_until(b"\r\nOK\r\n")
    module.read_until(READY)
    module.command("ATE0")
    assert module.version() == version


def select_new(module, version=NEW):
    """An upgrade without its restart; the process ends, so that the next start may find another world."""
    module.write(f'AT+CIUPDATE=0,"{version}",,1\r\n'.encode())
    module.read_until(b"+CIPUPDATE:4\r\n")
    module.stop()


def entries(module):
    """Both otadata entries as (seq, state), None for a blank one."""
    flash = module.flash.read_bytes()
    found = [esp.Entry.parse(flash[at:at + 32]) for at in (OTADATA, OTADATA + 0x1000)]
    return [None if entry.seq == esp.BLANK_SEQ else (entry.seq, entry.state) for entry in found]


def boots(module):
    """(slot, version, reason) of every boot the log names."""
    return re.findall(r'boot slot=(\S+) version="([^"]*)" reason=(\S+)', module.log.read_text())


# -- AT+SYSROLLBACK ----------------------------------------------------------------------------------------------------

def test_sysrollback_goes_back_and_forth(start):
    module = start()
    assert module.command("AT+SYSROLLBACK?") == \
        b'+SYSROLLBACK:0x60000,"' + OLD.encode() + b'",0x230000,""\r\n\r\nOK\r\n'
    assert module.command("AT+SYSROLLBACK") == b"\r\nERROR\r\n"  # nothing there yet
    module.join(*AP)
    upgrade(module)
    assert module.command("AT+SYSROLLBACK?").endswith(
        f'+SYSROLLBACK:0x230000,"{NEW}",0x60000,"{OLD}"\r\n\r\nOK\r\n'.encode())
    for version in (OLD, NEW, OLD):
        module.write(b"AT+SYSROLLBACK\r\n")
        assert module.read_until(READY).endswith(b"\r\nOK\r\n" + READY)
        module.command("ATE0")
        assert module.version() == version
    assert entries(module) == [(5, esp.VALID), (4, esp.VALID)]  # 1, 2, then 3, 4, 5 alternate


@pytest.mark.parametrize("layout", ["esp32-d2wd", "esp32c2-2mb-no-ota-g2"])
def test_sysrollback_without_a_second_slot_is_an_error(aloft, tmp_path, layout):
    """The one runs from the factory slot, the other from its only ota slot."""
    image = tmp_path / "one.bin"
    image.write_bytes(app_image.make(chip="esp32" if layout == "esp32-d2wd" else "esp32c2"))
    with VirtualModule(aloft, tmp_path, layout=layout, app=image) as module:
        module.read_until(READY)
        module.command("ATE0")
        assert module.command("AT+SYSROLLBACK?") == b"\r\nERROR\r\n"
        assert module.command("AT+SYSROLLBACK") == b"\r\nERROR\r\n"


def test_sysrollback_refuses_a_damaged_image_and_stays(start):
    module = start()
    module.join(*AP)
    upgrade(module)
    before = entries(module)
    module.stop()
    flash = bytearray(module.flash.read_bytes())
    flash[OTA_0 + 100000] ^= 1
    module.flash.write_bytes(flash)
    module = start()
    assert module.command("AT+SYSROLLBACK").endswith(b"\r\nERROR\r\n")
    module.write(b"AT+RST\r\n")
    module.read_until(READY)
    assert module.version() == NEW
    assert entries(module) == before


def test_sysrollback_on_trial_brings_back_an_image_that_stays(start):
    """The image on trial stands in ota_0, where the boot loader would look first once no entry is valid."""
    third = "v2.0.0.0-sv1"
    module = start()
    module.join(*AP)
    upgrade(module)
    module.wait_for_ip()
    select_new(module, third)
    module = start("--confirm", "network", ap=OTHER_AP)
    assert module.version() == third
    assert module.command("AT+SYSROLLBACK").endswith(b"\r\nOK\r\n")
    module.read_until(READY)
    module.command("ATE0")
    assert module.version() == NEW
    assert entries(module) == [(3, esp.INVALID), (2, esp.VALID)]
    assert boots(module)[-1] == ("ota_1", NEW, "rollback")
    module.kill()  # a power cut before anything could be confirmed
    module = start("--confirm", "network", ap=OTHER_AP)
    assert module.version() == NEW


# -- rollback ----------------------------------------------------------------------------------------------------------

def test_an_image_killed_before_it_is_confirmed_is_rolled_back_every_time(start):
    """A kill is a power cut: the new image never reaches what it must, here the network, which is gone behind the upgrade."""
    module = start("--confirm", "network")
    module.join(*AP)
    for attempt in (1, 2):
        select_new(module)
        module = start("--confirm", "network", ap=OTHER_AP)
        assert module.version() == NEW
        assert [state for _, state in entries(module)].count(esp.PENDING) == 1
        assert booted_version(module.flash.read_bytes()) == OLD
        module.kill()
        module = start("--confirm", "network")
        module.wait_for_ip()
        assert module.version() == OLD
        assert [reason for _, _, reason in boots(module)].count("rollback") == attempt
        assert [state for _, state in entries(module)].count(esp.ABORTED) == 1


def test_a_killed_boot_loader_leaves_a_pending_image_that_is_rolled_back(start):
    """As if the power went between the boot loader and `ready`, twice: facts/esp-formats.md 8.2, row 15."""
    module = start()
    module.join(*AP)
    upgrade(module)
    module.stop()
    for _ in range(2):
        flash = bytearray(module.flash.read_bytes())
        flash[OTADATA:OTADATA + 32] = esp.Entry.make(1, esp.VALID).encode()
        flash[OTADATA + 0x1000:OTADATA + 0x1020] = esp.Entry.make(2, esp.PENDING).encode()
        module.flash.write_bytes(flash)
        version, after, _ = boot_flash(bytes(flash))
        assert version == OLD
        module = start()
        assert module.version() == OLD
        assert entries(module) == [(entry.seq, entry.state) for entry in after]
        assert boots(module)[-1] == ("ota_0", OLD, "rollback")
        module.stop()


# -- confirm policy ----------------------------------------------------------------------------------------------------

def test_ready_is_enough_by_default(start):
    module = start()
    module.join(*AP)
    upgrade(module)
    assert entries(module) == [(1, esp.VALID), (2, esp.VALID)]


def test_network_confirms_once_the_station_has_an_address(start):
    module = start("--confirm", "network")
    module.join(*AP)
    upgrade(module)
    wait_until("the confirmation", lambda: entries(module) == [(1, esp.VALID), (2, esp.VALID)])
    module.write(b"AT+RST\r\n")
    module.read_until(READY)
    assert module.version() == NEW


def test_network_that_never_comes_leads_back_after_the_limit(start, recorder):
    options = ("--confirm", "network", "--confirm-limit", "5")
    module = start(*options)
    module.join(*AP)
    select_new(module)
    module = start(*options, ap=OTHER_AP, ota=recorder)
    assert module.version() == NEW
    assert module.command("AT+CIUPDATE").endswith(b"\r\nERROR\r\n")  # not while it is on trial
    assert module.read_until(READY).endswith(FORCED + READY)
    module.command("ATE0")
    assert module.version() == OLD
    assert entries(module) == [(1, esp.VALID), (2, esp.INVALID)]
    assert boots(module)[-1] == ("ota_0", OLD, "rollback")
    module.join(*OTHER_AP)  # now the image before reports itself
    wait_until("the server to hear of it", lambda: Recorder.said)
    assert Recorder.said[0]["Aloft-Version"] == OLD
    assert Recorder.said[0]["Aloft-Boot"] == "rollback"


def test_server_confirms_once_it_answered(start, deployed):
    server, _ = deployed
    module = start("--confirm", "server")
    module.join(*AP)
    device = module.device_id
    upgrade(module)
    wait_until("the confirmation", lambda: entries(module) == [(1, esp.VALID), (2, esp.VALID)])
    server.wait_until_proven(PRODUCT, NEW, device)
    module.kill()
    assert start("--confirm", "server").version() == NEW


def test_server_that_is_gone_leads_back_after_the_limit(start, dead_port):
    """The server is there for the upgrade and not behind it: the module is started anew on another port meanwhile."""
    options = ("--confirm", "server", "--confirm-limit", "5")
    module = start(*options)
    module.join(*AP)
    select_new(module)
    module = start(*options, ota=dead_port)
    assert module.version() == NEW
    assert entries(module) == [(1, esp.VALID), (2, esp.PENDING)]
    assert module.read_until(FORCED, seconds=60).endswith(FORCED)
    module.read_until(READY)
    assert module.version() == OLD
    assert entries(module) == [(1, esp.VALID), (2, esp.INVALID)]
    assert booted_version(module.flash.read_bytes()) == OLD


def test_an_image_without_a_way_back_goes_on(start, dead_port):
    """The old image is damaged: better one that cannot reach its server than none."""
    options = ("--confirm", "server", "--confirm-limit", "1")
    module = start(*options)
    module.join(*AP)
    select_new(module)
    flash = bytearray(module.flash.read_bytes())
    flash[OTA_0 + 5000] ^= 1
    module.flash.write_bytes(flash)
    module = start(*options, ota=dead_port)
    wait_until("two limits to pass", lambda: module.log.read_text().count("boot.reject_failed err=STATE") >= 2)
    assert module.version() == NEW
    assert entries(module) == [(1, esp.VALID), (2, esp.PENDING)]


@pytest.mark.parametrize("words", [["--confirm", "later"], ["--confirm-limit", "0"], ["--confirm-limit", "1h"],
                                   ["--confirm-limit", "1000000"], ["--confirm-limit", "-1"]])
def test_other_policies_and_limits_are_usage_errors(aloft, tmp_path, words):
    done = subprocess.run([aloft, "module", "--flash", str(tmp_path / "flash.bin"), *words], capture_output=True, text=True,
                          timeout=30, check=False)
    assert done.returncode == 2
    assert words[0] in done.stderr


# -- anti-rollback -----------------------------------------------------------------------------------------------------

def burnt(module):
    return pathlib.Path(f"{module.flash}.efuse").read_text()


def test_without_the_option_there_is_no_efuse_and_no_refusal(start, deployed):
    server, _ = deployed
    module = start(app=server.make_image(LAYOUT, OLD, "200k", secure_version=3))
    assert not pathlib.Path(f"{module.flash}.efuse").exists()
    module.join(*AP)
    upgrade(module, "v2.0.0.0-sv1")


def test_an_older_secure_version_is_refused_and_the_old_image_goes_on(start, deployed):
    server, _ = deployed
    module = start("--anti-rollback", app=server.make_image(LAYOUT, OLD, "200k", secure_version=2))
    assert burnt(module) == "secure_version_bits=00000003\n"  # initial contents
    module.join(*AP)
    assert module.command('AT+CIUPDATE=0,"v2.0.0.0-sv1"') == b"+CIPUPDATE:1\r\n\r\nERROR\r\n"
    assert 'boot.select error="the image in ota_1 has secure version 1, this device takes 2 and up; the slot was erased"' \
        in module.log.read_text()
    assert set(module.flash.read_bytes()[OTA_1:OTA_1 + 0x1D0000]) == {0xFF}
    module.write(b"AT+RST\r\n")
    module.read_until(READY)
    assert module.version() == OLD
    assert boots(module)[-1] == ("ota_0", OLD, "restart")


def test_a_newer_secure_version_is_burnt_when_confirmed_and_closes_the_way_back(start, deployed):
    server, _ = deployed
    module = start("--anti-rollback", app=server.make_image(LAYOUT, OLD, "200k", secure_version=1))
    module.join(*AP)
    upgrade(module, "v2.0.0.0-sv3")
    assert burnt(module) == "secure_version_bits=00000007\n"
    assert "efuse.burnt bits=00000007" in module.log.read_text()
    module.stop()
    module = start()  # the option is remembered
    assert module.command("AT+SYSROLLBACK") == b"\r\nERROR\r\n"
    assert set(module.flash.read_bytes()[OTA_0:OTA_0 + 0x1D0000]) == {0xFF}
    assert module.version() == "v2.0.0.0-sv3"


def test_an_image_on_trial_burns_nothing(start, deployed):
    server, _ = deployed
    module = start("--anti-rollback", "--confirm", "network", app=server.make_image(LAYOUT, OLD, "200k", secure_version=1))
    module.join(*AP)
    select_new(module, "v2.0.0.0-sv2")
    module = start("--confirm", "network", ap=OTHER_AP)
    assert module.version() == "v2.0.0.0-sv2"
    assert burnt(module) == "secure_version_bits=00000001\n"
    module.kill()
    module = start("--confirm", "network")
    assert module.version() == OLD
    assert burnt(module) == "secure_version_bits=00000001\n"


def test_the_second_reader_agrees_on_what_the_efuse_lets_boot(start, deployed):
    """Both slots hold whole images; eFuse values from below both to above both."""
    server, _ = deployed
    module = start("--anti-rollback", app=server.make_image(LAYOUT, OLD, "200k", secure_version=1))
    module.join(*AP)
    upgrade(module, "v2.0.0.0-sv3")
    module.stop()
    whole, seen = module.flash.read_bytes(), []
    for seq in (1, 3):  # of ota_0; ota_1 has 2
        for bits in (0x0, 0x1, 0x3, 0x5, 0x7, 0xF):
            flash = bytearray(whole)
            flash[OTADATA:OTADATA + 32] = esp.Entry.make(seq, esp.VALID).encode()
            flash[OTADATA + 0x1000:OTADATA + 0x1020] = esp.Entry.make(2, esp.VALID).encode()
            module.flash.write_bytes(flash)
            pathlib.Path(f"{module.flash}.efuse").write_text(f"secure_version_bits={bits:08x}\n")
            wanted, after, efuse = boot_flash(bytes(flash), efuse=efuse_version(module.flash))
            if wanted is None:
                before = module.log.read_text().count("boot.failed")
                module.start()
                wait_until("the failed boot", lambda n=before: module.log.read_text().count("boot.failed") > n)
            else:
                module = start()
                assert module.version() == wanted
            module.stop()
            assert entries(module) == [(entry.seq, entry.state) for entry in after]
            assert efuse_version(module.flash) == efuse
            seen.append(wanted)
    assert set(seen) == {OLD, "v2.0.0.0-sv3", None}


def test_a_broken_efuse_file_stops_with_a_sentence(start, aloft):
    module = start("--anti-rollback")
    module.stop()
    pathlib.Path(f"{module.flash}.efuse").write_text("burnt\n")
    done = subprocess.run([aloft, "module", "--flash", str(module.flash)], stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, timeout=30, check=False)
    assert done.returncode == 1
    assert ".efuse' is not 'secure_version_bits='" in done.stderr


def test_a_flash_made_anew_has_new_efuses(start):
    module = start("--anti-rollback")
    module.stop()
    module.flash.unlink()
    module = start()
    assert not pathlib.Path(f"{module.flash}.efuse").exists()


def test_image_make_puts_the_secure_version_where_image_info_reads_it(aloft, deployed, tmp_path):
    server, _ = deployed
    image = server.make_image(LAYOUT, "v3.0.0.0", "200k", secure_version=7)
    done = subprocess.run([aloft, "image", "info", "--json", str(image)], capture_output=True, text=True, timeout=30,
                          check=True)
    assert json.loads(done.stdout)["secure_version"] == 7
    assert image.read_bytes()[0x24:0x28] == bytes([7, 0, 0, 0])
    for wrong in ("17", "-1", "1k", ""):  # the C3's eFuse has 16 bits
        done = subprocess.run([aloft, "image", "make", "--chip", "esp32c3", "--version", "v1", f"--secure-version={wrong}",
                               "-o", str(tmp_path / "x.bin")], capture_output=True, text=True, timeout=30, check=False)
        assert done.returncode == 2
