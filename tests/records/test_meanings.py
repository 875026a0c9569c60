"""What layouts say of values beyond their kinds: special since when, empty, shown at all."""

import pytest

from jvgate.records.meanings import blank_slots, is_shown, last_days, race_day, special_of
from tests.records.fields import member
from tests.specs import JRA


@pytest.mark.parametrize(
    ("record", "name", "shown"),
    [("SE", "reserved1", False), ("SE", "Umaban", True), ("HR", "PayReserved1", False), ("HR", "PayTansyo", True)],
)
def test_reserved_areas_are_not_shown(record, name, shown):
    assert is_shown(member(record, name)) is shown


def test_the_days_until_which_older_values_counted_are_known():
    assert last_days(JRA.layouts.current("O1")) == ("20040813",)
    assert last_days(JRA.layouts.current("SE")) == ()


def test_the_race_day_stands_where_the_layout_says():
    assert race_day(JRA.layouts.current("O1")) == slice(11, 19)


@pytest.mark.parametrize(
    ("until", "counts"), [("", False), ("20040814", False), ("20040813", True), ("19930101", True)]
)
def test_an_older_special_value_counts_up_to_its_last_day(until, counts):
    special = special_of(member("O1", "OddsFukusyoInfo.OddsLow"), until)
    assert (special.get(b"0999") == "at_or_above_max") is counts
    assert special[b"9999"] == "at_or_above_max"


@pytest.mark.parametrize(
    ("record", "name", "blanks"),
    [
        ("O1", "OddsTansyoInfo", {b" " * 8}),
        ("RA", "CornerInfo", {b" " * 72, b"00" + b" " * 70}),
        ("BN", "HonRuikei", {b" " * 60}),  # no money is money
        ("SE", "ChakuUmaInfo", {b" " * 46, b"0" * 10 + "　".encode("cp932") * 18}),
        ("WH", "BataijyuInfo", {b" " * 45, b"00" + "　".encode("cp932") * 18 + b" " * 7}),
        ("O2", "OddsUmarenInfo", {b" " * 13}),
    ],
)
def test_a_slot_is_blank_when_it_is_spaces_or_initial_values_that_mean_nothing(record, name, blanks):
    assert set(blank_slots(member(record, name))) == blanks
