"""The second tier where there is none: nothing is found, nothing is kept, and everybody reads for himself."""

from __future__ import annotations

from collections import Counter
from math import inf
from typing import Self

from jvgate.cache.shared import Inspection, Lease, Miss, Packed, Purged, TierState
from jvgate.values import Query

__all__ = ["NoTier"]


class NoTier:
    """A `SharedTier` without Redis.  Its misses are not counted: nothing was asked."""

    ahead_s = 0.0
    state = TierState("off")

    def __init__(self) -> None:
        self.counts: Counter[tuple[str, str]] = Counter()
        self.looks: Counter[tuple[str, str]] = Counter()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        """Do nothing."""

    async def get(self, query: Query) -> Packed | Miss:
        """Return a miss."""
        return Miss("off")

    def put(self, packed: Packed) -> None:
        """Do nothing."""

    async def lease(self, query: Query) -> Lease | None:
        """Return a lease that nobody else knows of."""
        return Lease()

    async def wait(self, query: Query, *, limit_s: float, newer_than: float = -inf) -> Packed | Miss:
        """Return a miss: nobody else reads."""
        return Miss("off")

    async def purge(self, *tags: str) -> Purged:
        """Return that nothing was there."""
        return Purged()

    def fence(self, *tags: str, stamp: int = 0) -> int:
        """Return no stamp: there is nothing to take."""
        return 0

    async def inspect(self, *, limit: int = 1000) -> Inspection:
        """Return that nothing is there."""
        return Inspection()
