# SPDX-License-Identifier: Apache-2.0
"""`aloft module` as a process: flash file, boot, UARTs, air, settings (facts/at-commands.md 1, 4; facts/esp-formats.md 3)."""

import http.server
import json
import os
import pathlib
import select
import signal
import subprocess
import threading

import pexpect
import pytest

import app_image
from server import wait_until
from virtual_module import VirtualModule

READY = b"\r\nready\r\n"
AP = ("bench", "12345678")
OTA_0, OTA_1, OTADATA = 0x60000, 0x230000, 0xD000  # esp32c3_default, facts/esp-formats.md 0.4
PLAIN_LAYOUTS = {"esp32_default": "esp32", "wrover-32": "esp32", "esp32-sdio": "esp32", "esp32s2_default": "esp32s2",
                 "esp32c3_default": "esp32c3", "esp32c3-spi": "esp32c3", "esp32c6_default": "esp32c6",
                 "esp32c2_default": "esp32c2", "esp32c2-4mb-g2": "esp32c2", "esp32c5_v4": "esp32c5",
                 "esp32_v3": "esp32", "esp32c3_v3": "esp32c3", "esp32c2_v3": "esp32c2"}
ONE_SLOT_LAYOUTS = {"esp32-d2wd": "esp32", "esp32c2-2mb-ble": "esp32c2", "esp32c2-2mb-no-ota-g2": "esp32c2"}


@pytest.fixture
def app(tmp_path):
    path = tmp_path / "app.bin"
    path.write_bytes(app_image.make(version="v1.0.0.0"))
    return path


@pytest.fixture
def start(aloft, tmp_path, app):
    """Start a module on the fixture's image (or an existing flash), wait for `ready`, end it with the test."""
    running = []

    def _start(**options):
        module = VirtualModule(aloft, tmp_path, **({"app": app, "ap": AP} | options))
        running.append(module)
        module.start()
        assert module.read_until(READY) == READY
        return module

    yield _start
    for module in running:
        module.stop()


def words(aloft, flash, *more):
    """Run to the end; for command lines that must fail."""
    return subprocess.run([aloft, "module", "--flash", str(flash), *map(str, more)], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=30, check=False)


def cpu_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


# -- boot --------------------------------------------------------------------------------------------------------------

def test_boot_emits_exactly_ready(start):
    assert start().is_quiet()


def test_gmr_tells_what_the_booted_image_says(start):
    answer = start().command("AT+GMR")
    assert b"SDK version:v5.4.4\r\n" in answer
    assert b":Jan  1 2025 12:34:56\r\nBin version:v1.0.0.0(MINI-1)\r\n\r\nOK\r\n" in answer


def test_an_edited_descriptor_shows_after_the_next_start(start):
    module = start()
    module.stop()
    flash = bytearray(module.flash.read_bytes())
    app_image.set_version(flash, OTA_0, "v7.7.7.7")
    module.flash.write_bytes(flash)
    assert start(app=None).version() == "v7.7.7.7"


def test_rst_boots_the_slot_otadata_selects(start):
    """A flash another tool prepared: ota_1 is NEW, the boot loader makes it pending, the module confirms it."""
    module = start()
    module.stop()
    flash = bytearray(module.flash.read_bytes())
    second = app_image.make(version="v2.0.0.0")
    flash[OTA_1:OTA_1 + len(second)] = second
    # facts/esp-formats.md 8.1: entry "seq2 NEW"
    flash[OTADATA + 0x1000:OTADATA + 0x1020] = bytes.fromhex("02000000" + "ff" * 20 + "00000000" + "7437f655")
    module.flash.write_bytes(flash)
    module = start(app=None)
    assert module.version() == "v2.0.0.0"
    assert "reason=upgrade" in module.log.read_text()
    module.write(b"AT+RST\r\n")
    module.read_until(READY)
    assert module.version() == "v2.0.0.0"
    assert module.flash.read_bytes()[OTADATA + 0x1018:OTADATA + 0x101C] == bytes.fromhex("02000000")  # VALID


def test_restart_answers_ok_then_ready(start):
    module = start()
    module.command("ATE0")
    module.write(b"AT+RST\r\n")
    assert module.read_until(READY) == b"\r\nOK\r\n" + READY
    assert module.command("AT") == b"AT\r\n\r\nOK\r\n"  # echo is back


