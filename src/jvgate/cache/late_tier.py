"""A shared tier for a source whose identity becomes known only later, and may change: an agent's.

Theory of operation.  Without an identity nothing is looked up or written: a guessed one would show foreign data.  Once
it is known, the tier of that identity is opened, and from then on used.  When it changes, the old tier is closed first
and the new one is opened then; whoever owns memory drops it (`Gateway.forget`), so that nothing that began before the
change is written to the new tier.  A purge that comes while there is no tier is done when there is one.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from contextlib import AsyncExitStack
from math import inf
from typing import Protocol, Self

import structlog

from jvgate.cache.shared import Inspection, Lease, Miss, NoTier, ObservedTier, Packed, SharedPurge, TierState
from jvgate.values import Query

__all__ = ["LateTier", "OpenableTier"]

_UNKNOWN = TierState("off", "unidentified")

log: structlog.stdlib.BoundLogger = structlog.get_logger("jvgate.cache")


class OpenableTier(ObservedTier, Protocol):
    """A tier that is used with `async with`."""

    async def __aenter__(self) -> Self: ...

    async def __aexit__(self, *_: object) -> None: ...


class LateTier:
    """An `ObservedTier` that follows the identity of a source; used with `async with`, in one event loop.

    make: returns the tier of an identity, not opened yet.
    """

    def __init__(self, make: Callable[[str], OpenableTier]) -> None:
        self.counts: Counter[tuple[str, str]] = Counter()
        self.looks: Counter[tuple[str, str]] = Counter()
        self._make = make
        self._tier: ObservedTier = NoTier()
        self._is_open = False
        self._owed: set[str] = set()
        self._identity = ""
        self._changed = asyncio.Event()

    async def __aenter__(self) -> Self:
        self._following = asyncio.create_task(self._follow(), name="jvgate-late-tier")
        return self

    async def __aexit__(self, *_: object) -> None:
        self._following.cancel()
        await asyncio.gather(self._following, return_exceptions=True)
        if self._owed:
            log.warning("a purge did not reach Redis: the source never told its identity", tags=sorted(self._owed))

    def identify(self, identity: str) -> None:
        """Use the tier of *identity* from now on, and until it is open none.  From the event loop."""
        if identity != self._identity:
            self._identity = identity
            self._leave()
            self._changed.set()

    @property
    def ahead_s(self) -> float:
        """Seconds by which the tier's clock is ahead of this machine's."""
        return self._tier.ahead_s

    @property
    def state(self) -> TierState:
        """The state of the tier that is open, `off` while there is none."""
        return self._tier.state if self._is_open else _UNKNOWN

    async def get(self, query: Query) -> Packed | Miss:
        """Return the entry of *query*, as the tier that is open does."""
        return await self._tier.get(query)

    def put(self, packed: Packed) -> None:
        """Keep *packed* in the tier that is open."""
        self._tier.put(packed)

    async def lease(self, query: Query) -> Lease | None:
        """Return the lease of *query*; one's own while there is no tier."""
        return await self._tier.lease(query)

    async def wait(self, query: Query, *, limit_s: float, newer_than: float = -inf) -> Packed | Miss:
        """Return the entry of *query* as it lands."""
        return await self._tier.wait(query, limit_s=limit_s, newer_than=newer_than)

    async def purge(self, *tags: str) -> SharedPurge:
        """Remove what carries any of *tags*; owed while there is no tier."""
        if self._is_open:
            return await self._tier.purge(*tags)
        self._owed.update(tags)
        return SharedPurge(is_owed=bool(tags))

    def fence(self, *tags: str, stamp: int = 0) -> int:
        """Take nothing any more that carries any of *tags* and was read before now."""
        return self._tier.fence(*tags, stamp=stamp)

    async def inspect(self, *, limit: int = 1000) -> Inspection:
        """Return the entries of the tier that is open."""
        return await self._tier.inspect(limit=limit)

    async def _follow(self) -> None:
        """Open the tier of each identity, one after another, until cancelled."""
        while True:
            await self._changed.wait()
            self._changed.clear()
            async with AsyncExitStack() as end:
                identity = self._identity
                tier = await end.enter_async_context(self._make(identity))
                await self._pay(tier)
                if identity == self._identity:
                    self._use(tier)
                try:
                    await self._changed.wait()
                finally:
                    self._leave()

    async def _pay(self, tier: ObservedTier) -> None:
        """Do the purges that came while there was no tier."""
        while self._owed:
            tags, self._owed = tuple(self._owed), set()
            await tier.purge(*tags)

    def _use(self, tier: ObservedTier) -> None:
        self._tier, self._is_open = tier, True
        self.counts, self.looks = tier.counts, tier.looks

    def _leave(self) -> None:
        self._tier, self._is_open = NoTier(), False
