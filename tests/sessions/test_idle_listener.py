"""Listening to an idle session: its frames are handled at once, a job's first one is handed over, its end is told."""

from queue import SimpleQueue
from threading import Event

import pytest

from jvgate.errors import WorkerLost
from jvgate.jvlink.wire import Frame, Kind
from jvgate.sessions.idle_listener import IdleListener
from tests.waiting import LIMIT_S, wait_until

DIALOG, END, PROGRESS = Frame(Kind.DIALOG, 0, b"{}"), Frame(Kind.END, 1, b"{}"), Frame(Kind.PROGRESS, 1, b"{}")


class Wire:
    """A channel that gives what the test puts into it, and a listener to it."""

    def __init__(self):
        self.frames, self.handled, self.ended = SimpleQueue(), [], Event()
        self.listener = IdleListener(self, self.handle, self.ended.set)

    def receive(self):
        frame = self.frames.get(timeout=LIMIT_S)
        if isinstance(frame, Exception):
            raise frame
        return frame

    def handle(self, frame):
        self.handled.append(frame)
        return frame.job == 0


@pytest.fixture
def wire():
    wire = Wire()
    yield wire
    wire.frames.put(None)
    wire.listener.resume()
    wire.listener.join(LIMIT_S)


def test_frames_without_a_job_are_handled_while_nobody_waits(wire):
    wire.listener.resume()
    wire.frames.put(DIALOG)
    wait_until(lambda: wire.handled == [DIALOG])
    assert wire.listener.is_receiving


def test_the_first_frame_of_a_job_is_handed_over_and_no_other_is_received(wire):
    wire.listener.resume()
    for frame in (DIALOG, PROGRESS, END):
        wire.frames.put(frame)
    assert wire.listener.take_over() is PROGRESS
    assert not wire.listener.is_receiving
    assert (wire.handled, wire.receive()) == ([DIALOG, PROGRESS], END)


def test_it_receives_again_once_the_job_is_over(wire):
    for frame in (PROGRESS, END):
        wire.listener.resume()
        wire.listener.resume()  # twice is once
        wire.frames.put(frame)
        assert wire.listener.take_over() is frame
    wire.frames.put(DIALOG)
    assert wire.receive() is DIALOG


def test_the_end_is_told_and_stays_the_end(wire):
    wire.listener.resume()
    wire.frames.put(None)
    assert wire.ended.wait(LIMIT_S)
    assert [wire.listener.take_over() for _ in range(2)] == [None, None]
    assert wire.listener.is_receiving  # nobody else may


def test_a_broken_channel_is_told_to_every_caller(wire):
    wire.listener.resume()
    wire.frames.put(WorkerLost("it died"))
    assert wire.ended.wait(LIMIT_S)
    for _ in range(2):
        with pytest.raises(WorkerLost, match="it died"):
            wire.listener.take_over()


def test_one_that_never_received_has_no_thread_to_wait_for():
    Wire().listener.join(LIMIT_S)