@pytest.mark.parametrize("layout", [*PLAIN_LAYOUTS, *ONE_SLOT_LAYOUTS])
def test_every_plain_layout_boots(start, tmp_path, layout):
    path = tmp_path / "other.bin"
    path.write_bytes(app_image.make(chip=(PLAIN_LAYOUTS | ONE_SLOT_LAYOUTS)[layout]))
    assert start(app=path, layout=layout).version() == "v1.0.0.0"


def test_an_unbootable_flash_says_so_and_tries_again(start, aloft, tmp_path, app):
    module = start()
    module.stop()
    flash = bytearray(module.flash.read_bytes())
    flash[OTA_0 + 0x100] ^= 1
    module.flash.write_bytes(flash)
    broken = VirtualModule(aloft, tmp_path, flash=module.flash)
    broken.start()
    try:
        wait_until("the second try", lambda: broken.log.read_text().count("boot.failed") >= 2)
        broken.write(b"AT\r\n")
        assert broken.is_quiet()
    finally:
        broken.stop()


# -- flash file --------------------------------------------------------------------------------------------------------

def test_a_made_flash_holds_the_image_and_marks_it_valid(start, app):
    flash = start().flash.read_bytes()
    image = app.read_bytes()
    assert len(flash) == 4 << 20
    assert flash[OTA_0:OTA_0 + len(image)] == image
    assert flash[OTA_1:OTA_1 + 0x1D0000] == b"\xff" * 0x1D0000
    # facts/esp-formats.md 8.1: entry "seq1 VALID"; 8.2: the first boot writes it
    assert flash[OTADATA:OTADATA + 0x20] == bytes.fromhex("01000000" + "ff" * 20 + "02000000" + "9a984347")


def test_two_modules_cannot_share_a_flash(start, aloft):
    module = start()
    done = words(aloft, module.flash)
    assert (done.returncode, "in use by another module" in done.stderr) == (1, True), done.stderr


@pytest.mark.parametrize("more, sentence", [
    ((), "aloft image make"),
    (("--layout", "esp32c5_default", "--app", "APP"), "packed v3"),
    (("--layout", "esp33", "--app", "APP"), "unknown layout 'esp33'"),
    (("--layout", "esp32_default", "--app", "APP"), "the image is for another chip"),
    (("--app", "/nonexistent"), "/nonexistent"),
])
def test_a_flash_that_cannot_be_made_is_refused_with_a_sentence(aloft, tmp_path, app, more, sentence):
    done = words(aloft, tmp_path / "new.bin", *[app if word == "APP" else word for word in more])
    assert (done.returncode, sentence in done.stderr) == (1, True), done.stderr
    assert not (tmp_path / "new.bin").exists()


@pytest.mark.parametrize("more, sentence", [
    (("--app", "APP"), "exists already"),
    (("--layout", "esp32_default"), "was made for layout esp32c3_default"),
])
def test_an_existing_flash_is_booted_as_it_is_or_refused(start, aloft, app, more, sentence):
    module = start()
    module.stop()
    before = module.flash.read_bytes()
    done = words(aloft, module.flash, *[app if word == "APP" else word for word in more])
    assert (done.returncode, sentence in done.stderr) == (1, True), done.stderr
    assert module.flash.read_bytes() == before


@pytest.mark.parametrize("option, value", [
    ("--token", "xyz"), ("--ap", "nocolon"), ("--net-map", "a:1"), ("--mac", "01:02:03:04:05:06"), ("--mac", "0"),
    ("--ota", "host:99999"), ("--ap", "x:short"),
])
def test_a_wrong_option_is_named(aloft, tmp_path, app, option, value):
    done = words(aloft, tmp_path / "new.bin", "--app", app, option, value)
    assert done.returncode in (1, 2)
    assert option in done.stderr


def test_a_large_flash_of_another_size_is_refused(aloft, tmp_path):
    (tmp_path / "short.bin").write_bytes(b"\xff" * 4096)
    done = words(aloft, tmp_path / "short.bin")
    assert (done.returncode, "has 4096 bytes" in done.stderr) == (1, True), done.stderr


