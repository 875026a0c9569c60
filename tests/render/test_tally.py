"""The counts of records, of unknown types, of padding and of damage."""

from tests.raceday import GARBAGE, record
from tests.render.asking import UNKNOWN, as_json


def kinds(answer):
    return [shown["RecordSpec"] for shown in answer["data"]]


def test_records_of_unknown_types_are_passed_through_and_counted():
    answer = as_json(record("RA"), UNKNOWN)
    assert answer["data"][1] == {"RecordSpec": "ZZ", "_raw": UNKNOWN.decode("cp932")}
    assert answer["meta"]["unknown_record_counts"] == {"ZZ": 1}
    assert answer["meta"]["total"] == 2


def test_a_record_at_an_impossible_length_is_passed_through_as_damage():
    answer = as_json(record("RA")[:-2] + b"more\r\n")
    counts = {name: answer["meta"][name] for name in ("record_counts", "unknown_record_counts", "damaged_records")}
    assert counts == {"record_counts": {"RA": 1}, "unknown_record_counts": {}, "damaged_records": 1}
    (shown,) = answer["data"]
    assert shown["_raw"].endswith("more\r\n")
    assert shown["_errors"] == [
        {"field": "RecordSpec", "offset": 0, "raw": "RA", "why": "RA of 1276 bytes: RA has 1272"}
    ]


def test_other_line_ends_and_fill_are_counted():
    answer = as_json(record("RA")[:-2] + b"\n", record("HR") + b"\0   ")
    assert kinds(answer) == ["RA", "HR"]
    assert (answer["meta"]["changed_line_ends"], answer["meta"]["fill_bytes"]) == (1, 4)


def test_a_damaged_record_is_lost_to_a_condition():
    answer = as_json(record("RA"), record("RA")[:-2] + b"more\r\n", where="JyoCD=05")
    assert kinds(answer) == ["RA"]
    assert answer["meta"]["lost_bytes"] == 1276


def test_damage_between_records_is_told_with_its_place():
    answer = as_json(record("RA"), GARBAGE, record("HR"))
    assert kinds(answer) == ["RA", "HR"]
    assert answer["meta"]["lost_bytes"] == len(GARBAGE)
    (place,) = answer["meta"]["damage"]
    assert (place["file"], place["offset"], place["bytes"]) == ("a.jvd", len(record("RA")), len(GARBAGE))


def test_much_damage_is_counted_whole_and_listed_in_part():
    meta = as_json(*[record("AV"), GARBAGE] * 300)["meta"]
    assert meta["lost_bytes"] == 300 * len(GARBAGE)
    assert len(meta["damage"]) == 100


def test_a_stripped_record_is_padded_back_and_counted():
    stripped = record("O1", TorokuTosu=18).rstrip(b"\r\n ") + b"\r\n"
    answer = as_json(stripped, record("RA"))
    assert answer["meta"]["padded_records"] == 1
    assert (answer["data"][0]["TorokuTosu"], kinds(answer)) == (18, ["O1", "RA"])
