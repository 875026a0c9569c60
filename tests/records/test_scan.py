"""A scan lists where the records of a dataset stand, and reads their keys without decoding anything."""

import pytest

from jvgate.records.encode import encode
from jvgate.records.runs import Damage, RawRecord, RecordRun
from jvgate.records.scan import scan
from jvgate.spec.places import place_of
from tests.raceday import GARBAGE, frames_of, race_day, record, scan_of
from tests.specs import JRA


def shape(body):
    return [(run.layout.record, run.count) for run in scan_of(body).runs()]


def test_runs_follow_the_bytes():
    assert shape(b"".join(race_day())) == [("RA", 1), ("SE", 3), ("HR", 1), ("O1", 1)]


def test_nothing_has_no_runs():
    assert scan_of(b"") == scan_of(b"\0\0")
    assert not shape(b"")


@pytest.mark.parametrize("count", [1, 2, 16, 17, 18, 33, 500, 60_000])
def test_a_run_is_as_long_as_it_is(count):
    assert shape(record("TC") * count + record("RA")) == [("TC", count), ("RA", 1)]


def test_an_older_layout_is_a_run_of_its_own():
    body = record("HN") * 2 + record("HN", length=245) * 3
    assert [(run.layout.length, run.count) for run in scan_of(body).runs()] == [(251, 2), (245, 3)]


def test_the_nul_of_jvgets_is_no_part_of_a_record():
    first, second = scan_of((record("RA") + b"\0") * 40 + record("SE")).runs()
    assert [(first.layout.record, first.count), (second.layout.record, second.count)] == [("RA", 40), ("SE", 1)]
    assert first.distinct(((25, 2),)) == {b"11"}
    assert first.raw == record("RA") * 40


def test_each_file_is_framed_by_itself():
    first, second = record("RA") + record("SE")[:100], record("SE")
    found = scan(first + second, JRA.layouts, [0, len(first)])
    assert [type(item) for items in found.files for item in items] == [RecordRun, Damage, RecordRun]
    assert [item.offset for items in found.files for item in items] == [0, len(record("RA")), 0]
    assert [run.raw for run in found.runs()] == [record("RA"), second]


def test_a_scan_lists_what_a_stream_of_the_same_bytes_gives():
    body = b"".join([*race_day() * 3, GARBAGE, record("HR").rstrip() + b"\r\n", record("SE") * 50])
    (items,) = scan_of(body).files
    listed = [each for item in items for each in (item.records() if isinstance(item, RecordRun) else [item])]
    streamed = frames_of(*(body[at : at + 700] for at in range(0, len(body), 700)))
    assert [(one.offset, one.head) for one in listed] == [(one.offset, one.head) for one in streamed]
    assert [one.raw for one in listed if isinstance(one, RawRecord)] == [
        one.raw for one in streamed if isinstance(one, RawRecord)
    ]


def test_a_stripped_record_still_has_its_key():
    stripped = record("HR").rstrip() + b"\r\n"
    found = scan_of(record("RA") + stripped + record("RA"))
    assert [(run.layout.record, run.raw) for run in found.runs()][1] == ("HR", record("HR"))
    assert found.is_clear


def test_what_is_no_record_is_told_and_passed_over():
    found = scan_of(record("RA") + GARBAGE + b"ZZ120261122what is this\r\n" + record("SE"))
    assert [run.layout.record for run in found.runs()] == ["RA", "SE"]
    assert found.unread == {"no", "ZZ"}
    assert not found.is_clear


def test_a_line_too_long_for_its_type_is_unread():
    """Two records whose line break is gone: the second one's race would be missed."""
    assert not scan_of(record("TC")[:-2] + record("TC")).is_clear
    assert not scan_of(record("RA")[:100] + record("TC")).is_clear


def test_a_record_cut_by_the_length_of_the_next_one_does_not_swallow_it():
    """Type, length and CR LF all fit."""
    assert ("TC", 1) in shape(record("RA")[:-47] + b"\r\n" + record("TC") + record("RA"))


def test_a_file_of_foreign_lines_is_not_clear():
    assert not scan_of(b"\r\n" * 200_000).is_clear


def test_marks_are_those_of_every_record():
    body = b"".join(
        encode({"RecordSpec": "SE", "DataKubun": mark, "MakeDate": "2026-11-16"}, JRA.layouts) for mark in "1277"
    )
    (run,) = scan_of(body).runs()
    assert run.marks() == b"1277"


@pytest.mark.parametrize("times", [1, 20])
def test_distinct_values_are_put_together_from_their_places(times):
    races = [record("SE", RaceNum=number, Umaban=horse) for number in (1, 2, 1) for horse in (1, 2)]
    (run,) = scan_of(b"".join(races * times)).runs()
    place = place_of(run.layout)
    assert run.distinct(place.day + place.race) == {b"202611150501", b"202611150502"}


def test_a_stripped_record_whose_generations_differ_in_their_key_is_unread():
    old = record("HS", length=196)[:-10] + b"\r\n"
    assert scan_of(old).unread == {"HS"}


def test_a_scan_is_tiny_beside_its_records():
    assert scan_of(record("SE") * 10_000).bytes < 1000
