# SPDX-License-Identifier: Apache-2.0
"""AT+USEROTA on virtual modules: facts/at-commands.md 2.1 and 6.2, with a web server of our own and with `aloft serve`."""

import contextlib
import ssl
import subprocess

import pytest

import app_image
from image_server import ImageServer
from proxy import CuttingProxy
from server import wait_until
from virtual_module import VirtualModule
from wire_plane import PLAIN, TLS, Wire

AP = ("bench", "12345678")
PROMPT = b"\r\nOK\r\n\r\n>"
OLD, NEW = "v1.0.0.0", "v2.0.0.0"
USERINFO = "bench:p%3As%2Fw%401@"


@pytest.fixture(scope="module", params=["tcp", "pty"])
def module(request, aloft, tmp_path_factory):
    """One module for the tests that do not upgrade it, on either kind of UART."""
    folder = tmp_path_factory.mktemp("module")
    with start(aloft, folder, uart=request.param) as one:
        yield one


@pytest.fixture
def fresh(aloft, tmp_path):
    """A module of the test's own."""
    with start(aloft, tmp_path) as one:
        yield one


@contextlib.contextmanager
def start(aloft, folder, uart="tcp", **options):
    """A module with an image of version OLD that has joined the network, echo off."""
    (folder / "app.bin").write_bytes(app_image.make(version=OLD))
    with VirtualModule(aloft, folder, app=folder / "app.bin", ap=AP, uart=uart, **options) as one:
        one.read_until(b"ready\r\n")
        one.command("ATE0")
        one.join(*AP)
        yield one


@pytest.fixture(scope="module")
def images():
    with ImageServer(app_image.make(version=NEW, data_bytes=200000)) as server:
        yield server


@pytest.fixture(scope="module")
def tls(tmp_path_factory):
    folder = tmp_path_factory.mktemp("certificate")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                    "-days", "2", "-subj", "/CN=wrong.name", "-keyout", folder / "key.pem", "-out", folder / "cert.pem"],
                   check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    return context


def userota(module, url, surplus=b""):
    """The command and its URL; everything up to OK or ERROR."""
    module.write(b"AT+USEROTA=%d\r\n" % len(url))
    assert module.read_exactly(len(PROMPT)) == PROMPT
    module.write(url.encode() + surplus)
    return module.read_until(b"\r\nOK\r\n", b"\r\nERROR\r\n")


def assert_upgraded(module, answer, url, between=b""):
    assert answer == b"\r\nRecv %d bytes\r\n" % len(url) + between + b"\r\nOK\r\n"
    assert module.read_until(b"ready\r\n") == b"\r\nready\r\n"
    module.command("ATE0")
    assert module.version() == NEW


def assert_failed(module, answer, url):
    assert answer == b"\r\nRecv %d bytes\r\n\r\nERROR\r\n" % len(url)
    assert module.command("AT") == b"\r\nOK\r\n"
    assert module.version() == OLD


@pytest.mark.parametrize("path", ["/image", "/lower-case", "/chunked", "/until-close", "/redirect/1", "/redirect/10"])
def test_an_image_of_any_delivery_upgrades(fresh, images, path):
    url = images.url(path)
    assert_upgraded(fresh, userota(fresh, url), url)
    assert images.heads[-1].endswith(f"HTTP/1.1\r\nUser-Agent: ESP32 HTTP Client/1.0\r\n"
                                     f"Host: 127.0.0.1:{images.port}\r\n\r\n".encode())


def test_https_upgrades_whatever_the_certificate(fresh, tls):
    with ImageServer(app_image.make(version=NEW), tls) as server:
        url = server.url("/image")
        assert_upgraded(fresh, userota(fresh, url), url)


@pytest.mark.parametrize("mode", [PLAIN, TLS], ids=["http", "https"])
def test_a_link_of_the_update_server_upgrades(fresh, tool, tmp_path_factory, mode):
    with Wire(tool, tmp_path_factory.mktemp("wire"), image=app_image.make(version=NEW, data_bytes=200000)) as server:
        url = f"{('http', 'https')[mode]}://127.0.0.1:{server.ports[mode]}/ota/short-1/ota.bin"
        wrong = url.replace("short-1", "short-2")
        assert_failed(fresh, userota(fresh, wrong), wrong)
        server.wait_for_log("outcome=LINK_UNKNOWN")
        assert_upgraded(fresh, userota(fresh, url), url)
        server.wait_for_log("outcome=FILE_DELIVERED")


@pytest.mark.parametrize("path", ["/basic", "/digest-md5", "/digest-sha256", "/digest-old", "/digest-stale"])
def test_credentials_of_the_url_answer_a_401(fresh, images, path):
    url = images.url(path, USERINFO)
    before = len(images.heads)
    assert_upgraded(fresh, userota(fresh, url), url)
    assert b"Authorization" not in images.heads[before], "nothing is shown before it is asked for"
    scheme = b"Basic" if path == "/basic" else b"Digest"
    assert b"\r\nAuthorization: " + scheme in images.heads[-1]


@pytest.mark.parametrize("path", ["/basic", "/digest-md5", "/digest-sha256"])
def test_wrong_credentials_are_sent_once(module, images, path):
    url = images.url(path, "bench:wrong@")
    before = len(images.heads)
    assert_failed(module, userota(module, url), url)
    assert len(images.heads) - before == 2


