# SPDX-License-Identifier: Apache-2.0
"""`aloft image make` and `aloft image info`, judged by a reader written from the format facts alone."""

import hashlib
import json
import lzma
import struct
import subprocess

import pytest

PAGE = 0x10000

# facts/esp-formats.md 0.3: id, mapped ranges; RAM ranges from the lines below the table.
CHIPS = {
    "esp32": (0x00, [(0x3F400000, 0x3F800000), (0x400D0000, 0x40400000)],
              [(0x40080000, 0x400AA000), (0x3FFAE000, 0x40000000)]),
    "esp32s2": (0x02, [(0x3F000000, 0x3FF80000), (0x40080000, 0x40800000)],
                [(0x40020000, 0x40070000), (0x3FFB0000, 0x40000000)]),
    "esp32c3": (0x05, [(0x3C000000, 0x3C800000), (0x42000000, 0x42800000)],
                [(0x4037C000, 0x403E0000), (0x3FC80000, 0x3FCE0000)]),
    "esp32c2": (0x0C, [(0x3C000000, 0x3C400000), (0x42000000, 0x42400000)],
                [(0x4037C000, 0x403C0000), (0x3FCA0000, 0x3FCE0000)]),
    "esp32c6": (0x0D, [(0x42000000, 0x43000000)], [(0x40800000, 0x40880000)]),
    "esp32c61": (0x14, [(0x42000000, 0x44000000)], [(0x40800000, 0x40850000)]),
    "esp32c5": (0x17, [(0x42000000, 0x44000000)], [(0x40800000, 0x40860000)]),
}
MAX_REVISION = {"esp32": 399, "esp32s2": 199, "esp32c3": 199, "esp32c2": 299, "esp32c6": 99,
                "esp32c61": 199, "esp32c5": 199}


def text(field):
    return field.split(b"\0")[0].decode()


class Image:
    """facts/esp-formats.md 1, byte for byte."""

    def __init__(self, data):
        (magic, count, self.mode, self.speed_size, self.entry, wp, drv, self.chip_id, self.min_rev_old,
         self.min_rev, self.max_rev, reserved, hashed) = struct.unpack("<BBBBIB3sHBHH4sB", data[:24])
        assert magic == 0xE9 and 1 <= count <= 16
        assert wp == 0xEE and drv == bytes(3) and reserved == bytes(4) and hashed == 1
        self.segments = []
        off, total = 24, 0xEF
        for _ in range(count):
            load, size = struct.unpack_from("<II", data, off)
            off += 8
            assert size % 4 == 0 and off + size <= len(data)
            self.segments.append((load, off, data[off:off + size]))
            for byte in data[off:off + size]:
                total ^= byte
            off += size
        end = (off + 1 + 15) & ~15
        assert data[off:end - 1] == bytes(end - 1 - off)
        assert data[end - 1] == total
        assert data[end:] == hashlib.sha256(data[:end]).digest()
        desc = data[0x20:0x120]
        assert desc[:4] == bytes.fromhex("3254cdab")
        self.desc = desc
        self.version, self.project, self.idf = text(desc[16:48]), text(desc[48:80]), text(desc[112:144])


def run(aloft, *args):
    return subprocess.run([aloft, "image", *map(str, args)], capture_output=True, text=True, timeout=30)


@pytest.fixture
def make(aloft, tmp_path):
    """Make an image; gives its path."""
    def make_image(chip="esp32c3", version="v1.0.0.0", name="ota.bin", **options):
        path = tmp_path / name
        extra = [word for key, value in options.items() for word in (f"--{key}", value)]
        done = run(aloft, "make", "--chip", chip, "--version", version, *extra, "-o", path)
        assert done.returncode == 0, done.stderr
        assert done.stdout == ""
        return path
    return make_image


def is_in(ranges, addr):
    return any(start <= addr < end for start, end in ranges)


