# SPDX-License-Identifier: Apache-2.0
"""A factory image of an ESP32-C3 module, from facts/esp-formats.md: boot loader, partition table, and the app in its first
slot."""

import struct

import app_image

TABLE, SLOT = 0x8000, 0x60000


def _partition(kind, subtype, off, size, label):
    return struct.pack("<2sBBII16sI", b"\xaa\x50", kind, subtype, off, size, label, 0)  # formats 2.1


def make(app):
    loader = bytearray(app_image.make())
    loader[0x18:0x1C] = (0x3FCD5820).to_bytes(4, "little")  # its segment loads to RAM (formats 1.6)
    loader[0x20:0x70] = b"\x50\x00\x00" + bytes(77)
    table = _partition(1, 0, 0xD000, 0x2000, b"otadata") + _partition(0, 0x10, SLOT, 0x1E0000, b"ota_0")
    return (bytes(loader).ljust(TABLE, b"\xff") + table).ljust(SLOT, b"\xff") + app + b"\xff" * 5000
