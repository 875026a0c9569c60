"""Purges for all processes: the fence, the message, then the values themselves; and the purges that are owed.

`fences` explains the order.  A purge is done when its fence is raised and told: from then on no process takes an entry
that it meant.  While Redis is out of reach a purge is owed: it is done when Redis answers again, before this process
reads from it, and tried again until it went through.  The removal of the values is housekeeping and may take long: it
goes on in small steps, each with a deadline of its own.  The rest of it waits for the next write or for the return of
Redis, and delays no lookup.  A Redis with a full memory refuses the fence and allows the removal, which is then done
all the same.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import suppress
from functools import partial
from itertools import count
from typing import Final

import structlog

from jvgate.cache.redis.client import Client, RedisTrouble, unless_refused
from jvgate.cache.redis.context import RedisContext
from jvgate.cache.redis.fences import RAISE_SCRIPT
from jvgate.cache.redis.keys import Keys
from jvgate.cache.shared import ALL, SharedPurge
from jvgate.values import Backoff

__all__ = ["RedisPurges"]

_PURGE_S = 5.0
_STEP_S = 1.0
_BACKOFF = Backoff(first_s=1.0, most_s=60.0)
_BATCH: Final = 500
_MOST_OWED = 1000  # tags; beyond them everything is

log: structlog.stdlib.BoundLogger = structlog.get_logger("jvgate.cache")


class RedisPurges:
    """The purges that begin in this process.

    owed: the tags of those that are not done yet.  left: the tags of those whose values may still lie in Redis.
    """

    def __init__(self, context: RedisContext) -> None:
        self.owed: set[str] = set()
        self.left: set[str] = set()
        self._chance = asyncio.Event()
        self._context = context
        self._keys = context.keys
        self._link = context.link
        self._fences = context.fences

    async def purge(self, tags: Sequence[str]) -> SharedPurge:
        """Remove what carries any of *tags*, now or when Redis is there again."""
        self._fences.raise_fences(tags, self._fences.newest + 1)  # from now on, whatever becomes of the rest
        _add(self.owed, tags)
        try:
            await self._link.run(self.pay, limit_s=_PURGE_S)
        except RedisTrouble:
            return SharedPurge(is_owed=True)
        return SharedPurge(await self._sweep(limit_s=_PURGE_S), bool(self.owed))

    async def keep_house(self) -> None:
        """Remove the values that purges left, whenever there is a chance for it; for ever."""
        failures = 0
        while True:
            await self._chance.wait()
            self._chance.clear()
            await self._sweep(limit_s=None)
            if not self.left:
                failures = 0
                continue
            failures += 1
            await asyncio.sleep(_BACKOFF.pause_s(failures))  # a slow removal must not open the breaker again and again
            self._chance.set()

    def warn(self) -> None:
        """Say which purges nobody will do any more: the end has come before Redis was back."""
        if self.owed:
            log.warning(
                "a purge did not reach Redis and is lost: ask for it again when Redis is back",
                url=str(self._link.place),
                tags=", ".join(sorted(self.owed)),
            )

    def hurry(self) -> None:
        """Take the chance: Redis is back, or takes writes."""
        if self.left:
            self._chance.set()

    async def pay(self, client: Client) -> None:
        """Raise the fences that are owed, and tell it.  Raises what redis-py raises."""
        if not self.owed:
            return
        tags = tuple(self.owed)
        _add(self.left, tags)
        self.owed = set()
        is_done = False
        try:
            stamp = await self._fence(client, tags)
            self._fences.raise_fences(tags, stamp or self._fences.newest + 1)
            message = self._context.message("purge", tags=tags, stamp=self._fences.newest)
            # Who may not tell it may not listen either, and nor may those like him: they look at the fences.
            await unless_refused(client.execute_command("PUBLISH", self._keys.news, message))
            is_done = stamp is not None
        finally:
            if not is_done:
                _add(self.owed, tags)

    async def _sweep(self, *, limit_s: float | None) -> int:
        """Remove what purges have left, as far as it goes within a limit; return how many entries went."""
        entries, tags = 0, set(self.left)
        with suppress(RedisTrouble):
            try:
                async with asyncio.timeout(limit_s):
                    for tag in tags:
                        async for gone in self._removing(tag):
                            entries += gone
                        self.left.discard(tag)
            except TimeoutError:
                self._chance.set()  # the rest is done behind the answer
        return entries

    async def _fence(self, client: Client, tags: Sequence[str]) -> int | None:
        """Raise the fences of *tags* and return their stamp, or None when Redis takes none."""
        command = ("EVAL", RAISE_SCRIPT, 1, self._keys.purges, self._fences.newest, *tags)
        stamp = await unless_refused(client.execute_command(*command))
        return None if stamp is None else int(stamp)

    async def _removing(self, tag: str) -> AsyncIterator[int]:
        """Remove what the index of *tag* names, step by step, and yield how many entries each took.

        The index stays, since newer values may be in it by now.  Raises RedisTrouble.
        """
        for at in count(0, _BATCH):
            texts = await self._link.ask("ZRANGE", self._keys.tag(tag), at, at + _BATCH - 1, limit_s=_STEP_S)
            if texts:
                yield await self._link.run(partial(_remove, self._keys, texts), limit_s=_STEP_S)
            if len(texts) < _BATCH:
                return


def _add(known: set[str], tags: Iterable[str]) -> None:
    """Add *tags* to those that are *known*; very many are everything."""
    known.update(tags)
    if ALL in known or len(known) > _MOST_OWED:
        known.clear()
        known.add(ALL)


async def _remove(keys: Keys, texts: Sequence[bytes], client: Client) -> int:
    """Remove the values of the queries with these *texts*; return how many there were."""
    pipeline = client.pipeline(transaction=False)
    for text in texts:
        pipeline.execute_command("UNLINK", keys.value(text.decode("ascii", "replace")))
    return sum(await pipeline.execute())