@pytest.mark.parametrize("size", ["68k", "200000", "1M"])
@pytest.mark.parametrize("chip", CHIPS)
def test_made_image_is_genuine(make, chip, size):
    chip_id, mapped, ram = CHIPS[chip]
    data = make(chip, "v2.3.4.5", size=size).read_bytes()
    image = Image(data)
    assert len(data) == {"68k": 68 * 1024, "200000": 200000, "1M": 1 << 20}[size]
    assert image.chip_id == chip_id
    assert image.speed_size >> 4 == 2  # 4 MB
    assert image.min_rev <= image.max_rev == MAX_REVISION[chip]
    assert (image.version, image.project, image.idf) == ("v2.3.4.5", "esp-at", "v5.4.4")
    kinds = []
    for load, off, content in image.segments:
        if load == 0:
            kinds.append("padding")
            assert content == bytes(len(content))
        elif is_in(mapped, load):
            kinds.append("mapped")
            assert load % PAGE == off % PAGE
            assert is_in(mapped, load + len(content) - 1)
        else:
            kinds.append("ram")
            assert is_in(ram, load) and is_in(ram, load + len(content) - 1)
    assert [k for k in kinds if k != "padding"] == ["mapped", "ram", "ram", "mapped"]
    spans = sorted((load, load + len(content)) for load, _, content in image.segments if load)
    assert all(a[1] <= b[0] for a, b in zip(spans, spans[1:]))
    assert any(load <= image.entry < load + len(c) for load, _, c in image.segments)


def test_payload_compresses_like_code(make):
    data = make().read_bytes()
    assert 0.55 < len(lzma.compress(data, preset=6)) / len(data) < 0.70


def test_same_options_give_the_same_bytes_and_others_do_not(make):
    first = make(seed=7).read_bytes()
    assert make(seed=7).read_bytes() == first
    for other in (make(seed=8), make(seed=7, version="v1.0.0.1"), make("esp32c6", seed=7)):
        content = other.read_bytes()
        assert content[0x20:0x120] != first[0x20:0x120]
        assert content[0x120:0x2000] != first[0x120:0x2000]


def test_a_full_version_field_is_kept(aloft, make):
    version = "v" + "1" * 31
    path = make(version=version)
    assert path.read_bytes()[0x30:0x50] == version.encode()
    assert json.loads(run(aloft, "info", path, "--json").stdout)["version"] == version


@pytest.mark.parametrize("options, words", [
    (["--chip", "esp9", "--version", "v1"], "known are esp32, esp32s2, esp32c3"),
    (["--chip", "esp32c3", "--version", "v1", "--size", "67k"], "at least 68k"),
    (["--chip", "esp32c3", "--version", "v1", "--size", "5M"], "4M of flash"),
    (["--chip", "esp32c3", "--version", "v1", "--size", "-1"], "not a size"),
    (["--chip", "esp32c3", "--version", "v1", "--size", "99999999999999999999"], "not a size"),
    (["--chip", "esp32c3", "--version", "v1", "--size", "1Mx"], "not a size"),
    (["--chip", "esp32c3", "--version", "v1", "--seed", "x"], "not a seed"),
    (["--chip", "esp32c3", "--version", "v" + "1" * 32], "1 to 32"),
    (["--chip", "esp32c3", "--version", ""], "1 to 32"),
    (["--chip", "esp32c3", "--version", "v 1"], "printable"),
    (["--chip", "esp32c3"], "--version"),
])
def test_make_refuses_wrong_usage_with_one_line(aloft, tmp_path, options, words):
    path = tmp_path / "x.bin"
    done = run(aloft, "make", *options, "-o", path)
    assert done.returncode == 2
    assert words in done.stderr.splitlines()[0]
    assert not path.exists()


def test_make_reports_a_folder_that_is_not_there(aloft, tmp_path):
    done = run(aloft, "make", "--chip", "esp32c3", "--version", "v1", "-o", tmp_path / "no" / "x.bin")
    assert done.returncode == 1
    assert "cannot create" in done.stderr


def test_info_describes_a_made_image(aloft, make):
    path = make("esp32c6", "v1.2.3.4")
    done = run(aloft, "info", path, "--json")
    info = json.loads(done.stdout)
    assert done.returncode == 0
    assert (info["kind"], info["chip"], info["version"]) == ("an app image", "esp32c6", "v1.2.3.4")
    assert info["is_checksum_right"] and info["is_sha256_right"] and info["ok"]
    assert info["image_bytes"] == info["size_bytes"] == 1 << 20
    assert len(info["segments"]) == len(Image(path.read_bytes()).segments)
    words = run(aloft, "info", path).stdout
    assert "an app image" in words and "v1.2.3.4" in words and "whole and sound" in words


@pytest.mark.parametrize("off, flip, words", [
    (0x5000, 0x01, "the checksum is wrong"),
    (-1, 0x01, "the SHA-256 is wrong"),
    (0x01, 0x10, "the number of segments"),
    (0x18, 0x04, "flash page"),
])
def test_info_fails_for_a_damaged_image(aloft, make, off, flip, words):
    path = make()
    data = bytearray(path.read_bytes())
    data[off] ^= flip
    path.write_bytes(data)
    done = run(aloft, "info", path)
    assert done.returncode == 1
    assert words in done.stdout


