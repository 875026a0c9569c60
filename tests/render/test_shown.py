"""The form in which a selection shows one record: chosen fields, labels, raw characters."""

import pytest

from jvgate.render import shown
from jvgate.render.answers import render
from tests.raceday import GARBAGE, dataset, race_day, record
from tests.render.asking import UNKNOWN, as_json, question
from tests.specs import JRA

HALF_A_KANJI = b"\x81\x20"
O1_HORSES = [{"Umaban": 1, "Odds": 12.3, "Ninki": 2}, {"Umaban": 2, "Odds": None, "OddsMark": "cancelled_before_sale"}]


def test_chosen_fields_alone_are_shown():
    answer = as_json(*race_day(), record="SE", fields="Umaban,Bamei")
    assert answer["data"][2] == {"Umaban": 3, "Bamei": "アイウ"}


def test_a_dotted_field_reaches_into_a_group():
    (odds,) = as_json(record("O1", OddsTansyoInfo=O1_HORSES), fields="OddsTansyoInfo.Umaban")["data"]
    assert list(odds) == ["OddsTansyoInfo"]
    assert [slot["Umaban"] for slot in odds["OddsTansyoInfo"] if slot] == [1, 2]
    assert all(set(slot) == {"Umaban"} for slot in odds["OddsTansyoInfo"] if slot)


def test_a_mark_comes_with_its_field():
    (odds,) = as_json(record("O1", OddsTansyoInfo=O1_HORSES), fields="OddsTansyoInfo.Odds")["data"]
    assert odds["OddsTansyoInfo"][:2] == [{"Odds": 12.3}, {"Odds": None, "OddsMark": "cancelled_before_sale"}]


def test_a_whole_group_stays_whole_when_one_of_its_fields_is_named_too():
    sent = record("O1", OddsTansyoInfo=O1_HORSES)
    whole, both = (as_json(sent, fields=f) for f in ("OddsTansyoInfo", "OddsTansyoInfo,OddsTansyoInfo.Umaban"))
    assert both["data"] == whole["data"]


def test_raw_shows_the_characters_as_they_stand():
    (shown,) = as_json(record("SE", Umaban=7, Bamei="アイ", Futan=54.5), raw="1")["data"]
    assert (shown["Umaban"], shown["Futan"], shown["Year"], shown["MonthDay"]) == ("07", "545", "2026", "1115")
    assert shown["Bamei"] == "アイ".ljust(18, "　")


def test_raw_shows_chosen_fields_too():
    assert as_json(*race_day(), record="RA", raw="1", fields="RaceNum")["data"] == [{"RaceNum": "11"}]


@pytest.mark.parametrize(("language", "word"), [("ja", "東京競馬場"), ("en", "Tokyo")])
def test_labels_stand_beside_their_codes(language, word):
    (shown,) = as_json(record("RA"), labels=language, fields="JyoCD,RaceNum")["data"]
    assert shown == {"JyoCD": "05", "JyoCDLabel": word, "RaceNum": 11}


def test_what_is_wrong_with_a_record_is_told_whichever_fields_were_chosen():
    raw = bytearray(record("SE", Umaban=7))
    raw[40:42] = HALF_A_KANJI
    assert set(as_json(bytes(raw), fields="Umaban")["data"][0]) == {"Umaban", "_errors"}


def a_long_day():
    """Runs of runners long and short, one of them damaged, one of another layout between them, and lost bytes."""
    runners = [record("SE", Umaban=n % 18 + 1, Bamei="アイ") for n in range(40)]
    bad = runners[3][:288] + b"5x5" + runners[3][291:]
    return [*runners[:10], bad, *runners[10:], record("RA"), *runners[:3], GARBAGE, UNKNOWN, *runners[:20], bad]


@pytest.mark.parametrize(
    "parameters", [{}, {"limit": "30"}, {"offset": "5", "limit": "44"}, {"offset": "47"}, {"record": "SE"}]
)
def test_records_that_are_written_together_are_the_same_answer(monkeypatch, parameters):
    asked, given = question(**parameters), [dataset(*a_long_day())]
    one_by_one = render(asked, given, JRA).answer
    monkeypatch.setattr(shown, "_MANY", 8)
    assert render(asked, given, JRA).answer == one_by_one


@pytest.mark.parametrize("parameters", [{"raw": "1"}, {"labels": "en"}, {"fields": "Umaban"}])
def test_another_form_is_written_record_by_record(monkeypatch, parameters):
    expected = as_json(*a_long_day(), **parameters)
    monkeypatch.setattr(shown, "_MANY", 1)
    assert as_json(*a_long_day(), **parameters) == expected
