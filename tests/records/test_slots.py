"""Large groups of numbers: the JSON of their slots, plain, special, unset and damaged."""

import orjson
import pytest

from jvgate.records.meanings import special_of
from jvgate.records.slots import LargeGroup, is_large
from tests.records.fields import member

QUINELLA = member("O2", "OddsUmarenInfo")  # 153 slots: Kumi 4 digits, Odds 6 digits in tenths, Ninki 3 digits
VOTES = member("H1", "HyoUmaren")  # Kumi 4 digits, Hyo 11 digits, Ninki 3 digits


def large(group, until=""):
    return LargeGroup(group, {field.key: special_of(field, until) for field in group.fields})


def filled(group, *slots):
    """The bytes of the group with *slots* in front and spaces behind them."""
    return b"".join(slots).ljust(group.repeat * group.length)


@pytest.mark.parametrize(
    ("record", "name", "large"),
    [("O2", "OddsUmarenInfo", True), ("H6", "HyoSanrentan", True), ("O1", "OddsWakurenInfo", False),
     ("CK", "ChakuKaisuBa", False)],
)  # fmt: skip
def test_a_group_of_many_slots_that_name_themselves_is_large(record, name, large):
    assert is_large(member(record, name)) is large


def test_numbers_lose_their_leading_zeros_and_names_keep_theirs():
    raw = filled(QUINELLA, b"0102000012004", b"0103000005120", b"0104123456001", b"0105010000100")
    assert large(QUINELLA).text(raw) == (
        b'"OddsUmarenInfo":[{"Kumi":"0102","Odds":1.2,"Ninki":4},{"Kumi":"0103","Odds":0.5,"Ninki":120},'
        b'{"Kumi":"0104","Odds":12345.6,"Ninki":1},{"Kumi":"0105","Odds":1000.0,"Ninki":100}]'
    )


def test_votes_may_have_all_their_digits():
    (slot,) = large(VOTES).values(filled(VOTES, b"010212345678901001"))["HyoUmaren"]
    assert slot == {"Kumi": "0102", "Hyo": 12345678901, "Ninki": 1}


def test_a_special_value_has_its_mark_and_the_slots_around_it_stay():
    raw = filled(QUINELLA, b"0102000012004", b"0103------" + b"---", b"0104999999005", b"0105000000" + b"000")
    _, cancelled, most, no_votes = large(QUINELLA).values(raw)["OddsUmarenInfo"]
    mark = "cancelled_before_sale"
    assert cancelled == {"Kumi": "0103", "Odds": None, "OddsMark": mark, "Ninki": None, "NinkiMark": mark}
    assert most == {"Kumi": "0104", "Odds": 99999.9, "OddsMark": "at_or_above_max", "Ninki": 5}
    assert no_votes == {"Kumi": "0105", "Odds": None, "OddsMark": "no_votes", "Ninki": None}


def test_an_older_ceiling_counts_when_its_day_is_given():
    raw = filled(QUINELLA, b"0102099999004")
    now, then = (large(QUINELLA, until).values(raw)["OddsUmarenInfo"][0] for until in ("", "20040813"))
    assert ("OddsMark" in now, then["OddsMark"]) == (False, "at_or_above_max")


def test_unset_slots_are_left_out_wherever_they_stand():
    raw = filled(QUINELLA, b" " * 13, b"0103000012004", b" " * 13, b"0105000034005")
    assert [slot["Kumi"] for slot in large(QUINELLA).values(raw)["OddsUmarenInfo"]] == ["0103", "0105"]
    assert large(QUINELLA).text(filled(QUINELLA)) == b'"OddsUmarenInfo":[]'


def test_a_damaged_slot_is_told_with_its_place_and_the_others_stay():
    raw = filled(QUINELLA, b" " * 13, b"0103000012004", b"010400x012005")
    with pytest.raises(ValueError, match="not digits"):
        large(QUINELLA).text(raw)
    errors = []
    shown = orjson.loads(b"{%b}" % large(QUINELLA).salvage(raw, 40, errors))["OddsUmarenInfo"]
    assert [(slot["Kumi"], slot["Odds"]) for slot in shown] == [("0103", 1.2), ("0104", None)]
    assert errors == [{"field": "OddsUmarenInfo.Odds", "offset": 40 + 2 * 13 + 4, "raw": "00x012", "why": "not digits"}]
