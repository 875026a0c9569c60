"""The pool: as many sessions as may run at once, each on a lane of its own, and a fair queue before them.

Theory of operation.  JV-Link is apartment threaded: what a thread creates, it alone may use and release.  So a lane is
one thread with one worker, made at its first read.  The event loop only leases lanes: a free lane goes to the turn
that is next (`turns.py`).  Whoever stops waiting for an answer does not free the lane; it makes the read stop at its
next look, and the lane comes back when the thread is done with it.  Four times a second every busy lane is looked at
(`watchdog.py`): a worker that hangs is ended, its read fails, is tried once more on whichever lane is free, and the
lane makes a new worker; one that fails again and again rests in between, longer each time.  An idle lane whose worker
has ended makes a new one at once.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from threading import Event
from types import TracebackType
from typing import Any, Self, TypeVar

import structlog

from jvgate.errors import (
    SESSION_LOST,
    JVLinkError,
    QueryError,
    ReadCancelled,
    SourceBusy,
    SourceError,
)
from jvgate.jvlink.request import Progress, Request, Sink, Summary
from jvgate.sessions.collecting import Collected, request_of
from jvgate.sessions.fair_queue import Priority, Turn, Turns
from jvgate.sessions.lane import Lane
from jvgate.sessions.resting import Rests
from jvgate.sessions.session_status import SessionCounts, SessionView, view_of
from jvgate.sessions.sources.source import Source
from jvgate.spec.spec import Spec
from jvgate.values import Dataset, Query

__all__ = ["Pool"]

WATCH_S = 0.25
_DRAIN_S = 3.0

Result = TypeVar("Result")
_Turn = Turn[asyncio.Future[Lane]]
_Finish = Callable[[Summary, float], Result]
log: structlog.stdlib.BoundLogger = structlog.get_logger("jvgate.sessions")


@dataclass(slots=True, eq=False)
class _Running:
    """What a lane is at.  turn: whose it is, None for what is nobody's."""

    lane: Lane
    stop: Event
    turn: _Turn | None = None


