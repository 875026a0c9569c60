"""The question of a request: format and content coding as its headers prefer them, or a refusal."""

from types import SimpleNamespace

import pytest
from starlette.requests import Request

from jvgate.errors import QueryError
from jvgate.web.asking import coding_of, spec_of, wanted
from tests.specs import JRA

WORDS = ("json", "ndjson", "csv", "parquet")


def request(query="from_time=20261101", dataspec="RACE", **headers):
    app = SimpleNamespace(state=SimpleNamespace(gateway=SimpleNamespace(spec=JRA)))
    raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    path = {"dataspec": dataspec}
    return Request({"type": "http", "app": app, "headers": raw, "query_string": query.encode(), "path_params": path})


def asked(query="from_time=20261101&record=SE", **headers):
    return wanted(request(query, **headers), WORDS)


@pytest.mark.parametrize(
    ("headers", "word"),
    [
        ({}, "json"),
        ({"accept": "text/csv"}, "csv"),
        ({"accept": "application/json;q=0.1, text/csv;q=0.2"}, "csv"),
    ],
)
def test_the_format_is_the_one_that_the_client_likes_best(headers, word):
    assert asked(**headers).selection.format == word


def test_the_parameter_outweighs_the_header():
    assert asked("from_time=20261101&record=SE&format=csv", accept="application/json").selection.format == "csv"


@pytest.mark.parametrize(
    ("headers", "header"),
    [({"accept": "image/png"}, "Accept"), ({"accept_encoding": "identity;q=0, x"}, "Accept-Encoding")],
)
def test_what_nothing_can_satisfy_is_refused_with_what_could(headers, header):
    with pytest.raises(QueryError) as error:
        asked(**headers)
    assert (error.value.slug, error.value.parameter) == ("not-acceptable", header)
    assert ("text/csv" in error.value.allowed) is (header == "Accept")


@pytest.mark.parametrize(
    ("accepted", "coding"),
    [
        ("", ("", True)),
        ("identity", ("", True)),
        ("gzip", ("gzip", True)),
        ("gzip, identity;q=0", ("gzip", False)),
    ],
)
def test_the_coding_is_the_one_that_the_client_likes_best(accepted, coding):
    given = {"accept_encoding": accepted} if accepted else {}
    assert coding_of(request(**given)) == coding


def test_what_is_compressed_inside_is_not_packed_again_unless_it_must():
    query = "from_time=20261101&record=SE&format=parquet"
    assert asked(query, accept_encoding="gzip").coding == ""
    assert asked(query, accept_encoding="gzip, identity;q=0").coding == "gzip"


def test_what_cannot_be_asked_is_refused():
    with pytest.raises(QueryError, match="NOPE"):
        wanted(request(dataspec="NOPE"), WORDS)


def test_the_facts_are_those_of_the_gateway():
    assert spec_of(request()) is JRA
