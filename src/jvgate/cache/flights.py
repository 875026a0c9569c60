"""Single flight: however many ask for the same thing at the same time, it is made once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

__all__ = ["Flights"]

Value = TypeVar("Value")


class Flights(Generic[Value]):
    """What is being made right now, by key.  An error is shared by all who wait, and not kept."""

    def __init__(self) -> None:
        self._flying: dict[str, asyncio.Task[Value]] = {}

    def __len__(self) -> int:
        return len(self._flying)

    async def join(self, key: str, make: Callable[[], Awaitable[Value]]) -> tuple[Value, bool]:
        """Return the value of *key*, made by *make* unless it is being made already, and whether one joined.

        No await between the caller's look into the cache and the look here, so that nothing is made twice.
        """
        flight = self._flying.get(key)
        joined = flight is not None
        if flight is None:
            flight = asyncio.ensure_future(self._make(make))
            self._flying[key] = flight
            flight.add_done_callback(lambda done: self._land(key, done))
        # Shielded: a client that leaves must not cancel what the others wait for.
        return await asyncio.shield(flight), joined

    async def close(self) -> None:
        """Cancel what is being made and wait for its end."""
        flying = list(self._flying.values())
        for flight in flying:
            flight.cancel()
        await asyncio.gather(*flying, return_exceptions=True)

    async def _make(self, make: Callable[[], Awaitable[Value]]) -> Value:
        return await make()

    def _land(self, key: str, done: asyncio.Task[Value]) -> None:
        del self._flying[key]
        if not done.cancelled():
            done.exception()  # seen here, so that an error nobody waited for is not reported as never retrieved
