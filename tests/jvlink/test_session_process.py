"""A worker over a pair of sockets: what it answers, what it tells by itself, and how it ends."""

import socket
import subprocess
import sys
import time
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import asdict, dataclass, field
from threading import Event, Thread

import pytest

from jvgate.errors import NotInstalled, WorkerLost
from jvgate.jvlink import session_process as worker_module
from jvgate.jvlink.holding import Holding
from jvgate.jvlink.request import Request
from jvgate.jvlink.session_process import EXIT_FAILED, serve
from jvgate.jvlink.simulator import Simulator
from jvgate.jvlink.wire import Channel, Kind, error_of
from tests.jvlink.memory_shelf import NOW, RULES, MemoryFile, MemoryShelf, records

EVER, LIMIT_S = "20200101000000", 30
RA = records("RA", 5)


class Shelf(MemoryShelf):
    """A shelf whose stored data wait for the gate, and which tells an event whenever it is asked."""

    gate = Event()

    def stored(self, dataspec, *, now, setup):
        assert self.gate.wait(LIMIT_S)
        return super().stored(dataspec, now=now, setup=setup)

    def events(self, *, since, until):
        return [(since, "JVEvtPay", "202611080511")]


class Listener(Channel):
    """The worker's end of the channel; it tells when a cancel has been heeded: the next frame is asked for then."""

    def __init__(self, reader, writer):
        super().__init__(reader, writer)
        self.heeded = Event()
        self._kind = None

    def receive(self):
        if self._kind is Kind.CANCEL:
            self.heeded.set()
        frame = super().receive()
        self._kind = frame and frame.kind
        return frame


@dataclass
class Server:
    """The other end: a worker on a thread."""

    channel: Channel
    listener: Listener
    status: list = field(default_factory=list)
    abandoned: Event = field(default_factory=Event)

    def ask(self, kind, job, **fields):
        self.channel.send(kind, job, fields)

    def read(self, job, **asked):
        fields = asdict(Request(**{"dataspec": "RACE", "fromtime": EVER, "option": 1} | asked))
        self.ask(Kind.READ, job, **fields | {"unwanted": [], "have": []})

    def next(self, *kinds):
        """The next frame of one of *kinds*; of any but heartbeats and progress when none is named."""
        while (frame := self.channel.receive()) is not None:
            if frame.kind in kinds or (not kinds and frame.kind not in (Kind.HEARTBEAT, Kind.PROGRESS)):
                return frame
        return None


@contextmanager
def held(make=None, **holding):
    """Let a worker hold a simulator; the gate stands open unless it is closed."""
    Shelf.gate.set()
    shelf = Shelf({"RACE": [MemoryFile("RA.jvd", "20261108120000", RA)]})
    link = Simulator(shelf, RULES, now=lambda: NOW)
    ours, theirs = socket.socketpair()
    ends = [end.makefile(mode, 0) for end in (ours, theirs) for mode in ("rb", "wb")]
    server = Server(Channel(*ends[:2]), Listener(*ends[2:]))
    held = Holding(make or (lambda channel: nullcontext(link)), **holding)

    def run():
        server.status.append(serve(held, server.listener, abandon=server.abandoned.set))
        theirs.shutdown(socket.SHUT_RDWR)

    thread = Thread(target=run, daemon=True)
    with ours, theirs:
        thread.start()
        yield server
        Shelf.gate.set()
        with suppress(WorkerLost):  # it has ended already
            server.channel.send(Kind.QUIT)
        thread.join(LIMIT_S)
        for end in ends:
            end.close()


def test_it_says_that_it_is_ready_and_what_it_is():
    with held(facts={"product": "x"}) as server:
        ready = server.next()
        assert ready.kind is Kind.READY
        assert ready.fields().keys() >= {"pid", "python", "bits", "version", "product"}


def test_a_read_gives_files_records_and_an_end():
    with held() as server:
        server.next()
        server.read(7)
        frames = [server.next() for _ in range(3)]
        assert [(frame.kind, frame.job) for frame in frames] == [(Kind.FILE, 7), (Kind.RECORDS, 7), (Kind.END, 7)]
        assert (bytes(frames[1].payload), frames[1].count) == (b"".join(RA), 5)
        assert frames[2].fields()["records"] == 5


