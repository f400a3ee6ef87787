# SPDX-License-Identifier: Apache-2.0
"""The C readers of partition tables, CSV, otadata and the files of user partitions agree with a second reader
written from the description of the formats: on its test vectors, on every layout, and on seeded random
input."""

import hashlib
import json
import os
import pathlib
import random
import subprocess

import pytest

import esp_formats as esp
from esp_formats import ABORTED, FACTORY, INVALID, NEW, PENDING, TEST, UNDEFINED, VALID, Entry

ROOT = pathlib.Path(__file__).resolve().parents[2]
N_RANDOM = 3000


@pytest.fixture(scope="module")
def ask():
    """Put questions (lines) to the C side: a list of answers."""
    beside = pathlib.Path(os.environ.get("ALOFT", ROOT / "build" / "aloft")).parent / "tests"
    tool = pathlib.Path(os.environ.get("FORMAT_TOOL", beside / "format_tool")).resolve()
    if not tool.exists():
        pytest.exit(f"there is no {tool}: build it first (make)", 2)

    def ask_tool(questions):
        done = subprocess.run([tool], input="\n".join(questions) + "\n", capture_output=True,
                              text=True, timeout=120, check=False)
        assert done.returncode == 0, done.stderr
        answers = [json.loads(line) for line in done.stdout.splitlines()]
        assert len(answers) == len(questions)
        return answers

    return ask_tool


def hex_of(data):
    return data.hex() or "-"


# The table of boot decisions (facts/esp-formats.md 8.2).

BLANK = Entry()
F, T = FACTORY, TEST
ALL = frozenset(range(16)) | {F, T}
BOTH, RB, NO_RB, ANTI = (False, True), (True,), (False,), "anti"


def at(seq, state):
    return Entry.make(seq, state)


def bad(seq, state):
    entry = Entry.make(seq, state)
    entry.crc ^= 0x80000000
    return entry


SAME = None
DECISIONS = [
    # slots, good, before, build, boots, after, versions and eFuse before and after
    ({0, 1}, {0}, [BLANK, BLANK], BOTH, 0, [at(1, VALID), BLANK]),
    ({0, 1}, {1}, [BLANK, BLANK], BOTH, 1, [at(2, VALID), BLANK]),
    ({F, 0, 1}, ALL, [BLANK, BLANK], BOTH, F, SAME),
    ({F, 0, 1}, {0, 1}, [BLANK, BLANK], BOTH, 0, SAME),
    ({0, 1}, ALL, [at(1, VALID), at(2, UNDEFINED)], BOTH, 1, SAME),
    ({0, 1}, {0}, [at(1, VALID), at(2, UNDEFINED)], BOTH, 0, SAME),
    ({F, 0, 1, 2}, {F, 1}, [at(3, UNDEFINED), BLANK], BOTH, 1, SAME),
    ({F, 0, 1, 2}, {2}, [at(1, UNDEFINED), BLANK], BOTH, 2, SAME),
    ({0, 1, T}, {T}, [at(1, UNDEFINED), BLANK], BOTH, T, SAME),
    ({0, 1}, set(), [at(1, UNDEFINED), BLANK], BOTH, None, SAME),
    ({0, 1}, ALL, [bad(1, VALID), bad(2, VALID)], BOTH, 0, SAME),
    ({F, 0, 1}, ALL, [bad(1, VALID), bad(2, VALID)], BOTH, F, SAME),
    ({0, 1}, ALL, [at(1, INVALID), at(2, ABORTED)], BOTH, 0, SAME),
    ({0, 1}, ALL, [at(1, VALID), at(2, NEW)], RB, 1, [at(1, VALID), at(2, PENDING)]),
    ({0, 1}, ALL, [at(1, VALID), at(2, PENDING)], RB, 0, [at(1, VALID), at(2, ABORTED)]),
    ({0, 1}, ALL, [at(1, VALID), at(2, NEW)], NO_RB, 1, SAME),
    ({0, 1}, ALL, [BLANK, at(2, PENDING)], RB, 0, [BLANK, at(2, ABORTED)]),
    ({0, 1}, {1}, [at(1, PENDING), BLANK], RB, 1, [at(1, ABORTED), BLANK]),
    ({0, 1}, ALL, [bad(1, PENDING), BLANK], RB, 0, [at(1, VALID), BLANK]),
    ({0, 1}, ALL, [at(1, VALID), at(1, NEW)], RB, 0, SAME),
    ({0, 1}, ALL, [at(3, VALID), at(2, VALID)], BOTH, 0, SAME),
    ({0, 1}, ALL, [at(0, VALID), BLANK], BOTH, 1, SAME),
    ({F}, {F}, [at(1, VALID), BLANK], BOTH, F, SAME),
    ({0, 1}, ALL, [at(1, VALID), at(2, VALID)], ANTI, 1, SAME, (1, 3), 2, 3),
    ({0, 1}, ALL, [at(1, VALID), at(2, VALID)], ANTI, 0, SAME, (3, 1), 2, 3),
    ({0, 1}, ALL, [at(1, VALID), at(2, VALID)], ANTI, None, SAME, (1, 1), 2, 2),
]


