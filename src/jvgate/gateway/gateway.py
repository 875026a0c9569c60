"""The one path from a question to its answer: memory, else one read for all who wait, then decode and render.

Knows the cache, the sessions and the renderer, and nothing of HTTP.

Theory of operation.  A finished answer is made of datasets and lives as long as the first of them that gets old.  Who
asks for one that is stale gets it nevertheless, while it may still be used so, and has it made anew for the next one.
What each dataset may be used for, and where it comes from, is `cache/datasets.py`'s matter.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from functools import partial
from math import inf
from types import TracebackType
from typing import Any, Literal, Self

import structlog

from jvgate.cache.datasets import Datasets, Got, How, made_of
from jvgate.cache.entries import ENTRY_OVERHEAD_BYTES
from jvgate.cache.flights import Flights
from jvgate.cache.inspection import memory_figures, shared_figures
from jvgate.cache.memory import Memory
from jvgate.cache.purging import Matches
from jvgate.cache.shared import SharedTier
from jvgate.cache.traffic import Traffic
from jvgate.errors import SourceError
from jvgate.freshness.lifetimes import Lifetimes
from jvgate.freshness.policy import Judge
from jvgate.freshness.tags import Purge, has_any, is_purged, narrowest
from jvgate.gateway.calls import Errands
from jvgate.gateway.compressing import Packer
from jvgate.gateway.jobs import Job, Jobs
from jvgate.gateway.prefetch import Prefetcher
from jvgate.gateway.source_reader import SourceReader
from jvgate.gateway.streams import Streams
from jvgate.render.forms import render
from jvgate.sessions.pool import Pool
from jvgate.sessions.sources.registry import Source
from jvgate.sessions.threads import DaemonThread
from jvgate.settings import Settings
from jvgate.spec.jst import JST
from jvgate.spec.spec import Spec
from jvgate.values import MISSING, Answer, Entry, Missing, Query, Question

__all__ = ["Gateway", "Outcome", "Purged", "Served"]

# hit: the finished answer was in memory; dataset, shared: its raw records were, in memory or in Redis; stale: it was
# kept and is being made anew; fallback: it was kept and the source fails; miss: JV-Link was read; collapsed: the same
# question was being answered already; refresh: the client insisted on a new read.
Outcome = Literal["hit", "dataset", "shared", "stale", "fallback", "miss", "collapsed", "refresh"]

# A client may ask for a refresh as often as it likes; JV-Link is asked again only after this many seconds.
REFRESH_AFTER_S = 5.0
WORKER_THREADS = 2
CHECK_LIMIT_S = 5.0
# Of several datasets, the first of these tells how their answer came about.
_HOWS: tuple[How, ...] = ("fallback", "read", "stale", "shared", "memory")
_OUTCOMES: Mapping[How, Outcome] = {"fallback": "fallback", "stale": "stale", "shared": "shared", "memory": "dataset"}

log: structlog.stdlib.BoundLogger = structlog.get_logger("jvgate")


@dataclass(frozen=True, slots=True)
class Served:
    """An answer and how it came about.  is_kept: whether it is in memory for the next one who asks.

    stages: seconds by the names of `Server-Timing`.
    """

    entry: Entry[Answer]
    outcome: Outcome
    is_kept: bool
    stages: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Purged:
    """Entries that a purge dropped, of memory and of Redis.  is_owed: Redis is out of reach, and it is done later."""

    l1: int
    l2: int
    is_owed: bool


@dataclass(frozen=True, slots=True)
class _Made:
    """A finished flight: the entry, where its datasets came from, and where the time went.

    is_outdated: something newer is there, or it was purged meanwhile; then it must not be kept in any form.
    """

    entry: Entry[Answer]
    how: How
    is_kept: bool
    stages: Mapping[str, float]
    is_outdated: bool = False


class Gateway:
    """Answers questions from *pool* through memory.  Used with `async with`, in one event loop.

    spec: of the source's provider.  shared: the tier behind memory.  traffic: what is asked of both, for reading only.
    on_purge: told the tags of every purge that was asked for here, and its stamp (`forget`).
    """

    def __init__(self, source: Source, spec: Spec, pool: Pool, settings: Settings, *, shared: SharedTier) -> None:
        self.source = source
        self.spec = spec
        self.pool = pool
        self.memory: Memory[object] = Memory(max_entries=settings.l1_entries, max_bytes=settings.l1_bytes)
        self.shared = shared
        self.traffic = Traffic()
        self.jobs: Jobs[Served] = Jobs(
            limit=settings.jobs, keep_s=settings.job_keep_s, weigh=lambda served: served.entry.weight
        )  # fmt: skip
        self.on_purge: Callable[[tuple[str, ...], int], None] = lambda tags, stamp: None
        self._workers = ThreadPoolExecutor(WORKER_THREADS, thread_name_prefix="jvgate-work")
        self._packer = Packer(self.memory, self._workers, settings.compression_levels)
        self.streams = Streams(pool, spec, stall_s=settings.stream_stall_s, levels=self._packer.levels)
        self._deadline_s = settings.deadline_s
        self._reader = SourceReader(pool, limit_s=settings.job_limit_s)
        lifetimes = Lifetimes(spec, settings.lifetimes)
        judge = Judge(spec, lifetimes, now=partial(_epoch_of, source))
        self.datasets = Datasets(self.memory, self._reader, judge=judge, shared=shared, most_waiters=settings.waiters)
        self.errands = Errands(
            pool, self.memory, self.traffic, deadline_s=settings.deadline_s,
            is_purged=lambda since: self.datasets.is_purged(frozenset(), since=since),
        )  # fmt: skip
        self.prefetcher = Prefetcher(
            self.datasets, self.traffic, spec, posts=judge.posts, lifetimes=lifetimes, sessions=pool.size,
            now=partial(_epoch_of, source),
        ) if settings.prefetch else None  # fmt: skip
        self._flights: Flights[_Made] = Flights(most=settings.waiters)
        self._purges = 0
        self._checks: Flights[None] = Flights(goes_on=True)
        self._checker = DaemonThread("jvgate-check")

    async def __aenter__(self) -> Self:
        if self.prefetcher is not None:
            await self.prefetcher.__aenter__()
        self._warming = asyncio.create_task(self._warm(), name="jvgate-warm")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.prefetcher is not None:
            await self.prefetcher.__aexit__()
        self.streams.close()
        self._warming.cancel()
        await asyncio.gather(self._warming, return_exceptions=True)
        for part in (self.jobs, self._flights, self._packer, self.datasets, self.errands, self._checks):
            await part.close()
        self._checker.stop()
        self._workers.shutdown(wait=False, cancel_futures=True)

    async def check(self) -> None:
        """Raise SourceError when the source cannot serve."""
        try:
            async with asyncio.timeout(CHECK_LIMIT_S):
                await self._checks.join("source", self._check_source)  # one at a time, however many ask
        except TimeoutError as exc:
            raise SourceError(f"the source did not answer a check within {CHECK_LIMIT_S:g} s") from exc

    def kept(self, question: Question, key: str) -> Entry[Answer] | Missing:
        """Return the finished answer that may be given at once, or MISSING; have it made anew when it is time.

        key: the question's text.  On the path of every hit: one look when the answer is fresh.
        """
        entry = self.memory.get(key)
        if entry is MISSING:
            return self._stale(question, key)
        if entry.refresh_at == -inf:  # it was packed quickly
            if self._packer.is_free:
                plain: Any = self.memory.last(str(replace(question, coding="")))
                self._packer.pack_again(key, entry, plain)  # type: ignore[arg-type]
        elif entry.refresh_at <= time.monotonic():
            self._refresh(question, key)
        return entry  # type: ignore[return-value]  # under a question's text stands no other

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
        if self.prefetcher is not None:
            self.prefetcher.asked(question)
        entry = self.kept(question, key)
        if entry is not MISSING and not (refresh and _is_old(entry) and not self._is_failing(question)):
            outcome: Outcome = self.outcome_of_kept(entry)
            self.traffic.count("l1", outcome, question.dataspec)
            self.traffic.hotness.hit(key)
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
        return self.jobs.adopt(key, answering, progress, era=self._purges)

    async def repacked(self, served: Served, coding: str, *, takes_plain: bool) -> Served:
        """Return *served* in another content coding, "" for none: as somebody else wants what one has asked for."""
        return replace(served, entry=await self._packer.repack(served.entry, coding, takes_plain=takes_plain))

    async def purge(self, wanted: Purge) -> Purged:
        """Drop what is meant from both tiers, here and on every server, and what is on its way."""
        entries = self._drop(partial(is_purged, purge=wanted))
        tags = narrowest(wanted)
        self.on_purge(tags, self.shared.fence(*tags))
        shared = await self.shared.purge(*tags)
        return Purged(entries, shared.entries, is_owed=shared.is_owed)

    def forget(self, tags: tuple[str, ...], stamp: int = 0) -> None:
        """Drop from memory what has any of *tags*, which another process purged.

        stamp: of that purge, when the tier behind memory may not have heard of it.
        """
        if stamp:
            self.shared.fence(*tags, stamp=stamp)
        self._drop(partial(has_any, tags=tags))

    async def figures(self) -> dict[str, Any]:
        """Return what there is to see of the cache."""
        now = time.monotonic()
        prefetch = asdict(self.prefetcher.figures) if self.prefetcher is not None else None
        memory = memory_figures(self.memory, self.traffic, now=now)
        return {"l1": memory, "l2": await shared_figures(self.shared), "prefetch": prefetch}

    def _drop(self, matches: Matches) -> int:
        """Drop what *matches* from memory, and let nobody join what is being made; return how much went."""
        self._purges += 1
        self._flights.let_go()
        return self.datasets.purge(matches)

    def outcome_of_kept(self, entry: Entry[Answer]) -> Literal["hit", "stale", "fallback"]:
        """Return how an answer that memory gave comes about: fresh, or in which of its windows."""
        now = time.monotonic()
        return "hit" if now < entry.fresh_until else "stale" if now < entry.stale_until else "fallback"

    def _stale(self, question: Question, key: str) -> Entry[Answer] | Missing:
        """Return the answer that is stale but may be given while it is made anew: longer when its source failed."""
        entry = self.memory.last(key)
        if entry is MISSING:
            return MISSING
        has_failed = any(map(self.datasets.has_failed, question.queries))
        if (entry.kept_until if has_failed else entry.stale_until) <= time.monotonic():
            return MISSING
        self._refresh(question, key)
        return entry  # type: ignore[return-value]  # under a question's text stands no other

    def _is_failing(self, question: Question) -> bool:
        """Whether the source of any of its datasets failed a moment ago, whoever asked in whatever form."""
        return any(map(self.datasets.is_failing, question.queries))

    def _refresh(self, question: Question, key: str) -> None:
        """Have an answer made anew, each of its datasets read again for which it is time; nobody waits for it.

        A client asks for what gets old, and hits alone are noted nowhere else: so here they are, once in its life.
        """
        if self._is_failing(question):
            return
        now = time.monotonic()
        due = [self._due(query, now) for query in question.queries]
        begins = self.datasets.refreshes.begin(key, partial(self._make, question, due, is_refresh=True))
        if begins and self.prefetcher is not None:
            self.prefetcher.asked(question)

    def _due(self, query: Query, now: float) -> float:
        """Return the moment before which a dataset of *query* must not have been read to be of use for a refresh."""
        kept = self.datasets.kept(query)
        return kept.read_at if kept is not MISSING and kept.refresh_at <= now else -inf

    async def _answer(self, question: Question, *, refresh: bool, looked_s: float) -> Served:
        """Answer a question that is not in memory, with whoever else asks it; for hours if need be."""
        key = str(question)
        newer_than = time.monotonic() - REFRESH_AFTER_S if refresh else -inf
        # Who insists on a new read must not join those who render an old one; the datasets' flights keep it one read.
        flight = f"new:{key}" if refresh else key
        make = partial(self._make, question, [newer_than] * len(question.queries))
        made, joined = await self._flights.join(flight, make)
        self.traffic.count("l1", "miss" if made.how in ("read", "shared") else "hit", question.dataspec)
        outcome = _outcome(made, joined=joined, refresh=refresh)
        return Served(made.entry, outcome, made.is_kept, {"l1": looked_s, **made.stages})

    async def _make(self, question: Question, newer_than: Sequence[float], *, is_refresh: bool = False) -> _Made:
        """Get one dataset after another, and render them once."""
        if question.coding:
            return await self._pack(question, newer_than, is_refresh=is_refresh)
        began = time.monotonic()
        got: list[Got] = []
        for query, moment in zip(question.queries, newer_than, strict=True):
            stale_ok = not is_refresh and moment == -inf
            urgency: Literal["refresh", "now"] = "refresh" if is_refresh else "now"
            got.append(await self.datasets.get(query, newer_than=moment, stale_ok=stale_ok, urgency=urgency))
        entries = [each.entry for each in got]
        datasets = [entry.value for entry in entries]
        rendered = await asyncio.get_running_loop().run_in_executor(
            self._workers, render, question, datasets, self.spec
        )
        made: Entry[Answer] = Entry(
            rendered.answer,
            read_at=min(entry.read_at for entry in entries),
            fresh_until=min(entry.fresh_until for entry in entries),
            weight=len(rendered.answer.body) + ENTRY_OVERHEAD_BYTES,
            stale_until=min(entry.stale_until for entry in entries),
            error_until=min(entry.error_until for entry in entries),
            refresh_at=min(entry.refresh_at for entry in entries),
            tags=frozenset(made_of(dataset.query) for dataset in datasets).union(*(entry.tags for entry in entries)),
        )
        if self.prefetcher is not None:  # also of what nobody waits for: it is given out of memory, time and again
            for query, dataset in zip(question.queries, datasets, strict=True):
                self.prefetcher.answered(query, dataset)
        is_purged = self.datasets.is_purged(made.tags, since=began)
        is_outdated = is_purged or any(map(self.datasets.has_newer, question.queries, entries))
        is_kept = not is_outdated and self.memory.put(str(question), made)
        how = next(how for how in _HOWS if any(each.how == how for each in got))
        stages = {"decode": rendered.decode_s, "render": rendered.render_s}
        return _Made(made, how, is_kept, _summed([each.stages for each in got]) | stages, is_outdated)

    async def _pack(self, question: Question, newer_than: Sequence[float], *, is_refresh: bool) -> _Made:
        """Pack the answer as it is without a coding, which is made once for all of them."""
        began = time.monotonic()
        plain = replace(question, coding="")
        key, oldest = str(plain), max(newer_than)
        entry: Any = self.memory.get(key)
        if entry is not MISSING and entry.read_at > oldest:
            made = _Made(entry, "memory", True, {})
        else:
            make = partial(self._make, plain, newer_than, is_refresh=is_refresh)
            made, _ = await self._flights.join(key if oldest == -inf else f"new:{key}", make)
        packed_at = time.perf_counter()
        packed_entry = await self._packer.pack(made.entry, question.coding, takes_plain=question.takes_plain)
        stages = {"compress": time.perf_counter() - packed_at}
        is_outdated = (
            made.is_outdated
            or (made.is_kept and self.memory.last(key) is not made.entry)
            or self.datasets.is_purged(packed_entry.tags, since=began)
        )
        is_kept = not is_outdated and self.memory.put(str(question), packed_entry)
        return _Made(packed_entry, made.how, is_kept, {**made.stages, **stages}, is_outdated)

    async def _check_source(self) -> None:
        await asyncio.wrap_future(self._checker.submit(self.source.check, self.spec))

    async def _warm(self) -> None:
        """Make a session ready before anybody asks."""
        try:
            await self.pool.warm()
        except SourceError as exc:  # told again to whoever asks
            log.warning("no session could be made ready", source=self.source.name, why=str(exc))


def _epoch_of(source: Source) -> float:
    """Return what time it is where the data comes from, seconds since the epoch."""
    return source.now().replace(tzinfo=JST).timestamp()


def _is_old(entry: Entry[Answer]) -> bool:
    return time.monotonic() - entry.read_at >= REFRESH_AFTER_S


def _outcome(made: _Made, *, joined: bool, refresh: bool) -> Outcome:
    if made.how == "fallback":
        return "fallback"
    if joined:
        return "collapsed"
    if made.how == "read":
        return "refresh" if refresh else "miss"
    return _OUTCOMES[made.how]


def _summed(stages: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Return the seconds of several reads, by stage."""
    return {name: sum(each.get(name, 0.0) for each in stages) for name in dict.fromkeys(n for s in stages for n in s)}
