"""Whether bytes read as a layout everywhere, and what may be missing at the end of a record."""

import pytest

from jvgate.records.fitting import fits, padded_layout, shortest
from jvgate.spec.layouts import Group
from tests.raceday import record
from tests.records.mutations import random_records
from tests.specs import JRA

ALL = list(JRA.layouts.all())


def stripped(raw):
    return raw[:-2].decode("cp932").rstrip(" \u3000").encode("cp932")


def padded(kind, text):
    return padded_layout(JRA.layouts.generations(kind), text)


@pytest.mark.parametrize("layout", ALL, ids=lambda layout: layout.id)
def test_whole_records_fit(layout):
    assert all(fits(layout, raw) for raw in random_records(layout, JRA.layouts))


@pytest.mark.parametrize(
    ("kind", "at", "new"),
    [("RA", 25, b"1x"), ("HY", 21, b"ab"), ("O1", 43, b"02"), ("SE", 11, b"9999"), ("UM", 46, b"\xff")],
    ids=["digits", "wide text", "name of a slot", "year", "characters"],
)
def test_what_does_not_read_in_its_place_does_not_fit(kind, at, new):
    layout = JRA.layouts.current(kind)
    raw = random_records(layout, JRA.layouts)[2]
    assert not fits(layout, raw[:at] + new + raw[at + len(new) :])


def test_a_deletion_fits_by_its_key():
    raw = record("UM", DataKubun="0", KettoNum="2022104567")
    assert fits(JRA.layouts.current("UM"), raw)
    assert not fits(JRA.layouts.current("UM"), raw[:12] + b"?" + raw[13:])


@pytest.mark.parametrize("kind", ["RA", "SE", "UM", "KS", "CH", "JG", "HC", "WC", "CK", "TC", "HN", "SK", "HS"])
def test_a_layout_that_ends_in_digits_cannot_be_short(kind):
    layout = JRA.layouts.current(kind)
    assert shortest(layout) == layout.length - 2
    assert padded(kind, record(kind)[:-3]) is None


@pytest.mark.parametrize("kind", ["BT", "CS", "DM", "H1", "H6", "HR", "TK", "TM", "WF", "AV", "HY"])
def test_a_layout_that_ends_in_padding_may_be_short(kind):
    layout = JRA.layouts.current(kind)
    assert shortest(layout) < layout.length - 2
    assert padded(kind, stripped(record(kind))) in JRA.layouts.generations(kind)


def test_a_record_that_still_has_some_of_its_padding_lost_something_else():
    assert padded("HR", stripped(record("HR")) + b" ") is None
    assert padded("HY", record("HY")[:-4]) is None


SCORES = [{"Umaban": number, "TMScore": number + 0.5} for number in range(1, 19)]


@pytest.mark.parametrize("count", [1, 5, 17])
def test_slots_that_were_never_filled_are_put_back(count):
    raw = record("TM", TMInfo=SCORES[:count])
    assert padded("TM", stripped(raw)) is JRA.layouts.current("TM")


@pytest.mark.parametrize("lost", [(31, 37), (34, 40), (100, 112), (133, 136), (34, 35)])
def test_slots_that_were_lost_are_not(lost):
    start, end = lost
    raw = record("TM", TMInfo=SCORES)
    assert padded("TM", raw[:start] + raw[end:-2]) is None


def test_a_count_behind_slots_is_put_back_only_where_there_are_none():
    layout = JRA.layouts.current("O2")
    odds = next(field for field in layout.fields if isinstance(field, Group))
    full = record("O2", OddsUmarenInfo=[{"Kumi": name, "Odds": 9.9, "Ninki": 1} for name in odds.placed])
    assert padded("O2", full[: odds.end]) is None
    assert padded("O2", stripped(record("O2"))) is layout
