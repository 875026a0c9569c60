"""A line for every record and a last one, which proves that the others are whole."""

import json
from hashlib import sha256

import pytest

from tests.render.asking import MIXED, SELECTIONS, answer, as_json


def lines(body):
    assert body.endswith(b"\n")
    return [json.loads(line) for line in body.splitlines()]


@pytest.mark.parametrize("parameters", SELECTIONS, ids=str)
def test_ndjson_has_a_line_for_every_record_and_then_the_facts(parameters):
    expected = as_json(*MIXED, **parameters)
    *records, last = lines(answer(*MIXED, format="ndjson", **parameters).body)
    assert records == expected["data"]
    facts = last["end"]
    assert facts.pop("digest").startswith("sha256:")
    assert facts == {name: fact for name, fact in expected["meta"].items() if name != "offset"}


def test_the_digest_is_that_of_all_lines_before_the_last():
    body = answer(*MIXED, format="ndjson").body
    *before, last = body.splitlines(keepends=True)
    assert json.loads(last)["end"]["digest"] == "sha256:" + sha256(b"".join(before)).hexdigest()


def test_ndjson_of_nothing_is_the_last_line_alone():
    (last,) = lines(answer(format="ndjson").body)
    assert (last["end"]["total"], last["end"]["digest"]) == (0, f"sha256:{sha256(b'').hexdigest()}")
