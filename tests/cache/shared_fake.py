"""A second tier without Redis, for tests of what stands on one: several tiers on one board are several processes."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from math import inf

from jvgate.cache.fences import Fences
from jvgate.cache.keys import query_text
from jvgate.cache.shared import ALL, HOLD_S, Inspection, KeptKey, Lease, Miss, Packed, Purged, TierState
from jvgate.values import Query

__all__ = ["Board", "BoardTier"]


@dataclass
class Board:
    """What tiers share."""

    entries: dict[str, Packed] = field(default_factory=dict)
    leases: set[str] = field(default_factory=set)
    tiers: list[BoardTier] = field(default_factory=list)
    fences: Fences = field(default_factory=Fences)
    news: asyncio.Condition = field(default_factory=asyncio.Condition)


class BoardTier:
    """A `SharedTier` in memory.  Puts land at once; leases do not expire."""

    state = TierState("closed", is_listening=True)

    def __init__(
        self,
        board: Board,
        *,
        on_purge: Callable[[tuple[str, ...]], None] = lambda tags: None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.counts: Counter[tuple[str, str]] = Counter()
        self._board = board
        self._on_purge = on_purge
        self._clock = clock
        self._tasks: set[asyncio.Task[None]] = set()
        board.tiers.append(self)

    @property
    def stamp(self) -> int:
        return self._board.fences.newest

    async def get(self, query: Query) -> Packed | Miss:
        found = self._look(query_text(query))
        self.counts["get", "hit" if isinstance(found, Packed) else found.reason] += 1
        return found

    def put(self, packed: Packed) -> None:
        if self._board.fences.rejects(packed) or packed.stale_until <= self._clock():
            self.counts["put", "dropped"] += 1
            return
        self.counts["put", "stored"] += 1
        self._board.entries[query_text(packed.dataset.query)] = packed
        self._tell()

    async def lease(self, query: Query, *, hold_s: float = HOLD_S) -> Lease | None:
        text = query_text(query)
        if text in self._board.leases:
            return None
        self._board.leases.add(text)
        return Lease(self.stamp, is_shared=True, on_release=lambda: self._release(text))

    async def wait(self, query: Query, *, limit_s: float, newer_than: float = -inf) -> Packed | Miss:
        text = query_text(query)
        try:
            async with asyncio.timeout(limit_s), self._board.news:
                await self._board.news.wait_for(
                    lambda: _is_newer(self._look(text), newer_than) or text not in self._board.leases
                )
        except TimeoutError:
            return Miss("late")
        found = self._look(text)
        return found if _is_newer(found, newer_than) else Miss("free")

    async def purge(self, *tags: str) -> Purged:
        board = self._board
        board.fences.raise_fences(tags, board.fences.newest + 1)
        gone = [text for text, packed in board.entries.items() if {ALL, *packed.tags} & set(tags)]
        for text in gone:
            del board.entries[text]
        for tier in board.tiers:
            if tier is not self:
                tier._on_purge(tags)
        return Purged(len(gone))

    async def inspect(self, *, limit: int = 1000) -> Inspection:
        entries = sorted(self._board.entries.items(), key=lambda kept: -kept[1].stale_until)
        keys = [KeptKey(text, len(kept.dataset.body), kept.stale_until - self._clock()) for text, kept in entries]
        return Inspection(len(entries), tuple(keys[:limit]))

    def _look(self, text: str) -> Packed | Miss:
        packed = self._board.entries.get(text)
        return packed if packed and packed.stale_until > self._clock() else Miss("absent")

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


def _is_newer(found: Packed | Miss, newer_than: float) -> bool:
    return isinstance(found, Packed) and found.dataset.read_at > newer_than