def device_of(slots, build, rollback, versions=(0, 0), efuse=0):
    return esp.Device(slots={s for s in slots if s not in (F, T)}, has_factory=F in slots,
                      has_test=T in slots, rollback=rollback, anti_rollback=build == ANTI,
                      efuse=efuse, versions=dict(enumerate(versions)))


def boot_question(device, good, entries):
    mask = sum(1 << slot for slot in device.slots)
    good_mask = sum(1 << {F: 16, T: 17}.get(slot, slot) for slot in good)
    return (f"boot {device.has_factory:d} {device.has_test:d} {mask:x} {device.rollback:d} "
            f"{device.anti_rollback:d} {device.efuse} {device.versions[0]} {device.versions[1]} "
            f"{good_mask:x} {(entries[0].encode() + entries[1].encode()).hex()}")


def second_answer(device, good, entries):
    order, booted, after, efuse = esp.boot(device, entries, good)
    return {"order": order, "boots": booted, "efuse": efuse,
            "after": (after[0].encode() + after[1].encode()).hex()}


def test_both_readers_take_the_26_decisions(ask):
    assert len(DECISIONS) == 26
    questions, wanted = [], []
    for number, (slots, good, before, build, boots, after, *fuse) in enumerate(DECISIONS, 1):
        versions, efuse, efuse_after = fuse or ((0, 0), 0, 0)
        for rollback in NO_RB if build == ANTI else build:
            device = device_of(slots, build, rollback, versions, efuse)
            answer = second_answer(device, good, before)
            raw = b"".join(entry.encode() for entry in (after or before)).hex()
            assert (answer["boots"], answer["after"], answer["efuse"]) == \
                (boots, raw, efuse_after), f"row {number}"
            questions.append(boot_question(device, good, before))
            wanted.append(answer)
    assert ask(questions) == wanted


def random_entry(rng):
    if rng.random() < 0.2:
        return Entry()
    seq = rng.choice([0, 1, 2, 3, 4, 5, 6, 7, 100, 0x7FFFFFFF, 0xFFFFFFFD, 0xFFFFFFFE, 0xFFFFFFFF,
                      rng.getrandbits(32)])
    entry = Entry.make(seq, rng.choice([NEW, PENDING, VALID, INVALID, ABORTED, UNDEFINED, 5]))
    if rng.random() < 0.15:
        entry.crc ^= 1 << rng.randrange(32)
    if rng.random() < 0.1:
        entry.label = rng.randbytes(20)
    return entry


def test_random_boots_agree(ask):
    rng = random.Random(20261122)
    questions, wanted = [], []
    for _ in range(N_RANDOM):
        slots = {s for s in range(rng.choice([0, 1, 2, 2, 2, 3, 5, 16])) if rng.random() < 0.9}
        slots |= {s for s in (F, T) if rng.random() < 0.25}
        device = device_of(slots, ANTI if rng.random() < 0.2 else BOTH, rng.random() < 0.5,
                           (rng.randrange(4), rng.randrange(4)), rng.randrange(3))
        good = {s for s in slots if rng.random() < 0.7}
        entries = [random_entry(rng), random_entry(rng)]
        questions.append(boot_question(device, good, entries))
        wanted.append(second_answer(device, good, entries))
    for question, answer, expected in zip(questions, ask(questions), wanted, strict=True):
        assert answer == expected, question


