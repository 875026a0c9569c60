"""A finished answer as a response: its headers, its age, and 304 for a client that has it."""

import asyncio

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

NOW = 1000.0
ANSWER = Answer(b"body", "application/json", '"e"')


def entry(answer=ANSWER, **until):
    """An answer that was read at NOW and is fresh for 100 s."""
    windows = {name: NOW + seconds for name, seconds in until.items()}
    return Entry(answer, NOW, NOW + 100, len(answer.body), **windows)


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
        ("miss", b"jvgate; fwd=miss; ttl=100; stored"),
        ("refresh", b"jvgate; fwd=request; ttl=100; stored"),
        ("hit", b"jvgate; hit; ttl=100"),
        ("stale", b"jvgate; hit; detail=stale; ttl=100"),
    ],
)
def test_where_an_answer_came_from_is_told(outcome, status):
    assert dict(moving_headers(entry(), outcome, now=NOW))[b"cache-status"] == status


def test_what_is_not_kept_is_not_told_to_be_stored():
    assert b"stored" not in dict(moving_headers(entry(), "miss", now=NOW, is_kept=False))[b"cache-status"]


@pytest.mark.parametrize(("passed", "age", "ttl"), [(-1, b"0", b"101"), (99.9, b"99", b"0"), (150.5, b"150", b"-50")])
def test_age_and_ttl_are_whole_seconds_and_past_its_time_the_ttl_is_below_zero(passed, age, ttl):
    headers = dict(moving_headers(entry(), "stale", now=NOW + passed))
    assert headers[b"age"] == age
    assert headers[b"cache-status"].endswith(b"ttl=" + ttl)


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
    response = AnswerResponse(Served(entry(), "miss", True, {"read": 0.001}), clock=lambda: NOW)
    asked = {"headers": [(b"if-none-match", b'"x"'), (b"if-none-match", b'"e"')]}
    status, headers, _ = sent(lambda send: response(asked, None, send))
    assert (status, headers[b"server-timing"], headers[b"age"]) == (304, b"read;dur=1.000", b"0")
