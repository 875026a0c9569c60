"""Conditions on single fields: read from text, refused with what would be right, in one canonical form."""

import pytest

from jvgate.errors import QueryError
from jvgate.spec.conditions import Condition, Span, parse_condition, selectable
from jvgate.spec.layouts import Field
from tests.specs import JRA

RACES = [JRA.layouts.current(record) for record in ("RA", "SE")]


def parse(text, *records):
    return parse_condition(text, [JRA.layouts.current(record) for record in records] or RACES)


def refusal(text, *records):
    with pytest.raises(QueryError) as caught:
        parse(text, *records)
    return caught.value


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("JyoCD=05", "JyoCD=05"),
        ("JyoCD=06,05,06", "JyoCD=05,06"),
        ("RaceNum=011", "RaceNum=11"),
        ("RaceNum=12,9..11", "RaceNum=12,9..11"),
        ("RaceNum=9..", "RaceNum=9.."),
        ("RaceNum=..3", "RaceNum=..3"),
        ("RaceNum=3..3", "RaceNum=3"),
        ("Odds=12.30", "Odds=12.3"),
        ("Odds=12", "Odds=12.0"),
        ("date=20261115", "date=2026-11-15"),
        ("date=2026-11-14..20261115", "date=2026-11-14..2026-11-15"),
        ("MakeDate=20261116", "MakeDate=2026-11-16"),
        ("MonthDay=1115", "MonthDay=11-15"),
        ("MonthDay=02-29", "MonthDay=02-29"),
        ("HassoTime=1540", "HassoTime=15:40"),
        ("HassoTime=09:00..12:00", "HassoTime=09:00..12:00"),
        ("Time=94.5", "Time=94.5"),
        ("Time=-0", "Time=0.0"),
        ("KettoNum=2023100001..2023199999", "KettoNum=2023100001..2023199999"),
        ("GradeCD=A", "GradeCD=A"),
        ("ChakusaCD= 12", "ChakusaCD= 12"),
        ("ChakusaCD=1", "ChakusaCD=1"),
        ("ZogenFugo=+,-", "ZogenFugo=+,-"),
        ("RecordSpec=RA", "RecordSpec=RA"),
    ],
)
def test_a_condition_has_one_canonical_form_that_reads_back(text, canonical):
    assert str(parse(text)) == canonical
    assert parse(canonical) == parse(text)


@pytest.mark.parametrize(
    ("text", "allowed"),
    [
        ("", "Field=value"),
        ("JyoCD", "Field=value"),
        ("JyoCD=", "Field=value"),
        ("JyoCD=" + "05," * 400, "Field=value"),
        ("JyoCD=5", "a code of 2 characters"),
        ("JyoCD=005", "a code of 2 characters"),
        ("JyoCD=05,", "a code of 2 characters"),
        ("JyoCD=０５", "a code of 2 characters"),
        ("JyoCD=0|", "a code of 2 characters"),
        ("JyoCD=0&", "a code of 2 characters"),
        ("JyoCD=\r\n", "a code of 2 characters"),
        ("JyoCD=01..05", "JyoCD=a,b"),
        ("GradeCD= ", "a code of 1 characters"),
        ("RaceNum=eleven", "a whole number"),
        ("RaceNum=１１", "a whole number"),
        ("RaceNum=-1", "a whole number"),
        ("RaceNum=1.5", "a whole number"),
        ("RaceNum=" + "9" * 50, "a whole number"),
        ("RaceNum=11\n", "a whole number"),
        ("RaceNum=..", "Field=value"),
        ("RaceNum=12..9", "Field=value"),
        ("RaceNum=1...3", "a whole number"),
        ("Odds=1e3", "12.3"),
        ("Odds=nan", "12.3"),
        ("KettoNum=123", "10 digits"),
        ("KettoNum=20231000011", "10 digits"),
        ("date=2026-11", "YYYY-MM-DD"),
        ("date=20261131", "YYYY-MM-DD"),
        ("date=2026-1115", "YYYY-MM-DD"),
        ("date=20261115..20261114", "Field=value"),
        ("MonthDay=0230", "MM-DD"),
        ("HassoTime=2400", "hh:mm"),
        ("HassoTime=1560", "hh:mm"),
    ],
)
def test_what_is_no_condition_is_refused_with_what_would_be(text, allowed):
    error = refusal(text)
    assert (error.slug, error.parameter) == ("invalid-where", "where")
    assert allowed in error.allowed
    assert len(str(error)) < 500


@pytest.mark.parametrize("field", ["Bamei", "LapTime", "JyokenCD", "CornerInfo", "nothing", "reserved1", "jyocd"])
def test_text_and_what_stands_more_than_once_is_no_field_to_select_by(field):
    with pytest.raises(KeyError):
        parse(f"{field}=1")


def test_an_identifier_may_have_the_length_of_any_generation():
    both = JRA.layouts.generations("BR")
    assert [str(parse_condition(f"BreederCode={code}", both)) for code in ("123456", "12345678")]
    with pytest.raises(QueryError) as caught:
        parse_condition("BreederCode=1234567", both)
    assert "6 or 8 digits" in caught.value.allowed


def test_a_datetime_is_a_day_and_a_time():
    assert str(parse("HappyoTime=11220930", "O1")) == str(parse("HappyoTime=11-22T09:30", "O1"))
    assert "MMDDhhmm" in refusal("HappyoTime=1122", "O1").allowed


@pytest.mark.parametrize(
    ("span", "inside", "outside"),
    [
        (Span(1, 3), [1, 2, 3], [0, 4]),
        (Span(2, None), [2, 99], [1]),
        (Span(None, 2.5), [0, 2.5], [2.6]),
        (Span("2026-11-14", "2026-11-15"), ["2026-11-14", "2026-11-15"], ["2026-11-13", "2026-11-16"]),
        (Span("12345678", None), ["12345678", "99999999"], ["12345677", "1234567890", "9999999999"]),
    ],
)
def test_a_span_holds_both_its_ends_and_nothing_of_another_length(span, inside, outside):
    assert all(value in span for value in inside)
    assert not any(value in span for value in outside)


def test_what_is_not_set_meets_no_condition():
    assert not Condition("RaceNum", (Span(None, 12),)).accepts(None)


@pytest.mark.parametrize("layout", list(JRA.layouts.all()), ids=lambda layout: layout.id)
def test_every_key_field_can_be_selected_by(layout):
    keys = {field.key for field in layout.fields if isinstance(field, Field) and field.path in layout.key}
    assert keys <= set(selectable(layout))
    assert ("date" in selectable(layout)) is ({"Year", "MonthDay"} <= keys)


def test_fields_of_one_name_are_of_one_kind_wherever_they_stand():
    kinds: dict[str, set[object]] = {}
    for layout in JRA.layouts.all():
        for name, field in selectable(layout).items():
            kinds.setdefault(name, set()).add((field.kind, field.scale, field.format))
    assert [name for name, found in kinds.items() if len(found) > 1] == []
