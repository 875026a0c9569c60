"""The one path from a question to its answer: memory, else one read for all who wait, then decode and render.

Knows the cache, the sessions and the renderer, and nothing of HTTP.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial
from types import TracebackType
from typing import Any, Literal, Self

import structlog

from jvgate.cache.flights import Flights
from jvgate.cache.lifetimes import lifetime_s
from jvgate.cache.memory import Memory
from jvgate.errors import SessionTimeout, SourceError
from jvgate.jobs import Job, Jobs
from jvgate.jvlink.request import Progress
from jvgate.render.forms import render
from jvgate.sessions.lane import Recycling
from jvgate.sessions.pool import Pool
from jvgate.sessions.sources import Means, Source, parse_source
from jvgate.sessions.threads import DaemonThread
from jvgate.settings import Settings
from jvgate.values import MISSING, Answer, Dataset, Entry, Missing, Query, Question

__all__ = ["Fetched", "Found", "Gateway", "Outcome", "Served", "open_gateway", "source_of"]

# hit: the finished answer was in memory; dataset: its raw records were; miss: JV-Link was read;
# collapsed: the same question was being answered already; refresh: the client insisted on a new read.
Outcome = Literal["hit", "dataset", "miss", "collapsed", "refresh"]
Found = Mapping[str, Any]
"""What one of JV-Link's errands gave, by name: `picture`, `found`, `available`, …"""

# A client may ask for a refresh as often as it likes; JV-Link is asked again only after this many seconds.
REFRESH_AFTER_S = 5.0
# An entry weighs a little more than its bytes: the objects around them.
ENTRY_OVERHEAD_BYTES = 1024
WORKER_THREADS = 2
CHECK_LIMIT_S = 5.0

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
class Fetched:
    """What an errand gave and how it came about; otherwise as `Served`."""

    entry: Entry[Found]
    outcome: Outcome
    is_kept: bool
    stages: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class _Made:
    """A finished flight: the entry, whether JV-Link had to be read, and where the time went."""

    entry: Entry[Answer]
    was_read: bool
    is_kept: bool
    stages: Mapping[str, float]


def source_of(settings: Settings) -> Source:
    """Return the source of *settings*, without looking at it yet.  Raises SettingsError for one that cannot be."""
    means = Means(
        worker_python=settings.worker_python,
        press_dialogs=settings.press_dialogs,
        agent_token=settings.agent_token.get_secret_value(),
        open_s=settings.open_limit_s or None,
        setup_s=settings.setup_limit_s or None,
        read_s=settings.read_limit_s or None,
        recycling=Recycling(settings.recycle_opens, settings.recycle_mb * 1_000_000),
    )
    return parse_source(settings.source, means)


@asynccontextmanager
async def open_gateway(settings: Settings) -> AsyncIterator[Gateway]:
    """Yield a gateway to the source of *settings*, closed at the end: jobs and flights first, then the sessions.

    Raises SettingsError for a source that cannot be; whether it can serve is `Gateway.check`'s matter.
    """
    source = source_of(settings)
    pool = Pool(
        source, sessions=settings.sessions, limit_bytes=settings.dataset_bytes, queue_limit=settings.queue
    )  # fmt: skip
    async with pool, Gateway(source, pool, settings) as gateway:
        yield gateway


