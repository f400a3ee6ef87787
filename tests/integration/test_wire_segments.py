# SPDX-License-Identifier: Apache-2.0
"""A look at the wire (facts/ciupdate-wire.md 0.2, 2.3, 3.3): the head and the first 128 body bytes, or the whole answer
of the two JSON documents, leave in one segment or one TLS record."""

import json
import pathlib

import pytest

from capture import in_namespace

SCRIPT = str(pathlib.Path(__file__).resolve().parents[1] / "support" / "wire_look.py")
FIRST_BODY_MIN = 128
RECORD_OVERHEAD = 24  # TLS 1.2 AES-GCM: 8 bytes of nonce, 16 of tag
HEAD_MAX = 512


@pytest.fixture(scope="module")
def seen(aloft):
    facts = [json.loads(line) for line in in_namespace(SCRIPT, aloft).splitlines()]
    assert len(facts) == 6
    return {(fact["answer"], fact["tls"]): fact for fact in facts}


@pytest.mark.parametrize("answer", ["version", "list"])
def test_a_document_leaves_whole_in_one_segment(seen, answer):
    fact = seen[answer, False]
    assert fact["body"] > 0
    assert fact["first_segment"] == fact["head"] + fact["body"]


def test_a_file_begins_with_head_and_128_body_bytes_in_one_segment(seen):
    fact = seen["file", False]
    assert fact["body"] == 256 * 1024
    assert fact["head"] <= HEAD_MAX
    assert fact["first_segment"] >= fact["head"] + FIRST_BODY_MIN


@pytest.mark.parametrize("answer", ["version", "list"])
def test_a_document_leaves_whole_in_one_record(seen, answer):
    plain, tls = seen[answer, False], seen[answer, True]
    assert tls["records"] == [plain["head"] + plain["body"] + RECORD_OVERHEAD]
    assert tls["alerts"] >= 1  # close_notify


def test_a_file_begins_with_head_and_128_body_bytes_in_one_record(seen):
    plain, tls = seen["file", False], seen["file", True]
    assert tls["records"][0] - RECORD_OVERHEAD >= plain["head"] + FIRST_BODY_MIN
    assert sum(tls["records"]) - RECORD_OVERHEAD * len(tls["records"]) == plain["head"] + plain["body"]
