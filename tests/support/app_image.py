# SPDX-License-Identifier: Apache-2.0
"""App images made and repaired in Python, from facts/esp-formats.md 1: a second opinion beside the C code. One mapped
segment behind the header, checksum, appended SHA-256."""

import functools
import hashlib
import operator
import struct

HEADER_BYTES = 24
DESC_OFF, DESC_BYTES = 0x20, 256
HASH_BYTES = 32
CHIPS = {  # name: (id, where its mapped data begin)
    "esp32": (0x0000, 0x3F400000), "esp32s2": (0x0002, 0x3F000000), "esp32c3": (0x0005, 0x3C000000),
    "esp32c2": (0x000C, 0x3C000000), "esp32c6": (0x000D, 0x42000000), "esp32c5": (0x0017, 0x42000000)}


def _padded(text, length):
    data = text.encode()
    assert len(data) <= length
    return data + bytes(length - len(data))


def make(chip="esp32c3", version="v1.0.0.0", date="Jan  1 2025", time="12:34:56", idf="v5.4.4", data_bytes=4096,
         project="esp-at"):
    """A whole image."""
    chip_id, data_start = CHIPS[chip]
    desc = struct.pack("<II8x", 0xABCD5432, 0) + _padded(version, 32) + _padded(project, 32)
    desc += _padded(time, 16) + _padded(date, 16) + _padded(idf, 32) + bytes(range(32))
    desc += struct.pack("<HHB", 0, 0, 16)
    data = desc + bytes(DESC_BYTES - len(desc)) + bytes(i % 251 for i in range(data_bytes - DESC_BYTES))
    head = struct.pack("<BBBBIB3xHBHH4xB", 0xE9, 1, 2, 0x20, data_start + DESC_OFF, 0xEE, chip_id, 0, 0, 0, 1)
    return _sealed(head + struct.pack("<II", data_start + DESC_OFF, len(data)) + data, data)


def _sealed(body, data):
    """`body` with padding, checksum and hash (facts 1.3, 1.4)."""
    end = (len(body) + 16) & ~15
    body += bytes(end - 1 - len(body)) + bytes([functools.reduce(operator.xor, data, 0xEF)])
    return body + hashlib.sha256(body).digest()


def set_version(flash, addr, version):
    """Change the version of the image at `addr` in a bytearray and repair checksum and hash."""
    assert flash[addr + 1] == 1, "only images of make() are understood"
    size = struct.unpack_from("<I", flash, addr + HEADER_BYTES + 4)[0]
    flash[addr + DESC_OFF + 16:addr + DESC_OFF + 48] = _padded(version, 32)
    body = bytes(flash[addr:addr + DESC_OFF + size])
    image = _sealed(body, body[DESC_OFF:])
    flash[addr:addr + len(image)] = image
