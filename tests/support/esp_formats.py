# SPDX-License-Identifier: Apache-2.0
"""A second reader of partition tables, their CSV, otadata and the files of user partitions, written from
the description of the formats (facts/esp-formats.md 0.1, 2, 3 and 6) and not from the C sources. Plain
and slow on purpose."""

import dataclasses
import hashlib
import re
import struct
import zlib

class FormatError(Exception):
    """By the name of the C side's error; line 0 is the file as a whole."""

    def __init__(self, name, line=0):
        super().__init__(f"{name} in line {line}")
        self.name = name
        self.line = line


@dataclasses.dataclass
class Partition:
    type: int
    subtype: int
    offset: int
    size: int
    flags: int
    label: bytes

    def as_list(self):
        return [self.type, self.subtype, self.offset, self.size, self.flags, self.label.hex()]


# Partition table, binary (2.1).

TABLE_BYTES = 0xC00
RECORD = struct.Struct("<2sBBII16sI")


def encode_table(partitions, with_md5):
    records = b"".join(
        RECORD.pack(b"\xaa\x50", p.type, p.subtype, p.offset, p.size, p.label, p.flags)
        for p in partitions)
    if with_md5:
        records += b"\xeb\xeb" + b"\xff" * 14 + hashlib.md5(records).digest()
    if len(records) >= TABLE_BYTES:
        raise FormatError("TOO_BIG")
    return records.ljust(TABLE_BYTES, b"\xff")


def parse_table(data, flash_bytes=0):
    """Returns (partitions, has_md5)."""
    partitions, has_md5 = [], False
    for start in range(0, min(len(data), TABLE_BYTES) - 31, 32):
        record = data[start:start + 32]
        magic, kind, subtype, offset, size, label, flags = RECORD.unpack(record)
        if magic == b"\xff\xff" and kind == 0xFF and subtype == 0xFF:
            return partitions, has_md5
        if magic == b"\xaa\x50":
            if start == 95 * 32:
                break  # no room for an end marker
            if flash_bytes and offset + size > flash_bytes:
                raise FormatError("RANGE")
            partitions.append(
                Partition(kind, subtype, offset, size, flags, label.split(b"\0")[0]))
        elif magic == b"\xeb\xeb":
            if has_md5:
                raise FormatError("DUPLICATE")
            if hashlib.md5(data[:start]).digest() != record[16:]:
                raise FormatError("MD5")
            has_md5 = True
        else:
            raise FormatError("MAGIC")
    raise FormatError("TRUNCATED")


# Partition table, CSV (2.2).

TYPES = {"app": 0, "data": 1, "bootloader": 2, "partition_table": 3}
SUBTYPES = {
    0: {"factory": 0, "test": 0x20, "tee_0": 0x30, "tee_1": 0x31,
        **{f"ota_{n}": 0x10 + n for n in range(16)}},
    1: {"ota": 0, "phy": 1, "nvs": 2, "coredump": 3, "nvs_keys": 4, "efuse": 5, "undefined": 6,
        "esphttpd": 0x80, "fat": 0x81, "spiffs": 0x82, "littlefs": 0x83, "tee_ota": 0x90},
    2: {"primary": 0, "ota": 1, "recovery": 2},
    3: {"primary": 0, "ota": 1},
}
FLAGS = {"": 0, "encrypted": 1, "readonly": 2}


def number(text, line):
    factor = 1
    while text[-1:].lower() in ("k", "m") and text:
        factor *= 1024 if text[-1].lower() == "k" else 1048576
        text = text[:-1]
    try:
        return int(text, 0) * factor
    except ValueError:
        raise FormatError("SYNTAX", line) from None


def byte(text, keywords, line):
    if text.lower() in keywords:
        return keywords[text.lower()]
    value = number(text, line)
    if not 0 <= value <= 255:
        raise FormatError("RANGE", line)
    return value


