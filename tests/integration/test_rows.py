# SPDX-License-Identifier: Apache-2.0
"""Each of the 44 stock defects of facts/at-commands.md 6.1 to 6.3 has a test that names its number: row_NN."""

import pathlib
import re

ROWS = 44
TESTS = pathlib.Path(__file__).resolve().parents[1]


def names():
    for path in (*TESTS.glob("unit/test_*.c"), *TESTS.glob("*/test_*.py")):
        if path.name.startswith(("test_analyse", "test_partition_rows", "test_validator")):
            continue  # rows of another table: test_validator_rows.py
        yield from re.findall(r"(?:static void|def) +(\w+)\(", path.read_text())


def test_each_row_is_named_by_a_test():
    named = {int(number) for name in names() for number in re.findall(r"row_(\d\d)", name)}
    assert named == set(range(1, ROWS + 1))
