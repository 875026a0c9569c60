"""Questions to a race day with damage in it, and their answers in every format."""

import json

from jvgate.question.parsing import parse_question
from jvgate.records.runs import CRLF
from jvgate.render.answers import render
from jvgate.render.formats.registry import FORMATS, charsets
from tests.raceday import dataset, race_day, record
from tests.specs import JRA

__all__ = ["BROKEN", "MIXED", "SELECTIONS", "STRIPPED", "UNKNOWN", "WORDS", "answer", "as_json", "question"]

UNKNOWN = b"ZZ120261115" + "未知".encode("cp932") + b"\r\n"
BROKEN = record("SE", Umaban=7).replace(b"07" + b"0" * 10, b"07" + b"0" * 9 + b"x")
STRIPPED = record("O1", TorokuTosu=18).rstrip(b"\r\n ") + CRLF
MIXED = [*race_day(), UNKNOWN, BROKEN, record("SE", Umaban=8, DataKubun="0")]
SELECTIONS = [
    {}, {"record": "SE"}, {"record": "SE", "fields": "Umaban,Bamei"}, {"raw": "1"}, {"labels": "ja"},
    {"limit": "2", "offset": "1"}, {"limit": "0"}, {"where": "Umaban=2..3"}, {"record": "WF"},
]  # fmt: skip
WORDS = tuple(FORMATS)


def question(dataspec="RACE", **parameters):
    given = {"from_time": "20261101"} | parameters
    texts = {name: value if isinstance(value, list) else [value] for name, value in given.items()}
    return parse_question(dataspec, texts, JRA, formats=WORDS, charsets=charsets(WORDS))


def answer(*records, dataspec="RACE", **parameters):
    asked = question(dataspec, **parameters)
    return render(asked, [dataset(*records, query=query) for query in asked.queries], JRA).answer


def as_json(*records, **parameters):
    return json.loads(answer(*records, **parameters).body)
