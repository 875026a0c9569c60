"""Conditions on raw bytes: they want exactly the records whose answer shows the wanted value."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jvgate.records.decode import decode
from jvgate.records.matching import Meeting
from jvgate.records.runs import RecordRun
from jvgate.spec.conditions import Condition, Span, parse_condition, selectable
from tests.raceday import record
from tests.specs import JRA


def wants(condition, raw):
    layout = JRA.layouts.get(raw[:2].decode(), len(raw))
    return chosen([parse_condition(text, [layout]) for text in condition.split("&")], layout, raw) == raw


def chosen(conditions, layout, raw):
    """The records of *raw* that meet the conditions; one by one gives the same as all together."""
    meeting, run = Meeting(conditions), RecordRun.of(raw, layout)
    alone = b"".join(one.raw for one in run.records() if meeting.of(one) is not None)
    found = meeting.of(run)
    assert (found.raw if found is not None else b"") == alone
    return alone


@pytest.mark.parametrize(
    ("condition", "kind", "values", "wanted"),
    [
        ("JyoCD=05", "RA", {}, True),
        ("JyoCD=04,06", "RA", {}, False),
        ("RaceNum=11&JyoCD=05", "RA", {}, True),
        ("RaceNum=11&JyoCD=06", "RA", {}, False),
        ("RaceNum=9..12", "RA", {}, True),
        ("RaceNum=..100", "RA", {}, True),
        ("RaceNum=100", "RA", {}, False),
        ("RaceNum=..100", "RA", {"RaceNum": None}, False),
        ("date=20261115", "RA", {}, True),
        ("date=20261101..20261114", "RA", {}, False),
        ("date=2026-11-15..", "RA", {}, True),
        ("MonthDay=11-01..11-30", "SE", {}, True),
        ("GradeCD=A", "RA", {"GradeCD": "A"}, True),
        ("CourseKubunCD=A", "RA", {"CourseKubunCD": "A "}, True),
        ("CourseKubunCD=A", "RA", {"CourseKubunCD": "A1"}, False),
        ("ChakusaCD= 12", "SE", {"ChakusaCD": " 12"}, True),
        ("Futan=54.5", "SE", {"Futan": 54.5}, True),
        ("Futan=54..55", "SE", {"Futan": 54.5}, True),
        ("Time=94.5", "SE", {"Time": 94.5}, True),
        ("Time=..94.4", "SE", {"Time": 94.5}, False),
        ("HassoTime=15:00..16:00", "RA", {"HassoTime": "15:40"}, True),
        ("BaTaijyu=400..999", "SE", {"BaTaijyu": 472}, True),
        ("BaTaijyu=0..999", "SE", {"BaTaijyu": None, "BaTaijyuMark": "withdrawn"}, False),
        ("BaTaijyu=999", "SE", {"BaTaijyu": None, "BaTaijyuMark": "not_measurable"}, False),
        ("KettoNum=2023000000..2023999999", "SE", {"KettoNum": "2023100001"}, True),
    ],
)
def test_a_record_is_wanted_by_the_values_of_its_fields(condition, kind, values, wanted):
    assert wants(condition, record(kind, **values)) is wanted


def test_what_cannot_be_read_meets_no_condition():
    raw = bytearray(record("RA"))
    raw[25:27] = b"1x"
    assert not wants("RaceNum=..99", bytes(raw))
    assert wants("JyoCD=05", bytes(raw))


def test_records_of_a_layout_without_the_field_meet_nothing():
    assert chosen([Condition("RaceNum", (Span(1, 1),))], JRA.layouts.current("UM"), record("UM")) == b""


@pytest.mark.parametrize("count", [3, 400])
@pytest.mark.parametrize(
    "condition", ["RaceNum=2..5", "Umaban=7", "RaceNum=3&Umaban=1..9", "KettoNum=2023000000..", "RaceNum=99"]
)
def test_many_records_are_chosen_as_one_by_one(condition, count):
    runners = [record("SE", RaceNum=number // 18 % 12 + 1, Umaban=number % 18 + 1) for number in range(count)]
    layout = JRA.layouts.current("SE")
    conditions = [parse_condition(text, [layout]) for text in condition.split("&")]
    raw = b"".join(runners)
    assert chosen(conditions, layout, raw) == b"".join(one for one in runners if chosen(conditions, layout, one))


@given(st.sampled_from(["RA", "SE"]), st.data())
def test_the_bytes_say_what_the_answer_says(kind, data):
    layout = JRA.layouts.current(kind)
    names = sorted(selectable(layout).keys() - {"date", "RecordSpec"})
    field = selectable(layout)[data.draw(st.sampled_from(names))]
    characters = st.text("0123456789 +-A", min_size=field.length, max_size=field.length)
    raw = bytearray(record(kind))
    raw[field.offset : field.end] = data.draw(characters).encode()
    value = decode(bytes(raw), JRA.layouts)[field.key]
    value = value.rstrip() if isinstance(value, str) else value
    for span in (Span(value, value), Span(None, None)):
        assert bool(chosen([Condition(field.key, (span,))], layout, bytes(raw))) is (value is not None)
