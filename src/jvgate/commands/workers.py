"""Several server processes on one socket: the parent starts them, replaces lost ones, and passes their messages on.

Each process is spawned, with the listening socket and one end of a pipe; the system hands new connections to the
process that accepts first.  A process sends a `Message` over the pipe, and the parent passes it on to all others.  The
kind `end` comes from the parent itself and ends the process; a broken pipe does the same, since the parent is gone.
The kind `purge` keeps the other processes from taking an entry out of Redis that the purge meant, before it is done
there.

A lost process is replaced, after a pause when it did not live long; when none of the first ones comes to life, the
server ends instead of trying for ever.
"""

from __future__ import annotations

import multiprocessing
import signal
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from threading import Thread
from types import FrameType

import structlog

from jvgate.listeners import Listener, Listeners
from jvgate.settings import Settings
from jvgate.values import Backoff, Message

__all__ = ["ParentPipe", "supervise"]

_END = Message("end").to_bytes()
GRACE_S = 20.0  # longer than a server takes to drain
SHORT_LIFE_S = 5.0
BACKOFF = Backoff(first_s=0.5, most_s=30.0)

Work = Callable[[Settings, socket.socket, Connection], None]
"""What a process does: serve on the socket; it makes a `ParentPipe` of its end of the pipe."""

log: structlog.stdlib.BoundLogger = structlog.get_logger("jvgate.workers")


class ParentPipe:
    """A server process's end of the pipe.  ignored: messages that were malformed or of an unknown kind."""

    def __init__(self, pipe: Connection) -> None:
        self.ignored = 0
        self._pipe = pipe
        self._listeners: dict[str, Listeners[Message]] = {}

    def tell(self, message: Message) -> None:
        """Send *message* to the other processes.  Raises ValueError for one that is too large."""
        data = message.to_bytes()
        with suppress(OSError):  # the parent is gone, and this process is about to end
            self._pipe.send_bytes(data)

    def add_listener(self, kind: str, listener: Listener[Message]) -> None:
        """Call *listener* with the messages of *kind* of the other processes, from the thread that hears them."""
        self._listeners.setdefault(kind, Listeners(f"a message of kind {kind}")).add(listener)

    def listen(self, on_end: Callable[[], None]) -> None:
        """Hear until the end, and then call *on_end*, on a thread of its own."""
        Thread(target=self._hear, args=(on_end,), name="jvgate-parent-pipe", daemon=True).start()

    def _hear(self, on_end: Callable[[], None]) -> None:
        with suppress(EOFError, OSError):
            while (data := self._pipe.recv_bytes(Message.MOST_BYTES)) != _END:
                self._take(data)
        on_end()

    def _take(self, data: bytes) -> None:
        """Give a message to its listeners."""
        try:
            message = Message.from_bytes(data)
        except ValueError:
            self.ignored += 1
            return
        if (listeners := self._listeners.get(message.kind)) is None:
            self.ignored += 1
        else:
            listeners.tell(message)


@dataclass(slots=True)
class _Worker:
    """One process.  began: when it was started; short_lives: how many in a row did not last."""

    process: SpawnProcess
    pipe: Connection
    began: float
    short_lives: int = 0


@dataclass(slots=True)
class _Crew:
    """The processes that run, and those to be started when their rest is over."""

    start: Callable[[], tuple[SpawnProcess, Connection]]
    workers: list[_Worker] = field(default_factory=list)
    resting: list[tuple[float, int]] = field(default_factory=list)
    is_ending: bool = False

    def add(self, short_lives: int = 0) -> None:
        """Start one more."""
        process, pipe = self.start()
        self.workers.append(_Worker(process, pipe, time.monotonic(), short_lives))

    def end(self) -> None:
        """Tell all to end, and start none any more.  Called by a signal too, in the midst of anything."""
        self.is_ending = True
        for worker in self.workers:
            with suppress(OSError):
                worker.pipe.send_bytes(_END)

    def look(self) -> None:
        """Wait until something happens, and see to it."""
        handles = [handle for worker in self.workers for handle in (worker.pipe, worker.process.sentinel)]
        due_s = min((until for until, _ in self.resting), default=float("inf")) - time.monotonic()
        ready = set(wait(handles, timeout=min(1.0, max(0.0, due_s))))
        for worker in [worker for worker in self.workers if {worker.pipe, worker.process.sentinel} & ready]:
            if not self._pass_on(worker) or worker.process.sentinel in ready:
                self._lost(worker)
        self._start_again()

    def _start_again(self) -> None:
        """Start those whose rest is over."""
        now = time.monotonic()
        for rest in [rest for rest in self.resting if rest[0] <= now]:
            if not self.is_ending:
                self.resting.remove(rest)
                self.add(rest[1])

    def _pass_on(self, teller: _Worker) -> bool:
        """Pass the messages of one process on to the others; False when it has ended."""
        try:
            while teller.pipe.poll():
                data = teller.pipe.recv_bytes(Message.MOST_BYTES)
                for worker in self.workers:
                    if worker is not teller:
                        with suppress(OSError):
                            worker.pipe.send_bytes(data)
        except (EOFError, OSError):
            return False
        return True

    def _lost(self, worker: _Worker) -> None:
        worker.process.join()
        worker.pipe.close()
        self.workers.remove(worker)
        if self.is_ending:
            return
        lived_s = time.monotonic() - worker.began
        short_lives = worker.short_lives + 1 if lived_s < SHORT_LIFE_S else 0
        rest_s = BACKOFF.pause_s(short_lives)
        status = worker.process.exitcode
        log.warning("a server process was lost", pid=worker.process.pid, status=status, again_in_s=rest_s)
        self.resting.append((time.monotonic() + rest_s, short_lives))


def supervise(settings: Settings, listener: socket.socket, work: Work) -> bool:
    """Run *work* in as many processes as the settings say until a signal comes; whether all ended well.

    False too when every one of them was lost before it lived for a while: something is wrong with the settings.
    """
    spawn = multiprocessing.get_context("spawn")

    def start() -> tuple[SpawnProcess, Connection]:
        ours, theirs = spawn.Pipe()
        process = spawn.Process(target=work, args=(settings, listener, theirs), name="jvgate-server")
        process.start()
        theirs.close()
        return process, ours

    crew = _Crew(start)
    end = _Once(crew.end)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, end)
    for _ in range(settings.workers):
        crew.add()
    while not crew.is_ending and not _is_hopeless(crew, settings.workers):
        crew.look()
    is_hopeless = not crew.is_ending
    crew.end()
    return _ended(crew) and not is_hopeless


class _Once:
    """A signal handler: ends at the first signal; the second one is the system's again."""

    def __init__(self, end: Callable[[], None]) -> None:
        self._end = end

    def __call__(self, number: int, frame: FrameType | None) -> None:
        signal.signal(number, signal.SIG_DFL)
        self._end()


def _is_hopeless(crew: _Crew, wanted: int) -> bool:
    """Whether all of them were lost again and again right after their start."""
    return not crew.workers and len(crew.resting) == wanted and all(lives > 2 for _, lives in crew.resting)


def _ended(crew: _Crew) -> bool:
    """Wait for the end of all, and kill who does not come to it; whether there was none."""
    until = time.monotonic() + GRACE_S
    is_well = True
    for worker in crew.workers:
        worker.process.join(max(0.0, until - time.monotonic()))
        if worker.process.is_alive():
            worker.process.kill()
            worker.process.join()
        is_well = is_well and worker.process.exitcode == 0
    return is_well
