"""Purges for everybody: the fence, the message, and the values themselves; and those that are owed.

Theory of operation.  `fences` says why in this order.  What cannot be done because Redis is out of reach is owed: it
is done when Redis answers again, before this process reads from it, and again until it went through.  A purge that
Redis takes in part only (a full memory refuses the fence and allows the removal) is done as far as it goes, and owed.
"""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from typing import Final, TypeVar

from jvgate.cache.fences import RAISE_SCRIPT, Fences
from jvgate.cache.keys import NEWS, PURGES, tag_key, value_key
from jvgate.cache.redis_client import FOREIGN_ERRORS, Client, RedisRefused, RedisTrouble, ours
from jvgate.cache.redis_link import RedisLink
from jvgate.cache.redis_news import RedisNews
from jvgate.cache.shared import ALL, Purged

__all__ = ["RedisPurges"]

Reply = TypeVar("Reply")

_PURGE_S = 5.0
_BATCH: Final = 500
_MOST_OWED = 1000  # tags; beyond them everything is


class RedisPurges:
    """The purges that begin in this process.  owed: the tags of those that are not done yet."""

    def __init__(self, link: RedisLink, fences: Fences, news: RedisNews) -> None:
        self.owed: set[str] = set()
        self._link = link
        self._fences = fences
        self._news = news

    async def purge(self, tags: Sequence[str]) -> Purged:
        """Remove what carries any of *tags*, now or when Redis is there again."""
        self._fences.raise_fences(tags, self._fences.newest + 1)  # from now on, whatever becomes of the rest
        self._owe(tags)
        try:
            return Purged(await self._link.run(self.pay, limit_s=_PURGE_S), bool(self.owed))
        except RedisTrouble:
            return Purged(is_owed=True)

    async def pay(self, client: Client) -> int:
        """Do what is owed, as far as it goes, and return how many entries went.  Raises what redis-py raises."""
        if not self.owed:
            return 0
        tags, self.owed = tuple(self.owed), set()
        is_done = False
        try:
            stamp = await self._fence(client, tags)
            self._fences.raise_fences(tags, stamp or self._fences.newest + 1)
            message = self._news.message("purge", tags=tags, stamp=self._fences.newest)
            await client.execute_command("PUBLISH", NEWS, message)
            entries = await _unless_refused(self._remove(client, tags))
            is_done = stamp is not None and entries is not None
            return entries or 0
        finally:
            if not is_done:
                self._owe(tags)

    def _owe(self, tags: Sequence[str]) -> None:
        self.owed.update(tags)
        if ALL in self.owed or len(self.owed) > _MOST_OWED:
            self.owed = {ALL}

    async def _fence(self, client: Client, tags: Sequence[str]) -> int | None:
        """Raise the fences of *tags* and return their stamp, or None when Redis takes none."""
        command = ("EVAL", RAISE_SCRIPT, 1, PURGES, self._fences.newest, *tags)
        stamp = await _unless_refused(client.execute_command(*command))
        return None if stamp is None else int(stamp)

    async def _remove(self, client: Client, tags: Sequence[str]) -> int:
        """Remove what the indexes of *tags* name; the indexes stay, since newer values may be in them by now."""
        texts: set[bytes] = set()
        for tag in tags:
            texts.update(await client.execute_command("ZRANGE", tag_key(tag), 0, -1))
        keys = [value_key(text.decode("ascii", "replace")) for text in texts]
        entries = 0
        for at in range(0, len(keys), _BATCH):
            pipeline = client.pipeline(transaction=False)
            for key in keys[at : at + _BATCH]:
                pipeline.execute_command("UNLINK", key)
            entries += sum(await pipeline.execute())
        return entries


async def _unless_refused(reply: Awaitable[Reply]) -> Reply | None:
    try:
        return await reply
    except FOREIGN_ERRORS as exc:
        if isinstance(ours(exc), RedisRefused):
            return None
        raise