def test_credentials_are_not_taken_to_another_port(module, images):
    with ImageServer(b"") as away:
        url = images.url(f"/away/{away.port}", USERINFO)
        assert_failed(module, userota(module, url), url)
        assert len(away.heads) == 1
        assert b"uthorization" not in away.heads[0]


@pytest.mark.parametrize("length", [36, 500, 2100, 8192])
def test_row_24_a_url_of_any_length_upgrades(fresh, images, length):
    url = images.url("/image?")
    url += "x" * (length - len(url))
    assert_upgraded(fresh, userota(fresh, url), url)
    target = url[url.index("/image"):]
    assert images.heads[-1].startswith(f"GET {target} HTTP/1.1\r\n".encode())


def test_row_24_a_long_url_upgrades_with_digest_too(fresh, images):
    url = images.url("/digest-sha256?", USERINFO)
    url += "x" * (8192 - len(url))
    assert_upgraded(fresh, userota(fresh, url), url)


def test_row_26_an_eleventh_redirect_fails(module, images):
    url = images.url("/redirect/11")
    before = len(images.heads)
    assert_failed(module, userota(module, url), url)
    assert len(images.heads) - before == 11


@pytest.mark.parametrize("path", ["/none", "/cut", "/too-big"])
def test_a_bad_answer_fails_and_nothing_restarts(module, images, path):
    url = images.url(path)
    assert_failed(module, userota(module, url), url)


@pytest.mark.parametrize("image", [app_image.make(chip="esp32"), app_image.make()[:-1], b"x" * 5000],
                         ids=["other chip", "truncated", "no image"])
def test_a_file_that_is_no_image_for_this_chip_fails(module, image):
    with ImageServer(image) as server:
        url = server.url("/image")
        assert_failed(module, userota(module, url), url)


def test_row_25_a_stall_ends_in_error(fresh, images):
    url = images.url("/stall")
    assert_failed(fresh, userota(fresh, url), url)


def test_nobody_listens(module):
    url = "http://127.0.0.1:1/image"
    assert_failed(module, userota(module, url), url)


@pytest.mark.parametrize("line", ["AT+USEROTA=0", "AT+USEROTA=8193", "AT+USEROTA=1,2", "AT+USEROTA=?", "AT+USEROTA?",
                                  "AT+USEROTA", "AT+USEROTA=", "AT+USEROTA=\"36\""])
def test_wrong_parameters_are_refused(module, line):
    assert module.command(line) == b"\r\nERROR\r\n"


@pytest.mark.parametrize("url", ["ftp://127.0.0.1/x", "/image", "http://127.0.0.1:{port}/a b", "http://",
                                 "http://127.0.0.1:{port}/\r\n"])
def test_what_is_no_url_is_refused_without_traffic(module, images, url):
    url = url.format(port=images.port)
    before = len(images.heads)
    assert_failed(module, userota(module, url), url)
    assert len(images.heads) == before


def test_a_line_end_behind_the_url_is_busy_once_and_upgrades(fresh, images):
    url = images.url("/image")
    assert_upgraded(fresh, userota(fresh, url, surplus=b"\r\n"), url, between=b"\r\nbusy p...\r\n")


def test_the_url_may_come_in_pieces_and_is_not_echoed(fresh, images):
    url = images.url("/image")
    fresh.command("ATE1")
    line = b"AT+USEROTA=%d\r\n" % len(url)
    fresh.write(line)
    assert fresh.read_exactly(len(line) + len(PROMPT)) == line + PROMPT
    for at in range(0, len(url), 5):
        assert fresh.is_quiet(0.01)
        fresh.write(url[at:at + 5].encode())
    assert_upgraded(fresh, fresh.read_until(b"\r\nOK\r\n", b"\r\nERROR\r\n"), url)


# -- with our own server -------------------------------------------------------------------------


def test_row_12_a_transfer_cut_several_times_is_resumed(aloft, tmp_path, server):
    """One contact for each connection; the server sees one file delivered and proven."""
    tokens = server.deploy("cut-ciupdate", "esp32c3_default", NEW, size="1m")
    with CuttingProxy(server.modules_port, [400000, 300000, 1]) as network, \
            start(aloft, tmp_path, tokens=tokens, ota=network.port) as module:
        device = module.device_id
        module.write(f'AT+CIUPDATE=0,"{NEW}"\r\n'.encode())
        answer = module.read_until(b"\r\nOK\r\n", b"\r\nERROR\r\n", seconds=60)
        assert answer == b"+CIPUPDATE:1\r\n+CIPUPDATE:4\r\n\r\nOK\r\n"
        module.read_until(b"ready\r\n")
        assert module.version().endswith(NEW)
        wait_until("the connections of the four parts", lambda: network.n_connections >= 4)
        server.wait_until_proven("cut-ciupdate", NEW, device)


def test_an_upgrade_from_a_url_is_proven_to_the_update_server(aloft, tmp_path, server, images):
    tokens = server.deploy("userota", "esp32c3_default", NEW)
    with start(aloft, tmp_path, tokens=tokens, ota=server.modules_port) as module:
        device = module.device_id
        before = server.contacts(device)
        url = images.url("/image")
        assert_upgraded(module, userota(module, url), url)
        wait_until("the version request after the restart", lambda: server.contacts(device) > before)
