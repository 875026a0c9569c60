"""Errors as problem documents: every slug has its row, every return code and every error of ours its meaning."""

import ast
import inspect
from pathlib import Path

import pytest

import jvgate
from jvgate import errors
from jvgate.errors import (
    ArchiveError,
    DatasetTooLarge,
    JvgateError,
    JVLinkError,
    QueryError,
    SessionTimeout,
    SourceBusy,
    SourceError,
)
from jvgate.question.parameters import PARAMETERS
from jvgate.web.problems import PROBLEMS, problem_of
from tests.specs import JRA

ROOT = Path(jvgate.__file__).parent
MAKERS = {"QueryError", "Problem", "_wrong", "_unknown", "_invalid"}
CODES = [(code, method) for code in JRA.return_codes if code.kind == "error" for method in sorted(code.methods)]


def slugs_of(call):
    """The slugs that a call may give its error: its first argument, `invalid-{name}` for every parameter."""
    first = call.args[0] if call.args else None
    if isinstance(first, ast.Constant) and isinstance(first.value, str):
        yield first.value
    elif isinstance(first, ast.JoinedStr) and isinstance(first.values[0], ast.Constant):
        starts = first.values[0].value
        yield from (slug for name in PARAMETERS if (slug := starts + name.replace("_", "-")) in PROBLEMS)


def raised():
    for path in ROOT.glob("**/*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in MAKERS:
                yield from slugs_of(node)


def test_every_slug_that_is_raised_has_its_row():
    found = {slug for slug in raised() if "-" in slug and " " not in slug}
    assert len(found) > 15
    assert found <= set(PROBLEMS)


@pytest.mark.parametrize("name", sorted(set(PARAMETERS) - {"record", "fields", "format"}))
def test_every_parameter_that_can_be_invalid_has_its_row(name):
    assert f"invalid-{name.replace('_', '-')}" in PROBLEMS


@pytest.mark.parametrize("slug", PROBLEMS)
def test_every_row_has_a_status_and_a_title_in_both_languages(slug):
    status, title, title_ja = PROBLEMS[slug]
    assert 400 <= status < 600
    assert title.isascii()
    assert not title_ja.isascii()


@pytest.mark.parametrize(("code", "method"), CODES, ids=lambda value: str(getattr(value, "code", value)))
def test_every_error_code_of_jvlink_is_the_problem_of_its_table(code, method):
    problem = problem_of(JVLinkError(code.code, method), JRA)
    document = problem.document("/x")
    assert (document["type"], document["status"]) == (f"/problems/{code.slug}", code.http_status)
    assert (document["title"].lower(), document["title_ja"]) == (code.meaning_en.lower(), code.meaning_ja)
    assert document["jvlink"]["code"] == code.code
    assert problem.headers.get("retry-after") == (str(code.retry_after_s) if code.retry_after_s else None)


@pytest.mark.parametrize(
    "code", [code for code in JRA.return_codes if code.slug in PROBLEMS], ids=lambda code: code.slug
)
def test_a_type_has_one_status_wherever_it_comes_from(code):
    assert code.http_status == PROBLEMS[code.slug][0]


@pytest.mark.parametrize("code", [-9999, 7])
def test_a_code_that_no_table_knows_is_still_a_problem(code):
    document = problem_of(JVLinkError(code, "JVOpen"), JRA).document("/x")
    assert (document["type"], document["status"]) == ("/problems/jvlink-error", 502)
    assert document["jvlink"] == {"method": "JVOpen", "code": code}


@pytest.mark.parametrize(
    ("error", "status", "slug", "retry_after"),
    [
        (ArchiveError("/data", "there is no such folder"), 503, "archive-unusable", "30"),
        (DatasetTooLarge("RACE", limit_bytes=10), 413, "dataset-too-large", None),
        (DatasetTooLarge("RACE", limit_bytes=10, is_rendered=True), 413, "dataset-too-large", None),
        (SessionTimeout("the wait", limit_s=1), 504, "jvlink-timeout", "30"),
        (SourceBusy(7), 503, "session-busy", "5"),
        (SourceError("closed"), 503, "source-unavailable", None),
        (QueryError("invalid-key", "No.", parameter="key", value=None, allowed="a"), 400, "invalid-key", None),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else None,
)
def test_every_error_of_ours_is_its_problem(error, status, slug, retry_after):
    problem = problem_of(error, JRA)
    document = problem.document("/x")
    assert (document["status"], document["type"]) == (status, f"/problems/{slug}")
    assert problem.headers.get("retry-after") == retry_after
    assert document["detail"].endswith((".", "a"))
    assert ".." not in document["detail"]


def test_every_kind_of_source_error_has_a_problem_of_its_own():
    kinds = [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, SourceError)]
    told = {kind: problem_of(_bare(kind), JRA).slug for kind in kinds}
    assert "internal-error" not in told.values()
    assert len(set(told.values())) == len(kinds)


def _bare(kind):
    """An error of *kind* that says nothing."""
    error = kind.__new__(kind)
    JvgateError.__init__(error, "it")
    vars(error).update(code=-9999, method="JVOpen", limit_bytes=1, is_rendered=False, place=1)
    return error
