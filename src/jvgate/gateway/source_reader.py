"""The source as the cache reads it: through the pool, within a limit, with an eye on how far each read has come."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from functools import partial

from jvgate.cache.datasets import Urgency
from jvgate.errors import SessionTimeout
from jvgate.jvlink.request import Progress
from jvgate.sessions.fair_queue import Priority
from jvgate.sessions.pool import Pool
from jvgate.values import Dataset, Query

__all__ = ["SourceReader"]

_PRIORITIES: Mapping[Urgency, Priority] = {
    "now": Priority.INTERACTIVE,
    "refresh": Priority.BATCH,
    "prefetch": Priority.PREFETCH,
}
# What is read so far is finished even when nobody waits for it any more.
_NEARLY = 0.9


class SourceReader:
    """Reads datasets through *pool*.  limit_s: of one read, waiting for a session included."""

    def __init__(self, pool: Pool, *, limit_s: float) -> None:
        self._pool = pool
        self._limit_s = limit_s
        self._progress: dict[str, Progress] = {}

    async def read(self, query: Query, urgency: Urgency) -> Dataset:
        """Return the whole dataset.  Raises SessionTimeout, and what else `Pool.read` raises."""
        text = str(query)
        note = partial(self._progress.__setitem__, text)
        try:
            async with asyncio.timeout(self._limit_s):
                return await self._pool.read(query, on_progress=note, priority=_PRIORITIES[urgency])
        except TimeoutError as exc:
            raise SessionTimeout(f"the read of {query}", limit_s=self._limit_s) from exc
        finally:
            self._progress.pop(text, None)

    def hasten(self, query: Query) -> None:
        """Treat what is being read for later as wanted now."""
        self._pool.hasten(query)

    def is_being_read(self, query: Query) -> bool:
        """Whether a session is at it, so that it does not wait for one any more."""
        return self._pool.is_reading(query)

    def is_nearly_read(self, query: Query) -> bool:
        """Whether nearly all files have been read, so that the rest costs less than to begin again."""
        read = self._progress.get(str(query))
        return read is not None and 0 < _NEARLY * read.files <= read.files_read

    def progress_of(self, queries: Sequence[Query]) -> list[Progress]:
        """Return how far the reads of *queries* have come, those that have begun and not ended."""
        return [self._progress[text] for query in queries if (text := str(query)) in self._progress]
