"""Datasets -> the JSON answer: what is shown, what `meta` tells of it, and that it is the same every time."""

import json
from dataclasses import replace

import pytest

from jvgate.render.answers import render
from jvgate.values import Query
from tests.raceday import dataset, race_day, record
from tests.render.asking import as_json, question
from tests.specs import JRA

HALF_A_KANJI = b"\x81\x20"


def kinds(answer):
    return [shown["RecordSpec"] for shown in answer["data"]]


def test_everything_is_shown_in_the_order_of_the_file():
    assert kinds(as_json(*race_day())) == ["RA", "SE", "SE", "SE", "HR", "O1"]


def test_an_empty_dataset_is_an_answer():
    answer = as_json()
    assert (answer["data"], answer["meta"]["total"]) == ([], 0)
    assert (answer["meta"]["record_counts"], answer["meta"]["last_file_timestamp"]) == ({}, None)


def test_the_same_dataset_is_the_same_bytes_whenever_and_however_slowly_it_was_read():
    once = dataset(*race_day())
    again = replace(once, read_at=1e9, open_s=1.0, read_s=2.0, wait_s=3.0)
    one, other = (render(question(), [given], JRA).answer for given in (once, again))
    assert one == other


def test_another_body_has_another_etag():
    etags = {render(question(limit=str(n)), [dataset(*race_day())], JRA).answer.etag for n in range(3)}
    assert len(etags) == 3
    assert all(etag.startswith('"') and etag.endswith('"') for etag in etags)


def test_a_broken_field_is_null_and_told_and_the_rest_stands():
    raw = bytearray(record("SE", Umaban=7, Bamei="アイ"))
    raw[40:42] = HALF_A_KANJI
    answer = as_json(bytes(raw))
    (shown,) = answer["data"]
    assert (shown["Bamei"], shown["Umaban"]) == (None, 7)
    assert len(shown["_errors"]) == 1
    assert (answer["meta"]["damaged_records"], answer["meta"]["damaged_fields"]) == (1, 1)


def test_older_layouts_stand_beside_current_ones():
    asked = question("DIFN")
    mixed = dataset(record("UM", Bamei="アイ"), record("UM", Bamei="ウエ", length=1577), query=asked.queries[0])
    answer = json.loads(render(asked, [mixed], JRA).answer.body)
    assert [shown["Bamei"] for shown in answer["data"]] == ["アイ", "ウエ"]


@pytest.mark.parametrize(
    ("dataspec", "successor"), [("DIFF", "DIFN"), ("SNAP", "SNPN"), ("RACE", ""), ("RACEDIFF", "")]
)
def test_an_older_data_spec_names_its_successor(dataspec, successor):
    asked = question(dataspec)
    answer = render(asked, [dataset(query=Query(dataspec)) for _ in asked.queries], JRA).answer
    assert (answer.successor, answer.content_type) == (successor, "application/json")
