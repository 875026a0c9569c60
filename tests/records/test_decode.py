"""Values follow the rules: marks beside nulls, unset slots by their kind, errors beside what is left."""

import pytest

from jvgate.errors import RecordError
from jvgate.records.decode import decode
from jvgate.records.encode import encode
from tests.specs import JRA


def patched(raw, offset, piece):
    """The record with *piece* at *offset*."""
    return raw[:offset] + piece + raw[offset + len(piece) :]


def se(**values):
    return encode({"RecordSpec": "SE", "DataKubun": "7", "MakeDate": "2026-05-11", **values}, JRA.layouts)


def o1(*slots, day=b"20260510"):
    return patched(encode({"RecordSpec": "O1", "DataKubun": "1", "OddsTansyoInfo": list(slots)}, JRA.layouts), 11, day)


def test_numbers_come_in_natural_units():
    record = decode(patched(patched(se(), 288, b"545"), 338, b"1345"), JRA.layouts)  # Futan, Time
    assert (record["Futan"], record["Time"]) == (54.5, 94.5)


def test_a_special_value_is_null_with_its_mark_right_behind():
    record = decode(patched(se(), 324, b"999"), JRA.layouts)  # BaTaijyu
    keys = list(record)
    assert record["BaTaijyu"] is None
    assert record["BaTaijyuMark"] == "not_weighed"
    assert keys.index("BaTaijyuMark") == keys.index("BaTaijyu") + 1


def test_a_ceiling_keeps_its_number():
    record = decode(patched(se(), 359, b"9999"), JRA.layouts)  # Odds
    assert (record["Odds"], record["OddsMark"]) == (999.9, "at_or_above_max")


def test_cancelled_odds_are_told_from_odds_without_votes():
    raw = o1({"Umaban": 1, "Odds": 1.5, "Ninki": 1}, {"Umaban": 2}, {"Umaban": 3})
    raw = patched(patched(raw, 43 + 8 + 2, b"----" + b"--"), 43 + 16 + 2, b"0000" + b"03")
    slots, cancelled = decode(raw, JRA.layouts)["OddsTansyoInfo"], "cancelled_before_sale"
    assert slots == [
        {"Umaban": 1, "Odds": 1.5, "Ninki": 1},
        {"Umaban": 2, "Odds": None, "OddsMark": cancelled, "Ninki": None, "NinkiMark": cancelled},
        {"Umaban": 3, "Odds": None, "OddsMark": "no_votes", "Ninki": 3},
    ]  # fmt: skip


def test_the_old_ceiling_counts_for_old_races_only():
    slot = {"Umaban": 1, "OddsLow": 99.9, "OddsHigh": 12.0, "Ninki": 3}
    raw = encode({"RecordSpec": "O1", "DataKubun": "5", "OddsFukusyoInfo": [slot]}, JRA.layouts)
    old, new = (decode(patched(raw, 11, day), JRA.layouts)["OddsFukusyoInfo"][0] for day in (b"20040813", b"20040814"))
    assert old["OddsLowMark"] == "at_or_above_max"
    assert "OddsLowMark" not in new
    assert old["OddsLow"] == new["OddsLow"] == 99.9


def test_a_slot_that_names_itself_is_left_out_when_unset():
    record = decode(o1({"Umaban": 4, "Odds": 3.0, "Ninki": 2}), JRA.layouts)
    assert [slot["Umaban"] for slot in record["OddsTansyoInfo"]] == [4]
    assert record["OddsFukusyoInfo"] == []


def test_a_slot_whose_place_is_its_meaning_is_null_when_unset():
    corner = {"Corner": "4", "Syukaisu": "1", "Jyuni": "1,2"}
    record = decode(encode({"RecordSpec": "RA", "CornerInfo": [None, None, None, corner]}, JRA.layouts), JRA.layouts)
    assert record["CornerInfo"] == [None, None, None, corner]


def test_a_blank_deletion_is_not_judged():
    raw = b"SE0" + b"20260511" + b" " * (555 - 13) + b"\r\n"
    assert "_errors" not in decode(raw, JRA.layouts)
    assert "_errors" in decode(patched(raw, 2, b"7"), JRA.layouts)


def test_half_a_kanji_is_an_error_of_its_field_alone():
    raw = patched(se(Bamei="テスト", Umaban=5), 74, b"\x81\x20")
    record = decode(raw, JRA.layouts)
    assert record["Bamei"] is None
    assert record["Umaban"] == 5
    assert record["_errors"][0]["field"] == "Bamei"
    assert record["_errors"][0]["offset"] == 40


def test_letters_in_one_slot_of_a_large_group_leave_the_others():
    raw = o1({"Umaban": 1, "Odds": 1.5, "Ninki": 1}, {"Umaban": 2, "Odds": 2.5, "Ninki": 2})
    record = decode(patched(raw, 43 + 2, b"1A.5"), JRA.layouts)
    assert [slot["Odds"] for slot in record["OddsTansyoInfo"]] == [None, 2.5]
    assert record["_errors"] == [
        {"field": "OddsTansyoInfo.Odds", "offset": 45, "raw": "1A.5", "why": "not digits"},
    ]


def test_an_unknown_length_names_the_record():
    with pytest.raises(RecordError, match="no layout of 100 bytes"):
        decode(b"SE" + b" " * 98, JRA.layouts)


def test_older_layouts_are_told_by_their_length():
    current, older = (
        encode({"RecordSpec": "UM", "Bamei": "テスト"}, JRA.layouts, length=length) for length in (1609, 1577)
    )
    assert decode(current, JRA.layouts)["Bamei"] == decode(older, JRA.layouts)["Bamei"] == "テスト"


def test_records_do_not_share_lists_or_slots():
    raw = encode({"RecordSpec": "SE", "ChakuUmaInfo": [{"KettoNum": "2022104567", "Bamei": "テスト"}]}, JRA.layouts)
    first, second = decode(raw, JRA.layouts), decode(raw, JRA.layouts)
    first["ChakuUmaInfo"][0]["Bamei"] = "changed"
    assert second["ChakuUmaInfo"][0]["Bamei"] == decode(raw, JRA.layouts)["ChakuUmaInfo"][0]["Bamei"] == "テスト"


@pytest.mark.parametrize("slot", [b"00" + b" " * 43, b" " * 45])
def test_a_slot_that_says_nothing_is_unset_however_it_is_filled(slot):
    raw = encode({"RecordSpec": "WH", "BataijyuInfo": [{"Umaban": 1, "BaTaijyu": 480}]}, JRA.layouts)
    assert [one["Umaban"] for one in decode(patched(raw, 35 + 45, slot), JRA.layouts)["BataijyuInfo"]] == [1]


def test_a_cancelled_race_may_leave_its_numbers_blank():
    raw = b"HR9" + b"20260511" + b"2026051005020611" + b" " * (719 - 29) + b"\r\n"
    assert "_errors" not in decode(raw, JRA.layouts)
    assert "_errors" in decode(patched(raw, 2, b"2"), JRA.layouts)


def test_a_blank_count_is_no_zero_and_stays_none():
    record = {"RecordSpec": "BN", "HonRuikei": [{"SetYear": 2026, "ChakuKaisu": [1, None, 3]}, None]}
    first, second = decode(encode(record, JRA.layouts), JRA.layouts)["HonRuikei"]
    assert first["ChakuKaisu"][:3] == [1, None, 3]
    assert second is None
