# SPDX-License-Identifier: Apache-2.0
"""Each of the 34 rows of the validator (facts/esp-formats.md 7) has a test that refuses or warns, and one that passes:
`row_NN_refuses__...`, `row_NN_warns__...`, `row_NN_passes__...`. Prints the table."""

import pathlib
import re

ROWS = range(1, 35)
UNIT = pathlib.Path(__file__).resolve().parents[1] / "unit"
# A test counts when it is run, not when it is only written.
RUN = re.compile(r"cmocka_unit_test\w*\(\s*row_(\d\d)_(refuses|warns|passes)__\w+")


def count():
    """row -> verdict -> number of tests"""
    table = {row: dict.fromkeys(("refuses", "warns", "passes"), 0) for row in ROWS}
    for path in (*UNIT.glob("test_analyse*.c"), *UNIT.glob("test_partition_rows*.c")):
        for row, verdict in RUN.findall(path.read_text()):
            table[int(row)][verdict] += 1
    return table


def test_each_row_is_refused_or_warned_of_and_passed():
    table = count()
    print("\nrow  refuses  warns  passes")
    for row, n in table.items():
        print(f"{row:3}  {n['refuses']:7}  {n['warns']:5}  {n['passes']:6}")
    missing = [row for row, n in table.items() if not (n["refuses"] + n["warns"] and n["passes"])]
    assert not missing, f"rows without a refusing (or warning) and a passing test: {missing}"
