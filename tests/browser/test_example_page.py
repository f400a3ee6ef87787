# SPDX-License-Identifier: Apache-2.0
"""The page of module/examples/custom_page.c, on its own virtual module."""

import pathlib
import socket

import pytest

import app_image
from virtual_module import VirtualModule


@pytest.fixture
def page(aloft, tmp_path, browser):
    """The page in the browser, and its module."""
    (tmp_path / "app.bin").write_bytes(app_image.make(version="v1.0.0"))
    program = str(pathlib.Path(aloft).parent / "module" / "examples" / "custom_page")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with VirtualModule(aloft, tmp_path, program=program, app=tmp_path / "app.bin") as module:
        module.read_until(b"ready\r\n")
        assert module.command(f"AT+WEBSERVER=1,{port},60").endswith(b"\r\nOK\r\n")
        browser.open(f"http://127.0.0.1:{port}/")
        yield module
        browser.open("about:blank")


def test_the_page_shows_the_version_and_sends_a_firmware(page, browser, tmp_path):
    browser.wait_text("#version", "v1.0.0")
    (tmp_path / "new.bin").write_bytes(app_image.make(version="v2.0.0"))
    browser.click("#send")
    browser.wait_text("#result", "Choose a file first.")
    browser.type("#file", str(tmp_path / "new.bin"))
    browser.click("#send")
    browser.wait_text("#result", "Done. Switch the kettle off and on.")
    page.read_until(b"+WEBSERVERRSP:4\r\n")


def test_the_page_says_when_the_module_refuses(page, browser, tmp_path):
    browser.wait_text("#version", "v1.0.0")
    (tmp_path / "photo.bin").write_bytes(b"no firmware at all" * 100)
    browser.type("#file", str(tmp_path / "photo.bin"))
    browser.click("#send")
    browser.wait_text("#result", "The kettle refused this file.")
    page.read_until(b"+WEBSERVERRSP:5\r\n")
