"""Finished answers: kept, made from datasets, refreshed when they get old, packed again when they are asked for often.

Theory of operation.  A finished answer is made of datasets and lives as long as the first of them that gets old.  A
stale answer is given while it may still be used so, and is made anew for the next client.  How long a dataset may be
used, and where it comes from, is decided in `cache/datasets.py`.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal

from jvgate.cache.datasets import Datasets, Got, How, made_of
from jvgate.cache.entries import ENTRY_OVERHEAD_BYTES
from jvgate.cache.flights import Flights
from jvgate.cache.memory import Store
from jvgate.cache.traffic import Traffic
from jvgate.errors import DatasetTooLarge
from jvgate.gateway.compressing import Packer
from jvgate.listeners import Listeners
from jvgate.render.answers import render
from jvgate.spec.spec import Spec
from jvgate.values import MISSING, Answer, Dataset, Entry, Missing, Query, Question

__all__ = ["REFRESH_AFTER_S", "Answers", "Outcome", "Served", "outcome_of_kept"]

# hit: the finished answer was in memory; dataset, shared: its raw records were, in memory or in Redis; stale: it was
# kept and is being made anew; fallback: it was kept and the source fails; miss: JV-Link was read; collapsed: the same
# question was being answered already; refresh: the client insisted on a new read.
Outcome = Literal["hit", "dataset", "shared", "stale", "fallback", "miss", "collapsed", "refresh"]

# A client may ask for a refresh as often as it likes; JV-Link is asked again only after this many seconds.
REFRESH_AFTER_S = 5.0
# Of several datasets, the first of these tells how their answer came about.
_HOWS: tuple[How, ...] = ("fallback", "read", "stale", "shared", "memory")
_OUTCOMES: Mapping[How, Outcome] = {"fallback": "fallback", "stale": "stale", "shared": "shared", "memory": "dataset"}

_Moments = Sequence[float | None]
"""For each dataset of a question, the moment after which it must have been read; None where any will do."""


@dataclass(frozen=True, slots=True)
class Served:
    """An answer and how it came about.  is_kept: whether it is in memory for the next client.

    stages: seconds by the names of `Server-Timing`.
    """

    entry: Entry[Answer]
    outcome: Outcome
    is_kept: bool
    stages: Mapping[str, float]


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


class Answers:
    """Makes the answers to questions from *datasets*, and keeps them in *store*.  One event loop's.

    Look-ups count in *traffic*.  clock: of the entries.  workers: threads for rendering.  most_waiters: for one answer.
    dataset_bytes: limit of the raw records of one answer.  answer_bytes: limit of its body before compression.
    asked: told of a question that only hits from memory ask for, when its answer is refreshed.
    """

    def __init__(
        self,
        store: Store[Answer],
        datasets: Datasets,
        packer: Packer,
        traffic: Traffic,
        spec: Spec,
        *,
        clock: Callable[[], float],
        workers: Executor,
        most_waiters: int,
        dataset_bytes: int,
        answer_bytes: int,
        asked: Listeners[Question],
    ) -> None:
        self._store = store
        self._spec = spec
        self._datasets = datasets
        self._packer = packer
        self._clock = clock
        self._traffic = traffic
        self._workers = workers
        self._dataset_bytes = dataset_bytes
        self._answer_bytes = answer_bytes
        self._asked = asked
        self._flights: Flights[_Made] = Flights(most=most_waiters)

    def kept(self, question: Question, key: str) -> Entry[Answer] | Missing:
        """Return the finished answer that may be given at once, or MISSING; begin a refresh when it is time for one.

        key: the question's text.  On the path of every hit: one look when the answer is fresh.
        """
        entry = self._store.get(key)
        if entry is MISSING:
            return self._stale(question, key)
        if entry.packs_again and self._packer.is_free:
            self._packer.pack_again(key, entry, self._store.last(str(replace(question, coding=""))))
        elif entry.refresh_at <= self._clock():
            self._refresh(question, key)
        return entry

    def will_do(self, question: Question, entry: Entry[Answer]) -> bool:
        """Whether *entry* is given to a client that insists on a new read: it is new, or the source just failed."""
        return self._clock() - entry.read_at < REFRESH_AFTER_S or self._is_failing(question)

    async def answer(self, question: Question, *, refresh: bool) -> Served:
        """Answer a question that is not in memory, together with all clients that ask it; for hours if need be.

        Raises what reading raises (SourceError and its kinds), and DatasetTooLarge.
        """
        key = str(question)
        newer_than = self._clock() - REFRESH_AFTER_S if refresh else None
        # A client that insists on a new read must not join an old one; the datasets' flights keep it one read.
        flight = _flight_of(key, is_new=refresh)
        make = partial(self._make, question, [newer_than] * len(question.queries))
        made, joined = await self._flights.join(flight, make)
        self._traffic.count("l1", "miss" if made.how in ("read", "shared") else "hit", question.dataspec)
        return Served(made.entry, _outcome(made, joined=joined, refresh=refresh), made.is_kept, made.stages)

    async def repacked(self, served: Served, coding: str, *, takes_plain: bool) -> Served:
        """Return *served* in another content coding, "" for none, for a client other than the one that asked."""
        return replace(served, entry=await self._packer.repack(served.entry, coding, takes_plain=takes_plain))

    def let_go(self) -> None:
        """Let nobody join an answer that is being made now."""
        self._flights.let_go()

    async def close(self) -> None:
        """End what is under way."""
        await self._flights.close()
        await self._packer.close()

    def _stale(self, question: Question, key: str) -> Entry[Answer] | Missing:
        """Return the answer that is stale but may be given while it is made anew: longer when its source failed."""
        entry = self._store.last(key)
        if entry is MISSING:
            return MISSING
        has_failed = any(map(self._datasets.has_failed, question.queries))
        if (entry.kept_until if has_failed else entry.stale_until) <= self._clock():
            return MISSING
        self._refresh(question, key)
        return entry

    def _is_failing(self, question: Question) -> bool:
        """Whether the source of any of its datasets failed a moment ago, whoever asked in whatever form."""
        return any(map(self._datasets.is_failing, question.queries))

    def _refresh(self, question: Question, key: str) -> None:
        """Have an answer made anew in the background; each of its datasets is read again for which it is time.

        Hits from memory are noted nowhere else, so the question is announced here, once in the life of its answer.
        """
        if self._is_failing(question):
            return
        now = self._clock()
        due = [self._due(query, now) for query in question.queries]
        if self._datasets.refreshes.begin(key, partial(self._make, question, due, is_refresh=True)):
            self._asked.tell(question)

    def _due(self, query: Query, now: float) -> float | None:
        """Return the moment after which a dataset of *query* must have been read to be of use for a refresh."""
        kept = self._datasets.kept(query)
        return kept.read_at if kept is not MISSING and kept.refresh_at <= now else None

    async def _make(self, question: Question, newer_than: _Moments, *, is_refresh: bool = False) -> _Made:
        """Get one dataset after another, and render them once."""
        if question.coding:
            return await self._pack(question, newer_than, is_refresh=is_refresh)
        began = self._clock()
        got: list[Got] = []
        for query, moment in zip(question.queries, newer_than, strict=True):
            stale_ok = not is_refresh and moment is None
            urgency: Literal["refresh", "now"] = "refresh" if is_refresh else "now"
            got.append(await self._datasets.get(query, newer_than=moment, stale_ok=stale_ok, urgency=urgency))
            self._check_size(question, [each.entry.value for each in got])
        entries = [each.entry for each in got]
        datasets = [entry.value for entry in entries]
        rendering = partial(render, question, datasets, self._spec, limit_bytes=self._answer_bytes)
        rendered = await asyncio.get_running_loop().run_in_executor(self._workers, rendering)
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
        is_purged = self._datasets.is_purged(made.tags, since=began)
        is_outdated = is_purged or any(map(self._datasets.has_newer, question.queries, entries))
        is_kept = not is_outdated and self._store.put(str(question), made)
        how = next(how for how in _HOWS if any(each.how == how for each in got))
        stages = {"decode": rendered.decode_s, "render": rendered.render_s}
        return _Made(made, how, is_kept, _summed([each.stages for each in got]) | stages, is_outdated)

    def _check_size(self, question: Question, datasets: Sequence[Dataset]) -> None:
        """Raise DatasetTooLarge when the raw records wanted of *datasets*, wherever they came from, pass the limit."""
        records, limit_bytes = question.selection.records, self._dataset_bytes
        total = sum(len(dataset.body) for dataset in datasets)
        if total > limit_bytes and records:  # memory may have more record types than are wanted
            total = sum(dataset.scan.bytes_of(records) for dataset in datasets)
        if total > limit_bytes:
            raise DatasetTooLarge(" and ".join(map(str, question.queries)), limit_bytes=limit_bytes)

    async def _pack(self, question: Question, newer_than: _Moments, *, is_refresh: bool) -> _Made:
        """Pack the answer as it is without a coding, which is made once for all codings."""
        began = self._clock()
        plain = replace(question, coding="")
        key, oldest = str(plain), max((moment for moment in newer_than if moment is not None), default=None)
        entry = self._store.get(key)
        if entry is not MISSING and (oldest is None or entry.read_at > oldest):
            made = _Made(entry, "memory", True, {})
        else:
            make = partial(self._make, plain, newer_than, is_refresh=is_refresh)
            made, _ = await self._flights.join(_flight_of(key, is_new=oldest is not None), make)
        packed_at = time.perf_counter()
        packed = await self._packer.pack(made.entry, question.coding, takes_plain=question.takes_plain)
        stages = {"compress": time.perf_counter() - packed_at}
        is_outdated = (
            made.is_outdated
            or (made.is_kept and self._store.last(key) is not made.entry)
            or self._datasets.is_purged(packed.tags, since=began)
        )
        is_kept = not is_outdated and self._store.put(str(question), packed)
        return _Made(packed, made.how, is_kept, {**made.stages, **stages}, is_outdated)


def outcome_of_kept(entry: Entry[Answer], *, now: float) -> Literal["hit", "stale", "fallback"]:
    """Return how an answer from memory came about: fresh, or by the window in which it is."""
    if now < entry.fresh_until:
        return "hit"
    return "stale" if now < entry.stale_until else "fallback"


def _flight_of(key: str, *, is_new: bool) -> str:
    return f"new:{key}" if is_new else key


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
