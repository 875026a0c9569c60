"""The door to the data: what the web, the commands and live data ask for, and nothing of how it comes about.

Knows the cache, the sessions and the renderer, and nothing of HTTP.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from functools import partial
from types import TracebackType
from typing import Any, NamedTuple, Self

import structlog

from jvgate.cache.datasets import Datasets
from jvgate.cache.flights import Flights
from jvgate.cache.inspection import memory_figures, shared_figures
from jvgate.cache.memory import Memory, Store
from jvgate.cache.purging import Matches
from jvgate.cache.shared import ObservedTier, TierState
from jvgate.cache.traffic import Traffic
from jvgate.errors import SourceError
from jvgate.freshness.lifetimes import Lifetimes
from jvgate.freshness.policy import Judge
from jvgate.freshness.tags import Purge, has_any, is_purged, narrowest
from jvgate.gateway.answers import Answers, Outcome, Served, outcome_of_kept
from jvgate.gateway.calls import Errands, Fetched, Found
from jvgate.gateway.compressing import Packer
from jvgate.gateway.jobs import Job, Jobs
from jvgate.gateway.prefetch import Prefetcher
from jvgate.gateway.source_reader import SourceReader
from jvgate.gateway.streams import End, Streams
from jvgate.listeners import Listener, Listeners
from jvgate.sessions.archive.index import ArchiveSummary
from jvgate.sessions.pool import Pool
from jvgate.sessions.session_status import SessionCounts, SessionView
from jvgate.sessions.sources.source import Source
from jvgate.sessions.threads import DaemonThread
from jvgate.settings import Settings
from jvgate.spec.spec import Spec
from jvgate.values import MISSING, Answer, Entry, Landed, Message, Missing, Question

__all__ = ["Gateway", "GatewayFigures", "PurgeNews", "PurgeReport"]

WORKER_THREADS = 2
CHECK_LIMIT_S = 5.0

log: structlog.stdlib.BoundLogger = structlog.get_logger("jvgate")


@dataclass(frozen=True, slots=True)
class PurgeReport:
    """Entries that a purge dropped, of memory and of Redis.  is_owed: Redis is out of reach, and it is done later."""

    l1: int
    l2: int
    is_owed: bool


class PurgeNews(NamedTuple):
    """A purge that was asked for here, for the other processes of this server: its tags and its stamp in Redis."""

    tags: tuple[str, ...]
    stamp: int

    def to_message(self) -> Message:
        """Return the message that tells it to the other processes."""
        return Message("purge", {"tags": self.tags, "stamp": self.stamp})

    @classmethod
    def from_message(cls, message: Message) -> PurgeNews:
        """Return the purge that another process told.  Raises ValueError for a malformed message."""
        return cls(message.texts("tags"), message.number("stamp"))


@dataclass(frozen=True, slots=True)
class GatewayFigures:
    """The counters of a gateway, as they are now.

    opens: by data spec; errors: by JV-Link's return code; faults: session processes lost.  looks: by tier and result;
    shared_requests: by request to Redis and result.  streams: ended ones, by how they ended.
    """

    opens: Mapping[str, int]
    errors: Mapping[int, int]
    faults: int
    sessions: SessionCounts
    looks: Mapping[tuple[str, str], int]
    jobs: Mapping[str, int]
    streams: Mapping[End, int]
    open_streams: int
    memory_bytes: int
    shared: TierState
    shared_requests: Mapping[tuple[str, str], int]
    prefetches: Mapping[str, int]


class Gateway:
    """Answers questions from *pool* through memory.  Used with `async with`, in one event loop.

    spec: of the source's provider.  shared: the tier behind memory.  clock: that of both, and of every entry
    (`lifetime_clock`).  on_purge: told of every purge that was asked for
    here.  on_landed: told of every dataset that was read, or that another process read.
    """

    def __init__(
        self,
        source: Source,
        spec: Spec,
        pool: Pool,
        settings: Settings,
        *,
        shared: ObservedTier,
        clock: Callable[[], float] | None = None,
        on_purge: Sequence[Listener[PurgeNews]] = (),
        on_landed: Sequence[Listener[Landed]] = (),
    ) -> None:
        self.spec = spec
        self._source = source
        self._pool = pool
        self._shared = shared
        self._deadline_s = settings.deadline_s
        self._memory = Memory(max_entries=settings.l1_entries, max_bytes=settings.l1_bytes, clock=clock)
        self.clock = self._memory.clock
        self._traffic = Traffic()
        self._purged = Listeners[PurgeNews]("a purge", *on_purge)
        self._reader = SourceReader(pool, limit_s=settings.job_limit_s)
        lifetimes = Lifetimes(spec, settings.lifetimes)
        judge = Judge(spec, lifetimes, clock=source.clock)
        self._datasets = Datasets(
            self._memory, self._reader, judge=judge, shared=shared, most_waiters=settings.waiters, landed=on_landed
        )
        self._prefetcher = (
            Prefetcher(
                self._datasets,
                self._traffic,
                spec,
                posts=judge.posts,
                lifetimes=lifetimes,
                sessions=pool.size,
                clock=source.clock,
            )
            if settings.prefetch
            else None
        )
        self._asked = Listeners[Question]("a question", *([self._prefetcher.asked] if self._prefetcher else []))
        self._workers = ThreadPoolExecutor(WORKER_THREADS, thread_name_prefix="jvgate-work")
        store: Store[Answer] = Store(self._memory)
        self._packer = Packer(store, self._workers, settings.compression_levels, clock=self.clock)
        self._answers = Answers(
            store,
            self._datasets,
            self._packer,
            self._traffic,
            spec,
            clock=self.clock,
            workers=self._workers,
            most_waiters=settings.waiters,
            dataset_bytes=settings.dataset_bytes,
            answer_bytes=settings.answer_bytes,
            asked=self._asked,
        )
        self.streams = Streams(pool, spec, stall_s=settings.stream_stall_s, levels=self._packer.levels)
        self._jobs: Jobs[Served] = Jobs(
            limit=settings.jobs,
            keep_s=settings.job_keep_s,
            keep_bytes=settings.job_bytes,
            weigh=lambda served: served.entry.weight,
        )
        self._errands = Errands(
            pool,
            self._memory,
            self._traffic,
            deadline_s=settings.deadline_s,
            is_purged=lambda since: self._datasets.is_purged(frozenset(), since=since),
        )
        self._purges = 0
        self._checks: Flights[None] = Flights(goes_on=True)
        self._checker = DaemonThread("jvgate-check")

    async def __aenter__(self) -> Self:
        if self._prefetcher is not None:
            await self._prefetcher.__aenter__()
        self._warming = asyncio.create_task(self._warm(), name="jvgate-warm")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._prefetcher is not None:
            await self._prefetcher.__aexit__()
        self.streams.close()
        self._warming.cancel()
        await asyncio.gather(self._warming, return_exceptions=True)
        for part in (self._jobs, self._answers, self._datasets, self._errands, self._checks):
            await part.close()
        self._checker.stop()
        self._workers.shutdown(wait=False, cancel_futures=True)

    # Data

    def kept(self, question: Question, key: str) -> Entry[Answer] | Missing:
        """Return the finished answer that may be given at once, or MISSING; begin a refresh when it is time for one.

        key: the question's text.  Whoever gives the answer calls `count_hit`.
        """
        return self._answers.kept(question, key)

    def count_hit(self, question: Question, key: str, outcome: Outcome) -> None:
        """Count an answer that `kept` gave."""
        self._traffic.count("l1", outcome, question.dataspec)
        self._traffic.hotness.hit(key)

    @property
    def deadline_s(self) -> float:
        """Seconds that a client waits at most for an answer, before a job goes on with it."""
        return self._deadline_s

    async def ask(
        self, question: Question, *, refresh: bool = False, deadline_s: float | None = None
    ) -> Served | Job[Served]:
        """Return the answer to *question*, or the job that goes on with it when the deadline has passed.

        refresh: read JV-Link again, unless the answer is only seconds old, or that failed a moment ago.
        deadline_s: how long this client waits, at most what the settings say.  A client that leaves (cancellation) ends
        what nobody else waits for.
        Raises what reading raises (SourceError and its kinds), SourceBusy when it would be one job too many.
        """
        began = time.perf_counter()
        key = str(question)
        self._asked.tell(question)
        entry = self.kept(question, key)
        if entry is not MISSING and (not refresh or self._answers.will_do(question, entry)):
            outcome = outcome_of_kept(entry, now=self.clock())
            self.count_hit(question, key, outcome)
            return Served(entry, outcome, True, {"l1": time.perf_counter() - began})
        looked_s = time.perf_counter() - began
        answering = asyncio.create_task(self._answer(question, refresh=refresh, looked_s=looked_s))
        limit_s = self._deadline_s if deadline_s is None else min(deadline_s, self._deadline_s)
        try:
            await asyncio.wait([answering], timeout=limit_s)
        except asyncio.CancelledError:
            answering.cancel()
            raise
        if answering.done():
            return answering.result()
        progress = partial(self._reader.progress_of, question.queries)
        return self._jobs.adopt(key, answering, progress, era=self._purges)

    async def repacked(self, served: Served, coding: str, *, takes_plain: bool) -> Served:
        """Return *served* in another content coding, "" for none, for a client other than the one that asked."""
        return await self._answers.repacked(served, coding, takes_plain=takes_plain)

    async def call(self, errand: str, *arguments: str, keep_s: Callable[[Found], float]) -> Fetched:
        """Return the result of a JV-Link call besides reading: see `Errands.fetch`.  keep_s: seconds of the source."""
        wall_s = self._source.clock.wall_s
        return await self._errands.fetch(errand, *arguments, keep_s=lambda found: wall_s(keep_s(found)))

    # Jobs and sessions

    def jobs(self) -> list[Job[Served]]:
        """Return every job that runs or whose result is kept, the oldest first."""
        return self._jobs.all()

    def job(self, job_id: str) -> Job[Served] | None:
        """Return the job of that id, None when there is none (any more)."""
        return self._jobs.get(job_id)

    def is_job_evicted(self, job_id: str) -> bool:
        """Whether the result of that job was dropped before its promised time, for want of room."""
        return self._jobs.is_evicted(job_id)

    def cancel_job(self, job: Job[Served]) -> None:
        """Stop *job*, or throw away its result."""
        self._jobs.cancel(job)

    def sessions(self) -> list[SessionView]:
        """Return every session as it is now."""
        return self._pool.sessions()

    def session_counts(self) -> SessionCounts:
        """Return the number of sessions in each state."""
        return self._pool.counts()

    def recycle(self, session: int) -> None:
        """End the process of one session.  Raises QueryError when there is no such session."""
        self._pool.recycle(session)

    # The source

    @property
    def source_name(self) -> str:
        """The URL of the source."""
        return self._source.name

    @property
    def source_identity(self) -> str | None:
        """The identity of the source, None while it is unknown."""
        return self._source.identity.text or None

    def source_now(self) -> datetime:
        """Return the time at the source, naive, Japan Standard Time."""
        return self._source.clock.now()

    async def check(self) -> None:
        """Raise SourceError when the source cannot serve."""
        try:
            async with asyncio.timeout(CHECK_LIMIT_S):
                await self._checks.join("source", self._check_source)  # one at a time, however many ask
        except TimeoutError as exc:
            raise SourceError(f"the source did not answer a check within {CHECK_LIMIT_S:g} s") from exc

    async def archive_summary(self) -> ArchiveSummary | None:
        """Return which files an archive has and which are passed over; None for other sources.  Raises SourceError."""
        if self._source.archive is None:
            return None
        return await asyncio.wrap_future(self._checker.submit(self._source.archive, self.spec))

    # The cache

    async def purge(self, wanted: Purge) -> PurgeReport:
        """Drop what is meant from both tiers, here and on every server, and what is on its way."""
        entries = self._drop(partial(is_purged, purge=wanted))
        tags = narrowest(wanted)
        self._purged.tell(PurgeNews(tags, self._shared.fence(*tags)))
        shared = await self._shared.purge(*tags)
        return PurgeReport(entries, shared.entries, is_owed=shared.is_owed)

    def forget(self, tags: tuple[str, ...], stamp: int = 0) -> None:
        """Drop from memory what has any of *tags*, which another process purged.

        stamp: of that purge, when the tier behind memory may not have heard of it.
        """
        if stamp:
            self._shared.fence(*tags, stamp=stamp)
        self._drop(partial(has_any, tags=tags))

    async def describe_cache(self) -> dict[str, Any]:
        """Return the contents and the figures of both tiers and of the prefetches."""
        prefetch = asdict(self._prefetcher.figures) if self._prefetcher is not None else None
        memory = memory_figures(self._memory, self._traffic, now=self.clock())
        return {
            "identity": self.source_identity,
            "l1": memory,
            "l2": await shared_figures(self._shared),
            "prefetch": prefetch,
        }

    def shared_state(self) -> TierState:
        """Return the state of the tier behind memory."""
        return self._shared.state

    def figures(self) -> GatewayFigures:
        """Return the counters as they are now."""
        shared_requests = self._shared.counts
        looks = {("l2", how): count for (asked, how), count in shared_requests.items() if asked == "get"}
        return GatewayFigures(
            opens=self._pool.opens,
            errors=self._pool.errors,
            faults=self._pool.faults,
            sessions=self._pool.counts(),
            looks={**self._traffic.totals(), **looks},
            jobs=Counter(job.state for job in self._jobs.all()),
            streams=self.streams.ends,
            open_streams=self.streams.open_count,
            memory_bytes=self._memory.bytes,
            shared=self._shared.state,
            shared_requests=shared_requests,
            prefetches=asdict(self._prefetcher.figures) if self._prefetcher is not None else {},
        )

    async def _answer(self, question: Question, *, refresh: bool, looked_s: float) -> Served:
        """Answer a question that is not in memory.  looked_s: time that the look into memory took."""
        served = await self._answers.answer(question, refresh=refresh)
        return replace(served, stages={"l1": looked_s, **served.stages})

    def _drop(self, matches: Matches) -> int:
        """Drop what *matches* from memory, and let nobody join what is being made; return the number of entries."""
        self._purges += 1
        self._answers.let_go()
        return self._datasets.purge(matches)

    async def _check_source(self) -> None:
        await asyncio.wrap_future(self._checker.submit(self._source.check, self.spec))

    async def _warm(self) -> None:
        """Make a session ready before anybody asks."""
        try:
            await self._pool.warm()
        except SourceError as exc:  # told again to the client that asks
            log.warning("no session could be made ready", source=self._source.name, why=str(exc))
