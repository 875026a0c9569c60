"""Datasets -> the JSON answer: what is shown, what `meta` tells of it, and that it is the same every time."""

import json
from dataclasses import replace

import pytest

from jvgate.question.parsing import parse_question
from jvgate.render import shown
from jvgate.render.answers import render as render_form
from jvgate.values import Dataset, Query, SourceFile
from tests.raceday import GARBAGE, PROVIDED, QUERY, dataset, race_day, record
from tests.specs import JRA

HALF_A_KANJI = b"\x81\x20"
UNKNOWN = b"ZZ120261115" + "未知".encode("cp932") + b"\r\n"
O1_HORSES = [{"Umaban": 1, "Odds": 12.3, "Ninki": 2}, {"Umaban": 2, "Odds": None, "OddsMark": "cancelled_before_sale"}]


def question(dataspec="RACE", **parameters):
    given = {"from_time": "20261101"} | parameters
    return parse_question(dataspec, {name: [value] for name, value in given.items()}, JRA, formats=("json",))


def render(*records, **parameters):
    """The rendered answer to a question about one dataset, parsed."""
    return json.loads(render_form(question(**parameters), [dataset(*records)], JRA).answer.body)


def kinds(answer):
    return [shown["RecordSpec"] for shown in answer["data"]]


def test_everything_is_shown_in_the_order_of_the_file():
    assert kinds(render(*race_day())) == ["RA", "SE", "SE", "SE", "HR", "O1"]


def test_meta_says_what_was_asked_and_what_came():
    meta = render(*race_day())["meta"]
    assert (meta["dataspec"], meta["from_time"], meta["to_time"]) == ("RACE", "20261101000000", None)
    assert (meta["option"], meta["last_file_timestamp"]) == (1, PROVIDED)
    assert meta["record_counts"] == {"HR": 1, "O1": 1, "RA": 1, "SE": 3}
    assert (meta["total"], meta["returned"], meta["offset"]) == (6, 6, 0)
    assert [meta[name] for name in ("damaged_records", "damaged_fields", "padded_records", "lost_bytes")] == [0] * 4
    assert "damage" not in meta


def test_meta_of_real_time_data_names_the_key_alone():
    asked = parse_question("0B12", {"key": ["20261115"]}, JRA, formats=("json",))
    meta = json.loads(render_form(asked, [dataset(record("RA"), query=asked.queries[0])], JRA).answer.body)["meta"]
    assert meta["key"] == "20261115"
    assert not {"from_time", "to_time", "option"} & set(meta)


def test_an_empty_dataset_is_an_answer():
    answer = render()
    assert (answer["data"], answer["meta"]["total"]) == ([], 0)
    assert (answer["meta"]["record_counts"], answer["meta"]["last_file_timestamp"]) == ({}, None)


def test_the_same_dataset_is_the_same_bytes_whenever_and_however_slowly_it_was_read():
    once = dataset(*race_day())
    again = replace(once, read_at=1e9, open_s=1.0, read_s=2.0, wait_s=3.0)
    one, other = (render_form(question(), [given], JRA).answer for given in (once, again))
    assert one == other


def test_another_body_has_another_etag():
    etags = {render_form(question(limit=str(n)), [dataset(*race_day())], JRA).answer.etag for n in range(3)}
    assert len(etags) == 3
    assert all(etag.startswith('"') and etag.endswith('"') for etag in etags)


@pytest.mark.parametrize(
    ("parameters", "shown"),
    [
        ({"record": "SE"}, ["SE", "SE", "SE"]),
        ({"record": "O1,RA"}, ["RA", "O1"]),
        ({"record": "WF"}, []),
        ({"limit": "2"}, ["RA", "SE"]),
        ({"limit": "0"}, []),
        ({"offset": "4"}, ["HR", "O1"]),
        ({"offset": "6"}, []),
        ({"offset": "1", "limit": "1"}, ["SE"]),
        ({"record": "SE,HR", "offset": "2", "limit": "9"}, ["SE", "HR"]),
    ],
)
def test_records_are_chosen_by_type_and_place(parameters, shown):
    answer = render(*race_day(), **parameters)
    assert kinds(answer) == shown
    assert answer["meta"]["returned"] == len(shown)


