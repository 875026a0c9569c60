"""A second tier without Redis, for tests of what stands on one: several tiers on one board are several processes."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from math import inf

from jvgate.cache.redis.fences import Fences
from jvgate.cache.redis.keys import query_text
from jvgate.cache.shared import ALL, Inspection, KeptKey, Lease, Miss, Packed, SharedPurge, TierState
from jvgate.values import Query

__all__ = ["Board", "BoardTier"]


@dataclass
class Board:
    """What tiers share.  fences: every purge that was made; a tier knows those that it heard of."""

    entries: dict[str, Packed] = field(default_factory=dict)
    leases: set[str] = field(default_factory=set)
    tiers: list[BoardTier] = field(default_factory=list)
    fences: Fences = field(default_factory=Fences)
    news: asyncio.Condition = field(default_factory=asyncio.Condition)


class BoardTier:
    """A `SharedTier` in memory.  Puts land at once; leases do not expire.

    is_deaf: it hears of the purges of others when it is told to `hear`, or of none at all.
    gate: while it is shut, replies to `get` and `lease` are under way.
    clock: of the board, which is ahead of this process's memory's by ahead_s.
    """

    state = TierState("closed", is_listening=True)

    def __init__(
        self,
        board: Board,
        *,
        on_purge: Callable[[tuple[str, ...]], None] = lambda tags: None,
        clock: Callable[[], float] = time.time,
        ahead_s: float = 0.0,
    ) -> None:
        self.ahead_s = ahead_s
        self.counts: Counter[tuple[str, str]] = Counter()
        self.looks: Counter[tuple[str, str]] = Counter()
        self._board = board
        self._on_purge = on_purge
        self._clock = clock
        self._tasks: set[asyncio.Task[None]] = set()
        self._fences = Fences()
        self._unheard: list[tuple[tuple[str, ...], int]] = []
        self.is_deaf = False
        self.gate = asyncio.Event()
        self.gate.set()
        board.tiers.append(self)

    async def get(self, query: Query) -> Packed | Miss:
        packed = self._board.entries.get(query_text(query))
        await self.gate.wait()
        found = self._judged(packed)
        how = "hit" if isinstance(found, Packed) else found.reason
        self.counts["get", how] += 1
        self.looks[query.dataspec, how] += 1
        return found

    def put(self, packed: Packed) -> None:
        if self._board.fences.rejects(packed) or packed.stale_until <= self._clock():
            self.counts["put", "dropped"] += 1
            return
        self.counts["put", "stored"] += 1
        self._board.entries[query_text(packed.dataset.query)] = packed
        self._tell()

    async def lease(self, query: Query) -> Lease | None:
        text = query_text(query)
        if text in self._board.leases:
            return None
        self._board.leases.add(text)
        lease = Lease(self._fences.newest, is_shared=True, on_release=lambda: self._release(text))
        try:
            await self.gate.wait()
        except asyncio.CancelledError:
            lease.release()
            raise
        return lease

    async def wait(self, query: Query, *, limit_s: float, newer_than: float = -inf) -> Packed | Miss:
        text = query_text(query)

        def landed() -> Packed | None:
            found = self._judged(self._board.entries.get(text))
            return found if isinstance(found, Packed) and found.dataset.read_at > newer_than else None

        try:
            async with asyncio.timeout(limit_s), self._board.news:
                await self._board.news.wait_for(lambda: landed() or text not in self._board.leases)
        except TimeoutError:
            return Miss("late")
        return landed() or Miss("free")

    async def purge(self, *tags: str) -> SharedPurge:
        board = self._board
        stamp = max(board.fences.newest, self._fences.newest) + 1
        board.fences.raise_fences(tags, stamp)
        self._fences.raise_fences(tags, stamp)
        gone = [text for text, packed in board.entries.items() if {ALL, *packed.tags} & set(tags)]
        for text in gone:
            del board.entries[text]
        for tier in board.tiers:
            if tier is not self:
                tier._unheard.append((tags, stamp))
                if not tier.is_deaf:
                    tier.hear()
        return SharedPurge(len(gone))

    def fence(self, *tags: str, stamp: int = 0) -> int:
        stamp = stamp or self._fences.newest + 1
        self._fences.raise_fences(tags, stamp)
        return stamp

    def hear(self) -> None:
        """Learn of the purges of others."""
        unheard, self._unheard = self._unheard, []
        for tags, stamp in unheard:
            self._fences.raise_fences(tags, stamp)
            self._on_purge(tags)

    async def inspect(self, *, limit: int = 1000) -> Inspection:
        entries = sorted(self._board.entries.items(), key=lambda kept: -kept[1].stale_until)
        now = self._clock()
        keys = [
            KeptKey(text, len(kept.dataset.body), kept.stale_until - now, now - kept.dataset.read_at)
            for text, kept in entries
        ]
        return Inspection(len(entries), tuple(keys[:limit]), sum(key.bytes for key in keys))

    def _judged(self, packed: Packed | None) -> Packed | Miss:
        if packed is None or packed.stale_until <= self._clock():
            return Miss("absent")
        return Miss("purged") if self._fences.rejects(packed) else packed

    def _release(self, text: str) -> None:
        self._board.leases.discard(text)
        self._tell()

    def _tell(self) -> None:
        async def tell() -> None:
            async with self._board.news:
                self._board.news.notify_all()

        task = asyncio.create_task(tell())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
