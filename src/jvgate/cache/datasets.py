"""Raw datasets from wherever they are nearest: memory, Redis, the source; stale where that is better than none.

Theory of operation.  Whoever wants a dataset says how old it may be at most (`newer_than`) and whether a stale one
will do.  What memory has fresh is given at once.  What it has stale, within its window, is given at once too, and a
refresh begins that nobody waits for.  Else one flight for all who ask brings it: from Redis, or from the source by one
read.  When the source fails in a way that may pass, those who wait get the last dataset there was, if it may still be
used for that, and for a while nobody asks the source again.

Nothing is kept that was purged while it was on its way: each flight remembers when it began (`purging.py`).
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from math import inf, log
from typing import Literal, Protocol

from jvgate.cache.flights import Flights
from jvgate.cache.memory import Memory
from jvgate.cache.purging import Matches, Purges
from jvgate.cache.refreshing import Refreshes, is_passing
from jvgate.errors import ReadCancelled, SourceError
from jvgate.values import MISSING, Dataset, Entry, Missing, Query

__all__ = ["ENTRY_OVERHEAD_BYTES", "Datasets", "Got", "How", "Judged", "Reader", "Urgency"]

How = Literal["memory", "shared", "stale", "read", "fallback"]
"""Where it came from: memory, Redis, memory though stale, the source; the last there was, since the source fails."""

Urgency = Literal["now", "refresh", "prefetch"]

TRIES = 3
_LARGE_BYTES = 1 << 18
_STALE: tuple[How, ...] = ("stale", "fallback")
# An entry weighs a little more than its bytes: the objects around them.
ENTRY_OVERHEAD_BYTES = 1024


@dataclass(frozen=True, slots=True)
class Judged:
    """What a dataset's content says.  tags: what it is about.

    For how many seconds it may be used: after its read as it is (fresh), after that while it is being refreshed
    (stale), or while the source fails (error).
    """

    fresh_s: float
    stale_s: float
    error_s: float
    tags: frozenset[str]


class Reader(Protocol):
    """The source, as it is read."""

    async def read(self, query: Query, urgency: Urgency) -> Dataset:
        """Read the whole dataset.  Raises SourceError."""

    def hasten(self, query: Query) -> None:
        """Treat what is being read for later as wanted now."""

    def is_nearly_read(self, query: Query) -> bool:
        """Whether so much has been read that it is better to read the rest, even when nobody waits any more."""


@dataclass(frozen=True, slots=True)
class Got:
    """A dataset and how it came.  joined: with others who had asked before.  stages: seconds, as in `Server-Timing`.

    error: what the source failed with, where this is a fallback.
    """

    entry: Entry[Dataset]
    how: How
    stages: Mapping[str, float]
    joined: bool = False
    error: SourceError | None = None


class Datasets:
    """Gives datasets.  One event loop's.

    memory: shared with whatever else is kept there.  judge: says of a dataset just read how long it may be used, and
    what it is about; it may be called in another thread.
    most_waiters: for one flight.
    """

    def __init__(
        self,
        memory: Memory[object],
        reader: Reader,
        *,
        judge: Callable[[Dataset], Judged],
        most_waiters: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.refreshes = Refreshes(clock=clock)
        self._memory = memory
        self._reader = reader
        self._judge = judge
        self._clock = clock
        self._flights: Flights[Got] = Flights(most=most_waiters)
        self._purges = Purges(clock=clock)

    async def get(
        self, query: Query, *, newer_than: float = -inf, stale_ok: bool = True, urgency: Urgency = "now"
    ) -> Got:
        """Return the dataset of *query*.

        newer_than: monotonic seconds; one read earlier will not do.  stale_ok: whether a stale one will.
        Raises what reading raises (SourceError), and SourceBusy when too many wait for it.
        """
        kept = self.kept(query)
        if kept is not MISSING and kept.read_at > newer_than:
            now = self._clock()
            if now < kept.fresh_until:
                return Got(kept, "memory", {})
            if stale_ok and now < kept.stale_until:
                self.refresh(query, newer_than=kept.read_at)
                return Got(kept, "stale", {})
            if stale_ok and now < kept.error_until and self.is_failing(query):
                return Got(kept, "fallback", {})
        got = await self._fly(query, newer_than, urgency)
        if got.error is not None and got.entry.read_at <= newer_than:
            raise got.error
        return got

    def kept(self, query: Query) -> Entry[Dataset] | Missing:
        """Return what memory has for *query*, fresh or stale: its own dataset, or a wider one that holds all of it."""
        found = [entry for known in (query, replace(query, records=())) if (entry := self._last(known)) is not MISSING]
        return max(found, key=lambda entry: entry.fresh_until, default=MISSING)

    def refresh(self, query: Query, *, newer_than: float) -> None:
        """Have it read anew, unless that is under way or failed a moment ago; nobody waits for it."""
        again = partial(self.get, query, newer_than=newer_than, stale_ok=False, urgency="refresh")
        self.refreshes.begin(str(query), again)

    def purge(self, matches: Matches) -> int:
        """Drop what *matches* from memory, and keep none of it that is on its way; return how much was dropped."""
        self._purges.note(matches)
        self._flights.let_go()  # what they began to read before is not for those who ask from now on
        return self._memory.purge(matches)

    def is_purged(self, tags: frozenset[str], *, since: float) -> bool:
        """Whether what began at *since* and has *tags* must not be kept."""
        return self._purges.hit(tags, since=since)

    def is_failing(self, query: Query) -> bool:
        """Whether the source failed for *query* a moment ago, and is not to be asked again yet."""
        return self.refreshes.is_failing(str(query))

    async def close(self) -> None:
        """End what is under way."""
        await self.refreshes.close()
        await self._flights.close()

    async def _fly(self, query: Query, newer_than: float, urgency: Urgency) -> Got:
        """Join the flight for *query*, or begin it; once more where it began too early for *newer_than*."""
        text = str(query)
        bring = partial(self._bring, query, newer_than, urgency)
        is_worth = partial(self._reader.is_nearly_read, query)
        for is_last in (False,) * (TRIES - 1) + (True,):
            joins = text in self._flights
            if joins and urgency == "now":
                self._reader.hasten(query)
            try:
                got, joined = await self._flights.join(text, bring, is_worth=is_worth)
            except ReadCancelled:  # of a prefetch, given up in the moment before somebody wanted it
                if is_last or not joins or urgency == "prefetch":
                    raise
                continue
            if is_last or not joined or got.how in _STALE or got.entry.read_at > newer_than:
                return replace(got, joined=joined)
        raise AssertionError("the last try returns or raises")

    async def _bring(self, query: Query, newer_than: float, urgency: Urgency) -> Got:
        """Read for all who wait, and for the next one who asks."""
        began = self._clock()
        try:
            dataset = await self._reader.read(query, urgency)
        except SourceError as exc:
            self.refreshes.note(str(query), exc)
            last = self.kept(query)
            if last is not MISSING and last.error_until > self._clock() and is_passing(exc):
                return Got(last, "fallback", {}, error=exc)
            raise
        self.refreshes.note(str(query), None)
        entry = await self._judged(dataset, cost_s=self._clock() - began)
        if not self.is_purged(entry.tags, since=began):
            self._memory.put(_key(query), entry)
        stages = {"wait": dataset.wait_s, "open": dataset.open_s, "read": dataset.read_s}
        return Got(entry, "read", stages)

    async def _judged(self, dataset: Dataset, *, cost_s: float) -> Entry[Dataset]:
        """Return what was read just now as it is kept.  cost_s: what reading it took."""
        read_at = self._clock()
        is_large = len(dataset.body) > _LARGE_BYTES  # too long a look for the event loop
        judged = await asyncio.to_thread(self._judge, dataset) if is_large else self._judge(dataset)
        fresh_until = read_at + judged.fresh_s
        return Entry(
            dataset,
            read_at=read_at,
            fresh_until=fresh_until,
            weight=len(dataset.body) + ENTRY_OVERHEAD_BYTES,
            stale_until=fresh_until + judged.stale_s,
            error_until=fresh_until + judged.error_s,
            refresh_at=early(fresh_until, cost_s=cost_s, lifetime_s=judged.fresh_s),
            tags=judged.tags,
        )

    def _last(self, query: Query) -> Entry[Dataset] | Missing:
        entry = self._memory.last(_key(query))
        return MISSING if entry is MISSING else entry  # type: ignore[return-value]  # under such a key stands no other


def _key(query: Query) -> str:
    return f"raw:{query}"


def early(fresh_until: float, *, cost_s: float, lifetime_s: float, dice: Callable[[], float] = random.random) -> float:
    """Return from when on a hit has a refresh begin, so that what is asked for often is never seen to get old.

    cost_s: what a read takes.  The lead over its end is random, in proportion to that, so that several servers do not
    come at once, and a tenth of the lifetime at most.  Source: Vattani, Chierichetti, Lowenstein, Optimal Probabilistic
    Cache Stampede Prevention (VLDB 2015), with one throw for each entry instead of one for each hit.
    """
    return fresh_until - min(cost_s * (1 - log(1 - dice())), lifetime_s / 10)