class Pool:
    """Reads datasets from *source*, at most *sessions* at once (0: as many as the source likes).

    spec: of the source's provider.  limit_bytes: of one dataset's raw records.  queue_limit: how many may wait.
    Used with `async with`, in one event loop.

    Counters, for reading only: `opens` by data spec, `errors` by JV-Link's return code, `faults` of workers.
    """

    def __init__(self, source: Source, spec: Spec, *, sessions: int, limit_bytes: int, queue_limit: int) -> None:
        self.opens: Counter[str] = Counter()
        self.errors: Counter[int] = Counter()
        self._spec = spec
        self._limit_bytes = limit_bytes
        self._queue_limit = queue_limit
        self._lanes = [
            Lane(number, source.start, takes=takes, limits=source.limits, recycling=source.recycling)
            for number, takes in enumerate(source.lanes(sessions), start=1)
        ]
        self._idle = self._lanes[::-1]
        self._turns: Turns[asyncio.Future[Lane]] = Turns()
        self._asked: set[_Turn] = set()  # those of reads that are not at their end
        self._running: dict[asyncio.Future[Any], _Running] = {}
        self._at_work: dict[Lane, str] = {}
        self._rests = Rests()
        self._unstartable: dict[Lane, SourceError] = {}
        self._closed = False
        self._watcher: asyncio.Task[None] | None = None

    @property
    def size(self) -> int:
        """Sessions that there may be."""
        return len(self._lanes)

    @property
    def busy(self) -> int:
        """Lanes at work."""
        return len(self._lanes) - len(self._idle) - len(self._rests)

    @property
    def idle(self) -> int:
        """Lanes that are free."""
        return len(self._idle)

    @property
    def resting(self) -> int:
        """Lanes that wait before they make a new worker, because the last ones failed."""
        return len(self._rests)

    @property
    def waiting(self) -> int:
        """Reads that wait for a lane."""
        return len(self._turns)

    @property
    def faults(self) -> int:
        """Workers lost so far."""
        return sum(lane.faults for lane in self._lanes)

    async def __aenter__(self) -> Self:
        self._watcher = asyncio.create_task(self._watch(), name="jvgate-watchdog")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()
        if self._watcher is not None:
            self._watcher.cancel()
            with suppress(asyncio.CancelledError):
                await self._watcher

    async def close(self, *, drain_s: float = _DRAIN_S) -> None:
        """Refuse new reads, stop the running ones, release every session on its own thread.

        drain_s: how long to wait for that; what is stuck in a call is ended then.
        """
        if self._closed:
            return
        self._closed = True
        for turn in list(self._turns):
            self._turns.remove(turn)
            _fail(turn.ticket, SourceError("the pool of sessions is closed"))
        self._rests.cancel()
        for running in self._running.values():
            _stop(running)
        # A lane's thread comes to the release once its read has ended.
        released = [asyncio.wrap_future(lane.thread.submit(lane.release)) for lane in self._lanes]
        _, stuck = await asyncio.wait(released, timeout=drain_s)
        if stuck:
            for lane in self._lanes:
                lane.end("the pool of sessions is closed")
            await asyncio.wait(stuck, timeout=drain_s)
        for lane in self._lanes:
            lane.thread.stop()

    async def read(
        self,
        query: Query,
        *,
        on_progress: Callable[[Progress], None] = lambda progress: None,
        priority: Priority = Priority.INTERACTIVE,
    ) -> Dataset:
        """Return the whole dataset of *query*; a read whose worker was lost is begun once more.

        on_progress: called on the session's thread.
        Raises SourceBusy when too many wait, SessionTimeout, DatasetTooLarge, JVLinkError and other SourceErrors.
        """
        request = request_of(query, self._spec, limit_bytes=self._limit_bytes)
        turn = _turn(priority, _data(request), is_realtime=query.is_realtime)

        async def attempt() -> Dataset:
            collected = Collected(self._spec.layouts, on_progress)
            return await self._read(request, collected, turn, partial(collected.dataset, query))

        return await self._twice(turn, attempt, what=str(query))

    async def read_into(
        self, request: Request, sink: Sink, *, priority: Priority = Priority.INTERACTIVE, has_twins: bool = True
    ) -> Summary:
        """Read into *sink*, on the session's thread; once: what the sink has got cannot be taken back.

        has_twins: whether it and another read of the same data wait for each other; one whose sink may take for ever
        must hold nobody up.
        """
        data = _data(request) if has_twins else f"{_data(request)} into {id(sink):x}"
        turn = _turn(priority, data, is_realtime=bool(request.key))
        return await self._read(request, sink, turn, lambda summary, _: summary)

    def hasten(self, query: Query) -> None:
        """Treat a prefetch of *query* that waits or runs as somebody's who waits for it now."""
        data = _data(request_of(query, self._spec, limit_bytes=None))
        self._turns.hasten(data, Priority.INTERACTIVE)
        for turn in self._asked:
            if turn.data == data:
                turn.priority = Priority.INTERACTIVE

    def is_reading(self, query: Query) -> bool:
        """Whether a session is at work on the data of *query*."""
        return _data(request_of(query, self._spec, limit_bytes=None)) in self._at_work.values()

    async def call(self, errand: str, *arguments: str, on_begin: Callable[[], object] = lambda: None) -> dict[str, Any]:
        """Do one of JV-Link's errands, which change nothing: one whose worker was lost is done once more.

        on_begin: called when its waiting for a session is over.
        Raises as `read`, and NotOffered where the source has no such thing.
        """
        what = f"{errand}:{':'.join(arguments)}"
        turn = _turn(Priority.INTERACTIVE, what, is_realtime=True)

        async def attempt() -> dict[str, Any]:
            lane = await self._lease(turn)
            on_begin()
            return await self._run(_Running(lane, Event(), turn), lambda cancelled: lane.call(errand, arguments))

        return await self._twice(turn, attempt, what=what)

    async def warm(self) -> None:
        """Make one session ready; reads of its lane come behind that.  Raises what it raises: WorkerFailed, …"""
        if self._closed:  # its thread takes no more jobs
            raise SourceError("the pool of sessions is closed")
        lane = self._lanes[0]
        await asyncio.wrap_future(lane.thread.submit(lane.warm))

    def sessions(self) -> list[SessionView]:
        """Return every session as it is now."""
        return [view_of(lane, is_idle=lane in self._idle, is_resting=lane in self._rests) for lane in self._lanes]

    def counts(self) -> SessionCounts:
        """Return the number of sessions in each state."""
        return SessionCounts(self.busy, self.idle, self.resting, self.waiting)

    def recycle(self, session: int) -> None:
        """End the worker of one session; what it reads is begun anew.  Raises QueryError when there is none."""
        lane = next((lane for lane in self._lanes if lane.id == session), None)
        if lane is None:
            why, allowed = f"There is no session {session}.", f"1 to {len(self._lanes)}"
            raise QueryError("unknown-session", why, parameter="id", value=str(session), allowed=allowed)
        if lane in self._idle:
            self._idle.remove(lane)
            self._renew(lane)
        else:
            lane.end("it was recycled on request")

    async def _twice(self, turn: _Turn, attempt: Callable[[], Awaitable[Result]], *, what: str) -> Result:
        """Make *attempt*, which waits for its *turn*; once more where its worker was lost."""
        self._asked.add(turn)
        try:
            for is_last in (False, True):
                try:
                    return await attempt()
                except SESSION_LOST as exc:
                    log.warning("a session was lost", read=what, why=str(exc), again=not is_last)
                    if is_last:
                        raise
                    turn.ticket = asyncio.get_running_loop().create_future()  # the first one is spent
        finally:
            self._asked.discard(turn)
        raise AssertionError("the last try returns or raises")

    async def _read(self, request: Request, sink: Sink, turn: _Turn, finish: _Finish[Result]) -> Result:
        """Wait for a lane and read; *finish* is called on its thread with the summary and the seconds waited."""
        asked = time.monotonic()
        lane = await self._lease(turn)
        waited_s = time.monotonic() - asked
        self.opens[request.dataspec] += 1
        running = _Running(lane, Event(), turn)
        return await self._run(running, lambda cancelled: finish(lane.read(request, sink, cancelled), waited_s))

    async def _run(self, running: _Running, job: Callable[[Callable[[], bool]], Result]) -> Result:
        """Let a leased lane do *job*; it comes back when its thread is done with it."""
        lane = running.lane
        if self._closed:  # handed over in the moment before the close
            self._give_back(lane)
            raise SourceError("the pool of sessions is closed")
        result = asyncio.wrap_future(lane.thread.submit(job, running.stop.is_set))
        self._running[result] = running
        result.add_done_callback(lambda done: self._finish(lane, done, is_start=False))
        try:
            # Shielded: the thread goes on until its next look, and the lane is not free before that.
            return await asyncio.shield(result)
        except asyncio.CancelledError:
            running.stop.set()
            if not result.done():  # else the lane may be at something else by now
                lane.nudge()
            raise
        except SESSION_LOST as exc:
            if running.stop.is_set() and not self._closed:  # it was to end, and the watchdog saw to that
                raise ReadCancelled("a read that made way for others") from exc
            raise

    async def _lease(self, turn: _Turn) -> Lane:
        """Return a free lane, in its turn."""
        if self._closed:
            raise SourceError("the pool of sessions is closed")
        ticket = turn.ticket
        self._check_hope(turn)
        self._turns.add(turn)
        self._deal()
        # Only now: a free lane may be one that does not take this, or its twin may be at work.
        if not ticket.done() and len(self._turns) > self._queue_limit:
            self._turns.remove(turn)
            raise SourceBusy(len(self._turns) + 1)
        if not ticket.done():
            self._make_way(turn)
        try:
            return await ticket
        except BaseException:  # most of all a cancellation: a turn that nobody waits for may hold no lane
            if not self._turns.remove(turn) and not ticket.cancelled() and ticket.exception() is None:
                self._give_back(ticket.result())  # handed over in the same moment
            raise

    def _make_way(self, turn: _Turn) -> None:
        """Stop a prefetch whose session *turn* could have, one for each turn that waits."""
        if turn.priority is Priority.PREFETCH:
            return
        for running in self._running.values():
            is_later = running.turn is not None and running.turn.priority is Priority.PREFETCH
            if is_later and not running.stop.is_set() and _fits(running.lane, turn):
                _stop(running)
                return

    def _check_hope(self, turn: _Turn) -> None:
        """Raise what keeps every session that could take *turn* from starting."""
        lanes = [lane for lane in self._lanes if _fits(lane, turn)]
        if all(lane in self._unstartable for lane in lanes):
            raise self._unstartable[lanes[0]].with_traceback(None)  # raised often: its traceback would only grow

    def _give_up_the_hopeless(self) -> None:
        """Let nobody wait for sessions that do not start."""
        for turn in list(self._turns):
            try:
                self._check_hope(turn)
            except SourceError as exc:
                self._turns.remove(turn)
                _fail(turn.ticket, exc)

    def _deal(self) -> None:
        """Hand every free lane to whoever is next for it."""
        for lane in self._idle[::-1]:  # the last one used is the warmest
            turn = self._turns.take(partial(_can_have, lane), self._at_work.values())
            if turn is not None:
                self._idle.remove(lane)
                self._at_work[lane] = turn.data
                turn.ticket.set_result(lane)

    def _finish(self, lane: Lane, done: asyncio.Future[Any], *, is_start: bool) -> None:
        """Take a lane back; one that lost its worker makes a new one first.

        is_start: it only made one, which shows nothing yet: a worker may open well and die in every read.
        """
        running = self._running.pop(done)
        error = None if done.cancelled() else done.exception()
        if isinstance(error, JVLinkError):
            self.errors[error.code] += 1
        if lane.worker is None and error is not None and not self._closed:
            self._at_work.pop(lane, None)
            # A worker that was ended for one who gave up is not to blame.
            self._rests.begin(lane, self._revive, is_failure=not running.stop.is_set())
            return
        if not is_start:
            self._rests.make_up(lane)
        if lane.is_worn and not self._closed:
            self._renew(lane)
        else:
            self._give_back(lane)

    def _renew(self, lane: Lane) -> None:
        """Let go of a lane's worker, on its thread, and take the lane back then."""
        self._at_work[lane] = ""
        renewed = asyncio.wrap_future(lane.thread.submit(lane.release))
        renewed.add_done_callback(lambda done: self._renewed(lane, done))

    def _renewed(self, lane: Lane, done: asyncio.Future[None]) -> None:
        error = None if done.cancelled() else done.exception()
        if error is not None:
            log.warning("a session did not end as it should", session=lane.id, why=str(error))
        self._give_back(lane)

    def _revive(self, lane: Lane) -> None:
        """Let a lane that has rested make a new worker."""
        self._at_work[lane] = ""
        warming = asyncio.wrap_future(lane.thread.submit(lane.warm))
        self._running[warming] = _Running(lane, Event())
        warming.add_done_callback(lambda done: self._started(lane, done))

    def _started(self, lane: Lane, done: asyncio.Future[None]) -> None:
        """Take a lane back with its new worker, or let it rest once more and nobody wait for it."""
        error = None if done.cancelled() else done.exception()
        self._unstartable.pop(lane, None)
        if isinstance(error, SourceError):
            self._unstartable[lane] = error
        self._finish(lane, done, is_start=True)
        self._give_up_the_hopeless()

    def _give_back(self, lane: Lane) -> None:
        self._at_work.pop(lane, None)
        self._idle.append(lane)
        self._deal()

    async def _watch(self) -> None:
        """Look after every lane, for as long as the pool lives."""
        while True:
            await asyncio.sleep(WATCH_S)
            now = time.monotonic()
            for lane in self._lanes:
                lane.watch(now)
            for lane in [lane for lane in self._idle if lane.is_lost]:
                self._replace(lane)

    def _replace(self, lane: Lane) -> None:
        """Have an idle lane whose worker has ended make a new one, before anybody asks for it."""
        log.warning("an idle session ended", session=lane.id)
        lane.note_lost()
        self._idle.remove(lane)
        self._rests.begin(lane, self._revive, is_failure=True)


def _turn(priority: Priority, data: str, *, is_realtime: bool) -> _Turn:
    return Turn(priority, data, is_realtime, asyncio.get_running_loop().create_future())


def _data(request: Request) -> str:
    return f"{request.dataspec}:{request.key or request.fromtime}:{request.option}"


def _stop(running: _Running) -> None:
    """Make a running read end at its next look."""
    running.stop.set()
    running.lane.nudge()


def _fits(lane: Lane, turn: Turn[Any]) -> bool:
    return ("realtime" if turn.is_realtime else "stored") in lane.takes


def _can_have(lane: Lane, turn: _Turn) -> bool:
    """Whether to hand the lane over: not to one who was cancelled a moment ago and is about to leave the queue."""
    return not turn.ticket.done() and _fits(lane, turn)


def _fail(ticket: asyncio.Future[Lane], error: SourceError) -> None:
    if not ticket.done():
        ticket.set_exception(error)
