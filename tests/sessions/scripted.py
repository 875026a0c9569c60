"""Workers that do what a script says, for the tests of what drives workers."""

from __future__ import annotations

import threading
from collections.abc import Callable
from time import monotonic
from typing import Any

from jvgate.errors import WorkerLost
from jvgate.jvlink.request import Request, Sink, Summary
from jvgate.sessions.holders import Activity, Cancelled

LIMIT_S = 30

Step = Exception | Callable[..., Any] | None


class Workers:
    """Makes workers that share one script: `Lane`'s start.

    opens, reads, closes: a step for each; an error to raise, or what to call with the worker (reads: and sink and
    cancelled).
    Where the script is at its end, all is well and every read is empty.
    """

    def __init__(self, *reads: Step, opens: tuple[Step, ...] = (), closes: tuple[Step, ...] = ()) -> None:
        self.reads = list(reads)
        self.opens = list(opens)
        self.closes = list(closes)
        self.made: list[Scripted] = []

    def __call__(self) -> Scripted:
        self.made.append(Scripted(self))
        return self.made[-1]

    @property
    def alive(self) -> list[bool]:
        """Of each worker in the order of their making."""
        return [worker.is_alive() for worker in self.made]


class Scripted:
    """One of the workers.  killed: somebody ended it, whatever it was at."""

    def __init__(self, script: Workers) -> None:
        self.facts = {"number": len(script.made) + 1}
        self.activity = Activity("start", monotonic(), monotonic())
        self.killed = threading.Event()
        self.nudges = 0
        self._closed = False
        self._script = script

    def open(self) -> None:
        _play(self._script.opens, self)
        self.note("idle")

    def read(self, request: Request, sink: Sink, cancelled: Cancelled) -> Summary:
        try:
            return _play(self._script.reads, self, sink, cancelled) or Summary()
        finally:
            self.note("idle")

    def call(self, errand: str, *arguments: str) -> dict[str, Any]:
        _play(self._script.reads, self, None, lambda: False)
        return {"errand": errand, "arguments": arguments}

    def nudge(self) -> None:
        self.nudges += 1

    def kill(self) -> None:
        self.killed.set()

    def is_alive(self) -> bool:
        return not (self._closed or self.killed.is_set())

    def close(self) -> None:
        self._closed = True
        _play(self._script.closes, self)

    def note(self, doing: str) -> None:
        self.activity = Activity(doing, monotonic(), monotonic())

    def hang(self, doing: str) -> None:
        """Be at *doing* until somebody ends it."""
        self.note(doing)
        assert self.killed.wait(LIMIT_S)
        raise WorkerLost("it was killed")


def hangs(worker: Scripted, sink: Sink, cancelled: Cancelled) -> None:
    """A read that hangs in JVGets."""
    worker.hang("JVGets")


def _play(script: list[Step], worker: Scripted, *given: Any) -> Any:
    step = script.pop(0) if script else None
    if isinstance(step, Exception):
        raise step
    return step(worker, *given) if step else None
