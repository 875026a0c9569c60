"""Raw datasets from wherever they are nearest: memory, Redis, the source; stale where that is better than none.

Theory of operation.  Whoever wants a dataset says how old it may be at most (`newer_than`) and whether a stale one
will do.  What memory has fresh is given at once.  What it has stale, within its window, is given at once too, and a
refresh begins that nobody waits for.  Else one flight for all who ask brings it: from Redis, or from the source by one
read, and by one alone of all processes that share the Redis: who has the lease reads, the others wait for what lands.
Whoever reads for nobody gives the lease back when no session is free for it soon: others may have one that is.
When the source fails in a way that may pass, those who wait get the last dataset there was, if it may still be used
for that.  From then on who asks gets it at once, until a read succeeds: the source may hang before it fails, so it is
asked again by a refresh only, and after a rest that gets longer each time.

Nothing is kept that was purged while it was on its way: each flight remembers when it began (`purging.py`), and so does
what goes to Redis (`Lease.stamp`).  Moments in here are those of memory's clock (`clock.py`); in Redis they are its own
clock's, since those of several machines differ.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from math import inf
from typing import Literal, Protocol, get_args
from weakref import WeakValueDictionary

from jvgate.cache.entries import Judged, entry_of, packed_of, unpacked
from jvgate.cache.flights import Flights
from jvgate.cache.memory import Memory, Store
from jvgate.cache.purging import Matches, Purges
from jvgate.cache.refreshing import Refreshes
from jvgate.cache.shared import Lease, Miss, Packed, SharedTier
from jvgate.errors import ReadCancelled, SourceError
from jvgate.listeners import Listener, Listeners
from jvgate.values import MISSING, Dataset, Entry, Landed, Missing, Query

__all__ = ["DatasetReader", "Datasets", "Got", "How", "Judges", "Urgency", "made_of"]

How = Literal["memory", "shared", "stale", "read", "fallback"]
"""Where it came from: memory, Redis, memory though stale, the source; the last there was, since the source fails."""

Urgency = Literal["now", "refresh", "prefetch"]

# How long to wait for what another process reads, before one looks anew who does.
LANDING_S = 60.0
# How long who reads for nobody keeps others from reading while no session is free for it.
PATIENCE_S = 1.0
# Moments that went through Redis's clock and back differ by less when they are the same; reads end further apart.
_SAME_S = 0.001
_STALE: tuple[How, ...] = ("stale", "fallback")


class DatasetReader(Protocol):
    """The source, as it is read."""

    async def read(self, query: Query, urgency: Urgency) -> Dataset:
        """Read the whole dataset.  Raises SourceError."""

    def hasten(self, query: Query) -> None:
        """Treat what is being read for later as wanted now."""

    def is_being_read(self, query: Query) -> bool:
        """Whether a session is at it, so that it does not wait for one any more."""

    def is_nearly_read(self, query: Query) -> bool:
        """Whether so much has been read that it is better to read the rest, even when nobody waits any more."""


class Judges(Protocol):
    """Says of datasets what their life in the cache is; from any thread."""

    def judge(self, dataset: Dataset, before: Dataset | None) -> Judged:
        """Return what the content of *dataset*, read just now, says, in wall seconds.

        before: what the same query gave last.
        """

    def after(self, query: Query) -> tuple[float, float]:
        """Return for how many wall seconds what is not fresh any more may be used: stale, and when the source fails."""

    def is_passing(self, error: SourceError) -> bool:
        """Return whether waiting may help against *error*, so that a stale answer is better than none meanwhile."""


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


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What will do for who asks: see `Datasets.get`."""

    newer_than: float | None
    stale_ok: bool
    urgency: Urgency

    def allows(self, got: Got) -> bool:
        """Whether *got* will do."""
        return self.is_new_enough(got.entry) and (self.stale_ok or got.how not in _STALE)

    def is_new_enough(self, entry: Entry[Dataset]) -> bool:
        """Whether *entry* was read late enough."""
        return self.newer_than is None or _is_later(entry.read_at, self.newer_than)


@dataclass(slots=True, eq=False, weakref_slot=True)
class _Haste:
    """How urgent a flight is: as the most urgent one has it who waits for it."""

    urgency: Urgency

    def join(self, urgency: Urgency) -> None:
        """Take note of one more who waits."""
        self.urgency = min(self.urgency, urgency, key=get_args(Urgency).index)