def test_random_selections_agree(ask):
    rng = random.Random(3)
    questions, wanted = [], []
    for _ in range(N_RANDOM):
        entries = [random_entry(rng), random_entry(rng)]
        n_slots = rng.randrange(1, 17)
        slot = rng.randrange(n_slots + 1)
        state = rng.choice([NEW, UNDEFINED])
        raw = entries[0].encode() + entries[1].encode()
        questions.append(f"next {slot} {n_slots} {state:x} {raw.hex()}")
        expected = {"err": "OK", "active": esp.active_index(entries)}
        try:
            after = esp.set_boot(entries, slot, n_slots, state)
            expected["after"] = (after[0].encode() + after[1].encode()).hex()
        except esp.FormatError as e:
            expected["err"] = e.name
        wanted.append(expected)
    for question, answer, expected in zip(questions, ask(questions), wanted, strict=True):
        assert answer == expected, question


# Partition tables.

# SHA-256 of the primary tables (facts/esp-formats.md 8.6).
PRIMARIES = {
    "b3fe625d47efb78fc7e6e7099825029d420e88eb40dc76e41215dde85bfaf223",
    "0b7d50b247bec8ac48f918fa50ec4f28d5c13576f0c850610b10b40660d6c7af",
    "7e1caa07c844f36b51ee762651e0fdc0b0865304139c8c7e1a01d4bb94b9f5c3",
    "b396afd004ce12405c8c865c0c173205c32b76eb1b2fb366350049246f4fb686",
    "1e56d9b4965b1b6bd0daa83037ceda8ee32fe08b4f331b73b132278ea429d7fc",
    "8b786d97a54d3f581f0cf115bedd16185009555f381cc8bfc10ad63fea93c44e",
    "a6c740abfa67b501c6e4bde378bcfe0b8488cf143f8240fd4d99507129b72cb0",
}


def second_table_answer(data, flash_bytes):
    try:
        partitions, has_md5 = esp.parse_table(data, flash_bytes)
    except esp.FormatError as e:
        return {"err": e.name}
    answer = {"err": "OK", "md5": has_md5, "entries": [p.as_list() for p in partitions]}
    try:
        answer["encoded"] = esp.encode_table(partitions, has_md5).hex()
    except esp.FormatError:
        pass
    return answer


def test_every_layout_reads_the_same(ask):
    layouts = [layout for layout in ask([f"layout {i}" for i in range(64)]) if layout["name"]]
    seen = set()
    for layout in layouts:
        for name, has_md5 in (("primary", False), ("secondary", True)):
            data = bytes.fromhex(layout[name])
            partitions, found_md5 = esp.parse_table(data, layout["flash_bytes"])
            assert found_md5 == has_md5, layout["name"]
            assert esp.encode_table(partitions, has_md5) == data, layout["name"]
            question = f"table {layout['flash_bytes']:x} {data.hex()}"
            assert ask([question]) == [second_table_answer(data, layout["flash_bytes"])]
        seen.add(hashlib.sha256(bytes.fromhex(layout["primary"])).hexdigest())
    assert seen == PRIMARIES


def random_table(rng):
    partitions = [
        esp.Partition(rng.choice([0, 1, 1, 0x40, rng.randrange(256)]), rng.randrange(255),
                      rng.randrange(0, 0x400000, 0x1000), rng.randrange(0x200000),
                      rng.choice([0, 1, 2, 3]), rng.randbytes(rng.randrange(17)))
        for _ in range(rng.choice([0, 1, 2, 6, 6, 93, 94, 95]))]
    has_md5 = rng.random() < 0.6 and len(partitions) < 95
    data = bytearray(esp.encode_table(partitions, has_md5))
    for _ in range(rng.choice([0, 0, 1, 1, 3])):  # most damage near the start, where things stand
        data[min(int(rng.expovariate(1 / 200)), len(data) - 1)] = rng.choice([0, 0xFF, 0xEB, 0xAA])
    if rng.random() < 0.1:
        data += rng.randbytes(64)
    if rng.random() < 0.1:
        del data[rng.randrange(len(data)):]
    return bytes(data)


