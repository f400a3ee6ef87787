# SPDX-License-Identifier: Apache-2.0
"""Packed images made in Python, from facts/esp-formats.md 4: a second opinion beside the C code."""

import hashlib
import lzma
import struct
import zlib

PREFIX_BYTES = 288
XZ = {"format": lzma.FORMAT_XZ, "check": lzma.CHECK_CRC32,
      "filters": [{"id": lzma.FILTER_LZMA2, "preset": 6, "dict_size": 65536}]}


def _sealed(head):
    return head + struct.pack("<I", zlib.crc32(head))


def pack_v2(image, version=""):
    """For modules that unpack with their boot loader: `ESP`, 88 bytes of header, xz."""
    payload = lzma.compress(image, **XZ)
    head = struct.pack("<4sBBBB32sI32sII", b"ESP\0", 2, 1, 0, 0, version.encode(), len(payload),
                       hashlib.md5(payload).digest(), 0, 0)
    return _sealed(head) + payload


def pack_v3(image):
    """For C5 and C61: the image's first 288 bytes without segments, 40 bytes of header, xz."""
    payload = lzma.compress(image, **XZ)
    head = struct.pack("<4sBBB9xI16s", b"ESP\0", 3, 1, 0x30, len(payload), hashlib.md5(payload).digest())
    return image[:1] + b"\0" + image[2:PREFIX_BYTES] + _sealed(head) + payload
