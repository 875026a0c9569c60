"""The first words of a server and an agent: who comes in, what never travels, and what nonsense becomes."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

import pytest

from jvgate.errors import SourceBusy, WorkerFailed, WorkerLost
from jvgate.jvlink.wire import Kind
from jvgate.sessions.agent.hello import HELLO_LIMIT_BYTES, follow_clock, greet_client, greet_server, hear_agent, refuse
from jvgate.values import SourceClock
from tests.sessions.agent.pairs import connected_pair
from tests.waiting import LIMIT_S

NONCE = "0" * 32


@pytest.fixture
def channels():
    """A server's channel and an agent's, connected."""
    with connected_pair() as pair:
        yield [connection.channel(limit_bytes=HELLO_LIMIT_BYTES) for connection in pair]


def greeted(channels, *, ours="", theirs=""):
    """Let both greet each other with a token each -> what the server got, and what the agent did."""
    here, there = channels

    def agent():
        try:
            return greet_client(there, token=theirs, about={"x": 1})
        except WorkerFailed as exc:
            refuse(there, exc)
            return exc

    with ThreadPoolExecutor(1) as other:
        answer = other.submit(agent)
        try:
            told = greet_server(here, token=ours)
        except WorkerFailed as exc:
            told = exc
        return told, answer.result(LIMIT_S)


@pytest.mark.parametrize("token", ["", "open sesame", "\udcff bytes of any kind"])
def test_with_the_same_token_both_are_content(channels, token):
    assert greeted(channels, ours=token, theirs=token) == ({"x": 1}, True)


@pytest.mark.parametrize("ours", ["", "open barley"])
def test_an_agent_refuses_another_token_in_words_that_do_not_show_it(channels, ours):
    told, answer = greeted(channels, ours=ours, theirs="open sesame")
    assert "does not accept the token" in str(told)
    assert isinstance(answer, WorkerFailed)
    assert "sesame" not in str(told) + str(answer)


def test_a_server_does_not_trust_an_agent_without_the_token(channels):
    told, answer = greeted(channels, ours="open sesame")
    assert ("may not be ours" in str(told), answer) == (True, True)


def test_the_token_never_travels_and_nothing_said_fits_a_second_time(channels):
    said = []
    for channel in channels:
        channel.send = lambda *frame, send=channel.send: said.append(repr(frame)) or send(*frame)
    for _ in range(2):
        assert greeted(channels, ours="open sesame", theirs="open sesame") == ({"x": 1}, True)
    assert not any("sesame" in frame for frame in said)
    assert len(set(said)) == len(said) == 6


@pytest.mark.parametrize("nonce", [None, "", "0" * 31, "0" * 33, "G" * 32, 5, ["0" * 32]])
def test_a_nonce_has_one_form_only(channels, nonce):
    here, there = channels
    there.send(Kind.HELLO, 0, {"nonce": nonce})
    with pytest.raises(WorkerLost, match="without a nonce"):
        hear_agent(here)


def test_the_first_word_must_be_hello(channels):
    here, there = channels
    there.send(Kind.RESULT, 0, {"nonce": NONCE})
    with pytest.raises(WorkerLost, match="said RESULT instead of HELLO"):
        hear_agent(here)


def test_brackets_in_brackets_make_no_sense(channels):
    here, there = channels
    there.send(Kind.HELLO, 0, b"[" * 4000)
    with pytest.raises(WorkerLost):
        hear_agent(here)


def test_what_the_agent_refuses_us_with_comes_as_it_was_but_printable_and_short(channels):
    here, there = channels
    refuse(there, SourceBusy(3, full="no\x1b[31m room" + "!" * 999))
    with pytest.raises(SourceBusy, match=r"no .31m room") as error:
        hear_agent(here)
    assert (error.value.place, len(error.value.full), "\x1b" in str(error.value)) == (3, 300, False)


def test_one_that_only_looked_is_no_client_and_no_error():
    with connected_pair() as (ours, theirs):
        ours.hang_up()
        assert greet_client(theirs.channel(limit_bytes=HELLO_LIMIT_BYTES), token="t", about={}) is False


def test_an_agent_that_hangs_up_or_says_nothing_is_told_apart():
    with connected_pair() as (ours, theirs):
        channel = ours.channel(limit_bytes=HELLO_LIMIT_BYTES)
        ours.limit(0.01)
        with pytest.raises(WorkerLost, match="did not say HELLO in time"):
            hear_agent(channel)
        theirs.settle()
    with connected_pair() as (ours, theirs):
        theirs.settle()
        with pytest.raises(WorkerLost, match="hung up"):
            hear_agent(ours.channel(limit_bytes=HELLO_LIMIT_BYTES))


def test_refusing_one_that_is_gone_is_no_error():
    with connected_pair() as (_, theirs):
        channel = theirs.channel(limit_bytes=HELLO_LIMIT_BYTES)
        theirs.settle()
        refuse(channel, WorkerFailed("too late"))


@pytest.mark.parametrize("about", [{}, {"jvgate": "0.1.0", "of another version": [1]}])
def test_an_agent_that_tells_no_clock_has_the_time_of_day(about):
    clock = SourceClock(datetime(2026, 11, 18), speed=60.0)
    follow_clock(clock, about)
    assert clock.is_real


@pytest.mark.parametrize(
    "told",
    [
        7, [], {}, {"now": 7, "speed": 1}, {"now": "noon", "speed": 1}, {"now": "2026-11-18T12:00:00"},
        {"now": "2026-11-18T12:00:00+09:00", "speed": 1}, {"now": "2026-11-18T12:00:00", "speed": "fast"},
        {"now": "2026-11-18T12:00:00", "speed": -1}, {"now": "2026-11-18T12:00:00", "speed": float("nan")},
    ],
)  # fmt: skip
def test_a_clock_that_makes_no_sense_is_refused(told):
    clock = SourceClock()
    with pytest.raises(WorkerLost, match="clock"):
        follow_clock(clock, {"clock": told})
    assert clock.is_real