# -- UART --------------------------------------------------------------------------------------------------------------

def test_a_pty_dialogue_echoes_ten_bytes(start):
    module = start(uart="pty")
    module.write(b"AT\r\n")
    assert module.read_exactly(10) == b"AT\r\n\r\nOK\r\n"
    assert module.is_quiet()


def test_a_pty_lives_on_when_it_is_closed_and_opened_again(start):
    module = start(uart="pty")
    link = module.flash.with_name(module.flash.name + ".uart")
    for _ in range(3):
        module.disconnect()
        module._fd = os.open(link, os.O_RDWR | os.O_NOCTTY)
        assert module.command("AT") == b"AT\r\n\r\nOK\r\n"


def test_the_link_of_a_pty_goes_with_the_module(start):
    module = start(uart="pty")
    link = module.flash.with_name(module.flash.name + ".uart")
    assert link.is_symlink()
    module.stop()
    assert not link.is_symlink()


def test_a_file_in_the_place_of_the_link_is_not_replaced(aloft, tmp_path, app):
    (tmp_path / "at").write_text("mine")
    done = words(aloft, tmp_path / "new.bin", "--app", app, "--uart", f"pty:{tmp_path / 'at'}")
    assert (done.returncode, "no symbolic link" in done.stderr) == (1, True), done.stderr
    assert (tmp_path / "at").read_text() == "mine"


def test_a_new_connection_is_taken_after_one_ends(start):
    module = start()
    module.command("ATE0")
    module.connect()
    assert module.command("AT") == b"\r\nOK\r\n"  # the same module: its echo is still off


@pytest.mark.parametrize("uart", ["tcp", "pty"])
def test_no_byte_is_lost_when_the_host_reads_late(start, uart):
    """A pseudo-terminal holds 4 KB, these answers have more than 40."""
    module = start(uart=uart)
    module.command("ATE0")
    answer = module.command("AT+GMR")
    n_times = 200
    module.write(b"AT+GMR\r\n" * n_times)
    assert module.read_exactly(n_times * len(answer)) == answer * n_times
    assert module.is_quiet()


def test_stdio_answers_and_ends_with_its_input(aloft, tmp_path, app):
    done = subprocess.run([aloft, "module", "--flash", str(tmp_path / "new.bin"), "--app", str(app)],
                          input=b"AT\r\n", capture_output=True, timeout=30, check=True)
    assert done.stdout == READY + b"AT\r\n\r\nOK\r\n"


def test_a_terminal_sends_cr_lf_for_enter_and_ctrl_c_ends(aloft, tmp_path, app):
    with pexpect.spawn(aloft, ["module", "--flash", str(tmp_path / "new.bin"), "--app", str(app)], timeout=30) as person:
        person.expect_exact("ready\r\r\n")  # a terminal adds a carriage return to each line feed
        person.send("AT\r")  # the key; the terminal makes it a line feed
        person.expect_exact("AT\r\r\n\r\r\nOK\r\r\n")
        person.sendintr()
        person.expect(pexpect.EOF)
        person.close()
        assert (person.exitstatus, person.signalstatus) == (0, None)


@pytest.mark.parametrize("uart", ["tcp", "pty"])
@pytest.mark.parametrize("is_open", [True, False])
def test_an_idle_module_uses_no_cpu(start, uart, is_open):
    module = start(uart=uart)
    module.join(*AP)
    if not is_open:
        module.disconnect()
    before = cpu_seconds(module.process.pid)
    select.select([], [], [], 0.6)  # the time is what is measured
    assert cpu_seconds(module.process.pid) - before < 0.1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_ends_it_cleanly(start, number):
    module = start()
    module.process.send_signal(number)
    assert module.process.wait(30) == 0


# -- air and settings --------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("ssid, password, answer", [
    ("bench", "12345678", b"WIFI CONNECTED\r\nWIFI GOT IP\r\n\r\nOK\r\n"),
    ("bench", "87654321", b"+CWJAP:2\r\n\r\nERROR\r\n"),
    ("elsewhere", "12345678", b"+CWJAP:3\r\n\r\nERROR\r\n"),
])
def test_cwjap_answers_as_the_air_decides(start, ssid, password, answer):
    module = start()
    module.command("ATE0")
    module.command("AT+CWMODE=1")
    assert module.command(f'AT+CWJAP="{ssid}","{password}"') == answer