@pytest.mark.parametrize(("limit", "total"), [("0", 6), ("1", 6), ("100", 6)])
def test_the_total_counts_what_a_limit_hides(limit, total):
    assert render(*race_day(), limit=limit)["meta"]["total"] == total


def test_chosen_fields_alone_are_shown():
    answer = render(*race_day(), record="SE", fields="Umaban,Bamei")
    assert answer["data"][2] == {"Umaban": 3, "Bamei": "アイウ"}


def test_a_dotted_field_reaches_into_a_group():
    (odds,) = render(record("O1", OddsTansyoInfo=O1_HORSES), fields="OddsTansyoInfo.Umaban")["data"]
    assert list(odds) == ["OddsTansyoInfo"]
    assert [slot["Umaban"] for slot in odds["OddsTansyoInfo"] if slot] == [1, 2]
    assert all(set(slot) == {"Umaban"} for slot in odds["OddsTansyoInfo"] if slot)


def test_a_mark_comes_with_its_field():
    (odds,) = render(record("O1", OddsTansyoInfo=O1_HORSES), fields="OddsTansyoInfo.Odds")["data"]
    assert odds["OddsTansyoInfo"][:2] == [{"Odds": 12.3}, {"Odds": None, "OddsMark": "cancelled_before_sale"}]


def test_a_whole_group_stays_whole_when_one_of_its_fields_is_named_too():
    sent = record("O1", OddsTansyoInfo=O1_HORSES)
    whole, both = (render(sent, fields=f) for f in ("OddsTansyoInfo", "OddsTansyoInfo,OddsTansyoInfo.Umaban"))
    assert both["data"] == whole["data"]


def test_raw_shows_the_characters_as_they_stand():
    (shown,) = render(record("SE", Umaban=7, Bamei="アイ", Futan=54.5), raw="1")["data"]
    assert (shown["Umaban"], shown["Futan"], shown["Year"], shown["MonthDay"]) == ("07", "545", "2026", "1115")
    assert shown["Bamei"] == "アイ".ljust(18, "　")


def test_raw_shows_chosen_fields_too():
    assert render(*race_day(), record="RA", raw="1", fields="RaceNum")["data"] == [{"RaceNum": "11"}]


@pytest.mark.parametrize(("language", "word"), [("ja", "東京競馬場"), ("en", "Tokyo")])
def test_labels_stand_beside_their_codes(language, word):
    (shown,) = render(record("RA"), labels=language, fields="JyoCD,RaceNum")["data"]
    assert shown == {"JyoCD": "05", "JyoCDLabel": word, "RaceNum": 11}


def test_records_of_unknown_types_are_passed_through_and_counted():
    answer = render(record("RA"), UNKNOWN)
    assert answer["data"][1] == {"RecordSpec": "ZZ", "_raw": UNKNOWN.decode("cp932")}
    assert answer["meta"]["unknown_record_counts"] == {"ZZ": 1}
    assert answer["meta"]["total"] == 2


def test_a_record_of_an_unknown_length_is_passed_through_too():
    longer = record("RA")[:-2] + b"new field\r\n"
    answer = render(longer)
    assert answer["meta"]["unknown_record_counts"] == {"RA": 1}
    assert answer["data"][0]["_raw"].endswith("new field\r\n")


def test_damage_between_records_is_told_with_its_place():
    answer = render(record("RA"), GARBAGE, record("HR"))
    assert kinds(answer) == ["RA", "HR"]
    assert answer["meta"]["lost_bytes"] == len(GARBAGE)
    (place,) = answer["meta"]["damage"]
    assert (place["file"], place["offset"], place["bytes"]) == ("a.jvd", len(record("RA")), len(GARBAGE))


