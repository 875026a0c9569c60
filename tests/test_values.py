"""The values that cross packages: pauses after failures, messages between processes."""

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jvgate.spec.jst import JST
from jvgate.values import Backoff, Message, SourceClock


def test_pauses_grow_up_to_the_longest():
    backoff = Backoff(first_s=1, most_s=10, factor=3)
    assert [backoff.pause_s(failures) for failures in range(5)] == [0, 1, 3, 9, 10]


def test_jitter_shortens_a_pause_by_its_share_at_most():
    backoff = Backoff(first_s=4, most_s=8, jitter=0.5)
    assert [backoff.pause_s(1, luck) for luck in (0, 0.5, 1)] == [4, 3, 2]


@given(failures=st.integers(0, 10**9), luck=st.floats(0, 1))
def test_no_number_of_failures_makes_a_pause_longer_than_the_longest(failures, luck):
    assert 0 <= Backoff(first_s=0.1, most_s=30, factor=10, jitter=1).pause_s(failures, luck) <= 30


def test_a_message_comes_back_from_its_bytes():
    message = Message("purge", {"tags": ["RACE"], "stamp": 7, "from": "a"})
    assert Message.from_bytes(message.to_bytes()) == message
    assert (message.texts("tags"), message.number("stamp"), message.text("from")) == (("RACE",), 7, "a")


@pytest.mark.parametrize("payload", [{"tags": "x" * Message.MOST_BYTES}, {"tags": {1}}, {"tags": "\ud800"}])
def test_a_message_that_is_too_large_or_no_json_is_not_sent(payload):
    with pytest.raises(ValueError, match="purge"):
        Message("purge", payload).to_bytes()


@given(data=st.binary(max_size=40) | st.sampled_from([b"{}", b'{"kind":1}', b"[1]", b" " * (Message.MOST_BYTES + 1)]))
def test_any_bytes_are_a_message_or_a_value_error(data):
    try:
        assert Message.from_bytes(data).kind
    except ValueError:
        return


@pytest.mark.parametrize("value", [None, True, 1.5, "x", [1], {"a": 1}])
def test_a_payload_of_another_type_is_a_value_error(value):
    message = Message("purge", {"stamp": value, "tags": value})
    with pytest.raises(ValueError, match="stamp"):
        message.number("stamp")
    with pytest.raises(ValueError, match="tags"):
        message.texts("tags")


NOON = datetime(2026, 11, 8, 12)


@pytest.fixture
def wall(monkeypatch):
    """The wall clock: a list with the seconds since the epoch."""
    now = [1_795_000_000.0]
    monkeypatch.setattr("time.time", lambda: now[0])
    return now


@pytest.mark.parametrize(("speed", "later"), [(60.0, datetime(2026, 11, 8, 22)), (1.0, datetime(2026, 11, 8, 12, 10))])
def test_a_source_clock_runs_from_its_start_at_its_speed(wall, speed, later):
    clock = SourceClock(NOON, began=wall[0], speed=speed)
    wall[0] += 600
    assert (clock.now(), clock.epoch_s()) == (later, later.replace(tzinfo=JST).timestamp())


@pytest.mark.parametrize(("speed", "wall_s"), [(60.0, 1.0), (1.0, 60.0), (0.5, 120.0), (0.0, 60.0)])
def test_lifetimes_pass_by_a_source_clock_and_by_the_wall_clock_where_it_stands_still(speed, wall_s):
    assert SourceClock(NOON, speed=speed).wall_s(60.0) == wall_s


def test_a_source_clock_follows_another_and_goes_back_to_real_time(wall):
    clock = SourceClock()
    assert clock.is_real
    clock.follow(NOON, 60.0)
    wall[0] += 60
    assert (clock.now(), clock.speed, clock.is_real) == (datetime(2026, 11, 8, 13), 60.0, False)
    clock.follow(None)
    assert (clock.epoch_s(), clock.speed, clock.is_real) == (wall[0], 1.0, True)
