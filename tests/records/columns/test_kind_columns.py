"""Columns of the kinds that are made of digits: values, nulls, marks, and the bytes that break their kind."""

import datetime
import math

import pyarrow as pa
import pytest

from jvgate.records.columns.kind_columns import number_reader
from jvgate.records.columns.schema import marks_of
from tests.records.fields import field_of, rows


def read(record, name, *raws):
    """The column of *raws*: its values, and which of them break their kind."""
    field = field_of(record, name)
    column = number_reader(field, field.special, 0).read(rows(*raws))
    column.array.validate(full=True)
    return column.array, column.notes


def flags(noted, count):
    return [False] * count if noted is None else noted.tolist()


@pytest.mark.parametrize(
    ("record", "name", "raws", "values"),
    [
        ("SE", "Umaban", (b"07", b"00", b"18"), [7, None, 18]),
        ("SE", "Honsyokin", (b"00000000", b"12345678"), [0, 12345678]),
        ("O1", "TotalHyosuTansyo", (b"12345678901", b" " * 11), [12345678901, None]),
        ("SE", "KettoNum", (b"0022104567", b"0000000000"), ["0022104567", None]),
        ("SE", "Futan", (b"545", b"000", b"005"), [54.5, None, 0.5]),
        ("SE", "DMGosaP", (b"0105", b"0000"), [1.05, None]),
        ("SE", "TimeDiff", (b"+012", b"-012", b"0000"), [1.2, -1.2, None]),
        ("SE", "Time", (b"1345", b"0599", b"0000"), [94.5, 59.9, None]),
        ("SE", "DMTime", (b"13456", b"05999"), [94.56, 59.99]),
        ("SE", "MonthDay", (b"0229", b"1231", b"0101", b"0000"), ["02-29", "12-31", "01-01", None]),
        ("RA", "HassoTime", (b"0001", b"2359", b"1540"), ["00:01", "23:59", "15:40"]),
        ("WE", "HappyoTime", (b"12312359", b"02290000", b" " * 8), ["12-31T23:59", "02-29T00:00", None]),
    ],
)
def test_values_are_in_natural_units(record, name, raws, values):
    array, notes = read(record, name, *raws)
    assert (array.to_pylist(), flags(notes.bad, len(raws))) == (values, [False] * len(raws))


@pytest.mark.parametrize("day", ["19700101", "19691231", "20000229", "20240229", "20241231", "99991231", "00010101"])
def test_days_are_those_of_the_calendar(day):
    array, _ = read("SE", "MakeDate", day.encode())
    assert array.type == pa.date32()
    assert array.to_pylist() == [datetime.datetime.strptime(day, "%Y%m%d").date()]


@pytest.mark.parametrize(
    ("record", "name", "raw"),
    [
        ("SE", "Umaban", b" 7"),
        ("SE", "Umaban", b"7\x3a"),
        ("SE", "KettoNum", b"00221/4567"),
        ("SE", "KettoNum", b"/022104567"),
        ("SE", "Futan", b"5.5"),
        ("SE", "TimeDiff", b" 012"),
        ("SE", "TimeDiff", b"+0-2"),
        ("SE", "Time", b"1600"),
        ("SE", "DMTime", b"16000"),
        ("SE", "MakeDate", b"20230229"),
        ("SE", "MakeDate", b"19000229"),
        ("SE", "MakeDate", b"00000101"),
        ("SE", "MonthDay", b"0230"),
        ("SE", "MonthDay", b"1301"),
        ("RA", "HassoTime", b"2400"),
        ("RA", "HassoTime", b"1260"),
        ("WE", "HappyoTime", b"02300000"),
        ("WE", "HappyoTime", b"02292400"),
    ],
)
def test_what_breaks_its_kind_is_noted_and_null(record, name, raw):
    fine = {"MakeDate": b"20261115", "MonthDay": b"1115", "HappyoTime": b"11150930", "Time": b"1345"}
    other = fine.get(name, b"+012" if name == "TimeDiff" else b"1" * len(raw))
    array, notes = read(record, name, other, raw, other)
    assert flags(notes.bad, 3) == [False, True, False]
    assert [value is None for value in array.to_pylist()] == [False, True, False]


def test_special_values_are_marked_with_or_without_a_number():
    field = field_of("SE", "BaTaijyu")
    array, notes = read("SE", "BaTaijyu", b"480", b"999", b"000", b"   ")
    assert array.to_pylist() == [480, None, None, None]
    assert flags(notes.marked, 4) == [False, True, True, False]
    assert [marks_of(field)[place] for place in notes.marks[1:3]] == ["not_weighed", "withdrawn"]
    array, notes = read("SE", "Odds", b"9999", b"0012")
    assert (array.to_pylist(), flags(notes.marked, 2)) == ([999.9, 1.2], [True, False])


def test_a_special_value_of_other_characters_is_no_damage():
    array, notes = read("O1", "OddsTansyoInfo.Odds", b"----", b"0012", b"-*--")
    assert array.to_pylist() == [None, 1.2, None]
    assert (flags(notes.marked, 3), flags(notes.bad, 3)) == ([True, False, False], [False, False, True])


def test_a_special_value_that_means_zero_is_zero():
    array, notes = read("H1", "HyoTansyo.Hyo", b"00000000000", b"00000000012", b" " * 11)
    assert (array.to_pylist(), flags(notes.marked, 3)) == ([0, 12, None], [True, False, False])


def test_minus_zero_keeps_its_sign():
    array, _ = read("SE", "TimeDiff", b"-000", b"+000")
    assert [math.copysign(1, value) for value in array.to_pylist()] == [-1, 1]
