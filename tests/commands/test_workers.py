"""The server processes and their parent: messages that are passed on, and processes that are replaced."""

import os
import sys
import time
from multiprocessing import Pipe
from threading import Event

import pytest

from jvgate.commands.workers import ParentPipe, _Crew, _Worker
from jvgate.gateway.gateway import PurgeNews
from jvgate.values import Message
from tests.waiting import LIMIT_S

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="a pipe stands for a process: Windows waits for none")


class Process:
    """Stands for a process.  is_over: whether it has ended."""

    pid, exitcode = 1, -9

    def __init__(self, *, is_over):
        self.sentinel, self._life = os.pipe()
        if is_over:
            os.close(self._life)

    def join(self):
        pass


def worker(**process):
    """One of a crew, and its end of the pipe."""
    ours, theirs = Pipe()
    return _Worker(Process(**process), ours, time.monotonic()), theirs


def test_what_a_process_purged_just_before_its_end_is_told_to_the_others():
    (lost, its), (other, others) = worker(is_over=True), worker(is_over=False)
    ParentPipe(its).tell(PurgeNews(("RACE",), 1).to_message())
    ParentPipe(its).tell(Message("topic", {"name": "x"}))
    its.close()
    crew = _Crew(start=lambda: pytest.fail("it rests first"), workers=[lost, other])
    crew.look()
    first, second = Message.from_bytes(others.recv_bytes()), Message.from_bytes(others.recv_bytes())
    assert (PurgeNews.from_message(first), second) == (PurgeNews(("RACE",), 1), Message("topic", {"name": "x"}))
    assert (crew.workers, len(crew.resting)) == ([other], 1)


def test_a_message_does_not_come_back_to_its_teller():
    (one, its), (other, others) = worker(is_over=False), worker(is_over=False)
    ParentPipe(its).tell(Message("topic"))
    _Crew(start=lambda: pytest.fail("none was lost"), workers=[one, other]).look()
    assert (its.poll(), others.poll()) == (False, True)


def test_a_process_gives_a_message_to_the_listeners_of_its_kind_and_ignores_others():
    parent, own = Pipe()
    heard, has_ended, pipe = [], Event(), ParentPipe(own)
    pipe.add_listener("topic", heard.append)
    pipe.add_listener("topic", heard.append)
    for data in (b"no message", Message("from a later version").to_bytes(), Message("topic").to_bytes()):
        parent.send_bytes(data)
    parent.send_bytes(Message("end").to_bytes())
    pipe.listen(has_ended.set)
    assert has_ended.wait(LIMIT_S)
    assert (heard, pipe.ignored) == ([Message("topic")] * 2, 2)


def test_a_signal_while_processes_are_started_again_ends_that():
    def start():
        crew.end()  # the signal comes in that moment
        return Process(is_over=False), Pipe()[0]

    crew = _Crew(start, resting=[(0.0, 1), (0.0, 1)])
    crew.look()
    assert (len(crew.workers), crew.is_ending) == (1, True)
