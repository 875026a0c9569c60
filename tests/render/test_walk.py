"""The facts that an answer tells in `meta`, and the order of its records."""

import json

from jvgate.question.parsing import parse_question
from jvgate.render.answers import render
from jvgate.values import Dataset, SourceFile
from tests.raceday import PROVIDED, QUERY, dataset, race_day, record
from tests.render.asking import as_json, question
from tests.specs import JRA


def kinds(answer):
    return [shown["RecordSpec"] for shown in answer["data"]]


def test_meta_says_what_was_asked_and_what_came():
    meta = as_json(*race_day())["meta"]
    assert (meta["dataspec"], meta["from_time"], meta["to_time"]) == ("RACE", "20261101000000", None)
    assert (meta["option"], meta["last_file_timestamp"]) == (1, PROVIDED)
    assert meta["record_counts"] == {"HR": 1, "O1": 1, "RA": 1, "SE": 3}
    assert (meta["total"], meta["returned"], meta["offset"]) == (6, 6, 0)
    assert [meta[name] for name in ("damaged_records", "damaged_fields", "padded_records", "lost_bytes")] == [0] * 4
    assert "damage" not in meta


def test_meta_of_real_time_data_names_the_key_alone():
    asked = parse_question("0B12", {"key": ["20261115"]}, JRA, formats=("json",))
    meta = json.loads(render(asked, [dataset(record("RA"), query=asked.queries[0])], JRA).answer.body)["meta"]
    assert meta["key"] == "20261115"
    assert not {"from_time", "to_time", "option"} & set(meta)


def test_a_torn_end_of_one_file_does_not_swallow_the_beginning_of_the_next():
    torn = record("RA")[:600]
    files = (SourceFile("a.jvd", PROVIDED, 0), SourceFile("b.jvd", PROVIDED, len(torn)))
    both = Dataset.landed(QUERY, torn + record("HR"), files, layouts=JRA.layouts)
    answer = json.loads(render(question(), [both], JRA).answer.body)
    assert kinds(answer) == ["HR"]
    assert answer["meta"]["damage"][0]["file"] == "a.jvd"


def test_a_joined_answer_holds_both_in_the_order_asked_for():
    asked = question("RACEDIFN")
    parts = [dataset(record("RA"), query=asked.queries[0]), dataset(record("UM"), query=asked.queries[1])]
    answer = json.loads(render(asked, parts, JRA).answer.body)
    assert (kinds(answer), answer["meta"]["dataspec"]) == (["RA", "UM"], "RACEDIFN")
    assert answer["meta"]["record_counts"] == {"RA": 1, "UM": 1}
