"""Compiled layouts: the JSON text and the values of one object, and what is left of a damaged one."""

import struct

import orjson
import pytest

from jvgate.records import plan
from jvgate.records.encode import encode
from jvgate.records.plan import Plan, plan_chooser
from tests.raceday import record
from tests.records.fields import member, patched
from tests.specs import JRA

# RecordSpec DataKubun MakeDate Year MonthDay JyoCD Kaiji Nichiji HappyoTime HenkoID, then six codes
WEATHER = b"WE12026111520261115050504111509303120130\r\n"


def plan_of(name):
    return Plan(JRA.layouts.current(name).fields, until="")


def test_the_text_of_a_record_has_its_members_in_their_order():
    assert plan_of("WE").text(WEATHER) == (
        b'"RecordSpec":"WE","DataKubun":"1","MakeDate":"2026-11-15","Year":2026,"MonthDay":"11-15","JyoCD":"05",'
        b'"Kaiji":5,"Nichiji":4,"HappyoTime":"11-15T09:30","HenkoID":"3","TenkoBaba_TenkoCD":"1",'
        b'"TenkoBaba_SibaBabaCD":"2","TenkoBaba_DirtBabaCD":null,"TenkoBabaBefore_TenkoCD":"1",'
        b'"TenkoBabaBefore_SibaBabaCD":"3","TenkoBabaBefore_DirtBabaCD":null'
    )


def test_the_values_of_a_record_are_those_of_its_text():
    raw = record("RA", LapTime=[12.3, 11.0], CornerInfo=[None, {"Corner": "2", "Syukaisu": "1", "Jyuni": "1,2"}])
    values = plan_of("RA").values(raw)
    assert values == orjson.loads(b"{%b}" % plan_of("RA").text(raw))
    assert values["LapTime"][:3] == [12.3, 11.0, None]
    assert values["CornerInfo"] == [None, {"Corner": "2", "Syukaisu": "1", "Jyuni": "1,2"}, None, None]


def test_a_special_value_has_its_mark_behind_it():
    raw = patched(record("SE"), 324, b"999")  # BaTaijyu
    assert b'"BaTaijyu":null,"BaTaijyuMark":"not_weighed","ZogenFugo"' in plan_of("SE").text(raw)
    assert plan_of("SE").values(raw)["BaTaijyuMark"] == "not_weighed"


@pytest.mark.parametrize("read", [Plan.text, Plan.values])
def test_another_length_and_a_wrong_byte_are_refused(read):
    with pytest.raises(struct.error):
        read(plan_of("WE"), WEATHER[:-1])
    with pytest.raises(ValueError, match="not digits"):
        read(plan_of("WE"), patched(WEATHER, 11, b"20x6"))


def test_a_damaged_record_keeps_what_can_be_read():
    errors = []
    raw = patched(patched(record("RA", LapTime=[12.3, 11.0]), 893, b"1x3" + b"   "), 981 + 72, b"4\x7f")
    shown = orjson.loads(b"{%b}" % plan_of("RA").salvage(raw, 0, errors))
    assert (shown["RaceNum"], shown["LapTime"][:2]) == (11, [12.3, None])
    assert [(error["field"], error["offset"], error["raw"]) for error in errors] == [
        ("LapTime", 893, "1x3"),  # not the blank item behind it
        ("CornerInfo.Syukaisu", 981 + 72 + 1, "\x7f"),
    ]


def test_a_slot_that_names_itself_is_left_out_when_unset_and_another_is_null():
    runners = encode({"RecordSpec": "WH", "BataijyuInfo": [None, {"Umaban": 2, "BaTaijyu": 480}]}, JRA.layouts)
    assert [slot["Umaban"] for slot in plan_of("WH").values(runners)["BataijyuInfo"]] == [2]
    assert plan_of("BN").values(encode({"RecordSpec": "BN"}, JRA.layouts))["HonRuikei"][0]["SetYear"] is None


@pytest.mark.parametrize(("day", "mark"), [(b"20040813", "at_or_above_max"), (b"20040814", None)])
def test_the_race_day_tells_the_plan(day, mark):
    raw = patched(record("O1", OddsFukusyoInfo=[{"Umaban": 1, "OddsLow": 99.9}]), 11, day)
    (slot,) = plan_chooser(JRA.layouts.current("O1"))(raw).values(raw)["OddsFukusyoInfo"]
    assert (slot["OddsLow"], slot.get("OddsLowMark")) == (99.9, mark)


def test_records_share_neither_lists_nor_slots():
    for name, key in (("RA", "LapTime"), ("RA", "CornerInfo"), ("WH", "BataijyuInfo"), ("SE", "ChakuUmaInfo")):
        read, raw = plan_of(name).values, record(name)
        read(raw)[key].append("changed")
        assert "changed" not in read(raw)[key]


def test_the_memory_of_a_piece_is_bounded(monkeypatch):
    monkeypatch.setattr(plan, "MEMO_ENTRIES", 3)
    read = []
    memo = plan._Memo(lambda raw: read.append(raw) or raw.decode())
    assert [memo[b"%d" % number] for number in (1, 2, 3, 3, 4, 1)] == ["1", "2", "3", "3", "4", "1"]
    assert (read, len(memo)) == ([b"1", b"2", b"3", b"4", b"1"], 2)


@pytest.mark.parametrize("length", [plan.MEMO_BYTES, plan.MEMO_BYTES + 1])
def test_long_bytes_are_not_remembered(length):
    memo = plan._Memo(bytes.upper)
    assert memo[b"a" * length] == b"A" * length
    assert len(memo) == (length <= plan.MEMO_BYTES)


def test_a_field_inside_a_group_is_named_with_the_group():
    errors = []
    group = member("WH", "BataijyuInfo")
    Plan(group.fields, until="", prefix="BataijyuInfo.").salvage(b"x1" + b" " * 43, 35, errors)
    assert (errors[0]["field"], errors[0]["offset"]) == ("BataijyuInfo.Umaban", 35)
