"""Hand-built bytes give the JSON beside them; a new case is a new file in tests/golden, no code."""

import json
from pathlib import Path

import pytest

from jvgate.records.decode import decode
from jvgate.records.encode import encode
from tests.specs import JRA

CASES = sorted((Path(__file__).parents[1] / "golden").glob("*.json"))


def record_of(case):
    """The bytes of a case: spaces, overwritten at the offsets that the specification prints."""
    raw = bytearray(b" " * case["length"])
    for offset, text in case["bytes"]:
        piece = text.encode("cp932")
        raw[offset : offset + len(piece)] = piece
    return bytes(raw)


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_bytes_read_as_expected(path):
    case = json.loads(path.read_text("utf-8"))
    record = decode(record_of(case), JRA.layouts)
    assert {key: record[key] for key in case.get("only", record)} == case["expected"]


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_undamaged_bytes_are_written_back(path):
    case = json.loads(path.read_text("utf-8"))
    raw = record_of(case)
    if "_errors" not in case["expected"] and "only" not in case:
        assert encode(case["expected"], JRA.layouts, length=case["length"]) == raw