@dataclasses.dataclass
class Row:
    line: int
    name: bytes
    type: int
    subtype: int
    offset: int | None
    size: int
    flags: int


def parse_row(text, line):
    columns = [column.strip() for column in (text + ",,,,,").split(",")[:6]]
    if any(re.search(r"\$(\w|\{)", column, re.ASCII) for column in columns):
        raise FormatError("SYNTAX", line)  # ours: no variables
    name, kind, subtype, offset, size, flags = columns
    if kind == "":
        raise FormatError("SYNTAX", line)
    kind = byte(kind, TYPES, line)
    if subtype == "" and kind == 0:
        raise FormatError("SYNTAX", line)
    subtype = 6 if subtype == "" else byte(subtype, SUBTYPES.get(kind, {}), line)
    offset = None if offset == "" else number(offset, line)
    if offset is not None and not 0 <= offset <= 0xFFFFFFFF:
        raise FormatError("RANGE", line)
    if size == "":
        raise FormatError("SYNTAX", line)
    size = number(size, line)
    if abs(size) > 0xFFFFFFFF:
        raise FormatError("RANGE", line)
    bits = 0
    for flag in flags.split(":"):
        if flag not in FLAGS:
            raise FormatError("SYNTAX", line)
        bits |= FLAGS[flag]
    return Row(line, name.encode(), kind, subtype, offset, size, bits)


