# SPDX-License-Identifier: Apache-2.0
"""What a whole flash would boot, judged without our C code: partition table and boot decision by esp_formats, images by
facts/esp-formats.md 1."""

import functools
import hashlib
import operator
import struct

from esp_formats import Device, Entry, boot, parse_table

TABLE_OFF, SECTOR = 0x8000, 0x1000
APP, DATA, OTADATA, OTA_0 = 0, 1, 0, 0x10


def image_version(data):
    """Version of the whole image at the start of `data`; None if it is not whole."""
    magic, count, chip_id, has_hash = data[0], data[1], struct.unpack_from("<H", data, 12)[0], data[23]
    if magic != 0xE9 or not 1 <= count <= 16 or chip_id == 0xFFFF:
        return None
    off, words = 24, 0
    for _ in range(count):
        if off + 8 > len(data):
            return None
        size = struct.unpack_from("<I", data, off + 4)[0]
        off += 8
        if size % 4 or off + size > len(data):
            return None
        words ^= functools.reduce(operator.xor, struct.unpack_from(f"<{size // 4}I", data, off), 0)
        off += size
    end = (off + 16) & ~15
    checksum = functools.reduce(operator.xor, words.to_bytes(4, "little"), 0xEF)
    if end + 32 > len(data) or data[end - 1] != checksum:
        return None
    if has_hash and data[end:end + 32] != hashlib.sha256(data[:end]).digest():
        return None
    return data[0x30:0x50].split(b"\0")[0].decode()


def booted_version(flash, rollback=True):
    """Version of the image the boot loader would run after a reset of this flash; None: it would run none."""
    partitions, _ = parse_table(flash[TABLE_OFF:], len(flash))
    slots, versions, entries = set(), {}, [Entry(), Entry()]
    for p in partitions:
        if p.type == APP and p.subtype & 0xF0 == OTA_0:
            slots.add(p.subtype & 0xF)
            versions[p.subtype & 0xF] = image_version(flash[p.offset:p.offset + p.size])
        elif (p.type, p.subtype) == (DATA, OTADATA):
            entries = [Entry.parse(flash[at:at + 32]) for at in (p.offset, p.offset + SECTOR)]
    good = {slot for slot, version in versions.items() if version}
    _, booted, _, _ = boot(Device(slots, rollback=rollback), entries, good)
    return versions.get(booted)
