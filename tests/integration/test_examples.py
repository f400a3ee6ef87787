# SPDX-License-Identifier: Apache-2.0
"""The programs of module/examples/: what an integrator adds to the library, played on a virtual module."""

import http.client
import pathlib
import re
import socket

import pytest

import app_image
from virtual_module import VirtualModule

OK, ERROR = b"\r\nOK\r\n", b"\r\nERROR\r\n"
AP = ("bench", "12345678")


@pytest.fixture
def start(aloft, tmp_path):
    """Start an example of this name and wait for `ready`; echo is off."""
    (tmp_path / "app.bin").write_bytes(app_image.make(version="v1.0.0"))
    running = []

    def _start(name, **options):
        program = pathlib.Path(aloft).parent / "module" / "examples" / name
        module = VirtualModule(aloft, tmp_path, program=str(program), app=tmp_path / "app.bin", ap=AP, **options)
        running.append(module)
        module.start()
        module.read_until(b"ready\r\n")
        module.command("ATE0")
        return module

    yield _start
    for module in running:
        module.stop()


# -- custom_command ----------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("line, wanted", [
    ("AT+PRODUCTSN?", b'+PRODUCTSN:"A1-000042"\r\n' + OK),
    ("AT+PRODUCTSN=1", ERROR),
    ("AT+PRODUCTSN", ERROR),
    ("AT+PRODUCTLAMP?", b'+PRODUCTLAMP:0,"white"\r\n' + OK),
    ("AT+PRODUCTLAMP=100", OK),
    ("AT+PRODUCTLAMP=101", ERROR),
    ("AT+PRODUCTLAMP=-1", ERROR),
    ("AT+PRODUCTLAMP=", ERROR),
    ('AT+PRODUCTLAMP="10"', ERROR),
    ('AT+PRODUCTLAMP=10,"red"', ERROR),
    ("AT+PRODUCTLAMP=10,", ERROR),
    ('AT+PRODUCTLAMP=10,"amber",1', ERROR),
    ("AT+GMR=?", ERROR),
])
def test_an_own_command_answers_in_its_forms(start, line, wanted):
    assert start("custom_command").command(line) == wanted


def test_an_own_setting_survives_a_restart_and_goes_with_restore(start):
    module = start("custom_command")
    assert module.command('AT+PRODUCTLAMP=42,"amber"') == OK
    for line, wanted in (("AT+RST", b'+PRODUCTLAMP:42,"amber"\r\n'), ("AT+RESTORE", b'+PRODUCTLAMP:0,"white"\r\n')):
        assert module.command(line) == OK
        module.read_until(b"ready\r\n")
        module.command("ATE0")
        assert module.command("AT+PRODUCTLAMP?") == wanted + OK


def test_own_commands_are_listed_before_the_librarys(start):
    answer = start("custom_command").command("AT+CMD?")
    assert answer.startswith(b'+CMD:0,"AT+PRODUCTSN",0,1,0,0\r\n+CMD:1,"AT+PRODUCTLAMP",0,1,1,1\r\n+CMD:2,"AT",0,0,0,1\r\n')


def test_the_rest_is_an_ordinary_module(start):
    module = start("custom_command")
    assert b"Bin version:v1.0.0(MINI-1)\r\n" in module.command("AT+GMR")
    module.join(*AP)


# -- custom_page -------------------------------------------------------------------------------------------------------

@pytest.fixture
def page_module(start):
    """The module with its own page, and a connection to its web server."""
    module = start("custom_page")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    module.command("AT+CWMODE=3")
    assert module.command(f"AT+WEBSERVER=1,{port},60") == OK
    web = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    yield module, web
    web.close()


def test_an_own_page_is_served_and_calls_only_what_the_module_has(page_module):
    _, web = page_module
    web.request("GET", "/")
    answer = web.getresponse()
    page = answer.read().decode()
    assert (answer.status, answer.getheader("Content-Type")) == (200, "text/html")
    assert page.startswith("<!DOCTYPE html>") and "<h1>Kettle</h1>" in page and page.endswith("</html>\n")
    assert re.findall(r"fetch\('(\w+)'", page) == ["getotainfo", "setotadata"]
    assert not re.search(r"https?://|src=", page)


def test_what_an_own_page_sends_upgrades_the_module(page_module):
    module, web = page_module
    web.request("POST", "/setotadata", body=app_image.make(version="v2.0.0"), headers={"Object": "ota"})
    answer = web.getresponse()
    assert (answer.status, answer.read()) == (200, b'{"state": 0}')
    module.read_until(b"+WEBSERVERRSP:4\r\n")
    module.write(b"AT+RST\r\n")
    module.read_until(b"ready\r\n")
    assert module.version() == "v2.0.0"
