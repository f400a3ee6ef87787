# SPDX-License-Identifier: Apache-2.0
"""The page on virtual modules: into the Wi-Fi, a wrong file, an upgrade, the restart."""

import socket

import app_image
import pytest
import sample_files as samples
from browser import DESKTOP, PHONE
from server import wait_until
from virtual_module import VirtualModule

OLD, NEW = "v1.0.0.0", "v1.1.0.0"
LAYOUTS = {"esp32c3_default": ("esp32c3", 1856, "esp32"), "esp32_default": ("esp32", 1536, "esp32c6"),
           "esp32c6_default": ("esp32c6", 1856, "esp32c3")}  # chip, KB of the slot, a wrong chip
NAMES = {"esp32": "ESP32", "esp32c3": "ESP32-C3", "esp32c6": "ESP32-C6"}


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


@pytest.fixture(params=LAYOUTS)
def layout(request):
    return request.param


@pytest.fixture
def module(aloft, tmp_path, layout):
    """A virtual module whose page is at `url` after AT+WEBSERVER."""
    (tmp_path / "old.bin").write_bytes(app_image.make(chip=LAYOUTS[layout][0], version=OLD))
    port = free_port()
    with VirtualModule(aloft, tmp_path, layout=layout, app=tmp_path / "old.bin", ap=("Office", "correct horse"),
                       options=["--net-map", f"own:80=127.0.0.1:{port}"]) as one:
        one.url = f"http://127.0.0.1:{port}/"
        one.read_until(b"ready\r\n")
        yield one


def open_server(module, timeout_s=60):
    assert module.command("AT+CWMODE=3").endswith(b"\r\nOK\r\n")
    assert module.command(f"AT+WEBSERVER=1,80,{timeout_s}").endswith(b"\r\nOK\r\n")


def choose(browser, folder, name, content):
    (folder / name).write_bytes(content)
    browser.script("document.getElementById('file').onclick()")
    browser.find("#file").send_keys(str(folder / name))
    return wait_until("a finding", lambda: "Checking" not in browser.text("#findings") and browser.text("#findings"))


def join(browser, module):
    browser.wait_text("#aps", "Office")
    browser.click_text("#aps label", "Office")
    browser.type("#password", "correct horse")
    browser.click("#connect")
    browser.wait_text("#wifi-note", "Connected to Office")
    said = module.read_until(b"+WEBSERVERRSP:2\r\n")
    assert said.index(b"+WEBSERVERRSP:1\r\n") < said.index(b"WIFI CONNECTED\r\n") < said.index(b"WIFI GOT IP\r\n")


def refuse_wrong_files(browser, module, folder, layout):
    chip, _, other = LAYOUTS[layout]
    found = choose(browser, folder, "ota.bin", app_image.make(chip=other, version=NEW))
    assert f"this file is for {NAMES[other]}, the module is {NAMES[chip]}" in found
    assert not browser.find("#send").is_enabled()
    found = choose(browser, folder, "big.bin", app_image.make(chip=chip, version=NEW, data_bytes=0x1D1000))
    assert "Too big" in found and not browser.find("#send").is_enabled()
    for name, (content, words) in samples.WRONG.items():
        assert f"This is {words}" in choose(browser, folder, name, content)
        assert not browser.find("#send").is_enabled()
    assert module.is_quiet()  # nothing was sent: no +WEBSERVERRSP:3


@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_the_whole_story(browser, module, layout, size, tmp_path):
    chip, room, _ = LAYOUTS[layout]
    image = app_image.make(chip=chip, version=NEW, data_bytes=900000)
    browser.set_size(size)
    open_server(module)
    browser.open(module.url)
    join(browser, module)

    if browser.is_shown("#show-upgrade"):
        browser.click("#show-upgrade")
    about = browser.text("#about")
    assert OLD in about and NAMES[chip] in about and f"{room} KB" in about
    refuse_wrong_files(browser, module, tmp_path, layout)

    assert "Complete, the checksums are right" in choose(browser, tmp_path, "ota.bin", image)
    browser.click("#send")
    browser.wait_text("#upgrade-note", "It runs after a restart", seconds=60)
    assert module.read_until(b"+WEBSERVERRSP:4\r\n").endswith(b"+WEBSERVERRSP:3\r\n+WEBSERVERRSP:4\r\n")
    browser.click_text("#upgrade-note button", "Restart now")
    module.read_until(b"ready\r\n")
    open_server(module)  # the host MCU's part: nothing of the server survives a restart
    browser.wait_text("#upgrade-note", f"The module runs {NEW}", seconds=60)
    assert NEW in browser.text("#about")
    assert module.version() == NEW


@pytest.mark.parametrize("layout", ["esp32c3_default"])
def test_a_wrong_password_is_said(browser, module):
    open_server(module, timeout_s=21)  # the least there is
    browser.open(module.url)
    browser.wait_text("#aps", "Office")
    browser.click_text("#aps label", "Office")
    browser.type("#password", "wrong password")
    browser.click("#connect")
    browser.wait_text("#wifi-note", "Could not connect to Office", seconds=90)
    browser.click_text("#wifi-note button", "OK")
    module.read_until(b"+WEBSERVERRSP:2\r\n")


@pytest.mark.parametrize("label, content", [("mfg_nvs", samples.nvs_page()), ("fs_storage", b"\xeb\x3c\x90" * 300000)],
                         ids=["small", "large"])
def test_a_user_partition_is_refused_in_words(browser, module, tmp_path, label, content):
    open_server(module)
    browser.set_size(DESKTOP)
    browser.open(module.url)
    browser.wait_text("#about", OLD)
    browser.find(f"#target option[value='{label}']").click()
    choose(browser, tmp_path, "data.bin", content)
    browser.click("#send")
    browser.wait_text("#upgrade-note", "takes only firmware (ota) through the page")
    assert module.read_until(b"+WEBSERVERRSP:5\r\n").endswith(b"+WEBSERVERRSP:3\r\n+WEBSERVERRSP:5\r\n")