class Datasets:
    """Gives datasets.  One event loop's.

    memory: shared with whatever else is kept there; its clock is the one of all moments in here.  shared: the tier
    behind it.  most_waiters: for one flight.  monotonic: seconds, for the pauses after failures.
    landed: told of every dataset that was read from the source, or that Redis has newer than memory; called in the
    event loop.  failed: told each time the source fails in a way that may pass, whoever asked.
    """

    def __init__(
        self,
        memory: Memory,
        reader: DatasetReader,
        *,
        judge: Judges,
        shared: SharedTier,
        most_waiters: int,
        monotonic: Callable[[], float] = time.monotonic,
        landed: Sequence[Listener[Landed]] = (),
        failed: Sequence[Listener[SourceError]] = (),
    ) -> None:
        self.refreshes = Refreshes(judge.is_passing, clock=monotonic)
        self.landed = Listeners[Landed]("a dataset landed", *landed)
        self.failed = Listeners[SourceError]("the source failed", *failed)
        self._memory = memory
        self._store: Store[Dataset] = Store(memory)
        self._reader = reader
        self._judge = judge
        self._shared = shared
        self._clock = memory.clock
        self._flights: Flights[Got] = Flights(most=most_waiters)
        self._hastes: WeakValueDictionary[str, _Haste] = WeakValueDictionary()  # held by the flights
        self._looks: dict[str, asyncio.Future[Got | None]] = {}
        self._purges = Purges(clock=memory.clock)

    async def get(
        self, query: Query, *, newer_than: float | None = None, stale_ok: bool = True, urgency: Urgency = "now"
    ) -> Got:
        """Return the dataset of *query*.

        newer_than: by memory's clock; one read earlier will not do, None for any.  stale_ok: whether a stale one will.
        Raises what reading raises (SourceError), and SourceBusy when too many wait for it.
        """
        wanted = _Wanted(newer_than, stale_ok, urgency)
        while (got := self._in_memory(query, wanted) or await self._in_redis(query, wanted)) is None:
            # Looked at once more, since what another flight brought has landed there meanwhile.
            if (got := self._in_memory(query, wanted) or await self._fly(query, wanted)) is not None:
                break
        if got.error is not None and not wanted.allows(got):
            raise got.error
        return got

    def kept(self, query: Query) -> Entry[Dataset] | Missing:
        """Return what memory has for *query*, fresh or stale: its own dataset, or a wider one that holds all of it."""
        own = self._last(query)
        wide = self._last(replace(query, records=())) if query.records else MISSING
        if own is MISSING or wide is MISSING:
            return own if wide is MISSING else wide
        return max(own, wide, key=lambda entry: entry.fresh_until)

    def refresh(self, query: Query, *, newer_than: float) -> None:
        """Have it read anew, unless that is under way or failed a moment ago; nobody waits for it."""
        again = partial(self.get, query, newer_than=newer_than, stale_ok=False, urgency="refresh")
        self.refreshes.begin(str(query), again)

    def purge(self, matches: Matches) -> int:
        """Drop what *matches* from memory, and keep none of it that is on its way; return how much was dropped."""
        self._purges.note(matches)
        self._flights.let_go()  # what they began to read before is not for those who ask from now on
        self._looks.clear()
        return self._memory.purge(matches)

    def is_purged(self, tags: frozenset[str], *, since: float) -> bool:
        """Whether what began at *since* and has *tags* must not be kept."""
        return self._purges.hit(tags, since=since)

    def is_fresh(self, text: str) -> bool:
        """Whether memory has the dataset of the query whose text is *text*, and fresh; nothing is used by that."""
        return self._store.is_fresh(text)

    def has_newer(self, query: Query, entry: Entry[Dataset]) -> bool:
        """Whether memory has a dataset of *query* that was read after *entry*."""
        kept = self.kept(query)
        return kept is not MISSING and _is_later(kept.read_at, entry.read_at)

    def is_failing(self, query: Query) -> bool:
        """Whether the source failed for *query* a moment ago, and is not to be asked again yet."""
        return self.refreshes.is_failing(str(query))

    def has_failed(self, query: Query) -> bool:
        """Whether the last read of *query* failed, so that nobody should have to wait for the next one."""
        return self.refreshes.has_failed(str(query))

    async def close(self) -> None:
        """End what is under way."""
        await self.refreshes.close()
        await self._flights.close()

    def _in_memory(self, query: Query, wanted: _Wanted) -> Got | None:
        """Return what memory has, where that will do; what is stale of it is refreshed."""
        kept = self.kept(query)
        if kept is MISSING or not wanted.is_new_enough(kept):
            return None
        now = self._clock()
        if now < kept.fresh_until:
            return Got(kept, "memory", {})
        if wanted.stale_ok and now < kept.stale_until:
            self.refresh(query, newer_than=kept.read_at)
            return Got(kept, "stale", {})
        if wanted.stale_ok and now < kept.error_until and self.has_failed(query):
            self.refresh(query, newer_than=kept.read_at)
            return Got(kept, "fallback", {})
        return None

    async def _in_redis(self, query: Query, wanted: _Wanted) -> Got | None:
        """Return what Redis has, where that will do, and nobody brings something better; many who ask look once.

        No flight: a look is not worth a task of its own, and who leaves while he looks keeps nobody else from it.
        """
        text = str(query)
        if text in self._flights:
            return None
        if (looking := self._looks.get(text)) is not None:
            found = await asyncio.shield(looking)
            return self._usable(query, found and replace(found, joined=True), wanted)
        mine = self._looks[text] = asyncio.get_running_loop().create_future()
        try:
            found = await self._find(query, self._shared.get(query), since=self._clock())
            mine.set_result(found)
        finally:
            if self._looks.get(text) is mine:
                del self._looks[text]
            if not mine.done():
                mine.set_result(None)
        return self._usable(query, found, wanted)

    async def _fly(self, query: Query, wanted: _Wanted) -> Got | None:
        """Join the flight for *query*, or begin it; None when one that others began brought too little."""
        if query.is_realtime and query.records and str(wide := replace(query, records=())) in self._flights:
            query = wide  # what all of it takes is what a part of it takes
        text = str(query)
        joins = text in self._flights
        haste = self._hastes.get(text) if joins else None
        if haste is not None:
            self._hasten(query, haste, wanted.urgency)
        else:  # it begins, or has just ended
            haste = self._hastes[text] = _Haste(wanted.urgency)
        bring = partial(self._bring, query, wanted, haste)
        is_worth = partial(self._reader.is_nearly_read, query)
        try:
            got, joined = await self._flights.join(text, bring, is_worth=is_worth)
        except ReadCancelled:  # of a prefetch, given up in the moment before somebody wanted it
            if not joins or wanted.urgency == "prefetch":
                raise
            return None
        return replace(got, joined=joined) if not joined or wanted.allows(got) or got.error is not None else None

    def _hasten(self, query: Query, haste: _Haste, urgency: Urgency) -> None:
        """Have a flight be as urgent as one who joins it; its read may have begun, or be still to come."""
        haste.join(urgency)
        if urgency == "now":
            self._reader.hasten(query)

    async def _bring(self, query: Query, wanted: _Wanted, haste: _Haste) -> Got:
        """Bring it for all who wait, and for the next one who asks: by one read, or from Redis as another's lands."""
        began, found = self._clock(), None
        while (lease := await self._shared.lease(query)) is None:  # somebody else reads it
            found = await self._find(query, self._landing(query, found, wanted), since=began)
            if (got := self._usable(query, found, wanted)) is not None:
                return got
        return await self._bring_alone(query, wanted, haste, lease, since=began)

    async def _bring_alone(self, query: Query, wanted: _Wanted, haste: _Haste, lease: Lease, *, since: float) -> Got:
        """Bring it under *lease*.  since: when the flight began."""
        with lease:
            if lease.is_shared:  # it may have landed between the look and the lease
                found = await self._find(query, self._shared.get(query), since=since)
                if (got := self._usable(query, found, wanted)) is not None:
                    return got
            giving_way = asyncio.get_running_loop().call_later(PATIENCE_S, self._give_way, query, haste, lease)
            try:
                return await self._read(query, haste.urgency, stamp=lease.stamp)
            finally:
                giving_way.cancel()

    def _give_way(self, query: Query, haste: _Haste, lease: Lease) -> None:
        """Let others read what still waits for a session here, and nobody for it."""
        if haste.urgency != "now" and not self._reader.is_being_read(query):
            lease.release()

    def _landing(self, query: Query, found: Got | None, wanted: _Wanted) -> Awaitable[Packed | Miss]:
        """Wait for what somebody else reads.  found: what lies there by now and will not do."""
        known = [] if wanted.newer_than is None else [wanted.newer_than + self._shared.ahead_s]
        if found is not None:
            known.append(found.entry.value.read_at)
        return self._shared.wait(query, limit_s=LANDING_S, newer_than=max(known, default=-inf))

    async def _find(self, query: Query, looking: Awaitable[Packed | Miss], *, since: float) -> Got | None:
        """Return what Redis has; memory keeps it.  since: when the flight began."""
        began = self._clock()
        packed = await looking
        if isinstance(packed, Miss):
            return None
        entry = unpacked(packed, now=self._clock(), ahead_s=self._shared.ahead_s, after=self._judge.after(query))
        last = self._last(query)
        if not self.is_purged(entry.tags, since=since):
            self._keep(query, entry)
        if last is MISSING or _is_later(entry.read_at, last.read_at):
            self.landed.tell(Landed(query, entry.value, _value(last), is_read=False))
        now = self._clock()
        return Got(entry, "shared" if now < entry.fresh_until else "stale", {"l2": now - began})

    def _usable(self, query: Query, found: Got | None, wanted: _Wanted) -> Got | None:
        """Return *found* where it will do; what is stale of it is refreshed."""
        if found is None or not wanted.allows(found):
            return None
        if found.how == "stale":
            if found.entry.stale_until <= self._clock():
                return None
            self.refresh(query, newer_than=found.entry.read_at)
        return found

    async def _read(self, query: Query, urgency: Urgency, *, stamp: int) -> Got:
        """Read it from the source.  Where that fails for a while, return the last there was."""
        began = self._clock()
        try:
            dataset = await self._reader.read(query, urgency)
        except SourceError as exc:
            self.refreshes.note(str(query), exc)
            if self._judge.is_passing(exc) and not isinstance(exc, ReadCancelled):
                self.failed.tell(exc)
            last = self.kept(query)
            if last is not MISSING and last.error_until > self._clock() and self._judge.is_passing(exc):
                return Got(last, "fallback", {}, error=exc)
            raise
        self.refreshes.note(str(query), None)
        before = _value(self._last(dataset.query))
        entry = await self._judged(dataset, before, cost_s=self._clock() - began)
        if not self.is_purged(entry.tags, since=began):
            self._keep(query, entry)
            self._shared.put(packed_of(entry, stamp=stamp, ahead_s=self._shared.ahead_s))
        self.landed.tell(Landed(query, dataset, before, is_read=True))
        stages = {"wait": dataset.wait_s, "open": dataset.open_s, "read": dataset.read_s}
        return Got(entry, "read", stages)

    async def _judged(self, dataset: Dataset, before: Dataset | None, *, cost_s: float) -> Entry[Dataset]:
        """Return what was read just now as it is kept.  before: the last one.  cost_s: what reading it took."""
        read_at = self._clock()
        judged = await asyncio.to_thread(self._judge.judge, dataset, before)
        return entry_of(dataset, judged, read_at=read_at, cost_s=cost_s)

    def _keep(self, query: Query, entry: Entry[Dataset]) -> None:
        """Keep *entry* in memory, unless something newer is there."""
        last = self._last(query)
        if last is not MISSING and _is_later(last.read_at, entry.read_at):
            return
        if last is not MISSING and _is_later(entry.read_at, last.read_at):
            self._memory.purge(frozenset({made_of(query)}).issubset)
        self._store.put(str(query), entry)

    def _last(self, query: Query) -> Entry[Dataset] | Missing:
        return self._store.last(str(query))


def made_of(query: Query) -> str:
    """Return the tag of what is made of a dataset of *query*, and goes when there is a newer one."""
    return f"made-of={query}"


def _value(entry: Entry[Dataset] | Missing) -> Dataset | None:
    return None if entry is MISSING else entry.value


def _is_later(moment: float, other: float) -> bool:
    return moment > other + _SAME_S
