"""Work that nobody waits for: a bounded queue, worked off in order by one task of its owner."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable

import structlog

__all__ = ["Backlog"]

log: structlog.stdlib.BoundLogger = structlog.get_logger("jvgate.cache")


class Backlog:
    """Jobs in the order in which they came.  max_jobs, max_bytes: of what is offered; beyond them it is refused."""

    def __init__(self, *, max_jobs: int, max_bytes: int) -> None:
        self.bytes = 0
        self._max_jobs = max_jobs
        self._max_bytes = max_bytes
        self._jobs: deque[tuple[Callable[[], Awaitable[None]], int]] = deque()
        self._work = asyncio.Event()
        self._idle = asyncio.Event()

    def __len__(self) -> int:
        return len(self._jobs)

    def offer(self, do: Callable[[], Awaitable[None]], weight: int) -> bool:
        """Queue *do*, which holds so many bytes until it is done; False when there is no room."""
        if len(self._jobs) >= self._max_jobs or self.bytes + weight > self._max_bytes:
            return False
        self.append(do, weight)
        return True

    def append(self, do: Callable[[], Awaitable[None]], weight: int = 0) -> None:
        """Queue *do* whether or not there is room."""
        self._jobs.append((do, weight))
        self.bytes += weight
        self._idle.clear()
        self._work.set()

    async def run(self) -> None:
        """Do one job after the other, for ever.  A job handles its own errors; any other is told, and ends nothing."""
        while True:
            while self._jobs:
                do, weight = self._jobs.popleft()
                try:
                    await do()
                except Exception as exc:  # the boundary: behind it wait the leases that are to be given back
                    log.exception("a write behind the answers went wrong", error=repr(exc))
                finally:
                    self.bytes -= weight
            self._work.clear()
            self._idle.set()
            await self._work.wait()

    async def drain(self, *, limit_s: float) -> None:
        """Wait until nothing is left to do, or for *limit_s*."""
        try:
            async with asyncio.timeout(limit_s):
                await self._idle.wait()
        except TimeoutError:
            return
