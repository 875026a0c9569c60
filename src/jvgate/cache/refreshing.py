"""Refreshes that nobody waits for: one at a time for each key, and none for a while after one that failed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

import structlog
from cachetools import FIFOCache

from jvgate.errors import ReadCancelled, SourceError
from jvgate.values import Backoff

__all__ = ["Refreshes"]

BACKOFF = Backoff(first_s=1.0, most_s=60.0)
# So many at once: each takes a place in the queue of the sessions.  Who asks next has the others begun again.
MOST_RUNNING = 64
# Of what fails at once, as many keys are remembered.
_MAX_FAILING = 4096

log: structlog.stdlib.BoundLogger = structlog.get_logger("jvgate.cache")


class Refreshes:
    """What is being refreshed, and what failed lately.  clock: monotonic seconds.  One event loop's.

    is_passing: whether waiting may help against an error.
    """

    def __init__(
        self, is_passing: Callable[[SourceError], bool], *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._is_passing = is_passing
        self._clock = clock
        self._running: dict[str, asyncio.Task[None]] = {}
        self._resting: FIFOCache[str, tuple[float, int]] = FIFOCache(_MAX_FAILING)  # until, and failures in a row

    def __len__(self) -> int:
        return len(self._running)

    def begin(self, key: str, make: Callable[[], Awaitable[object]]) -> bool:
        """Refresh *key* by *make*, unless that goes on, failed a moment ago, or too many do; whether it begins."""
        if key in self._running or len(self._running) >= MOST_RUNNING or self.is_failing(key):
            return False
        task = self._running[key] = asyncio.create_task(self._refresh(key, make), name=f"jvgate-refresh-{key}")
        task.add_done_callback(lambda done: self._running.pop(key, None))
        return True

    def is_failing(self, key: str) -> bool:
        """Whether the source failed for *key*, and is not to be asked again yet."""
        return self._resting.get(key, (0.0, 0))[0] > self._clock()

    def has_failed(self, key: str) -> bool:
        """Whether the last read of *key* failed in a way that may pass, however long ago."""
        return key in self._resting

    def note(self, key: str, error: SourceError | None) -> None:
        """Keep how a read of *key* ended, whoever made it."""
        if isinstance(error, ReadCancelled):
            return
        if error is None or not self._is_passing(error):  # which is told, and no reason to wait
            self._resting.pop(key, None)
            return
        if self.is_failing(key):
            return
        failures = self._resting.get(key, (0.0, 0))[1] + 1
        self._resting[key] = self._clock() + BACKOFF.pause_s(failures), failures

    async def close(self) -> None:
        """Cancel what is being refreshed and wait for its end."""
        for task in self._running.values():
            task.cancel()
        await asyncio.gather(*self._running.values(), return_exceptions=True)

    async def _refresh(self, key: str, make: Callable[[], Awaitable[object]]) -> None:
        try:
            await make()
        except ReadCancelled:
            return
        except SourceError as exc:
            self.note(key, exc)
            log.warning("what is stale could not be refreshed", key=key, why=str(exc))