def test_without_ap_there_is_the_one_help_names(start):
    start(ap=None).join("aloft", "12345678")


def test_settings_survive_a_restart_and_restore_removes_them(start):
    module = start()
    module.join(*AP)
    module.stop()
    module = start(app=None)
    module.wait_for_ip()
    module.write(b"AT+RESTORE\r\n")
    module.read_until(READY)
    assert module.command("AT+CWMODE?") == b"AT+CWMODE?\r\n+CWMODE:0\r\n\r\nOK\r\n"
    assert module.is_quiet(0.3)  # it does not join
    module.command("ATE0")
    module.command("AT+CWMODE=1")
    assert module.command("AT+CWSTATE?") == b'+CWSTATE:0,""\r\n\r\nOK\r\n'  # never tried


def test_a_flash_made_anew_is_factory_new(start):
    module = start()
    module.join(*AP)
    module.stop()
    module.flash.unlink()
    module = start()
    assert module.command("AT+CWMODE?") == b"AT+CWMODE?\r\n+CWMODE:0\r\n\r\nOK\r\n"


def test_the_mac_is_made_once_and_can_be_set(start):
    module = start()
    module.join(*AP)
    made = module.device_id
    module.stop()
    module = start(app=None)
    module.wait_for_ip()
    assert module.device_id == made
    module.stop()
    module = start(app=None, mac="02:00:00:aa:bb:01")
    module.wait_for_ip()
    assert module.device_id == "020000aabb01"


def test_the_password_file_is_for_its_owner_only(start):
    module = start()
    module.join(*AP)
    assert pathlib.Path(f"{module.flash}.settings").stat().st_mode & 0o777 == 0o600


# -- upgrade -----------------------------------------------------------------------------------------------------------

class UpdateServer(http.server.BaseHTTPRequestHandler):
    """The least a module needs: the version document and one file."""

    version, image = "v2.0.0.0", b""

    def do_GET(self):  # pylint: disable=invalid-name
        body = self.image
        if "is_format_simple" in self.path:
            body = json.dumps({"recommended_rom_version": self.version, "status": 200}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture
def update_server():
    """Serves an image of 1 MB as v2.0.0.0; its port."""
    UpdateServer.image = app_image.make(version="v2.0.0.0", data_bytes=1 << 20)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), UpdateServer) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


def test_an_upgrade_restarts_into_the_new_image_and_keeps_the_uart(start, update_server):
    module = start(ota=update_server)
    module.command("ATE0")
    module.join(*AP)
    module.write(b"AT+CIUPDATE\r\n")
    steps = b"".join(b"+CIPUPDATE:%d\r\n" % n for n in (1, 2, 3, 4))
    assert module.read_until(READY) == steps + b"\r\nOK\r\n" + READY
    assert module.version() == "v2.0.0.0"
    flash = module.flash.read_bytes()
    assert flash[OTA_1:OTA_1 + len(UpdateServer.image)] == UpdateServer.image
    assert "slot=ota_1 version=\"v2.0.0.0\" reason=upgrade" in module.log.read_text()


def test_a_killed_module_leaves_a_flash_that_boots(start, update_server):
    module = start(ota=update_server)
    module.join(*AP)
    module.write(b"AT+CIUPDATE\r\n")
    module.read_until(b"+CIPUPDATE:3\r\n")
    wait_until("the first bytes of the new image", lambda: module.flash.read_bytes()[OTA_1] == 0xE9)
    module.kill()
    assert start(app=None).version() in ("v1.0.0.0", "v2.0.0.0")


@pytest.mark.parametrize("layout", ONE_SLOT_LAYOUTS)
def test_a_layout_without_ota_answers_error(start, tmp_path, update_server, layout):
    path = tmp_path / "other.bin"
    path.write_bytes(app_image.make(chip=ONE_SLOT_LAYOUTS[layout]))
    module = start(app=path, layout=layout, ota=update_server)
    module.join(*AP)
    assert module.command("AT+CIUPDATE").endswith(b"\r\nERROR\r\n")
