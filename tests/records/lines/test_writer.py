"""Many records at once say, to the byte, what each says by itself, and what was wrong with each."""

import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jvgate.errors import RecordError
from jvgate.records.encode import encode
from jvgate.records.lines.sheet import sheet_of
from jvgate.records.lines.writer import FASTER, line_writer
from jvgate.records.text import text_writer
from jvgate.spec.layouts import Group
from tests.records.build import random_record
from tests.specs import JRA

ALL = [layout for layout in JRA.layouts.all() if layout.record in FASTER]
SE = JRA.layouts.current("SE")
FEW = settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
seeds = st.integers(0, 2**32)
# Bytes that mean something to a field: digits, fills, signs, halves of characters, padding, quotes, control characters.
TELLING = b'0019 -*+/"\\\x81\x40\x83\x5c\xb1\xfd\x00\n\x1fAz'


def one_by_one(layout, records, separator=b"\n"):
    """What the writer of single records gives."""
    texts, damaged = [], []
    for raw in records:
        errors = []
        texts.append(text_writer(layout)(raw, errors))
        damaged += [errors] if errors else []
    return separator.join(texts), damaged


def at_once(layout, records, separator=b"\n"):
    damaged = []
    return line_writer(layout, separator)(b"".join(records), damaged), damaged


def valid(layout, rng, count):
    return [
        encode(random_record(layout, rng, fill=rng.random()), JRA.layouts, length=layout.length) for _ in range(count)
    ]


@pytest.mark.parametrize("layout", ALL, ids=lambda layout: layout.id)
@FEW
@given(seed=seeds, count=st.integers(1, 5))
def test_valid_records_are_the_same_text(layout, seed, count):
    records = valid(layout, random.Random(seed), count)
    assert at_once(layout, records) == one_by_one(layout, records)


@pytest.mark.parametrize("layout", ALL, ids=lambda layout: layout.id)
@FEW
@given(seed=seeds, count=st.integers(1, 4), share=st.sampled_from([0.0005, 0.01, 0.2]))
def test_damaged_records_are_the_same_text_and_report_the_same(layout, seed, count, share):
    rng = random.Random(seed)
    records = [bytearray(raw) for raw in valid(layout, rng, count)]
    for raw in records:
        for _ in range(1 + int(share * len(raw))):
            raw[rng.randrange(3, len(raw))] = rng.choice((rng.choice(TELLING), rng.randrange(256)))
        raw[2] = rng.choice(b"0279AB")
    records = [bytes(raw) for raw in records]
    assert at_once(layout, records) == one_by_one(layout, records)


@pytest.mark.parametrize("layout", ALL, ids=lambda layout: layout.id)
@FEW
@given(seed=seeds, fills=st.lists(st.sampled_from([b"0", b"9", b" ", b"-", b"*", b"+", b"\x81\x40", b"\x82\xa0"])))
def test_members_filled_with_one_character_are_the_same_text(layout, seed, fills):
    """The fills of the specification: not set, cancelled, at the ceiling; each in some fields or whole groups."""
    rng = random.Random(seed)
    raw = bytearray(*valid(layout, rng, 1))
    for fill in fills:
        for member in rng.choices(layout.fields[3:], k=4):
            slot = rng.randrange(member.repeat)
            inner = rng.choice(member.fields) if isinstance(member, Group) and rng.random() < 0.7 else None
            at = member.offset + slot * member.length + (inner.offset if inner else 0)
            size = inner.length if inner else member.length
            raw[at : at + size] = (fill * size)[:size]
    records = [bytes(raw), *valid(layout, rng, 1)]
    assert at_once(layout, records) == one_by_one(layout, records)


@FEW
@given(seed=seeds, text=st.text(st.sampled_from('アァー　 ｱAz"\\/\x7f①髙ソ表'), max_size=18))
def test_any_text_is_the_same(seed, text):
    raw = bytearray(*valid(SE, random.Random(seed), 1))
    raw[40:76] = text.encode("cp932")[:36].ljust(36, b" ")
    assert at_once(SE, [bytes(raw)]) == one_by_one(SE, [bytes(raw)])


def test_many_records_are_written_in_their_order():
    rng = random.Random(1)
    records = valid(SE, rng, 40) * 30
    assert at_once(SE, records, b",") == one_by_one(SE, records, b",")


def test_what_is_wrong_is_told_record_by_record():
    good = encode({"RecordSpec": "SE", "DataKubun": "7"}, JRA.layouts)
    bad = good[:288] + b"5x5" + good[291:]
    _, damaged = at_once(SE, [good, bad, good, bad])
    assert [[error["field"] for error in errors] for errors in damaged] == [["Futan"], ["Futan"]]


def test_races_before_and_after_a_change_stand_side_by_side():
    o1 = JRA.layouts.current("O1")
    days = [("2004", "08-13"), ("2004", "08-14"), ("2026", "11-15"), ("2001", "01-05")]
    horses = {"OddsFukusyoInfo": [{"Umaban": 1, "OddsLow": 99.9, "OddsHigh": 999.9, "Ninki": 1}]}
    records = [
        encode({"RecordSpec": "O1", "DataKubun": "5", "Year": int(year), "MonthDay": day} | horses, JRA.layouts)
        for year, day in days
    ]
    assert at_once(o1, records) == one_by_one(o1, records)
    assert at_once(o1, records)[0].count(b"at_or_above_max") == one_by_one(o1, records)[0].count(b"at_or_above_max") > 0


def test_no_record_is_no_text():
    assert at_once(SE, []) == (b"", [])


def test_bytes_that_are_no_whole_number_of_records_are_refused():
    with pytest.raises(RecordError, match="556 bytes, not 555"):
        line_writer(SE)(b" " * 556, [])


def test_a_layout_with_a_field_that_no_columns_hold_is_refused():
    with pytest.raises(ValueError, match="written one by one"):
        sheet_of(JRA.layouts.current("O6"), "")
