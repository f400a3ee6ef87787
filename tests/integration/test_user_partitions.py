# SPDX-License-Identifier: Apache-2.0
"""Files of user partitions: vetted on upload (facts/esp-formats.md 7, rows 32 and 33), and delivered to a stock module
of the generation that takes them (6.5)."""

import json
import struct

import pytest

import esp_formats as esp
from server import Server
from stock_client import RELEASES, StockClient, Target

LAYOUT, VERSION = "esp32_v3", "v3.0.0.0"
STOCK = next(release for release in RELEASES if release.name == VERSION)
PEM = b"-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"
SERVICE = [{"index": 0, "uuid_len": 16, "uuid": "A002", "perm": 1, "val_max_len": 2, "val_cur_len": 2, "value": "A002"}]
FILES = {  # label: (content, offset and bytes of what a module looks at)
    "client_ca": (esp.pki_file([(1, 0, PEM), (1, 1, PEM * 20)]), 0, b"\xf1\xf1"),
    "mqtt_key": (esp.pki_file([(3, 0, PEM)]), 0, b"\xf1\xf1"),
    "factory_param": (b"\xfc\xfc\1\1\x4e\xff\1\x0dCN\0\0" + struct.pack("<I", 115200) + b"\x11\x10\x0f\x0e" +
                      b"\xff" * 4076, 0, b"\xfc\xfc"),
    "ble_data": (esp.ble_file(json.dumps({"Service": SERVICE * 40}).encode()), 2, b"\x27\x95"),
}


@pytest.fixture(scope="module")
def deployed(aloft, tmp_path_factory):
    """A server with a product of old modules; its ROM has the firmware and four user partitions."""
    with Server(aloft, tmp_path_factory.mktemp("serve")) as server:
        made = json.loads(server.cli("product", "add", "old", "--layout", LAYOUT, "--json").stdout)
        words = [str(server.make_image(LAYOUT, VERSION))]
        for label, (content, _, _) in FILES.items():
            path = server.folder / f"{label}.img"
            path.write_bytes(content)
            words.append(f"{label}.bin={path}")
        server.cli("rom", "deploy", "--product", "old", "--version", VERSION, "--use", *words)
        yield server, made["token"]


@pytest.mark.parametrize("label", FILES)
def test_a_stock_module_gets_its_partition_byte_for_byte(deployed, label):
    server, token = deployed
    content, magic_off, magic = FILES[label]
    target = Target(name=label, size_bytes=0x3000, magic=magic, magic_off=magic_off)
    client = StockClient("127.0.0.1", server.modules_port, token, release=STOCK)
    assert client.ciupdate(target) == ["+CIPUPDATE:1", "+CIPUPDATE:2", "+CIPUPDATE:3", "+CIPUPDATE:4"]
    assert bytes(target.content) == content


GOOD_NVS = esp.nvs_page(0, [esp.nvs_item(0, "u8", b"factory_param", b"\1"), esp.nvs_item(1, "string", b"a", b"b\0")]) + \
    b"\xff" * esp.PAGE
REFUSED = {  # name: (content, words of the sentence)
    "client.bin": (FILES["client_ca"][0], "do not ask for a file named 'client.bin'; the files of a ROM are: ota.bin, ble_"),
    "mfg_nvs.bin": (GOOD_NVS, "do not ask for a file named 'mfg_nvs.bin'"),
    "fatfs.bin": (b"anything", "would erase fatfs and then refuse the file, for nothing"),
    "client_cert.bin": (PEM, "this is a text file, but the user partition client_cert takes a PKI container"),
    "server_ca.bin": (esp.pki_file([(1, 0, PEM * 200)]), "the user partition server_ca of the layout esp32_v3 has 8192"),
    "server_key.bin": (FILES["mqtt_key"][0][:-1], "it is cut short: its items are longer than the file"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_wrong_file_is_refused_in_words(deployed, tmp_path, name):
    server, _ = deployed
    content, words = REFUSED[name]
    path = tmp_path / "file"
    path.write_bytes(content)
    done = server.cli("rom", "deploy", "--product", "old", "--version", "v9", str(server.make_image(LAYOUT, "v9")),
                      f"{name}={path}", check=False)
    assert done.returncode == 1
    assert words in done.stderr