def test_info_fails_for_a_cut_image(aloft, make):
    path = make()
    path.write_bytes(path.read_bytes()[:500000])
    done = run(aloft, "info", path)
    assert done.returncode == 1
    assert "ends too early" in done.stdout


def partition(kind, subtype, off, size, label):
    return struct.pack("<2sBBII16sI", b"\xaa\x50", kind, subtype, off, size, label, 0)


# facts/esp-formats.md 8.6, with its MD5 record.
TABLE = (partition(1, 2, 0x9000, 0x6000, b"nvs") + partition(0, 0, 0x10000, 0x100000, b"factory")
         + b"\xeb\xeb" + b"\xff" * 14 + bytes.fromhex("e6c39985bd0f443a39e6865e110adaa5")).ljust(0xC00, b"\xff")


def test_info_lists_a_partition_table(aloft, tmp_path):
    path = tmp_path / "partition-table.bin"
    path.write_bytes(TABLE)
    info = json.loads(run(aloft, "info", path, "--json").stdout)
    assert info["kind"] == "a partition table" and info["has_md5"]
    assert [p["label"] for p in info["partitions"]] == ["nvs", "factory"]
    assert info["partitions"][1]["offset"] == "0x010000"
    path.write_bytes(TABLE.replace(b"factory", b"factorx"))
    done = run(aloft, "info", path)
    assert done.returncode == 1 and "the MD5 is wrong" in done.stdout


def test_info_lists_the_table_of_a_factory_image(aloft, tmp_path, make):
    path = tmp_path / "factory.bin"
    path.write_bytes(make().read_bytes()[:0x6000].ljust(0x8000, b"\xff") + TABLE + b"\xff" * 0x1000)
    info = json.loads(run(aloft, "info", path, "--json").stdout)
    assert info["kind"] == "a factory image (the whole flash)"
    assert len(info["partitions"]) == 2


def test_info_reads_otadata(aloft, tmp_path):
    path = tmp_path / "otadata.bin"
    # facts/esp-formats.md 8.1: seq1 VALID, seq2 NEW.
    path.write_bytes((b"\x01\0\0\0" + b"\xff" * 20 + bytes.fromhex("020000009a984347")).ljust(4096, b"\xff")
                     + (b"\x02\0\0\0" + b"\xff" * 20 + bytes.fromhex("000000007437f655")).ljust(4096, b"\xff"))
    info = json.loads(run(aloft, "info", path, "--json").stdout)
    assert [e["state"] for e in info["entries"]] == ["VALID", "NEW"]
    assert [e["valid"] for e in info["entries"]] == ["yes", "yes"]
    assert info["active_entry"] == 1


def test_info_reads_a_packed_header(aloft, tmp_path):
    path = tmp_path / "ota.bin"
    # facts/esp-formats.md 8.7: v2 for the payload 123456789.
    header = bytes.fromhex("4553500002010000" + 32 * "00" + "09000000" + "25f9e794323b453885f5181f1b624d0b"
                           + 16 * "00" + "0000000000000000" + "94069634")
    path.write_bytes(header + b"123456789")
    info = json.loads(run(aloft, "info", path, "--json").stdout)
    assert (info["kind"], info["payload_bytes"], info["compression"]) == ("a packed image v2", 9, "xz")
    path.write_bytes(header + b"12345678")
    assert run(aloft, "info", path).returncode == 1
    path.write_bytes(header[:-1] + b"\0" + b"123456789")
    done = run(aloft, "info", path)
    assert done.returncode == 1 and "the CRC is wrong" in done.stdout


def test_info_keeps_terminal_escapes_out(aloft, make):
    path = make()
    data = bytearray(path.read_bytes())
    data[0x30:0x38] = b"\x1b[31mred"
    path.write_bytes(data)
    done = run(aloft, "info", path)
    assert "\x1b" not in done.stdout and "?[31mred" in done.stdout


def test_info_names_other_files(aloft, tmp_path):
    for content, kind in ((b"PK\3\4....", "a zip archive"), (b"", "an empty file"), (b"hello\n", "a text file")):
        path = tmp_path / "file"
        path.write_bytes(content)
        done = run(aloft, "info", path)
        assert done.returncode == 0 and kind in done.stdout


def test_info_fails_for_a_file_that_is_not_there(aloft, tmp_path):
    done = run(aloft, "info", tmp_path / "nothing")
    assert done.returncode == 1 and "cannot open" in done.stderr
    assert run(aloft, "info").returncode == 2
