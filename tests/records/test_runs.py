"""Runs of records of one layout: parts of them, columns of their bytes, and the records one by one."""

import numpy as np
import pytest

from jvgate.records.runs import FEW, RawRecord, RecordRun
from tests.raceday import record
from tests.specs import JRA

SE = JRA.layouts.current("SE")
UMABAN = (28, 2)


def runners(*numbers, **values):
    return [record("SE", Umaban=number, **values) for number in numbers]


def run_of(raws, *, fill=b"", before=b"", offset=0):
    """A run of *raws* with *fill* behind each of them and *before* in front."""
    body = before + b"".join(raw + fill for raw in raws)
    return RecordRun(body, len(before), SE, len(raws), SE.length + len(fill), offset)


def test_a_run_gives_its_records_one_by_one_with_their_places():
    raws = runners(1, 2, 3)
    found = list(run_of(raws, fill=b"\0", before=b"front", offset=1000).records())
    assert [one.raw for one in found] == raws
    assert [one.offset for one in found] == [1000, 1556, 2112]
    assert {one.head for one in found} == {b"SE"}
    assert {one.layout for one in found} == {SE}


@pytest.mark.parametrize("fill", [b"", b"\0\0"])
def test_the_bytes_of_a_run_are_those_of_its_records_alone(fill):
    raws = runners(1, 2, 3)
    assert run_of(raws, fill=fill, before=b"x").raw == b"".join(raws)


@pytest.mark.parametrize("ending", [b"\n", b"\r\r\n", b""])
def test_records_with_another_line_end_are_shown_with_their_own(ending):
    raws = runners(1, 2, 3)
    run = RecordRun(b"".join(raw[:-2] + ending for raw in raws), 0, SE, 3, 553 + len(ending), 0, len(ending))
    assert run.raw == b"".join(raws)
    assert run.part(1, 2).raw == raws[1]
    assert [one.raw for one in run.records()] == raws
    assert run.chosen(np.array([True, False, True])).raw == raws[0] + raws[2]
    assert (run.length, run.fill) == (3 * (553 + len(ending)), 0)


def test_fill_between_records_is_counted():
    assert run_of(runners(1, 2, 3), fill=b"\0").fill == 2


def test_a_part_begins_and_ends_where_it_is_told_to():
    raws = runners(1, 2, 3, 4)
    part = run_of(raws, fill=b"\0", offset=10).part(1, 3)
    assert (part.raw, part.count, part.offset) == (b"".join(raws[1:3]), 2, 10 + 556)


def test_chosen_records_stand_together():
    run, raws = run_of(runners(1, 2, 3)), runners(1, 2, 3)
    assert run.chosen(np.array([True, False, True])).raw == raws[0] + raws[2]
    assert run.chosen(np.array([True, True, True])) is run
    assert run.chosen(np.array([False, False, False])) is None


def test_cells_are_the_bytes_at_a_place_of_all_or_of_some():
    run = run_of(runners(1, 2, 3), before=b"xy", fill=b"\0")
    assert run.cells(*UMABAN) == [b"01", b"02", b"03"]
    assert run.cells(*UMABAN, [2, 0]) == [b"03", b"01"]


def test_marks_are_the_data_kubun_of_every_record():
    raws = [*runners(1, DataKubun="7"), *runners(2, DataKubun="0"), *runners(3, DataKubun="A")]
    assert run_of(raws, before=b"xy", fill=b"\0").marks() == b"70A"


@pytest.mark.parametrize("length", [2, 3, 10])
def test_a_change_is_a_record_that_differs_from_the_one_before(length):
    changed = run_of(runners(1, 1, 2, 2, 1)).changes([(28, length)])
    assert changed.tolist() == [True, False, True, False, True]


@pytest.mark.parametrize("count", [1, FEW, FEW + 1])
def test_distinct_values_of_several_places_are_put_together(count):
    raws = [*runners(*range(1, count)), *runners(9, JyoCD="06")]
    spans = [(19, 2), UMABAN]
    expected = {b"05%02d" % number for number in range(1, count)} | {b"0609"}
    assert run_of(raws).distinct(spans) == expected


def test_a_single_record_is_its_bytes():
    (raw,) = runners(7)
    found = RawRecord.of(raw, SE, offset=5)
    assert (found.raw, found.as_it_came(), found.head, found.offset) == (raw, raw, b"SE", 5)