def test_random_tables_agree(ask):
    rng = random.Random(7)
    cases = [(random_table(rng), rng.choice([0, 0x200000, 0x600000])) for _ in range(N_RANDOM)]
    answers = ask([f"table {flash:x} {hex_of(data)}" for data, flash in cases])
    for (data, flash), answer in zip(cases, answers, strict=True):
        assert answer == second_table_answer(data, flash), data.hex()
    assert {a["err"] for a in answers} >= {"OK", "MAGIC", "RANGE", "MD5", "TRUNCATED"}


# CSV.

# The cases of facts/esp-formats.md 8.6: text, and what both readers must say.
CSV_CASES = [
    ("a, DATA ,fat,,4K", "OK"), ("a,data,,,4K", "OK"), ("a,0x40,,,4K", "OK"),
    ("a,app,,,1M", "SYNTAX"), ("a,app,factory,0x11000,1M", "ALIGN"),
    ("a,app,factory,,0x6100", "ALIGN"), ("a,data,fat,,100", "OK"),
    ("a,data,fat,0x9100,4K", "ALIGN"), ("a,data,fat,0x8000,4K", "RANGE"),
    ("a,data,fat,,8K\nb,data,fat,0xa000,4K", "OVERLAP"),
    ("a,data,fat,,4K\na,data,phy,,4K", "DUPLICATE"), ("a,data,ota,,0x1000", "RANGE"),
    ("a,data,ota,,8K\nb,data,ota,,8K", "DUPLICATE"), ("a,data,ota,,8K,readonly", "SYNTAX"),
    ("a,data,fat,,4K,readonly:encrypted", "OK"), ("a" * 31 + ",data,fat,,4K", "OK"),
    ("a,data,fat,,0x1k", "OK"), ("a,data,fat,,1.5K", "SYNTAX"), ("a,data,fat,,010", "SYNTAX"),
    ("a,data,fat,0x9000,-0x10000", "OK"), ("a,data,fat,,4K # x", "SYNTAX"),
    ("a,data,fat,,4K,,more,columns", "OK"), ("nvs,data,phy,,4K", "OK"),
]


def second_csv_answer(text, flash_bytes=0, skip_verify=False):
    try:
        partitions = esp.parse_csv(text, 0x8000, flash_bytes, skip_verify)
    except esp.FormatError as e:
        return {"err": e.name, "line": e.line}
    answer = {"err": "OK", "md5": True, "entries": [p.as_list() for p in partitions]}
    try:
        answer["encoded"] = esp.encode_table(partitions, True).hex()
    except esp.FormatError:
        pass
    return answer


def assert_same_csv(ask, cases):
    answers = ask([f"csv 8000 {flash:x} {skip:d} {hex_of(text)}" for text, flash, skip in cases])
    for (text, flash, skip), answer in zip(cases, answers, strict=True):
        expected = second_csv_answer(text, flash, skip)
        if not expected.get("line"):  # a warning, or a line the second reader does not know
            del answer["line"]
            expected.pop("line", None)
        assert answer == expected, text
    return answers


def test_both_readers_take_the_csv_cases(ask):
    answers = assert_same_csv(ask, [(text.encode(), 0, False) for text, _ in CSV_CASES])
    assert [answer["err"] for answer in answers] == [err for _, err in CSV_CASES]


PIECES = (
    ["a", "b", "nvs", "ota_0", "", "näme", "x" * 20, "#a", "$A", "a b"],
    ["app", "data", "DATA", "0", "1", "0x40", "64", "", "bootloader", "256", "-1", "da ta", "0o1"],
    ["ota", "nvs", "phy", "fat", "", "factory", "ota_1", "OTA_15", "test", "0x22", "34", "7", "what",
     "coredump", "0b11"],
    ["", "", "", "0x9000", "0x10000", "64K", "1M", "0xA100", "36864", "x", "-4K", "0x100000000"],
    ["4K", "0x2000", "8K", "1M", "64K", "100", "", "-0x200000", "-2M", "1_000", "1__0", "0x1k",
     "010", "00", "1.5K", "5000M", "4 K", "+4k", "99999999999999999999", "0", "kM", "0x_1f"],
    ["", "", "", "", "encrypted", "readonly", "readonly:encrypted", ":", "Readonly", "# c"],
    ["", "extra", "$X", "#"],
)


