"""raw=1: every field's characters, and nothing read into them."""

from jvgate.records.characters import character_decoder
from jvgate.records.encode import encode
from tests.specs import JRA


def characters(raw, name):
    return character_decoder(JRA.layouts.get(name, len(raw)))(raw)


def test_padding_zeros_and_signs_stand_as_they_are():
    record = characters(
        encode({"RecordSpec": "SE", "Bamei": "アイ", "Futan": 54.5, "TimeDiff": -0.1}, JRA.layouts), "SE"
    )
    assert record["Bamei"] == "アイ" + "　" * 16
    assert (record["Futan"], record["TimeDiff"], record["Umaban"]) == ("545", "-001", "00")


def test_reserved_areas_are_shown_and_the_line_end_is_not():
    record = characters(encode({"RecordSpec": "SE"}, JRA.layouts), "SE")
    assert record["reserved1"] == "　" * 30
    assert "crlf" not in record


def test_every_slot_is_shown_the_blank_ones_too():
    record = characters(
        encode({"RecordSpec": "O1", "OddsTansyoInfo": [{"Umaban": 2, "Odds": 1.5, "Ninki": 1}]}, JRA.layouts), "O1"
    )
    assert record["OddsTansyoInfo"][:2] == [
        {"Umaban": "  ", "Odds": "    ", "Ninki": "  "},
        {"Umaban": "02", "Odds": "0015", "Ninki": "01"},
    ]
    assert len(record["OddsTansyoInfo"]) == 28


def test_arrays_are_lists_of_characters():
    assert characters(encode({"RecordSpec": "RA", "LapTime": [12.3]}, JRA.layouts), "RA")["LapTime"][:2] == [
        "123",
        "000",
    ]


def test_what_is_no_character_is_shown_by_its_byte():
    raw = encode({"RecordSpec": "SE"}, JRA.layouts)
    assert characters(raw[:41] + b" " + raw[42:], "SE")["Bamei"].startswith("\\x81 ")
