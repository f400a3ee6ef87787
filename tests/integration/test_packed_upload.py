# SPDX-License-Identifier: Apache-2.0
"""Packed images from upload to module: what Python packed by the description of the format passes all rows, and a strict
stock client of a compressed build takes it whole."""

import hashlib
import json
import subprocess

import pytest

import app_image
import packed_image
from api import upload
from stock_client import StockClient, Target, packed_target

LAYOUTS = {
    "esp32c2-2mb": ("esp32c2", packed_image.pack_v2, packed_target),
    "esp32c5_default": ("esp32c5", packed_image.pack_v3, lambda: Target(size_bytes=0x140000)),
}
# As the table says: 3, 4 and 19 are of plain images, 30 of v3, 31 of v2; 32 and 33 of user partitions.
ROWS = {*range(1, 32), 34} - {3, 4, 19}


def package(aloft, folder, layout):
    """Of an image as large and as hard to compress as a release."""
    chip, pack, _ = LAYOUTS[layout]
    path = folder / "app.bin"
    subprocess.run([aloft, "image", "make", "--chip", chip, "--version", "v1.0.0.0", "--size", "900k", "-o", str(path)],
                   check=True, capture_output=True, timeout=60)
    return pack(path.read_bytes())


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_packed_image_passes_and_reaches_a_stock_module(aloft, server, tmp_path, layout):
    data = package(aloft, tmp_path, layout)
    made = json.loads(server.cli("product", "add", layout, "--layout", layout, "--json").stdout)
    answer = upload(server, layout, data, "v1.0.0.0")
    assert answer.status == 201, answer.body
    findings = {row["row"]: row for row in answer.json["findings"]}
    assert set(findings) == ROWS - ({31} if layout == "esp32c5_default" else {30})
    warned = {number: row["sentence"] for number, row in findings.items() if row["verdict"] != "pass"}
    if layout == "esp32c2-2mb":  # aloft image make builds for 4 MB of flash
        assert warned.pop(18).startswith("inner image: this image was built for 4 MB of flash")
    assert not warned

    path = tmp_path / "ota.bin"
    path.write_bytes(data)
    server.cli("rom", "deploy", "--product", layout, "--version", "v1.0.0.0", "--use", str(path))
    target = LAYOUTS[layout][2]()
    lines = StockClient("127.0.0.1", server.modules_port, made["token"]).ciupdate(target)
    assert lines[-1] == "+CIPUPDATE:4"
    assert hashlib.sha256(target.content).digest() == hashlib.sha256(data).digest()


def test_a_plain_image_for_packed_modules_is_refused_in_words(server):
    server.cli("product", "add", "c5", "--layout", "esp32c5_default")
    answer = upload(server, "c5", app_image.make(chip="esp32c5"))
    assert (answer.status, answer.code) == (422, "OTA_WRONG_KIND")
    assert answer.message.startswith("this is an app image, but modules of the layout esp32c5_default take packed v3 images")


def test_a_package_with_one_flipped_bit_is_refused_in_words(aloft, server, tmp_path):
    server.cli("product", "add", "c2", "--layout", "esp32c2-2mb")
    data = bytearray(package(aloft, tmp_path, "esp32c2-2mb"))
    data[5000] ^= 1
    answer = upload(server, "c2", bytes(data))
    assert (answer.status, answer.code) == (422, "PACK_MD5")
    assert answer.message.startswith("this package is damaged: its content has another MD5 than its header says")
