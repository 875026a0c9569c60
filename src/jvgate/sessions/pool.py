"""The pool: as many sessions as may run at once, each on a thread of its own, and a fair queue before them.

Theory of operation.  JV-Link is apartment threaded: what a thread creates, it alone may use and release.  So a
lane is one thread with one session, made at its first read.  The event loop only leases lanes: a free lane goes
to the one who has waited longest.  Whoever stops waiting for an answer does not free the lane; it makes the read
stop at its next look (some calls later), and the lane comes back when the thread is done with it.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import replace
from threading import Event
from types import TracebackType
from typing import Self

from jvgate.errors import DatasetTooLarge, JVLinkError, ReadCancelled, SessionTimeout, SourceBusy, SourceError
from jvgate.jvlink.reading import Limits, Progress, Reading
from jvgate.jvlink.session import Session
from jvgate.sessions.sources import Source
from jvgate.sessions.threads import DaemonThread
from jvgate.spec.dataspecs import dataspecs
from jvgate.values import Dataset, Query, SourceFile

__all__ = ["Pool"]

_CLEAN_ENDS = (JVLinkError, DatasetTooLarge, ReadCancelled)  # the session closed as it should and can go on
_DRAIN_S = 3.0


class Pool:
    """Reads datasets from *source*, at most *sessions* at once.

    limit_bytes: of one dataset's raw records.  wait_limit_s: how long a query may wait for a session.
    queue_limit: how many may wait.  Used with `async with`, in one event loop.

    Counters, for reading only: `opens` by data spec, `errors` by JV-Link's return code.
    """

    def __init__(
        self, source: Source, *, sessions: int, limit_bytes: int, wait_limit_s: float, queue_limit: int
    ) -> None:
        self.opens: Counter[str] = Counter()
        self.errors: Counter[int] = Counter()
        self._wait_limit_s = wait_limit_s
        self._queue_limit = queue_limit
        self._lanes = [_Lane(source, number=number, limit_bytes=limit_bytes) for number in range(sessions)]
        self._idle = self._lanes[::-1]
        self._waiting: deque[asyncio.Future[_Lane]] = deque()
        self._running: dict[asyncio.Future[Dataset], Event] = {}
        self._closed = False

    @property
    def busy(self) -> int:
        """Lanes at work."""
        return len(self._lanes) - len(self._idle)

    @property
    def idle(self) -> int:
        """Lanes that are free."""
        return len(self._idle)

    @property
    def waiting(self) -> int:
        """Queries that wait for a lane."""
        return len(self._waiting)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self, *, drain_s: float = _DRAIN_S) -> None:
        """Refuse new reads, stop the running ones, release every session on its own thread.

        drain_s: how long to wait for that; a thread that is stuck in a call is left behind.
        """
        if self._closed:
            return
        self._closed = True
        while self._waiting:
            _fail(self._waiting.popleft(), SourceError("the pool of sessions is closed"))
        for stop in self._running.values():
            stop.set()
        # A lane's thread comes to the release once its read has ended.
        released = [asyncio.wrap_future(lane.thread.submit(lane.release)) for lane in self._lanes]
        await asyncio.wait(released, timeout=drain_s)
        for lane in self._lanes:
            lane.thread.stop()

    async def read(self, query: Query, *, on_progress: Callable[[Progress], None] | None = None) -> Dataset:
        """Return the whole dataset of *query*.

        on_progress: called on the session's thread.
        Raises SourceBusy when too many wait, SessionTimeout, DatasetTooLarge, JVLinkError and other SourceErrors.
        """
        asked = time.monotonic()
        lane = await self._lease()
        if self._closed:  # handed over in the moment before the close
            self._give_back(lane)
            raise SourceError("the pool of sessions is closed")
        waited_s = time.monotonic() - asked
        self.opens[query.dataspec] += 1
        stop = Event()
        running = asyncio.wrap_future(lane.thread.submit(lane.read, query, stop.is_set, on_progress or _ignore))
        self._running[running] = stop
        running.add_done_callback(lambda done: self._finish(lane, done))
        try:
            # Shielded: the thread goes on until its next call, and the lane is not free before that.
            dataset = await asyncio.shield(running)
        except asyncio.CancelledError:
            stop.set()
            raise
        return replace(dataset, wait_s=waited_s)

    async def _lease(self) -> _Lane:
        """Return a free lane, in the order of asking."""
        if self._closed:
            raise SourceError("the pool of sessions is closed")
        if self._idle:
            return self._idle.pop()
        if len(self._waiting) >= self._queue_limit:
            raise SourceBusy(len(self._waiting))
        turn: asyncio.Future[_Lane] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            async with asyncio.timeout(self._wait_limit_s):
                return await turn
        except BaseException as exc:
            self._leave(turn)
            if isinstance(exc, TimeoutError):
                raise SessionTimeout("the wait for a free session", limit_s=self._wait_limit_s) from exc
            raise

    def _leave(self, turn: asyncio.Future[_Lane]) -> None:
        """Give up a place in the queue, or the lane that was handed over in the same moment."""
        if turn in self._waiting:
            self._waiting.remove(turn)
        elif not turn.cancelled() and turn.exception() is None:
            self._give_back(turn.result())

    def _finish(self, lane: _Lane, done: asyncio.Future[Dataset]) -> None:
        del self._running[done]
        error = None if done.cancelled() else done.exception()
        if isinstance(error, JVLinkError):
            self.errors[error.code] += 1
        self._give_back(lane)

    def _give_back(self, lane: _Lane) -> None:
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(lane)
                return
        self._idle.append(lane)


class _Lane:
    """One thread and the session that lives on it; every method but the constructor runs on that thread."""

    def __init__(self, source: Source, *, number: int, limit_bytes: int) -> None:
        self.thread = DaemonThread(f"jvgate-session-{number}")
        self._source = source
        self._limit_bytes = limit_bytes
        self._session: Session | None = None

    def read(self, query: Query, cancelled: Callable[[], bool], on_progress: Callable[[Progress], None]) -> Dataset:
        """Read one dataset; after an error that leaves the session in doubt the next read makes a new one."""
        if self._session is None:
            limits = Limits(buffer_bytes=self._source.buffer_bytes)
            self._session = Session(self._source.make_link(), limits=limits)
        try:
            return _dataset(query, self._read(self._session, query, cancelled, on_progress))
        except _CLEAN_ENDS:
            raise
        except BaseException:  # whatever it was goes on to who asked; only the session in doubt is dropped here
            self.release()
            raise

    def release(self) -> None:
        """Drop the session, on the thread that made it."""
        self._session = None

    def _read(
        self,
        session: Session,
        query: Query,
        cancelled: Callable[[], bool],
        on_progress: Callable[[Progress], None],
    ) -> Reading:
        if query.is_realtime:
            return session.read_realtime(
                query.dataspec,
                query.key,
                unwanted=_unwanted(query),
                limit_bytes=self._limit_bytes,
                cancelled=cancelled,
                on_progress=on_progress,
            )
        return session.read_stored(
            query.dataspec,
            query.jvopen_fromtime,
            query.option,
            unwanted=_unwanted(query),
            one_type_per_file=self._source.one_type_per_file,
            limit_bytes=self._limit_bytes,
            cancelled=cancelled,
            on_progress=on_progress,
        )


def _dataset(query: Query, reading: Reading) -> Dataset:
    return Dataset(
        query,
        reading.body,
        files=tuple(SourceFile(file.name, file.provided, file.offset) for file in reading.files),
        last_file_timestamp=reading.last_file_timestamp,
        read_at=time.time(),
        open_s=reading.open_s,
        read_s=reading.read_s,
    )


def _unwanted(query: Query) -> frozenset[str]:
    """Return the record types that a query leaves out; what nobody knows is never left out unseen."""
    delivered = dataspecs()[query.dataspec].record_types if query.records else ()
    return frozenset(delivered).difference(query.records)


def _fail(turn: asyncio.Future[_Lane], error: SourceError) -> None:
    if not turn.done():
        turn.set_exception(error)


def _ignore(progress: Progress) -> None:
    """Take no notice."""
