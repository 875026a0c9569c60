"""Single flight: however many ask for the same thing at the same time, it is made once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from jvgate.errors import SourceBusy

__all__ = ["Flights"]

Value = TypeVar("Value")


@dataclass(slots=True, eq=False)
class _Flight(Generic[Value]):
    """What is being made, and how many wait for it."""

    task: asyncio.Task[Value]
    waiters: int = 0


class Flights(Generic[Value]):
    """What is being made right now, by key.  An error is shared by all who wait, and not kept.

    goes_on: whether what is being made is finished even when nobody waits for it any more.
    most: who may wait for one of them at once.
    """

    def __init__(self, *, goes_on: bool = False, most: int = 1_000_000) -> None:
        self._goes_on = goes_on
        self._most = most
        self._flying: dict[str, _Flight[Value]] = {}
        self._tasks: set[asyncio.Task[Value]] = set()

    def __len__(self) -> int:
        return len(self._flying)

    def __contains__(self, key: str) -> bool:
        return self._joinable(key) is not None

    async def join(
        self, key: str, make: Callable[[], Awaitable[Value]], *, is_worth: Callable[[], bool] = lambda: False
    ) -> tuple[Value, bool]:
        """Return the value of *key*, made by *make* unless it is being made already, and whether one joined.

        is_worth: asked when the last one leaves: whether it is so far that it had better be finished.
        No await between the caller's look into the cache and the look here, so that nothing is made twice.
        Raises SourceBusy when too many wait for it already.
        """
        flight = self._joinable(key)
        joined = flight is not None
        if flight is None:
            flight = self._flying[key] = _Flight(asyncio.ensure_future(self._make(make)))
            self._tasks.add(flight.task)
            flight.task.add_done_callback(lambda done: self._land(key, flight))
        elif flight.waiters >= self._most:
            raise SourceBusy(flight.waiters + 1, full="as many wait for the same read as may (JVGATE_WAITERS)")
        flight.waiters += 1
        try:
            # Shielded: a client that leaves must not cancel what the others wait for.
            return await asyncio.shield(flight.task), joined
        finally:
            flight.waiters -= 1
            if not (flight.waiters or flight.task.done() or self._goes_on or is_worth()):
                self._abandon(key, flight)

    def let_go(self) -> None:
        """Have nobody join what is being made now: who asks from now on gets something newer."""
        self._flying.clear()

    async def close(self) -> None:
        """Cancel what is being made and wait for its end."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _joinable(self, key: str) -> _Flight[Value] | None:
        """Return the flight of *key*, unless it has ended in this very turn of the loop: that gives nothing new."""
        flight = self._flying.get(key)
        return None if flight is None or flight.task.done() else flight

    async def _make(self, make: Callable[[], Awaitable[Value]]) -> Value:
        return await make()

    def _abandon(self, key: str, flight: _Flight[Value]) -> None:
        """Cancel what nobody waits for; who asks from now on begins anew and does not join what is ending."""
        flight.task.cancel()
        if self._flying.get(key) is flight:
            del self._flying[key]

    def _land(self, key: str, flight: _Flight[Value]) -> None:
        self._tasks.discard(flight.task)
        if self._flying.get(key) is flight:
            del self._flying[key]
        if not flight.task.cancelled():
            flight.task.exception()  # seen here, so that an error nobody waited for is not reported as never retrieved