def test_much_damage_is_counted_whole_and_listed_in_part():
    meta = render(*[record("AV"), GARBAGE] * 300)["meta"]
    assert meta["lost_bytes"] == 300 * len(GARBAGE)
    assert len(meta["damage"]) == 100


def test_a_broken_field_is_null_and_told_and_the_rest_stands():
    raw = bytearray(record("SE", Umaban=7, Bamei="アイ"))
    raw[40:42] = HALF_A_KANJI
    answer = render(bytes(raw))
    (shown,) = answer["data"]
    assert (shown["Bamei"], shown["Umaban"]) == (None, 7)
    assert len(shown["_errors"]) == 1
    assert (answer["meta"]["damaged_records"], answer["meta"]["damaged_fields"]) == (1, 1)


def test_what_is_wrong_with_a_record_is_told_whichever_fields_were_chosen():
    raw = bytearray(record("SE", Umaban=7))
    raw[40:42] = HALF_A_KANJI
    assert set(render(bytes(raw), fields="Umaban")["data"][0]) == {"Umaban", "_errors"}


def test_a_stripped_record_is_padded_back_and_counted():
    stripped = record("O1", TorokuTosu=18).rstrip(b"\r\n ") + b"\r\n"
    answer = render(stripped, record("RA"))
    assert answer["meta"]["padded_records"] == 1
    assert (answer["data"][0]["TorokuTosu"], kinds(answer)) == (18, ["O1", "RA"])


def test_older_layouts_stand_beside_current_ones():
    asked = question("DIFN")
    mixed = dataset(record("UM", Bamei="アイ"), record("UM", Bamei="ウエ", length=1577), query=asked.queries[0])
    answer = json.loads(render_form(asked, [mixed], JRA).answer.body)
    assert [shown["Bamei"] for shown in answer["data"]] == ["アイ", "ウエ"]


def test_a_torn_end_of_one_file_does_not_swallow_the_beginning_of_the_next():
    torn = record("RA")[:600]
    files = (SourceFile("a.jvd", PROVIDED, 0), SourceFile("b.jvd", PROVIDED, len(torn)))
    both = Dataset.landed(QUERY, torn + record("HR"), files, layouts=JRA.layouts)
    answer = json.loads(render_form(question(), [both], JRA).answer.body)
    assert kinds(answer) == ["HR"]
    assert answer["meta"]["damage"][0]["file"] == "a.jvd"


def test_a_joined_answer_holds_both_in_the_order_asked_for():
    asked = question("RACEDIFN")
    parts = [dataset(record("RA"), query=asked.queries[0]), dataset(record("UM"), query=asked.queries[1])]
    answer = json.loads(render_form(asked, parts, JRA).answer.body)
    assert (kinds(answer), answer["meta"]["dataspec"]) == (["RA", "UM"], "RACEDIFN")
    assert answer["meta"]["record_counts"] == {"RA": 1, "UM": 1}


@pytest.mark.parametrize(
    ("dataspec", "successor"), [("DIFF", "DIFN"), ("SNAP", "SNPN"), ("RACE", ""), ("RACEDIFF", "")]
)
def test_an_older_data_spec_names_its_successor(dataspec, successor):
    asked = question(dataspec)
    answer = render_form(asked, [dataset(query=Query(dataspec)) for _ in asked.queries], JRA).answer
    assert (answer.successor, answer.content_type) == (successor, "application/json")


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
    one_by_one = render_form(asked, given, JRA).answer
    monkeypatch.setattr(shown, "_MANY", 8)
    assert render_form(asked, given, JRA).answer == one_by_one


@pytest.mark.parametrize("parameters", [{"raw": "1"}, {"labels": "en"}, {"fields": "Umaban"}])
def test_another_form_is_written_record_by_record(monkeypatch, parameters):
    expected = render(*a_long_day(), **parameters)
    monkeypatch.setattr(shown, "_MANY", 1)
    assert render(*a_long_day(), **parameters) == expected
