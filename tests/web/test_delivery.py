"""A stream on its way: the status comes with the first piece, and every end is counted and told as far as it can be."""

import asyncio
from contextlib import asynccontextmanager

import pytest

from jvgate.errors import WorkerLost
from jvgate.question.parsing import parse_question
from jvgate.web.clients import ClientGone
from jvgate.web.delivery import StreamResponse
from tests.specs import JRA


class Streams:
    """Gives one stream of the given pieces; an exception among them is raised there.  ends: what was counted."""

    stall_s = 30.0

    def __init__(self, *steps):
        self.steps, self.ends, self.opened = steps, [], 0

    @asynccontextmanager
    async def open(self, question):
        self.opened += 1
        self.pieces = self._made()
        yield self

    async def _made(self):
        for step in self.steps:
            if isinstance(step, Exception):
                raise step
            if step is None:
                await asyncio.Event().wait()
            yield step

    def fail(self, document):
        return b"problem " + document["type"].encode()

    def count(self, end):
        self.ends.append(end)


def deliver(streams, *, dataspec="RACE", stays=True, **given):
    """Deliver the stream of *streams* -> the messages to the client.  stays: whether the client waits for the end."""
    messages = []

    async def receive():
        if stays:
            await asyncio.Event().wait()
        return {"type": "http.disconnect"}

    async def send(message):
        messages.append(message)

    question = parse_question(dataspec, {"from_time": ["20261101"], "format": ["ndjson"]}, JRA, formats=("ndjson",))
    response = StreamResponse(streams, question, JRA, **given)
    try:
        asyncio.run(response({"type": "http", "path": "/x", "headers": []}, receive, send))
    finally:
        streams.messages = messages
    return messages


def bodies(messages):
    return [(message["body"], message.get("more_body", False)) for message in messages if "body" in message]


def test_a_whole_stream_ends_with_a_last_message():
    messages = deliver(streams := Streams(b"a", b"b"))
    assert (messages[0]["status"], bodies(messages)) == (200, [(b"a", True), (b"b", True), (b"", False)])
    assert streams.ends == ["whole"]


def test_an_empty_stream_has_a_status_too():
    messages = deliver(Streams())
    assert (messages[0]["status"], bodies(messages)) == (200, [(b"", False)])


def test_head_opens_nothing():
    messages = deliver(streams := Streams(b"a"), is_head=True)
    assert (messages[0]["status"], bodies(messages)) == (200, [(b"", False)])
    assert (streams.opened, streams.ends) == (0, [])


def test_an_error_before_the_first_piece_is_left_to_the_application():
    with pytest.raises(WorkerLost):
        deliver(streams := Streams(WorkerLost("it died")))
    assert (streams.messages, streams.ends) == ([], ["broken"])


def test_an_error_in_the_midst_is_told_inside_and_the_body_has_no_end():
    messages = deliver(streams := Streams(b"a", WorkerLost("it died")))
    assert bodies(messages)[0] == (b"a", True)
    assert bodies(messages)[1:] == [(b"problem /problems/session-lost", True)]
    assert streams.ends == ["broken"]


def test_what_nobody_expected_shows_nothing_of_our_insides_and_goes_on_to_the_log():
    with pytest.raises(ZeroDivisionError):
        deliver(streams := Streams(b"a", ZeroDivisionError("secret")))
    assert bodies(streams.messages)[1:] == [(b"problem /problems/internal-error", True)]


def test_a_client_that_leaves_before_the_first_piece_is_gone():
    with pytest.raises(ClientGone):
        deliver(streams := Streams(None), stays=False)
    assert (streams.messages, streams.ends) == ([], ["left"])


@pytest.mark.parametrize(("dataspec", "link"), [("RACE", None), ("DIFF", b"/api/v1/stream/DIFN")])
def test_an_older_data_spec_points_to_its_successor(dataspec, link):
    headers = dict(deliver(Streams(), dataspec=dataspec)[0]["headers"])
    assert headers[b"cache-control"] == b"no-store"
    assert headers.get(b"link") == (link and b"<" + link + b'>; rel="successor-version"')
