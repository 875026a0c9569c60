"""What JV-Link does beside records (pictures, videos): from memory, else by one call for all who wait."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

from jvgate.cache.entries import ENTRY_OVERHEAD_BYTES
from jvgate.cache.flights import Flights
from jvgate.cache.memory import Memory, Store
from jvgate.cache.traffic import Traffic
from jvgate.errors import SessionTimeout, SourceBusy, SourceError
from jvgate.sessions.pool import Pool
from jvgate.values import MISSING, Entry

__all__ = ["Errands", "Fetched", "Found"]

Found = Mapping[str, Any]
"""What one of JV-Link's errands gave, by name: `picture`, `found`, `available`, …"""


@dataclass(frozen=True, slots=True)
class Fetched:
    """What an errand gave and how it came about.  is_kept: whether it is in memory for the next one who asks.

    stages: seconds by the names of `Server-Timing`.
    """

    entry: Entry[Found]
    outcome: Literal["hit", "miss", "collapsed"]
    is_kept: bool
    stages: Mapping[str, float]


class Errands:
    """Runs errands through *pool*; their look-ups count in *traffic*.

    deadline_s: of each.  is_purged: whether all that was begun at a moment (by memory's clock) was purged since.
    """

    def __init__(
        self,
        pool: Pool,
        memory: Memory,
        traffic: Traffic,
        *,
        deadline_s: float,
        is_purged: Callable[[float], bool] = lambda since: False,
    ) -> None:
        self._pool = pool
        self._found: Store[Found] = Store(memory)
        self._clock = memory.clock
        self._traffic = traffic
        self._deadline_s = deadline_s
        self._is_purged = is_purged
        self._flights: Flights[tuple[Entry[Found], bool]] = Flights()
        self._at_work: set[str] = set()  # keys of calls that have a session: these cannot be interrupted

    async def fetch(self, name: str, *arguments: str, keep_s: Callable[[Found], float]) -> Fetched:
        """Return what an errand gives.  keep_s: for how long what was found may be used.

        A call that has its session goes on when nobody waits for it any more; one that has not is given up.
        Raises SessionTimeout when the deadline passes in the call, SourceBusy when it passes before, NotOffered, and
        what else `Pool.call` raises.
        """
        began = time.perf_counter()
        key = f"{name}:{':'.join(arguments)}"
        entry = self._found.get(key)
        looked = {"l1": time.perf_counter() - began}
        self._traffic.count("l1", "miss" if entry is MISSING else "hit", name)
        if entry is not MISSING:
            return Fetched(entry, "hit", True, looked)
        try:
            async with asyncio.timeout(self._deadline_s):
                (made, is_kept), joined = await self._flights.join(
                    key, partial(self._call, key, name, arguments, keep_s), is_worth=lambda: key in self._at_work
                )
        except TimeoutError as exc:
            raise self._too_late(key, name) from exc
        stages = looked | {"read": time.perf_counter() - began - looked["l1"]}
        return Fetched(made, "collapsed" if joined else "miss", is_kept, stages)

    async def close(self) -> None:
        """End what is under way."""
        await self._flights.close()

    async def _call(
        self, key: str, name: str, arguments: tuple[str, ...], keep_s: Callable[[Found], float]
    ) -> tuple[Entry[Found], bool]:
        """Call for all who wait, and for the next one who asks."""
        began = self._clock()
        try:
            found = await self._pool.call(name, *arguments, on_begin=partial(self._at_work.add, key))
        finally:
            self._at_work.discard(key)
        now = self._clock()
        entry: Entry[Found] = Entry(found, now, now + keep_s(found), _weight(found))
        return entry, not self._is_purged(began) and self._found.put(key, entry)

    def _too_late(self, key: str, name: str) -> SourceError:
        """Return what the deadline has come in between of: the call, or the waiting for a session."""
        if key in self._at_work:
            return SessionTimeout(f"the call for {name}", limit_s=self._deadline_s)
        return SourceBusy(max(1, self._pool.waiting), full=f"no session became free within {self._deadline_s:g} s")


def _weight(found: Found) -> int:
    sized = [value for value in found.values() if isinstance(value, bytes | str | list)]
    return ENTRY_OVERHEAD_BYTES + sum(
        sum(map(len, value)) if isinstance(value, list) else len(value) for value in sized
    )
