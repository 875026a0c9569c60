"""The declarations are whole, and everything that takes parameters follows them."""

import json
import os
import re
import subprocess
import sys

import pytest

from jvgate.question.parameters import DATASPEC, PARAMETERS, PURGE, Text, Words
from jvgate.question.parsing import parse_question
from jvgate.web.problems import PROBLEMS
from jvgate.web.routes import movies, pictures
from tests.specs import JRA

JAPANESE = re.compile("[぀-ヿ一-鿿]")
DECLARED = [
    DATASPEC, *PARAMETERS.values(), *PURGE.values(), pictures.PATTERN, pictures.KEY,
    movies.RACE_TYPE, movies.RACE_KEY, movies.LIST_TYPE, movies.LIST_KEY,
]  # fmt: skip
KEYS = ["20261115", "202611150511", "2026111505050411", "WE20261115050020261115060000", "20261115G001"]
# Changes declarations before anything derives from them: a smaller bound, another word.
CHANGED = """
from dataclasses import replace
from jvgate.question.parameters import PARAMETERS, Integer, Words
PARAMETERS["limit"] = replace(PARAMETERS["limit"], type=Integer(3, 7))
PARAMETERS["labels"] = replace(PARAMETERS["labels"], type=Words(("ja", "en", "toy")))
"""


def run(code, **environment):
    """Return what *code* prints after the declarations are changed."""
    clean = {name: value for name, value in os.environ.items() if not name.upper().startswith("JVGATE_")}
    command = [sys.executable, "-c", CHANGED + code]
    return subprocess.run(
        command, capture_output=True, text=True, check=False, env={**clean, "COLUMNS": "200", **environment}
    ).stdout


@pytest.mark.parametrize("parameter", DECLARED, ids=lambda parameter: parameter.name)
def test_a_declaration_has_a_sentence_in_both_languages_and_a_problem(parameter):
    assert JAPANESE.search(parameter.meaning_ja)
    assert parameter.meaning.endswith(".")
    assert parameter.problem in PROBLEMS


@pytest.mark.parametrize("parameter", DECLARED, ids=lambda parameter: parameter.name)
def test_an_example_is_of_the_declared_type(parameter):
    if isinstance(parameter.type, Text):
        assert re.fullmatch(parameter.type.pattern, parameter.example)
    elif isinstance(parameter.type, Words) and parameter.words:
        assert parameter.example in parameter.words


def test_the_examples_of_data_can_be_asked():
    given = {name: [one.example] for name, one in PARAMETERS.items() if one.family != "real-time" and name != "raw"}
    question = parse_question(
        DATASPEC.example, {**given, "record": ["SE"]}, JRA, formats=("json",), charsets=("utf-8",)
    )
    assert question.selection.limit == 100


@pytest.mark.parametrize("key", KEYS)
def test_the_pattern_of_the_key_refuses_no_key(key):
    assert re.fullmatch(PARAMETERS["key"].type.pattern, key)


@pytest.mark.parametrize("dataspec", [*JRA.dataspecs, "RACEDIFN"])
def test_the_pattern_of_the_data_spec_refuses_none(dataspec):
    assert re.fullmatch(DATASPEC.type.pattern, dataspec)


@pytest.mark.process
def test_a_changed_declaration_is_parsed():
    code = """
from jvgate.errors import QueryError
from jvgate.question.parsing import parse_question
from jvgate.spec.spec import load_spec
for name, value in (("limit", "8"), ("labels", "fr"), ("labels", "toy")):
    given = {"from_time": ["20261101"], name: [value]}
    try:
        print(parse_question("RACE", given, load_spec("jra"), formats=("json",)).selection.labels)
    except QueryError as exc:
        print(exc.slug, exc.allowed)
"""
    assert run(code).splitlines() == ["invalid-limit 3 to 7", "invalid-labels ja or en or toy", "toy"]


@pytest.mark.process
def test_a_changed_declaration_stands_in_openapi():
    code = """
import json
from jvgate.web.parameters import DATA, describe_parameters
print(json.dumps({one["name"]: one["schema"] for one in describe_parameters(DATA)}))
"""
    schemas = json.loads(run(code))
    assert schemas["limit"] == {"type": "integer", "minimum": 3, "maximum": 7}
    assert schemas["labels"] == {"type": "string", "enum": ["ja", "en", "toy"]}


@pytest.mark.process
def test_a_changed_declaration_stands_in_the_help_and_is_completed():
    command = "import sys; sys.argv = ['jvgate', *{}]; from jvgate.cli import main; main()"
    assert "3 to 7" in run(command.format(["fetch", "--help"]))
    completing = {
        "_JVGATE_COMPLETE": "complete_bash",
        "COMP_WORDS": "jvgate decode x.jvd --labels t",
        "COMP_CWORD": "4",
    }
    assert run(command.format([]), **completing).split() == ["toy"]
