"""Each kind of field: the value of its bytes, the bytes of a value, and a reason where there is neither."""

import math

import pytest

from jvgate.records.kinds import dumper, initial, loader, problem
from tests.records.fields import member


def load(record, name, raw):
    field = member(record, name)
    return loader(field, field.special)(raw)


def dump(record, name, value):
    return dumper(member(record, name))(value)


def wide(text, count):
    """*text*, filled up to *count* full-width characters."""
    return text.ljust(count, "　").encode("cp932")


BOTH_WAYS = [
    ("SE", "SexCD", b"1", "1"),
    ("SE", "KettoNum", b"0022104567", "0022104567"),
    ("SE", "Umaban", b"07", 7),
    ("SE", "Futan", b"545", 54.5),
    ("SE", "DMGosaP", b"0105", 1.05),
    ("SE", "TimeDiff", b"+012", 1.2),
    ("SE", "TimeDiff", b"-012", -1.2),
    ("SE", "MakeDate", b"20240229", "2024-02-29"),
    ("SE", "MonthDay", b"0229", "02-29"),
    ("SE", "Time", b"1345", 94.5),
    ("SE", "Time", b"0599", 59.9),
    ("SE", "DMTime", b"13456", 94.56),
    ("RA", "HassoTime", b"2359", "23:59"),
    ("WE", "HappyoTime", b"12310900", "12-31T09:00"),
    ("SE", "ChokyosiRyakusyo", wide("テスト", 4), "テスト"),
    ("SE", "Bamei", wide("テスト", 18), "テスト"),
    ("SE", "Bamei", b"Test 1".ljust(36), "Test 1"),
    ("RA", "CornerInfo.Jyuni", b"(1,2),3".ljust(70), "(1,2),3"),
]


@pytest.mark.parametrize(("record", "name", "raw", "value"), BOTH_WAYS)
def test_bytes_have_a_value_in_natural_units(record, name, raw, value):
    found = load(record, name, raw)
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(("record", "name", "raw", "value"), BOTH_WAYS)
def test_a_value_has_bytes(record, name, raw, value):
    assert dump(record, name, value) == raw


@pytest.mark.parametrize(
    ("name", "raw", "why"),
    [
        ("SexCD", b"\x1f", "printable"),
        ("SexCD", b"\x7f", "printable"),
        ("KettoNum", b"00221 4567", "not digits"),
        ("Umaban", b" 7", "not digits"),
        ("Futan", b"5.5", "not digits"),
        ("TimeDiff", b" 012", "not a sign and digits"),
        ("TimeDiff", b"+01x", "not a sign and digits"),
        ("MakeDate", b"20230229", "day"),
        ("MonthDay", b"0230", "day"),
        ("Time", b"1600", "seconds above 59"),
        ("DMTime", b"16000", "seconds above 59"),
        ("Bamei", b"ab\x81\x20" + b" " * 32, "byte 2 is no Shift_JIS character"),
    ],
)
def test_bytes_that_break_their_kind_are_refused_with_the_reason(name, raw, why):
    with pytest.raises(ValueError, match=why):
        load("SE", name, raw)


@pytest.mark.parametrize("raw", [b"2400", b"1260"])
def test_a_time_of_day_ends_at_23_59(raw):
    with pytest.raises(ValueError, match="not a time of day"):
        load("RA", "HassoTime", raw)


@pytest.mark.parametrize(
    ("record", "name", "raw", "value"),
    [
        ("SE", "Umaban", b"00", None),
        ("SE", "BaTaijyu", b"   ", None),
        ("SE", "BaTaijyu", b"999", None),
        ("SE", "Odds", b"9999", 999.9),
        ("H1", "HyoTansyo.Hyo", b"0" * 11, 0),
        ("SE", "Bamei", wide("", 18), None),
        ("SE", "Bamei", b" " * 36, None),
        ("SE", "Kaiji", b"01", 1),
    ],
)
def test_an_unset_value_is_none_and_a_special_one_is_what_its_slug_says(record, name, raw, value):
    assert load(record, name, raw) == value


def test_minus_zero_keeps_its_sign():
    assert math.copysign(1, load("SE", "TimeDiff", b"-000")) == -1
    assert dump("SE", "TimeDiff", -0.0) == b"-000"


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("Umaban", 100, "takes 3 bytes, the field has 2"),
        ("Umaban", -1, "no count"),
        ("Umaban", "7", "no count"),
        ("Futan", 54.55, "more decimals"),
        ("Futan", -1.0, "no number from 0 up"),
        ("Futan", True, "no number from 0 up"),
        ("Bamei", 5, "no text"),
        ("ChokyosiRyakusyo", "アイウエオ", "takes 10 bytes"),
    ],
)
def test_a_value_that_does_not_fit_is_refused(name, value, why):
    with pytest.raises(ValueError, match=why):
        dump("SE", name, value)


def test_none_is_the_initial_value():
    assert (dump("SE", "Umaban", None), dump("SE", "BaTaijyu", None)) == (b"00", b"   ")
    assert initial(member("SE", "Bamei")) == wide("", 18)
    assert initial(member("SE", "RecordSpec")) == b"SE"


def test_a_problem_tells_the_field_the_place_and_the_characters():
    found = problem("Bamei", 40, b"a\x81", ValueError("broken"))
    assert found == {"field": "Bamei", "offset": 40, "raw": "a\\x81", "why": "broken"}
