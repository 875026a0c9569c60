"""A finished answer as a response: its headers, its age, and 304 for a client that has it."""

import asyncio
from time import monotonic

import pytest

from jvgate.gateway.answers import Served
from jvgate.values import Answer, Entry
from jvgate.web.answers import (
    AnswerResponse,
    asks_for_refresh,
    fixed_headers,
    is_known,
    moving_headers,
    send_answer,
    server_timing,
)

ANSWER = Answer(b"body", "application/json", '"e"')


def entry(answer=ANSWER, *, age_s=0.0, fresh_s=100.0, **until):
    read_at = monotonic() - age_s
    windows = {name: read_at + seconds for name, seconds in until.items()}
    return Entry(answer, read_at, read_at + fresh_s, len(answer.body), **windows)


def sent(work):
    """Run *work* with a `send` -> status, headers and body that it sent."""
    messages = []

    async def send(message):
        messages.append(message)

    asyncio.run(work(send))
    start, body = messages
    return start["status"], dict(start["headers"]), body["body"]


@pytest.mark.parametrize("given", [b'"e"', b'W/"e"', b'"x", "e"', b'"x",W/"e"', b"*", b" * "])
def test_a_client_that_has_it_is_known_by_any_of_its_tags(given):
    assert is_known(given, '"e"')


@pytest.mark.parametrize("given", [b'"E"', b"e", b'"ee"', b'"x"', b'"*"', b""])
def test_another_tag_is_not_known(given):
    assert not is_known(given, '"e"')


@pytest.mark.parametrize(
    ("given", "asks"),
    [
        (b"no-cache", True),
        (b"max-age=0, No-Cache", True),
        (b"x-no-cache", False),
        (b"max-age=0", False),
        (b"", False),
    ],
)
def test_only_no_cache_asks_for_a_refresh(given, asks):
    assert asks_for_refresh(given) is asks


def test_plain_answers_have_the_headers_of_every_answer_and_no_others():
    assert dict(fixed_headers(entry())) == {
        b"content-type": b"application/json", b"content-length": b"4", b"etag": b'"e"',
        b"cache-control": b"max-age=100", b"vary": b"Accept, Accept-Encoding",
    }  # fmt: skip


def test_coding_file_name_and_successor_are_told_where_there_are_any():
    answer = Answer(b"", "text/csv", '"e"', successor="DIFN", file_name="a.csv", coding="br")
    headers = dict(fixed_headers(entry(answer)))
    assert headers[b"content-encoding"] == b"br"
    assert headers[b"content-disposition"] == b'attachment; filename="a.csv"'
    assert headers[b"link"] == b'</api/v1/data/DIFN>; rel="successor-version"'


@pytest.mark.parametrize(
    ("until", "shown"),
    [
        ({"stale_until": 130.0}, b"max-age=100, stale-while-revalidate=30"),
        ({"stale_until": 130.0, "error_until": 160.0}, b"max-age=100, stale-while-revalidate=30, stale-if-error=60"),
        ({"stale_until": 100.0, "error_until": 99.0}, b"max-age=100"),
    ],
)
def test_caches_on_the_way_may_keep_it_as_long_as_this_one(until, shown):
    assert dict(fixed_headers(entry(**until)))[b"cache-control"] == shown


@pytest.mark.parametrize(
    ("outcome", "status"),
    [
        ("miss", b"jvgate; fwd=miss; ttl=99; stored"),
        ("refresh", b"jvgate; fwd=request; ttl=99; stored"),
        ("hit", b"jvgate; hit; ttl=99"),
        ("stale", b"jvgate; hit; detail=stale; ttl=99"),
    ],
)
def test_where_an_answer_came_from_is_told(outcome, status):
    assert dict(moving_headers(entry(fresh_s=99.9), outcome))[b"cache-status"] == status


def test_what_is_not_kept_is_not_told_to_be_stored():
    assert b"stored" not in dict(moving_headers(entry(), "miss", is_kept=False))[b"cache-status"]


def test_an_old_answer_tells_its_age_and_one_past_its_time_a_ttl_below_zero():
    headers = dict(moving_headers(entry(age_s=150.5), "stale"))
    assert int(headers[b"age"]) >= 150
    assert b"ttl=-5" in headers[b"cache-status"]


def test_stages_are_told_in_milliseconds():
    assert server_timing({"read": 0.25, "render": 1e-6}) == b"read;dur=250.000, render;dur=0.001"
    assert server_timing({}) == b""


@pytest.mark.parametrize(("if_none_match", "status", "body"), [(b"", 200, b"body"), (b'"e"', 304, b"")])
def test_a_client_that_has_it_gets_no_content(if_none_match, status, body):
    kept = entry()
    told, headers, content = sent(
        lambda send: send_answer(send, kept, fixed_headers(kept), if_none_match=if_none_match)
    )
    assert (told, content) == (status, body)
    assert (b"content-length" in headers, b"content-type" in headers) == (status == 200, status == 200)
    assert headers[b"etag"] == b'"e"'


def test_a_response_reads_all_conditional_headers_and_tells_the_stages():
    response = AnswerResponse(Served(entry(), "miss", True, {"read": 0.001}))
    asked = {"headers": [(b"if-none-match", b'"x"'), (b"if-none-match", b'"e"')]}
    status, headers, _ = sent(lambda send: response(asked, None, send))
    assert (status, headers[b"server-timing"]) == (304, b"read;dur=1.000")
