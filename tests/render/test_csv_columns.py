"""The number of columns is known beforehand, and it is the number that is written."""

import pytest

from jvgate.question import parse_question
from jvgate.render import csv_columns
from jvgate.render.csv_columns import column_count
from jvgate.render.forms import why_not
from jvgate.render.tables import table_writer
from tests.specs import JRA

SOME = [
    ("SE", ("Umaban",)),
    ("SE", ("ChakuUmaInfo",)),
    ("SE", ("ChakuUmaInfo.Bamei", "Umaban")),
    ("HR", ("PayTansyo.Pay", "PayTansyo")),
    ("RA", ("Honsyokin", "CornerInfo")),
    *(("O6", (name,)) for name in ("OddsSanrentanInfo.Odds", "OddsSanrentanInfo.OddsMark", "OddsSanrentanInfo")),
]


@pytest.mark.parametrize(("record", "fields"), [*((record, ()) for record in JRA.layouts.types), *SOME])
def test_as_many_columns_are_counted_as_are_written(monkeypatch, record, fields):
    monkeypatch.setattr(csv_columns, "MOST_COLUMNS", 1_000_000)
    names = table_writer("csv", JRA.layouts.current(record), fields).begin().decode().strip().split(",")
    assert column_count(JRA.layouts.current(record), fields) == len(names) == len(set(names))


def asked(**parameters):
    given = {"from_time": ["20261101"], "format": ["csv"]} | {name: [value] for name, value in parameters.items()}
    return parse_question("RACE", given, JRA, formats=("csv",))


@pytest.mark.parametrize(
    ("parameters", "slug"),
    [
        ({"record": "RA"}, None), ({"record": "SE"}, None), ({"record": "HR"}, None),
        ({"record": "O6"}, "too-many-columns"), ({"record": "O6", "fields": "OddsSanrentanInfo"}, "too-many-columns"),
        ({"record": "O6", "fields": "RaceNum,TotalHyosuSanrentan"}, None),
    ],
)  # fmt: skip
def test_what_has_too_many_is_refused_before_anything_is_read(parameters, slug):
    error = why_not(asked(**parameters), JRA)
    assert (error and error.slug) == slug
    assert error is None or "another format" in error.allowed
