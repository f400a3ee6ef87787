# SPDX-License-Identifier: Apache-2.0
"""The programs of module/examples/: what an integrator adds to the library, played on a virtual module."""

import http.client
import http.server
import pathlib
import re
import socket
import threading

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


# -- ask_first ---------------------------------------------------------------------------------------------------------

class _Files(http.server.SimpleHTTPRequestHandler):
    def log_request(self, *_):
        self.server.n_requests += 1


@pytest.fixture
def web(tmp_path):
    """A web server with one image of v2.0.0 and a count of its requests."""
    folder = tmp_path / "www"
    folder.mkdir()
    (folder / "new.bin").write_bytes(app_image.make(version="v2.0.0"))
    with http.server.ThreadingHTTPServer(
            ("127.0.0.1", 0), lambda *words: _Files(*words, directory=str(folder))) as server:
        server.n_requests = 0
        server.url = f"http://127.0.0.1:{server.server_port}/new.bin"
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def ask(module, url):
    """AT+USEROTA up to the module's question."""
    module.write(f"AT+USEROTA={len(url)}\r\n".encode())
    assert module.read_until(b">") == OK + b"\r\n>"
    module.write(url.encode())
    question = f"+OTAASK:{len(url)}\r\n".encode()
    assert module.read_until(question) == f"\r\nRecv {len(url)} bytes\r\n".encode() + OK + question


@pytest.fixture
def joined(start):
    module = start("ask_first")
    module.join(*AP)
    return module


def upgrade(module, url):
    """Ask, say yes, and wait for the new image; echo is off."""
    ask(module, url)
    module.write(b"AT+OTAOK\r\n")
    assert module.read_until(b"ready\r\n", ERROR) == OK + b"\r\nready\r\n"
    module.command("ATE0")
    assert module.version() == "v2.0.0"


def restart(module):
    module.write(b"AT+RST\r\n")
    module.read_until(b"ready\r\n")
    module.command("ATE0")


def test_the_module_asks_first_and_a_no_is_the_end_of_it(joined, web):
    ask(joined, web.url)
    assert joined.command("AT") == OK  # the port is free while the question is open
    assert joined.command("AT+OTANO") == OK
    assert joined.command("AT+OTANO") == ERROR
    assert joined.command("AT+OTAOK") == ERROR
    assert web.n_requests == 0
    assert joined.version() == "v1.0.0"


def test_after_a_yes_and_keep_the_new_image_stays(joined, web):
    upgrade(joined, web.url)
    assert joined.command("AT+OTAKEEP") == OK
    assert web.n_requests == 1
    restart(joined)
    assert joined.version() == "v2.0.0"


def test_an_image_the_host_mcu_does_not_keep_is_gone_with_the_next_restart(joined, web):
    upgrade(joined, web.url)
    restart(joined)
    assert joined.version() == "v1.0.0"


def test_a_yes_to_a_url_that_fails_is_an_error_and_closes_the_question(joined, web):
    ask(joined, web.url.replace("new.bin", "none.bin"))
    assert joined.command("AT+OTAOK") == ERROR
    assert joined.command("AT+OTAOK") == ERROR
    assert web.n_requests == 1
    ask(joined, "ftp://127.0.0.1/new.bin")
    assert joined.command("AT+OTAOK") == ERROR
    assert web.n_requests == 1


def test_a_restart_forgets_the_question(joined, web):
    ask(joined, web.url)
    restart(joined)
    assert joined.command("AT+OTAOK") == ERROR


@pytest.mark.parametrize("line", ["AT+USEROTA", "AT+USEROTA?", "AT+USEROTA=0", "AT+USEROTA=2049", "AT+USEROTA=1,2",
                                  'AT+USEROTA="9"', "AT+OTAOK?", "AT+OTANO=1"])
def test_wrong_forms_are_refused(start, line):
    assert start("ask_first").command(line) == ERROR