def random_csv(rng):
    lines = []
    for i in range(rng.choice([0, 1, 1, 2, 3, 4, 5])):
        columns = [rng.choice(choices) for choices in PIECES]
        if rng.random() < 0.8:  # mostly right, so that the rules behind the grammar are reached
            columns = [f"p{i}", *rng.choice([["app", "ota_0"], ["data", "nvs"], ["data", "ota"],
                                             ["0x40", ""], ["data", "fat"]]),
                       rng.choice(["", "", "", f"{0x10 + i * 4:#x}0000"]),
                       rng.choice(["64K", "8K", "0x2000", "0x10000", "-0x800000"]), ""]
            if rng.random() < 0.3:
                k = rng.randrange(6)
                columns[k] = rng.choice(PIECES[k])
        lines.append(rng.choice([",", ",", " , "]).join(columns[:rng.choice([6, 6, 6, 5, 7, 3])]))
        if rng.random() < 0.1:
            lines.append(rng.choice(["", "# comment, $X", "   "]))
    text = rng.choice(["\n", "\n", "\r\n", "\r"]).join(lines).encode()
    if rng.random() < 0.05:
        text = b"\xef\xbb\xbf" + text
    if text and rng.random() < 0.1:
        text = bytearray(text)
        text[rng.randrange(len(text))] = rng.choice(b",:$#0xkK\xff\xc3")
    return bytes(text)


def test_random_csv_agrees(ask):
    rng = random.Random(11)
    cases = [(random_csv(rng), rng.choice([0, 0, 0x400000]), rng.random() < 0.1)
             for _ in range(N_RANDOM)]
    answers = assert_same_csv(ask, cases)
    found = {answer["err"] for answer in answers}
    assert found >= {"OK", "SYNTAX", "RANGE", "ALIGN", "OVERLAP", "DUPLICATE"}
    assert sum(answer["err"] == "OK" for answer in answers) > N_RANDOM / 10


# The files of user partitions.

def test_the_vendors_nvs_file_is_made_again(ask):
    """facts/esp-formats.md 8.8. The SHA-256 named there is that of a file whose second page has a header."""
    text = b"MINI-1\0"
    page = esp.nvs_page(0, [
        esp.nvs_item(0, "u8", b"factory_param", b"\1"), esp.nvs_item(1, "i8", b"version", b"\4"),
        esp.nvs_item(1, "string", b"module_name", text),
        esp.nvs_item(1, "i32", b"uart_baudrate", (115200).to_bytes(4, "little")),
        esp.nvs_item(0, "u8", b"client_ca", b"\2"), esp.nvs_item(2, "blob", b"client_ca.0", b"CERT-ONE\n", chunk=0),
        esp.nvs_item(2, "index", b"client_ca.0", b"\x09\0\0\0\1\0")], state=0xFFFFFFFC)
    data = page + esp.nvs_page(1, state=0xFFFFFFFC) + b"\xff" * esp.PAGE
    assert hashlib.sha256(data).hexdigest() == "cf385b9d4625df2b1e357ca75053cb0b089221b12acfa29f649581c9e79ece0a"
    assert ask([f"nvs {data.hex()}"]) == [esp.check_nvs(data)] == [{"fault": "OK"}]


def random_item(rng, namespace):
    kind = rng.choice([*esp.NVS_TYPES.values(), 0x21, 0x42, rng.randrange(256) if rng.random() < 0.1 else 0x01])
    value = rng.randbytes(rng.choice([1, 2, 4, 8]))
    if kind in esp.NVS_WITH_DATA:
        value = rng.randbytes(rng.choice([0, 1, 31, 32, 33, 64, 300]))
        if kind == 0x21 and rng.random() < 0.9:
            value += b"\0"
    if rng.random() < 0.03:
        return esp.nvs_entry(namespace, kind, rng.randrange(256), 0xFF, b"span", value[:8])
    key = rng.randbytes(16) if rng.random() < 0.05 else f"key{rng.randrange(100)}".encode()
    return esp.nvs_item(namespace, kind, key, value)


