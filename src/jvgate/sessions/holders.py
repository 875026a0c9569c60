"""What holds a session, as the pool sees it; and the plainest kind: the calling thread itself.

A worker is driven by one thread for life; only `nudge`, `kill` and `is_alive` may come from elsewhere.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, Protocol

from jvgate.jvlink.calls import ERRANDS
from jvgate.jvlink.holding import Holding
from jvgate.jvlink.request import Request, Sink, Summary
from jvgate.jvlink.session import Session

__all__ = ["Activity", "Cancelled", "ThreadWorker", "Worker"]

Cancelled = Callable[[], bool]


@dataclass(frozen=True, slots=True)
class Activity:
    """What a session is at, as it was last heard.

    doing: JV-Link's method, `start` or `idle`.  since, heard_at: monotonic seconds.  busy: share of a core that its
    process used lately.  dialog: title, text and [buttons] of a dialog that blocks it, "" for none.
    """

    doing: str = "start"
    since: float = 0.0
    heard_at: float = 0.0
    busy: float = 0.0
    dialog: str = ""


class Worker(Protocol):
    """One session somewhere.  After WorkerLost or any surprise it is of no use any more.

    facts: what it told of itself when it was ready (pid, python, bits, version).  activity: its latest.
    """

    facts: Mapping[str, Any]
    activity: Activity

    def open(self) -> None:
        """Wait until the session lives.  Raises WorkerFailed, WorkerLost, and what JVInit raises."""

    def read(self, request: Request, sink: Sink, cancelled: Cancelled) -> Summary:
        """Read through the session, as `Session.read` does; also raises WorkerLost."""

    def call(self, errand: str, *arguments: str) -> dict[str, Any]:
        """Do one of ERRANDS.  Raises what it raises, NotOffered, WorkerLost."""

    def nudge(self) -> None:
        """Make a running read look whether it is cancelled.  From any thread; never blocks for long."""

    def kill(self) -> None:
        """End it at once, whatever it is at.  From any thread."""

    def is_alive(self) -> bool:
        """Whether it could still answer.  From any thread."""

    def close(self) -> None:
        """Close the session and let go of everything."""


class ThreadWorker:
    """A session on the calling thread: no process to start, and none that could be ended."""

    def __init__(self, holding: Holding) -> None:
        self.facts: Mapping[str, Any] = {}
        self.activity = Activity("start", time.monotonic(), time.monotonic())
        self._holding = holding
        self._stack = ExitStack()
        self._killed = threading.Event()

    def open(self) -> None:
        """Make the object, on this thread."""
        holding = self._holding
        self._link = self._stack.enter_context(holding.make(None))
        self._session = Session(
            self._link,
            sid=holding.sid,
            limits=holding.limits,
            one_type_per_file=holding.one_type_per_file,
            doing=self._note,
        )
        self._session.initialise()
        holding.prepare(self._link)
        self.facts = dict(holding.facts)
        self._note("idle")

    def read(self, request: Request, sink: Sink, cancelled: Cancelled) -> Summary:
        """Read on this thread."""
        try:
            return self._session.read(request, sink, cancelled=lambda: cancelled() or self._killed.is_set())
        finally:
            self._note("idle")

    def call(self, errand: str, *arguments: str) -> dict[str, Any]:
        """Call on this thread."""
        return ERRANDS[errand](self._link, *arguments)

    def nudge(self) -> None:
        """Nothing to do: the read looks by itself."""

    def kill(self) -> None:
        """End the read at its next look: a thread cannot be ended."""
        self._killed.set()

    def is_alive(self) -> bool:
        """Whether it was not told to end."""
        return not self._killed.is_set()

    def close(self) -> None:
        """Release the object."""
        self._stack.close()

    def _note(self, doing: str) -> None:
        now = time.monotonic()
        self.activity = Activity(doing, now, now)
