"""The number of columns is known beforehand, and it is the number that is written."""

import pytest

from jvgate.question.parsing import parse_question
from jvgate.render.formats.csv_format import column_count
from jvgate.render.negotiation import refusal
from tests.render.tables.writers import table_writer
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
def test_as_many_columns_are_counted_as_are_written(record, fields):
    names = table_writer("csv", record, fields).begin().decode().strip().split(",")
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
    error = refusal(asked(**parameters), JRA)
    assert (error and error.slug) == slug
    assert error is None or "another format" in error.allowed


def test_a_refusal_tells_the_number_of_columns_and_what_to_choose():
    error = refusal(asked(record="O6"), JRA)
    assert "24495 columns, more than 300" in error.why
    assert error.parameter == "fields"
