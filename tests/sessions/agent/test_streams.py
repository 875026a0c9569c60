"""A connection: what is sent arrives, its end is seen by both, and letting go of it twice is no error."""

import pytest

from jvgate.errors import WorkerLost
from jvgate.jvlink.wire import Kind
from tests.sessions.agent.pairs import connected_pair


@pytest.fixture
def pair():
    with connected_pair() as pair:
        yield pair


def received(connection):
    """The bytes up to the end."""
    buffer, found = memoryview(bytearray(1 << 16)), b""
    while count := connection.receive(buffer):
        found += buffer[:count]
    return found


def test_all_that_is_sent_arrives(pair):
    ours, theirs = pair
    ours.send(memoryview(b"a" * 100_000))
    ours.hang_up()
    assert received(theirs) == b"a" * 100_000


def test_a_channel_carries_frames_both_ways(pair):
    here, there = (connection.channel(limit_bytes=100) for connection in pair)
    for one, other in ((here, there), (there, here)):
        one.send(Kind.HELLO, 0, {"x": 1})
        assert other.receive().fields() == {"x": 1}


def test_a_channel_takes_no_more_than_it_may(pair):
    here, there = (connection.channel(limit_bytes=100) for connection in pair)
    here.send(Kind.HELLO, 0, b"x" * 101)
    with pytest.raises(WorkerLost, match="101 bytes, 100 are allowed"):
        there.receive()


def test_a_wait_ends_after_its_limit(pair):
    ours, _ = pair
    ours.limit(0.01)
    with pytest.raises(TimeoutError):
        received(ours)


def test_it_lives_until_the_other_side_hangs_up(pair):
    ours, theirs = pair
    assert ours.is_alive()
    theirs.send(memoryview(b"last words"))
    assert ours.is_alive()
    theirs.settle()
    assert received(ours) == b"last words"
    assert not ours.is_alive()


def test_a_severed_one_ends_for_both_and_may_be_severed_again(pair):
    ours, theirs = pair
    ours.sever()
    ours.sever()
    assert (received(ours), received(theirs)) == (b"", b"")
    with pytest.raises(OSError, match=r"(?i)pipe|shutdown|connection"):
        ours.send(memoryview(b"x"))


def test_one_that_was_let_go_of_is_dead_and_its_channel_too(pair):
    ours, theirs = pair
    channel = ours.channel(limit_bytes=100)
    ours.settle()
    ours.settle()
    assert not ours.is_alive()
    with pytest.raises(WorkerLost):
        channel.send(Kind.HELLO)
    assert received(theirs) == b""


def test_hanging_up_on_one_that_is_gone_is_no_error(pair):
    ours, theirs = pair
    theirs.settle()
    ours.settle()
    ours.hang_up()


def test_hanging_up_takes_what_is_still_unread(pair):
    """A close with bytes unread is a reset, which would throw away what was sent last."""
    ours, theirs = pair
    theirs.send(memoryview(b"nobody reads this"))
    theirs.sever()
    ours.hang_up()
    assert received(ours) == b""