def place(rows, table_offset):
    end = table_offset + 0x1000
    for i, row in enumerate(rows):
        if row.offset is None:
            align = 0x10000 if row.type == 0 else 0x1000
            row.offset = -(-end // align) * align
        elif row.offset < end:
            raise FormatError("RANGE" if i == 0 else "OVERLAP", row.line)
        if row.size < 0:
            row.size = -row.size - row.offset
        if row.size < 0 or row.size > 0xFFFFFFFF or row.offset + row.size > 1 << 32 \
                or row.offset > 0xFFFFFFFF:
            raise FormatError("RANGE", row.line)
        end = row.offset + row.size


def verify(rows, flash_bytes):
    for row in rows:
        if row.offset % (0x10000 if row.type == 0 else 0x1000):
            raise FormatError("ALIGN", row.line)
        if row.type == 0 and row.size % 0x1000:
            raise FormatError("ALIGN", row.line)
        if row.flags & 2 and row.type == 1 and row.subtype in (0, 3):
            raise FormatError("SYNTAX", row.line)
    names = [row.name for row in rows]
    for i, row in enumerate(rows):
        if row.name in names[:i]:
            raise FormatError("DUPLICATE", row.line)
    otadata = [row for row in rows if (row.type, row.subtype) == (1, 0)]
    if len(otadata) > 1:
        raise FormatError("DUPLICATE", otadata[-1].line)
    if otadata and otadata[0].size != 0x2000:
        raise FormatError("RANGE", otadata[0].line)
    if flash_bytes and rows and rows[-1].offset + rows[-1].size > flash_bytes:
        raise FormatError("RANGE", rows[-1].line)


def parse_csv(data, table_offset=0x8000, flash_bytes=0, skip_verify=False):
    """Returns the partitions of CSV bytes."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise FormatError("SYNTAX") from None
    rows = []
    for line, content in enumerate(re.split(r"\r\n|\n|\r", text), 1):
        content = content.strip()
        if content and not content.startswith("#"):
            rows.append(parse_row(content, line))
            if len(rows) > 95:
                raise FormatError("TOO_BIG", line)
    place(rows, table_offset)
    if not skip_verify:
        verify(rows, flash_bytes)
    return [Partition(r.type, r.subtype, r.offset, r.size, r.flags, r.name[:16]) for r in rows]


# otadata (3.1, 3.4) and the boot decision (3.2, 3.3, 3.6).

NEW, PENDING, VALID, INVALID, ABORTED, UNDEFINED = 0, 1, 2, 3, 4, 0xFFFFFFFF
BLANK_SEQ = 0xFFFFFFFF
FACTORY, TEST = -1, 100


@dataclasses.dataclass
class Entry:
    seq: int = BLANK_SEQ
    label: bytes = b"\xff" * 20
    state: int = UNDEFINED
    crc: int = 0xFFFFFFFF

    @classmethod
    def make(cls, seq, state):
        return cls(seq, b"\xff" * 20, state, seq_crc(seq))

    @classmethod
    def parse(cls, data):
        return cls(*struct.unpack("<I20sII", data))

    def encode(self):
        return struct.pack("<I20sII", self.seq, self.label, self.state, self.crc)

    @property
    def has_good_crc(self):
        return self.crc == seq_crc(self.seq)

    @property
    def is_rejected(self):
        return self.seq == BLANK_SEQ or self.state in (INVALID, ABORTED)

    @property
    def is_valid(self):
        return not self.is_rejected and self.has_good_crc

    def slot(self, n_slots):
        return (self.seq - 1) % (1 << 32) % n_slots


def seq_crc(seq):
    return zlib.crc32(struct.pack("<I", seq), 0xFFFFFFFF)


def active_index(entries):
    valid = [i for i in (0, 1) if entries[i].is_valid]
    if len(valid) == 2:
        return 1 if entries[1].seq > entries[0].seq else 0
    return valid[0] if valid else -1


def set_boot(entries, slot, n_slots, state):
    """Both entries after esp_ota_set_boot_partition of IDF 5.4."""
    if slot >= n_slots:
        raise FormatError("RANGE")
    active = active_index(entries)
    if active < 0:
        index, seq = 0, slot + 1
    else:
        index = 1 - active
        seq = (slot + 1) % n_slots
        if seq < entries[active].seq:
            seq += -(-(entries[active].seq - seq) // n_slots) * n_slots
    if seq >= BLANK_SEQ:
        raise FormatError("RANGE")
    after = list(entries)
    after[index] = Entry(seq, entries[index].label, state, seq_crc(seq))
    return after


@dataclasses.dataclass
class Device:
    slots: set
    has_factory: bool = False
    has_test: bool = False
    rollback: bool = False
    anti_rollback: bool = False
    efuse: int = 0
    versions: dict = dataclasses.field(default_factory=dict)

    def is_too_old(self, slot):
        return self.anti_rollback and self.versions.get(slot, 0) < self.efuse


def select(device, entries):
    """Steps 1 to 5 of 3.2: (index, entries as rewritten, the choosing entry, initial contents?)."""
    count = len(device.slots)
    entries = [dataclasses.replace(entry) for entry in entries]
    if device.rollback:
        for entry in entries:
            if entry.state == PENDING:
                entry.state = ABORTED
    if all(entry.is_rejected for entry in entries) or count == 0:
        if device.has_factory:
            return FACTORY, entries, None, False
        initial = all(entry.seq == BLANK_SEQ or not entry.has_good_crc for entry in entries)
        return 0, entries, None, initial
    active = active_index(
        [Entry() if device.is_too_old(entry.slot(count)) else entry for entry in entries])
    if active < 0:
        return FACTORY, entries, None, False
    chosen = entries[active]
    if device.rollback and chosen.state == NEW:
        chosen.state = PENDING
    return chosen.slot(count), entries, chosen, False


def boot_order(device, index):
    """3.3: everything that is tried, in order."""
    count = len(device.slots)
    tries = [slot for slot in range(min(index, 15), -1, -1)] + [FACTORY]
    tries += list(range(index + 1, count)) + [TEST]

    def exists(candidate):
        if candidate == FACTORY:
            return device.has_factory
        if candidate == TEST:
            return device.has_test
        return candidate < count and candidate in device.slots and not device.is_too_old(candidate)

    return [candidate for candidate in tries if exists(candidate)]


def boot(device, entries, good):
    """One reset: (order, what boots or None, entries after, eFuse after)."""
    index, entries, chosen, initial = select(device, entries)
    order = boot_order(device, index)
    booted = next((candidate for candidate in order if candidate in good), None)
    efuse = device.efuse
    if booted is None or booted in (FACTORY, TEST):
        return order, booted, entries, efuse
    is_proven = chosen is not None and chosen.state == VALID and booted == index
    if device.anti_rollback and (initial or is_proven):
        efuse = max(efuse, device.versions.get(booted, 0))
    if initial:
        entries[0] = Entry.make(booted + 1, VALID)
    return order, booted, entries, efuse


# The files of user partitions (6.1 to 6.4), written ...

PAGE = 4096
NVS_TYPES = {"u8": 0x01, "i8": 0x11, "u16": 0x02, "i16": 0x12, "u32": 0x04, "i32": 0x14, "u64": 0x08, "i64": 0x18,
             "string": 0x21, "blob_v1": 0x41, "blob": 0x42, "index": 0x48}
NVS_WITH_DATA = (0x21, 0x41, 0x42)


def nvs_crc(data):
    return zlib.crc32(data, 0xFFFFFFFF)


def nvs_entry(namespace, kind, span, chunk, key, value):
    """One entry of 32 bytes; `value` is its last 8."""
    head = struct.pack("<BBBB", namespace, kind, span, chunk)
    tail = key.ljust(16, b"\0") + value.ljust(8, b"\xff")
    return head + struct.pack("<I", nvs_crc(head + tail)) + tail


def nvs_item(namespace, kind, key, value, chunk=0xFF):
    """All entries of an item; `value` are its bytes."""
    kind = NVS_TYPES.get(kind, kind)
    if kind not in NVS_WITH_DATA:
        return nvs_entry(namespace, kind, 1, chunk, key, value)
    data = value.ljust(-(-len(value) // 32) * 32, b"\xff")
    last = struct.pack("<HHI", len(value), 0xFFFF, nvs_crc(value))
    return nvs_entry(namespace, kind, 1 + len(data) // 32, chunk, key, last) + data


def nvs_page(sequence, items=(), state=0xFFFFFFFE, version=0xFE):
    entries = b"".join(items)
    states = ["10"] * (len(entries) // 32)
    states += ["11"] * (128 - len(states))
    states = bytes(int("".join(reversed(states[i:i + 4])), 2) for i in range(0, 128, 4))
    head = struct.pack("<IB19s", sequence, version, b"\xff" * 19)
    head = struct.pack("<I", state) + head + struct.pack("<I", nvs_crc(head))
    return (head + states + entries).ljust(PAGE, b"\xff")


def pki_file(items):
    """Items: (type, id, content)."""
    body = b"".join((struct.pack("<BBH", kind, number, len(content)) + content).ljust(
        -(-(4 + len(content)) // 4) * 4, b"\xff") for kind, number, content in items)
    return b"\xf1\xf1" + struct.pack("<HI", len(items), len(body)) + body


def ble_file(text):
    return struct.pack("<H", len(text)) + b"\x27\x95" + text


# ... and judged: an answer of the C side's name, and where.

def nvs_item_fault(page, entry):
    """(fault, entry at fault, span) of the item that begins at an entry marked as written."""
    raw = page[64 + 32 * entry:96 + 32 * entry]
    namespace, kind, span, _ = raw[:4]
    if struct.unpack("<I", raw[4:8])[0] != nvs_crc(raw[:4] + raw[8:]):
        return "ENTRY_CRC", entry, 0
    if kind not in NVS_TYPES.values():
        return "TYPE", entry, 0
    if 0 not in raw[8:24]:
        return "KEY", entry, 0
    if namespace == 0 and not (kind == NVS_TYPES["u8"] and 1 <= raw[24] <= 254):
        return "NAMESPACE", entry, 0
    size = struct.unpack("<H", raw[24:26])[0] if kind in NVS_WITH_DATA else 0
    if size > 4000:
        return "DATA_SIZE", entry, 0
    if span != 1 + -(-size // 32) or entry + span > 126:
        return "SPAN", entry, 0
    for i in range(entry, entry + span):
        if nvs_state(page, i) != 2:
            return "ENTRY_STATE", i, 0
    if kind in NVS_WITH_DATA:
        data = page[96 + 32 * entry:96 + 32 * entry + size]
        if nvs_crc(data) != struct.unpack("<I", raw[28:])[0]:
            return "DATA_CRC", entry, 0
        if kind == NVS_TYPES["string"] and data[-1:] != b"\0":
            return "DATA_SIZE", entry, 0
    return "OK", entry, span


def nvs_state(page, entry):
    return page[32 + entry // 4] >> 2 * (entry % 4) & 3


def check_nvs(data):
    """{"fault", and by its kind "page" and "entry"}."""
    if not data or len(data) % PAGE:
        return {"fault": "SIZE"}
    blank, sequences = 0, set()
    for number in range(len(data) // PAGE):
        page = data[number * PAGE:(number + 1) * PAGE]
        state, sequence, version = struct.unpack("<IIB", page[:9])
        if state == 0xFFFFFFFF:
            if page.strip(b"\xff"):
                return {"fault": "PAGE_DIRTY", "page": number}
            blank += 1
            continue
        if state not in (0xFFFFFFFE, 0xFFFFFFFC, 0xFFFFFFF8):
            return {"fault": "PAGE_STATE", "page": number}
        if struct.unpack("<I", page[28:32])[0] != nvs_crc(page[4:28]):
            return {"fault": "PAGE_CRC", "page": number}
        if version not in (0xFE, 0xFF):
            return {"fault": "PAGE_VERSION", "page": number}
        if sequence in sequences:
            return {"fault": "SEQUENCE", "page": number}
        sequences.add(sequence)
        entry = 0
        while entry < 126:
            if nvs_state(page, entry) == 1:
                return {"fault": "ENTRY_STATE", "page": number, "entry": entry}
            if nvs_state(page, entry) != 2:
                entry += 1
                continue
            fault, at, span = nvs_item_fault(page, entry)
            if fault != "OK":
                return {"fault": fault, "page": number, "entry": at}
            entry += span
    return {"fault": "OK" if blank else "NO_BLANK"}


def check_pki(data):
    if data[:2] != b"\xf1\xf1":
        return {"fault": "MAGIC"}
    if len(data) < 8:
        return {"fault": "HEADER"}
    count, total = struct.unpack("<HI", data[2:8])
    if 8 + total > len(data):
        return {"fault": "TRUNCATED"}
    body, rest, seen = data[8:8 + total], data[8 + total:], 0
    while body:
        size = -(-(4 + struct.unpack("<H", body[2:4])[0]) // 4) * 4 if len(body) >= 4 else 4
        if size > len(body):
            return {"fault": "ITEM"}
        body, seen = body[size:], seen + 1
    if seen != count:
        return {"fault": "COUNT"}
    return {"fault": "TRAILING" if rest.strip(b"\xff") else "OK"}


def check_factory_param(data):
    if data[:2] != b"\xfc\xfc":
        return {"fault": "MAGIC"}
    if len(data) < 3:
        return {"fault": "TRUNCATED"}
    if data[2] not in (1, 2, 3):
        return {"fault": "VERSION"}
    size = 88 if data[2] == 3 else 24
    if len(data) < size:
        return {"fault": "TRUNCATED"}
    return {"fault": "TRAILING" if data[size:].strip(b"\xff") else "OK"}


def check_ble_data(data):
    if data[2:4] != b"\x27\x95":
        return {"fault": "MAGIC"}
    size = 4 + struct.unpack("<H", data[:2])[0]
    if len(data) < size:
        return {"fault": "TRUNCATED"}
    return {"fault": "TRAILING" if data[size:].strip(b"\xff") else "OK"}