@pytest.mark.parametrize(
    ("kind", "fields", "words"),
    [
        (Kind.READ, {"dataspec": "RACE"}, "cannot be understood"),
        (Kind.READ, {"unwanted": [], "have": [], "colour": "red"}, "cannot be understood"),
        (Kind.CALL, {"errand": "JVClose"}, "there is no errand"),
        (Kind.CALL, {}, "there is no errand"),
        (Kind.CALL, {"errand": "silks", "arguments": ["赤"]}, "no silks"),
        (Kind.CALL, {"errand": "silks", "arguments": ["a", "b", "c"]}, "TypeError"),
        (Kind.END, {}, "takes no END"),
    ],
)
def test_what_cannot_be_done_is_answered_in_words_and_the_worker_lives_on(kind, fields, words):
    with held() as server:
        server.next()
        server.ask(kind, 3, **fields)
        answer = server.next()
        assert (answer.kind, answer.job) == (Kind.ERROR, 3)
        assert words in str(error_of(answer.fields()))
        server.read(4)
        assert server.next().kind is Kind.FILE


def test_a_read_can_be_cancelled_while_it_runs_and_before_it_begins():
    with held() as server:
        server.next()
        Shelf.gate.clear()
        server.read(1)
        server.read(2)
        server.ask(Kind.CANCEL, 1)
        assert server.listener.heeded.wait(LIMIT_S)
        Shelf.gate.set()
        assert [server.next().fields()["error"]] == ["ReadCancelled"]
        assert server.next(Kind.END).job == 2


def test_it_tells_what_it_is_at_while_a_call_lasts(monkeypatch):
    monkeypatch.setattr(worker_module, "HEARTBEAT_S", 0.01)
    with held() as server:
        server.next()
        Shelf.gate.clear()
        server.read(1)
        beats = [server.next(Kind.HEARTBEAT).fields() for _ in range(3)]
        assert beats[-1]["doing"] == "JVOpen"
        assert 0 <= beats[0]["for_s"] < beats[-1]["for_s"]


def test_events_are_told_while_one_watches():
    with held(pump_s=0.01) as server:
        server.next()
        server.ask(Kind.WATCH, 1, on=True)
        assert server.next(Kind.RESULT).fields() == {"value": {"code": 0}}
        assert server.next(Kind.EVENT).fields() == {"event": "JVEvtPay", "parameter": "202611080511"}
        server.ask(Kind.WATCH, 2, on=False)
        assert server.next(Kind.RESULT).job == 2


def test_a_jvlink_that_is_not_there_is_told_and_is_the_exit_status():
    def fail(channel):
        raise NotInstalled("JVDTLab.JVLink", hresult=0x80040154, why="not registered")

    with held(fail) as server:
        error = error_of(server.next().fields())
    assert (type(error), server.status) == (NotInstalled, [EXIT_FAILED])


def test_a_worker_that_is_stuck_when_the_server_goes_is_ended(monkeypatch):
    monkeypatch.setattr(worker_module, "GRACE_S", 0.01)
    with held() as server:
        server.next()
        Shelf.gate.clear()
        server.read(1)
        server.channel.send(Kind.QUIT)
        assert server.abandoned.wait(LIMIT_S)


@pytest.mark.skipif(sys.platform != "linux", reason="signals")
@pytest.mark.process
def test_the_process_heeds_its_server_alone():
    """It ignores what a terminal sends to all, prints nothing but frames, and ends with its standard input."""
    command = [sys.executable, "-m", "jvgate.sessions.sources.demo", "demo:?date=2026-11-18", str(time.time())]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        channel = Channel(process.stdout, process.stdin)
        assert channel.receive().kind is Kind.READY
        process.terminate()
        channel.send(Kind.CALL, 1, {"errand": "setup", "arguments": []})
        assert channel.receive().kind is Kind.RESULT
        process.stdin.close()
        assert channel.receive() is None
        assert process.wait(LIMIT_S) == 0
