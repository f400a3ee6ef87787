# SPDX-License-Identifier: Apache-2.0
"""The strict stock client of every generation against our server: every case succeeds, plain and TLS."""

import hashlib

import pytest

from server import Server
from stock_client import RELEASES, StockClient, StockError, Target

PRODUCT, LAYOUT, VERSION = "stock", "esp32c3_default", "v5.0.1.0"


@pytest.fixture(scope="module")
def deployed(aloft, tmp_path_factory):
    folder = tmp_path_factory.mktemp("serve")
    with Server(aloft, folder) as server:
        tokens = server.deploy(PRODUCT, LAYOUT, VERSION, size="700k")
        yield server, tokens


@pytest.fixture(params=[False, True], ids=["plain", "tls"])
def tls(request):
    return request.param


def client_of(deployed, tls, release=RELEASES[-1], token=None):
    server, tokens = deployed
    port = server.modules_tls_port if tls else server.modules_port
    return StockClient("127.0.0.1", port, token or tokens[tls], tls, release, host_name="iot.espressif.cn")


@pytest.mark.parametrize("release", RELEASES, ids=lambda r: r.name)
def test_a_whole_update_succeeds(deployed, tls, release):
    server, _ = deployed
    target = Target()
    lines = client_of(deployed, tls, release).ciupdate(target)
    assert lines == ["+CIPUPDATE:1", "+CIPUPDATE:2", "+CIPUPDATE:3", "+CIPUPDATE:4"]
    assert hashlib.sha256(target.content).hexdigest() == server.image_sha256(VERSION)


def test_a_file_of_a_named_version_succeeds(deployed, tls):
    target = Target()
    client_of(deployed, tls).file(VERSION, target)
    assert target.content[0] == 0xE9


def test_an_empty_version_gets_the_current_one(deployed, tls):
    server, _ = deployed
    target = Target()
    client_of(deployed, tls).file("", target)
    assert hashlib.sha256(target.content).hexdigest() == server.image_sha256(VERSION)


def test_the_list_names_the_version(deployed, tls):
    assert client_of(deployed, tls).version_list() == [f'+CIPFWVER:"{VERSION}"']


def test_an_unknown_token_is_a_clean_failure(deployed, tls):
    client = client_of(deployed, tls, token="f" * 40)
    with pytest.raises(StockError, match="no version"):
        client.version()
    with pytest.raises(StockError):
        client.file(VERSION, Target())
    with pytest.raises(StockError, match="HTTP 4"):
        client.version_list()


# Releases up to v2.3 look at no magic and write whatever comes: no server can help them (facts 6).
@pytest.mark.parametrize("release", [r for r in RELEASES if r.checks_magic], ids=lambda r: r.name)
@pytest.mark.parametrize("name", ["mfg_nvs", "fs_storage", "client_ca"])
def test_a_file_we_do_not_have_is_no_false_success(deployed, tls, release, name):
    target = Target(name=name, magic=b"\xF1\xF1")
    with pytest.raises(StockError, match="magic"):
        client_of(deployed, tls, release).file(VERSION, target)


def test_the_token_of_the_other_mode_is_refused(deployed, tls):
    _, tokens = deployed
    with pytest.raises(StockError):
        client_of(deployed, tls, token=tokens[not tls]).version()
