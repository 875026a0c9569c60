"""Runs of records are found by type and length alone, and what stands in their heads is read without decoding."""

import pytest

from jvgate.freshness.heads import heads_of, place_of, spans_of
from jvgate.records.encode import encode
from tests.raceday import GARBAGE, race_day, record
from tests.specs import JRA


def shape(body):
    return [(run.record, run.count) for run in heads_of(body, JRA.layouts).runs]


def test_runs_follow_the_bytes():
    assert shape(b"".join(race_day())) == [("RA", 1), ("SE", 3), ("HR", 1), ("O1", 1)]


def test_nothing_has_no_runs():
    assert heads_of(b"", JRA.layouts) == heads_of(b"\0\0", JRA.layouts)
    assert not heads_of(b"", JRA.layouts).runs


@pytest.mark.parametrize("count", [1, 2, 16, 17, 18, 33, 500])
def test_a_run_is_as_long_as_it_is(count):
    assert shape(record("TC") * count + record("RA")) == [("TC", count), ("RA", 1)]


def test_an_older_layout_is_a_run_of_its_own():
    body = record("HN") * 2 + record("HN", length=245) * 3
    assert [(run.length, run.count) for run in heads_of(body, JRA.layouts).runs] == [(251, 2), (245, 3)]


def test_the_nul_of_jvgets_is_no_part_of_a_record():
    runs = heads_of((record("RA") + b"\0") * 40 + record("SE"), JRA.layouts).runs
    assert [(run.record, run.count) for run in runs] == [("RA", 40), ("SE", 1)]
    assert runs[0].distinct(((25, 2),)) == {b"11"}


def test_a_stripped_record_still_has_its_head():
    stripped = record("HR").rstrip() + b"\r\n"
    found = heads_of(record("RA") + stripped + record("RA"), JRA.layouts)
    assert [(run.record, run.length) for run in found.runs] == [("RA", 1272), ("HR", len(stripped)), ("RA", 1272)]
    assert not found.unread


def test_what_is_no_record_is_told_and_passed_over():
    found = heads_of(record("RA") + GARBAGE + b"ZZ120261122what is this\r\n" + record("SE"), JRA.layouts)
    assert [run.record for run in found.runs] == ["RA", "SE"]
    assert found.unread == {"no", "ZZ"}


def test_a_line_too_long_for_its_type_is_unread():
    """Two records whose line break is gone: the second one's race would be missed."""
    damaged = record("TC")[:-2] + record("TC")
    assert heads_of(damaged, JRA.layouts).unread == {"TC"}
    assert heads_of(record("RA")[:100] + record("TC"), JRA.layouts).unread == {"RA"}


def test_a_record_that_swallowed_another_is_seen_by_its_line_break():
    """Cut by just the length of the next one, so that type, length and CR LF all fit."""
    swallowed = record("RA")[:-47] + b"\r\n" + record("TC") + record("RA")
    assert shape(swallowed) == [("RA", 2)]
    assert not heads_of(swallowed, JRA.layouts).is_clear
    assert heads_of(record("RA") * 2, JRA.layouts).is_clear


def test_a_file_of_foreign_lines_ends():
    assert heads_of(b"\r\n" * 200_000, JRA.layouts).unread


def test_marks_are_those_of_every_record():
    body = b"".join(
        encode({"RecordSpec": "SE", "DataKubun": mark, "MakeDate": "2026-11-16"}, JRA.layouts) for mark in "1277"
    )
    (run,) = heads_of(body, JRA.layouts).runs
    assert run.marks() == b"1277"


def test_distinct_values_are_put_together_from_their_places():
    races = [record("SE", RaceNum=number, Umaban=horse) for number in (1, 2, 1) for horse in (1, 2)]
    (run,) = heads_of(b"".join(races), JRA.layouts).runs
    place = place_of(run.layout)
    assert run.distinct(place.day + place.race) == {b"202611150501", b"202611150502"}


@pytest.mark.parametrize("layout", list(JRA.layouts.all()), ids=lambda layout: layout.id)
def test_a_place_is_read_in_whole_words(layout):
    place = place_of(layout)
    assert {length for _, length in place.day + place.race} <= {2, 4, 8}
    assert place.end <= layout.length
    assert bool(place.race) <= bool(place.day)


@pytest.mark.parametrize(
    ("kind", "day", "race"),
    [("RA", ((11, 4), (15, 4)), ((19, 2), (25, 2))), ("RC", ((12, 4), (16, 4)), ((20, 2), (26, 2))),
     ("WE", ((11, 4), (15, 4)), ()), ("WF", ((11, 8),), ()), ("HC", ((12, 8),), ()), ("UM", (), ())],
)  # fmt: skip
def test_a_place_is_what_the_key_names(kind, day, race):
    place = place_of(JRA.layouts.current(kind))
    assert (place.day, place.race) == (day, race)


def test_a_stripped_record_whose_generations_differ_in_their_key_is_unread():
    old = record("HS", length=196)[:-10] + b"\r\n"
    assert heads_of(old, JRA.layouts).unread == {"HS"}


def test_a_field_is_found_by_its_name():
    assert spans_of(JRA.layouts.current("RA"), "HassoTime") == ((873, 4),)
    assert spans_of(JRA.layouts.current("SE"), "HassoTime") == ()