def random_nvs(rng):
    pages = []
    for number in range(rng.choice([1, 1, 2, 3])):
        items = [esp.nvs_item(0, "u8", b"space", bytes([rng.choice([1, 2, 254, 255, 0]) if rng.random() < 0.1 else 1]))]
        items += [random_item(rng, rng.choice([1, 1, 1, 0]) if rng.random() < 0.05 else 1)
                  for _ in range(rng.randrange(8))]
        sequence = rng.randrange(3) if rng.random() < 0.1 else number
        state = rng.choice([0xFFFFFFFE, 0xFFFFFFFC, 0xFFFFFFF8, 0xFFFFFFF0]) if rng.random() < 0.2 else 0xFFFFFFFC
        version = rng.randrange(256) if rng.random() < 0.05 else 0xFE
        pages.append(esp.nvs_page(sequence, items, state, version))
    pages += [b"\xff" * esp.PAGE] * rng.choice([0, 1, 1, 1, 2])
    data = bytearray(b"".join(pages))
    for _ in range(rng.choice([0, 0, 1, 2])):  # the start of a page is where things stand
        at = rng.randrange(len(data) // esp.PAGE) * esp.PAGE + min(int(rng.expovariate(1 / 150)), esp.PAGE - 1)
        data[at] ^= 1 << rng.randrange(8)
    if rng.random() < 0.03:
        del data[rng.randrange(len(data)):]
    return bytes(data)


def assert_same_verdict(ask, word, check, cases, faults):
    answers = ask([f"{word} {hex_of(data)}" for data in cases])
    for data, answer in zip(cases, answers, strict=True):
        assert answer == check(data), data.hex()
    assert {answer["fault"] for answer in answers} == faults


def test_random_nvs_agrees(ask):
    rng = random.Random(61)
    assert_same_verdict(ask, "nvs", esp.check_nvs, [random_nvs(rng) for _ in range(N_RANDOM)], {
        "OK", "SIZE", "NO_BLANK", "PAGE_STATE", "PAGE_VERSION", "PAGE_CRC", "PAGE_DIRTY", "SEQUENCE", "ENTRY_STATE",
        "ENTRY_CRC", "TYPE", "KEY", "NAMESPACE", "DATA_SIZE", "DATA_CRC", "SPAN"})


def damaged(rng, data, rest=40):
    """Mostly near its start, where the header stands; sometimes cut, or with something behind it."""
    data = bytearray(data)
    for _ in range(rng.choice([0, 1, 1, 2])):
        data[min(int(rng.expovariate(1 / 6)), len(data) - 1)] = rng.choice([0, 1, 2, 3, 4, 8, 0xF1, 0xFF])
    if rng.random() < 0.2:
        del data[rng.randrange(len(data)):]
    elif rng.random() < 0.3:
        data += b"\xff" * rng.randrange(rest) + rng.choice([b"", b"\0"])
    return bytes(data)


def test_random_containers_agree(ask):
    rng = random.Random(62)
    pki = [esp.pki_file([(rng.choice([1, 2, 3]), i, rng.randbytes(rng.choice([0, 1, 4, 9, 70])))
                         for i in range(rng.randrange(4))]) for _ in range(N_RANDOM)]
    assert_same_verdict(ask, "pki", esp.check_pki, [damaged(rng, data) for data in pki],
                        {"OK", "MAGIC", "HEADER", "TRUNCATED", "TRAILING", "ITEM", "COUNT"})
    params = [b"\xfc\xfc" + bytes([rng.choice([1, 2, 3])]) + rng.randbytes(rng.choice([21, 85])).ljust(
        rng.choice([21, 85, 200]), b"\xff") for _ in range(N_RANDOM)]
    assert_same_verdict(ask, "factory_param", esp.check_factory_param, [damaged(rng, data) for data in params],
                        {"OK", "MAGIC", "VERSION", "TRUNCATED", "TRAILING"})
    services = [esp.ble_file(rng.randbytes(rng.choice([0, 1, 14, 300]))) for _ in range(N_RANDOM)]
    assert_same_verdict(ask, "ble_data", esp.check_ble_data, [damaged(rng, data) for data in services],
                        {"OK", "MAGIC", "TRUNCATED", "TRAILING"})
