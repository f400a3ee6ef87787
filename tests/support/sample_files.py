# SPDX-License-Identifier: Apache-2.0
"""Files as people choose them by mistake, and packed images, from facts/esp-formats.md 1, 2, 4 and 6."""

import gzip
import hashlib
import io
import lzma
import struct
import zipfile
import zlib

import app_image
import esp_formats

SECTOR = 4096


def _xz(image):
    """As facts/esp-formats.md 4.2 has it: LZMA2 with a dictionary of 64 KiB, CRC-32."""
    return lzma.compress(image, lzma.FORMAT_XZ, lzma.CHECK_CRC32, filters=[
        {"id": lzma.FILTER_LZMA2, "preset": 6, "dict_size": 65536}])


def packed_v2(image, version="v5.0.1.0"):
    body = _xz(image)
    head = struct.pack("<4sBBBB32sI16s16xII", b"ESP\0", 2, 1, 0, 0, version.encode(), len(body),
                       hashlib.md5(body).digest(), 0, 0)
    return head + struct.pack("<I", zlib.crc32(head)) + body


def packed_v3(image):
    body = _xz(image)
    head = struct.pack("<4sBB10sI16s", b"ESP\0", 3, 1, b"\x30", len(body), hashlib.md5(body).digest())
    prefix = bytearray(image[:0x120])
    prefix[1] = 0
    return bytes(prefix) + head + struct.pack("<I", zlib.crc32(head)) + body


def partition_table():
    return esp_formats.encode_table([esp_formats.Partition(1, 2, 0x9000, 0x6000, 0, b"nvs")], with_md5=False)


def boot_loader(chip_id=5):
    """One segment in RAM, no app descriptor."""
    data = b"\x50" + bytes(79)
    head = struct.pack("<BBBBIB3xHBHH4xB", 0xE9, 1, 2, 0x20, 0x403CC710, 0xEE, chip_id, 0, 0, 0, 0)
    return head + struct.pack("<II", 0x3FCD5820, len(data)) + data + bytes(8)


def factory_image():
    return (boot_loader().ljust(0x8000, b"\xff") + partition_table()).ljust(0x10000, b"\xff")


def zip_archive():
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("esp-at.bin", app_image.make())
    return out.getvalue()


def nvs_page():
    page = struct.pack("<IIB19s", 0xFFFFFFFE, 0, 0xFE, b"\xff" * 19)
    return (page + struct.pack("<I", zlib.crc32(page[4:], 0xFFFFFFFF))).ljust(3 * SECTOR, b"\xff")


def changed(data, at, *values):
    out = bytearray(data)
    out[at:at + len(values)] = values
    return bytes(out)


WRONG = {  # name: (content, words for people)
    "empty.bin": (b"", "an empty file"),
    "esp-at.elf": (b"\x7fELF\1\1\1" + bytes(500), "an ELF file"),
    "release.zip": (zip_archive(), "a zip archive"),
    "esp-at.bin.gz": (gzip.compress(app_image.make()), "a gzip file"),
    "esp-at.bin.xz": (_xz(app_image.make()), "an xz file"),
    "packed1.bin": (changed(packed_v2(app_image.make()), 4, 1), "a packed image of a version"),
    "packed3.bin": (packed_v3(app_image.make())[0x120:], "a packed image of a version"),
    "partition-table.bin": (partition_table(), "a partition table"),
    "factory_MINI-1.bin": (factory_image(), "a factory image"),
    "factory_esp32.bin": (b"\xff" * 0x1000 + factory_image()[0x1000:], "a factory image"),
    "bootloader.bin": (boot_loader(), "a boot loader"),
    "esp-at.hex": (b":020000042000DA\r\n:10000000E9\r\n", "an Intel HEX file"),
    "download.bin": (b"\n<!DOCTYPE html><html><body>Sign in</body></html>", "a web page"),
    "readme.bin": (b"Put ota.bin beside this file.\n", "a text file"),
    "mfg_nvs.bin": (nvs_page(), "a file of unknown kind"),
    "no_descriptor.bin": (changed(app_image.make(), 0x20, 0), "an image without app descriptor"),
    "noise.bin": (bytes(range(1, 256)) * 9, "a file of unknown kind"),
}
