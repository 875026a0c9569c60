"""A lane: one thread for life, and the worker that it drives.

Everything here runs on that thread, but for what is said to be called from the event loop.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from jvgate.errors import (
    ArchiveError,
    DatasetTooLarge,
    JVLinkError,
    NotOffered,
    ReadCancelled,
    SessionHung,
    SourceError,
    WorkerLost,
)
from jvgate.jvlink.request import Progress, Request, Sink, Summary
from jvgate.sessions.holders import Activity, Cancelled, Worker
from jvgate.sessions.threads import DaemonThread
from jvgate.sessions.watchdog import CallLimits, verdict

__all__ = ["Lane", "Recycling"]

Result = TypeVar("Result")

# After these the session has closed as it should and can go on, but for the codes that leave it in doubt.
_CLEAN_ENDS = (JVLinkError, DatasetTooLarge, ReadCancelled, ArchiveError, NotOffered)
_DOUBTFUL_CODES = (-201, -202, -203, -401)


@dataclass(frozen=True, slots=True)
class Recycling:
    """When a worker is replaced though nothing is wrong with it: after so many opens, or so many bytes read."""

    opens: int = 10_000
    bytes: int = 64 << 30


class Lane:
    """One session's place.  takes: `stored`, `realtime` or both.  opens, faults: counted for the lane's life.

    is_open: the worker's session lives.  is_handing: the sink has its turn, not the session.
    What the event loop reads from here (job, progress, worker, …) is only ever replaced as a whole.
    """

    def __init__(
        self,
        number: int,
        start: Callable[[], Worker],
        *,
        takes: frozenset[str],
        limits: CallLimits,
        recycling: Recycling,
    ) -> None:
        self.id = number
        self.takes = takes
        self.thread = DaemonThread(f"jvgate-session-{number}")
        self.worker: Worker | None = None
        self.job = ""
        self.since = time.monotonic()
        self.progress = Progress()
        self.opens = 0
        self.faults = 0
        self.fault = ""
        self.cancelled_at: float | None = None
        self.is_open = False
        self.is_handing = False
        self._start = start
        self._limits = limits
        self._recycling = recycling
        self._worker_opens = 0
        self._worker_bytes = 0
        self._hung: tuple[str, float] | None = None
        self._ended_why = ""

    @property
    def activity(self) -> Activity | None:
        """What the worker is at, None when there is none.  From any thread."""
        worker = self.worker
        return worker.activity if worker is not None else None

    @property
    def is_lost(self) -> bool:
        """Whether there is a worker, and it has ended while it had nothing to do.  From any thread."""
        worker = self.worker
        # One that ends while it starts is lost to whoever starts it, who makes another or gives up.
        return worker is not None and worker.activity.doing == "idle" and not worker.is_alive()

    @property
    def is_worn(self) -> bool:
        """Whether the worker has done as much as one may: to be released, once what it read is handed out."""
        return self._worker_opens >= self._recycling.opens or self._worker_bytes >= self._recycling.bytes

    def read(self, request: Request, sink: Sink, cancelled: Cancelled) -> Summary:
        """Read through the session; it is made first where there is none.

        Raises what `Worker.read` raises; SessionHung when the watchdog ended the worker, WorkerLost when `end` did.
        """
        self._begin(str(request))

        def read(worker: Worker) -> Summary:
            if cancelled():  # while the worker was still being made ready
                raise ReadCancelled(str(request))
            return worker.read(request, _Watched(sink, self), cancelled)

        return self._drive(read)

    def call(self, errand: str, arguments: tuple[str, ...]) -> dict[str, Any]:
        """Do one errand; otherwise as `read`."""
        self._begin(errand)
        return self._drive(lambda worker: worker.call(errand, *arguments))

    def warm(self) -> None:
        """Make the worker ready before anybody needs it.  Raises what opening it raises."""
        self._drive(lambda worker: None)

    def take_up(self) -> None:
        """Wait for the session again, now that the sink is done; it had nobody to tell how it was meanwhile."""
        worker, now = self.worker, time.monotonic()
        if worker is not None:
            worker.activity = replace(worker.activity, since=now, heard_at=now)
        self.is_handing = False

    def release(self) -> None:
        """Close the session and let go of its worker."""
        worker = self._let_go()
        if worker is not None:
            worker.close()

    def watch(self, now: float) -> None:
        """End the worker if it hangs.  From the event loop."""
        worker = self.worker
        if worker is None or self.is_handing or self._hung is not None:
            return
        self._hung = verdict(worker.activity, self._limits, now=now, cancelled_at=self.cancelled_at)
        if self._hung is not None:
            worker.kill()

    def note_lost(self) -> None:
        """Count a worker that ended while it had nothing to do.  From the event loop."""
        self.faults += 1
        self.fault = "it ended while it was idle"

    def end(self, why: str) -> None:
        """End the worker whatever it is at.  From the event loop."""
        self._ended_why = why
        if self.worker is not None:
            self.worker.kill()

    def nudge(self) -> None:
        """Make a running read look whether it is cancelled.  From the event loop."""
        self.cancelled_at = time.monotonic()
        if self.worker is not None:
            self.worker.nudge()

    def _begin(self, job: str) -> None:
        self.job, self.since, self.progress = job, time.monotonic(), Progress()
        self.cancelled_at = None  # what is left of the job before; `read` sees whether this one is given up already
        self.opens += 1
        self._worker_opens += 1

    def _drive(self, do: Callable[[Worker], Result]) -> Result:
        """Let the worker do something.  One that is dead or in doubt is dropped; the next use makes one."""
        self._hung, self._ended_why = None, ""  # of the job before, or said while there was nothing to end
        try:
            result = do(self._ready())
        except _CLEAN_ENDS as exc:
            if not self.is_open or (isinstance(exc, JVLinkError) and exc.code in _DOUBTFUL_CODES):
                self._drop(exc)
            raise
        except BaseException as exc:  # whatever it was goes on to who asked; here only the session is in doubt
            reason = self._reason(exc)
            self._drop(reason or exc)
            if reason is None:
                raise
            raise reason from exc
        finally:
            self.job, self.since, self.cancelled_at = "", time.monotonic(), None
            self._hung, self._ended_why = None, ""
        self._worker_bytes += self.progress.bytes_read
        return result

    def _ready(self) -> Worker:
        if self.worker is not None and not self.worker.is_alive():
            self.release()
        if self.worker is None:
            self.worker = self._start()
            self.worker.open()
            self.is_open = True
        return self.worker

    def _drop(self, error: BaseException) -> None:
        self.faults += 1
        self.fault = str(error)
        worker = self._let_go()
        if worker is not None:
            worker.kill()
            worker.close()

    def _let_go(self) -> Worker | None:
        worker, self.worker = self.worker, None
        self._worker_opens = self._worker_bytes = 0
        self.is_open = False
        return worker

    def _reason(self, error: BaseException) -> SourceError | None:
        """Return why the worker was ended on purpose, None when it was not."""
        if not isinstance(error, SourceError):
            return None
        if self._hung is not None:
            what, limit_s = self._hung
            return SessionHung(what, limit_s=limit_s)
        return WorkerLost(self._ended_why) if self._ended_why else None


class _Watched:
    """Hands on to *sink*, and lets the watchdog know when it is the sink that takes its time."""

    def __init__(self, sink: Sink, lane: Lane) -> None:
        self._sink = sink
        self._lane = lane

    def begin(self, name: str, provided: str) -> None:
        with self._handing():  # a recording settles the file before on the disk
            self._sink.begin(name, provided)

    def records(self, batch: bytes | bytearray, count: int) -> None:
        with self._handing():
            self._sink.records(batch, count)

    def progress(self, progress: Progress) -> None:
        self._lane.progress = progress
        self._sink.progress(progress)

    @contextmanager
    def _handing(self) -> Iterator[None]:
        lane = self._lane
        lane.is_handing = True
        try:
            yield
        finally:
            lane.take_up()
