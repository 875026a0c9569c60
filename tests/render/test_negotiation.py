"""The best form the client accepts and we give (RFC 9110, section 12.5.1)."""

import pytest

from jvgate.errors import QueryError
from jvgate.question.parsing import parse_question
from jvgate.render.formats.registry import FORMATS, charsets
from jvgate.render.negotiation import choose, media_types, negotiate
from tests.specs import JRA

JSON, NDJSON = "application/json", "application/x-ndjson"
UTF8, SJIS = "text/csv;charset=utf-8", "text/csv;charset=shift_jis"
WORDS = tuple(FORMATS)


def question(**parameters):
    given = {"from_time": "20261101"} | parameters
    return parse_question(
        "RACE", {name: [value] for name, value in given.items()}, JRA, formats=WORDS, charsets=charsets(WORDS)
    )


def negotiated(accept, words=WORDS, **parameters):
    """What Accept makes of a question: format, charset and the name that the form goes by."""
    found = negotiate(question(**parameters), accept, words, JRA)
    return found and (found.selection.format, found.selection.charset, found.selection.media_type)


@pytest.mark.parametrize(
    ("accept", "chosen"),
    [
        ("", JSON),
        (" ", JSON),
        (",,,", JSON),
        ("*/*", JSON),
        ("application/*", JSON),
        (NDJSON, NDJSON),
        ("APPLICATION/X-NDJSON", NDJSON),
        (f"{NDJSON}, {JSON}", JSON),  # a tie follows our order
        (f"{JSON};q=0.5, {NDJSON}", NDJSON),
        (f"{JSON} ; Q=0.5 , {NDJSON} ; q=0.6", NDJSON),
        (f"{JSON};q=0, */*;q=0.1", NDJSON),
        (f"*/*;q=0.9, {JSON};q=0.1", NDJSON),  # the specific range decides, however low
        (f"application/*;q=0, {NDJSON}", NDJSON),
        (f"*/*, {JSON};q=0", NDJSON),
        (f"text/html, {JSON};q=0.001", JSON),
        (f"{JSON};charset=utf-8", JSON),
        (f"{JSON};q=2", JSON),
        ("json, text", JSON),  # no range can be read: as if none were given
        (f"{NDJSON}, garbage", NDJSON),
        (f"{JSON};q=high, {NDJSON}", NDJSON),  # a range with an unreadable weight is passed over
        ("text/html", None),
        ("text/html, image/*", None),
        ("application/jsonp", None),
        (f"{JSON};q=0, {NDJSON};q=0", None),
        ("*/*;q=0", None),
        ("*/*;q=0.0, text/csv", None),
    ],
)
def test_choose(accept, chosen):
    assert choose(accept, (JSON, NDJSON)) == chosen


def test_a_refusal_of_the_only_form_is_respected():
    assert choose(f"{JSON};q=0, */*", (JSON,)) is None


@pytest.mark.parametrize(
    ("accept", "chosen"),
    [
        ("text/csv", UTF8),
        ("text/*", UTF8),
        (SJIS, SJIS),
        ('text/csv; Charset="Shift_JIS"', SJIS),
        ("text/csv;charset=Windows-31J", SJIS),
        ("text/csv;charset=UTF8", UTF8),
        ("text/csv;q=0.5, text/csv;charset=sjis", SJIS),
        ("text/csv, text/csv;charset=shift_jis;q=0.5", UTF8),
        ("text/csv, text/csv;charset=utf-8;q=0", SJIS),
        ("text/csv;charset=euc-jp", None),
        ("text/csv;charset=euc-jp, text/*;q=0.1", UTF8),
        (f"{JSON};charset=shift_jis", None),
    ],
)
def test_a_charset_counts_where_a_form_has_several(accept, chosen):
    assert choose(accept, (UTF8, SJIS)) == chosen


@pytest.mark.parametrize(
    ("accept", "found"),
    [
        ("", ("json", "", "")),
        ("*/*", ("json", "", "")),
        ("application/*", ("json", "", "")),
        (NDJSON, ("ndjson", "", "")),
        ("application/jsonl", ("ndjson", "", "application/jsonl")),
        ("application/vnd.msgpack, */*;q=0.1", ("msgpack", "", "application/vnd.msgpack")),
        ("application/x-msgpack, application/msgpack;q=0.9", ("msgpack", "", "application/x-msgpack")),
        ("text/csv", ("csv", "", "")),
        (SJIS, ("csv", "shift_jis", "")),
        ("text/csv;charset=utf-8", ("csv", "", "")),
        ("application/vnd.apache.arrow.stream", ("arrow", "", "")),
        ("application/vnd.apache.parquet;q=0.9, application/vnd.apache.arrow.stream;q=0.8", ("parquet", "", "")),
        ("application/octet-stream", ("raw", "", "")),
        ("text/html", None),
        ("application/json;q=0, application/x-ndjson;q=0, application/*;q=0", None),
    ],
)
def test_accept_becomes_a_form_its_charset_and_its_name(accept, found):
    assert negotiated(accept, record="SE") == found


def test_a_form_that_is_not_offered_is_not_chosen():
    assert negotiated("application/x-python-pickle", words=("json", "ndjson")) is None


def test_of_what_is_accepted_the_best_that_is_possible_is_chosen():
    assert negotiated("text/csv, application/json;q=0.5", record="RA,SE") == ("json", "", "")
    assert negotiated("application/octet-stream, application/json;q=0.5", fields="Umaban") == ("json", "", "")


@pytest.mark.parametrize(
    ("accept", "parameters", "slug"),
    [
        ("text/csv", {"record": "RA,SE"}, "one-record-needed"),
        ("application/vnd.apache.parquet, text/html", {}, "one-record-needed"),
        ("application/octet-stream", {"fields": "Umaban"}, "parameter-not-allowed"),
        (JSON, {"charset": "shift_jis"}, "parameter-not-allowed"),
    ],
)
def test_what_would_be_accepted_and_is_not_possible_is_told(accept, parameters, slug):
    with pytest.raises(QueryError) as caught:
        negotiated(accept, **parameters)
    assert caught.value.slug == slug


def test_the_charset_parameter_wins_over_that_of_accept():
    assert negotiated("text/csv;charset=utf-8, */*", record="SE", charset="shift_jis") == ("csv", "shift_jis", "")
    assert negotiated("text/csv", record="SE", charset="utf-8-bom") == ("csv", "utf-8-bom", "")
    assert negotiated("text/csv;charset=shift_jis", record="SE", charset="utf-8") == ("csv", "", "")
    assert negotiated(f"{JSON}, text/csv;q=0.5", record="SE", charset="utf-8") == ("json", "", "")


def test_all_names_are_told_in_the_order_of_preference():
    assert media_types(("json", "ndjson")) == (JSON, NDJSON, "application/jsonl")