class Gateway:
    """Answers questions from *pool* through memory.  Used with `async with`, in one event loop.

    cache_requests: how many answers came from which tier, for reading only.
    """

    def __init__(self, source: Source, pool: Pool, settings: Settings) -> None:
        self.source = source
        self.pool = pool
        self.memory: Memory[Answer | Dataset | Found] = Memory(
            max_entries=settings.l1_entries, max_bytes=settings.l1_bytes
        )
        self.cache_requests: Counter[tuple[str, str]] = Counter()
        self.jobs: Jobs[Served] = Jobs(limit=settings.jobs, keep_s=settings.job_keep_s)
        self._deadline_s = settings.deadline_s
        self._read_limit_s = settings.job_limit_s
        self._answer_flights: Flights[_Made] = Flights()
        self._dataset_flights: Flights[Entry[Dataset]] = Flights()
        self._errands: Flights[tuple[Entry[Found], bool]] = Flights(goes_on=True)  # a call cannot be interrupted
        self._progress: dict[str, Progress] = {}
        self._checks: Flights[None] = Flights(goes_on=True)
        self._checker = DaemonThread("jvgate-check")
        self._workers = ThreadPoolExecutor(WORKER_THREADS, thread_name_prefix="jvgate-work")

    async def __aenter__(self) -> Self:
        self._warming = asyncio.create_task(self._warm(), name="jvgate-warm")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._warming.cancel()
        await asyncio.gather(self._warming, return_exceptions=True)
        await self.jobs.close()
        await self._answer_flights.close()
        await self._dataset_flights.close()
        await self._errands.close()
        await self._checks.close()
        self._checker.stop()
        self._workers.shutdown(wait=False, cancel_futures=True)

    async def check(self) -> None:
        """Raise SourceError when the source cannot serve."""
        try:
            async with asyncio.timeout(CHECK_LIMIT_S):
                await self._checks.join("source", self._check_source)  # one at a time, however many ask
        except TimeoutError as exc:
            raise SourceError(f"the source did not answer a check within {CHECK_LIMIT_S:g} s") from exc

    def kept(self, key: str) -> Entry[Answer] | Missing:
        """Return the fresh finished answer of the question whose text is *key*, or MISSING."""
        entry = self.memory.get(key)
        if entry is MISSING or not isinstance(entry.value, Answer):
            return MISSING
        return entry  # type: ignore[return-value]  # its value is an Answer, seen just now

    async def ask(
        self, question: Question, *, refresh: bool = False, deadline_s: float | None = None
    ) -> Served | Job[Served]:
        """Return the answer to *question*, or the job that goes on with it when the deadline has passed.

        refresh: read JV-Link again, unless the answer is only seconds old.
        deadline_s: how long this client waits, at most what the settings say.  A client that leaves (cancellation) ends
        what nobody else waits for.
        Raises what reading raises (SourceError and its kinds), SourceBusy when it would be one job too many.
        """
        began = time.perf_counter()
        key = str(question)
        entry = self.kept(key)
        if entry is not MISSING and not (refresh and _is_old(entry)):
            self.cache_requests["l1", "hit"] += 1
            return Served(entry, "hit", True, {"l1": time.perf_counter() - began})
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
        return self.jobs.adopt(key, answering, partial(self._progress_of, question))

    async def errand(self, name: str, *arguments: str, keep_s: Callable[[Found], float]) -> Fetched:
        """Return what one of JV-Link's errands gives: from memory, else by one call for all who wait.

        keep_s: for how long what was found may be used.
        Raises SessionTimeout when the deadline passes, NotOffered, and what else `Pool.call` raises.
        """
        began = time.perf_counter()
        key = f"errand:{name}:{':'.join(arguments)}"
        entry = self.memory.get(key)
        looked = {"l1": time.perf_counter() - began}
        self.cache_requests["l1", "miss" if entry is MISSING else "hit"] += 1
        if entry is not MISSING:
            return Fetched(entry, "hit", True, looked)  # type: ignore[arg-type]  # under its key there is nothing else
        try:
            async with asyncio.timeout(self._deadline_s):
                (made, is_kept), joined = await self._errands.join(
                    key, partial(self._call, key, name, arguments, keep_s)
                )
        except TimeoutError as exc:
            raise SessionTimeout(f"the call for {name}", limit_s=self._deadline_s) from exc
        stages = looked | {"read": time.perf_counter() - began - looked["l1"]}
        return Fetched(made, "collapsed" if joined else "miss", is_kept, stages)

    async def _call(
        self, key: str, name: str, arguments: tuple[str, ...], keep_s: Callable[[Found], float]
    ) -> tuple[Entry[Found], bool]:
        """Call for all who wait, and for the next one who asks."""
        found = await self.pool.call(name, *arguments)
        now = time.monotonic()
        entry: Entry[Found] = Entry(found, now, now + keep_s(found), _weight(found))
        return entry, self.memory.put(key, entry)

    async def _answer(self, question: Question, *, refresh: bool, looked_s: float) -> Served:
        """Answer a question that is not in memory, with whoever else asks it; for hours if need be."""
        key = str(question)
        # Who insists on a new read must not join those who render an old one; the datasets' flights keep it one read.
        flight = f"new:{key}" if refresh else key
        made, joined = await self._answer_flights.join(flight, partial(self._make, question, refresh=refresh))
        self.cache_requests["l1", "miss" if made.was_read else "hit"] += 1
        outcome = _outcome(made, joined=joined, refresh=refresh)
        return Served(made.entry, outcome, made.is_kept, {"l1": looked_s, **made.stages})

    async def _make(self, question: Question, *, refresh: bool) -> _Made:
        """Read what is not in memory, one data spec after another, and render it once."""
        entries, was_read = [], False
        for query in question.queries:
            entry = self._kept_dataset(query)
            if entry is MISSING or (refresh and _is_old(entry)):
                was_read = True
                entry, _ = await self._dataset_flights.join(str(query), partial(self._read, query))
            entries.append(entry)
        datasets = [entry.value for entry in entries]
        rendered = await asyncio.get_running_loop().run_in_executor(self._workers, render, question, datasets)
        made: Entry[Answer] = Entry(
            rendered.answer,
            read_at=min(entry.read_at for entry in entries),
            fresh_until=min(entry.fresh_until for entry in entries),
            weight=len(rendered.answer.body) + ENTRY_OVERHEAD_BYTES,
        )
        is_kept = self.memory.put(str(question), made)
        stages = {"decode": rendered.decode_s, "render": rendered.render_s}
        return _Made(made, was_read, is_kept, (_read_stages(datasets) if was_read else {}) | stages)

    def _kept_dataset(self, query: Query) -> Entry[Dataset] | Missing:
        """Return the dataset of *query*, or the wider one that holds all of it, or MISSING."""
        for known in (query, replace(query, records=())):
            entry = self.memory.get(_dataset_key(known))
            if entry is not MISSING and isinstance(entry.value, Dataset):
                return entry  # type: ignore[return-value]  # its value is a Dataset, seen just now
        return MISSING

    async def _check_source(self) -> None:
        await asyncio.wrap_future(self._checker.submit(self.source.check))

    async def _warm(self) -> None:
        """Make a session ready before anybody asks."""
        try:
            await self.pool.warm()
        except SourceError as exc:  # told again to whoever asks
            log.warning("no session could be made ready", source=self.source.name, why=str(exc))

    async def _read(self, query: Query) -> Entry[Dataset]:
        """Read for all who wait, and for the next one who asks."""
        text = str(query)
        try:
            async with asyncio.timeout(self._read_limit_s):
                dataset = await self.pool.read(query, on_progress=partial(self._progress.__setitem__, text))
        except TimeoutError as exc:
            raise SessionTimeout(f"the read of {query}", limit_s=self._read_limit_s) from exc
        finally:
            self._progress.pop(text, None)
        now = time.monotonic()
        entry = Entry(dataset, now, now + lifetime_s(dataset), len(dataset.body) + ENTRY_OVERHEAD_BYTES)
        self.memory.put(_dataset_key(query), entry)
        return entry

    def _progress_of(self, question: Question) -> list[Progress]:
        """Return how far the reads of *question* have come, those that have begun and not ended."""
        return [self._progress[text] for query in question.queries if (text := str(query)) in self._progress]


def _weight(found: Found) -> int:
    sized = [value for value in found.values() if isinstance(value, bytes | str | list)]
    return ENTRY_OVERHEAD_BYTES + sum(
        sum(map(len, value)) if isinstance(value, list) else len(value) for value in sized
    )


def _is_old(entry: Entry[Answer] | Entry[Dataset]) -> bool:
    return time.monotonic() - entry.read_at >= REFRESH_AFTER_S


def _dataset_key(query: Query) -> str:
    return f"raw:{query}"


def _outcome(made: _Made, *, joined: bool, refresh: bool) -> Outcome:
    if joined:
        return "collapsed"
    if not made.was_read:
        return "dataset"
    return "refresh" if refresh else "miss"


def _read_stages(datasets: list[Dataset]) -> dict[str, float]:
    return {
        "wait": sum(dataset.wait_s for dataset in datasets),
        "open": sum(dataset.open_s for dataset in datasets),
        "read": sum(dataset.read_s for dataset in datasets),
    }
