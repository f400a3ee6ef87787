# SPDX-License-Identifier: Apache-2.0
"""What a whole flash would boot, judged without our C code: partition table and boot decision by esp_formats, images by
facts/esp-formats.md 1."""

import functools
import hashlib
import operator
import pathlib
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


def secure_version(data):
    """Of the app at the start of `data`; 0 without descriptor."""
    magic, version = struct.unpack_from("<II", data, 0x20)
    return version if magic == 0xABCD5432 else 0


def efuse_version(flash_path):
    """The lowest secure version the device of a flash file takes, by its FILE.efuse; None: no anti-rollback."""
    path = pathlib.Path(f"{flash_path}.efuse")
    if not path.exists():
        return None
    key, bits = path.read_text().strip().split("=")
    assert key == "secure_version_bits" and len(bits) == 8
    return int(bits, 16).bit_count()


def boot_flash(flash, rollback=True, efuse=None):
    """One reset of this flash, `efuse` as efuse_version() gives it: (version of what runs or None, both otadata entries
    afterwards, eFuse version afterwards)."""
    partitions, _ = parse_table(flash[TABLE_OFF:], len(flash))
    slots, versions, secure, entries = set(), {}, {}, [Entry(), Entry()]
    for p in partitions:
        if p.type == APP and p.subtype & 0xF0 == OTA_0:
            slots.add(p.subtype & 0xF)
            versions[p.subtype & 0xF] = image_version(flash[p.offset:p.offset + p.size])
            secure[p.subtype & 0xF] = secure_version(flash[p.offset:p.offset + p.size])
        elif (p.type, p.subtype) == (DATA, OTADATA):
            entries = [Entry.parse(flash[at:at + 32]) for at in (p.offset, p.offset + SECTOR)]
    good = {slot for slot, version in versions.items() if version}
    device = Device(slots, rollback=rollback, anti_rollback=efuse is not None, efuse=efuse or 0, versions=secure)
    _, booted, after, efuse_after = boot(device, entries, good)
    return versions.get(booted), after, efuse_after


def booted_version(flash, rollback=True, efuse=None):
    """Version of the image the boot loader would run after a reset of this flash; None: it would run none."""
    return boot_flash(flash, rollback, efuse)[0]
