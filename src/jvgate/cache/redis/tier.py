"""The tier that the gateway uses: it puts the parts together, looks up, and waits.  The package explains the steps.

A read asks for the first quarter of a mebibyte, which is nearly always all; the deadline of the second command grows
with the length.  So a large value over a slow network does not look like a dead Redis, and a value of foreign size is
not fetched at all.  Over a cluster there is one breaker for all its nodes: while one of them hangs, none is asked.

What Redis must allow: GETRANGE, SET, UNLINK, DEL, GET, EXISTS, EVAL, PEXPIRE, PTTL, STRLEN, HSET, HGET, HDEL, HLEN,
HMGET, HGETALL, TIME, ZADD, ZRANGE, ZCARD, ZREM, ZREMRANGEBYSCORE, ZSCORE, PUBLISH, SUBSCRIBE and PING, on keys and a
channel that begin with `jvgate:`; SELECT where the database is another than 0, and what redis-py asks of a cluster:
CLUSTER SLOTS, COMMAND and ASKING.
"""

from __future__ import annotations

import asyncio
import random
import secrets
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from math import inf
from typing import Self

from jvgate.cache.redis.backlog import Backlog
from jvgate.cache.redis.client import Client, RedisTrouble
from jvgate.cache.redis.codec import FACTS_BYTES, HEADER_BYTES, packed_length, unpack
from jvgate.cache.redis.context import RedisClock, RedisContext
from jvgate.cache.redis.inspection import inspected
from jvgate.cache.redis.keys import Keys, query_text
from jvgate.cache.redis.leases import RedisLeases
from jvgate.cache.redis.link import RedisLink
from jvgate.cache.redis.news import RedisNews
from jvgate.cache.redis.purges import RedisPurges
from jvgate.cache.redis.url import parse_redis_url
from jvgate.cache.redis.writes import FLOOR_BYTES_S, RedisWrites
from jvgate.cache.shared import Inspection, Lease, Miss, Packed, SharedPurge, TierState
from jvgate.listeners import Listener, Listeners
from jvgate.spec.layouts import Layouts
from jvgate.values import Message, Query

__all__ = ["RedisTier"]

_FIRST_BYTES = 1 << 18
_POLL_S = 1.0
_INSPECT_S = 2.0
_DRAIN_S = 1.0
_QUEUE_ENTRIES = 256
_QUEUE_BYTES = 64 << 20


class RedisTier:
    """An `ObservedTier` at *url*; used with `async with`, in one event loop.  Raises SettingsError for a malformed URL.

    identity: of the source whose data it keeps; tiers of other identities share nothing with it.
    deadline_s: of a lookup.  lease_s: how long a lease lasts that is not renewed.  limit_bytes: of a dataset's records.
    on_purge: told the tags that another process purged; on_reconnect: called when purges may have been missed.
    listeners: of further kinds of messages (`tell`).  clock: of memory, in seconds; Redis's own is measured against it.
    """

    def __init__(
        self,
        url: str,
        layouts: Layouts,
        *,
        identity: str,
        deadline_s: float = 0.05,
        lease_s: float = 10.0,
        limit_bytes: int = 32 << 20,
        connections: int = 32,
        queue_entries: int = _QUEUE_ENTRIES,
        queue_bytes: int = _QUEUE_BYTES,
        on_purge: Sequence[Listener[tuple[str, ...]]] = (),
        on_reconnect: Sequence[Listener[None]] = (),
        listeners: Mapping[str, Sequence[Listener[Message]]] | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.looks: Counter[tuple[str, str]] = Counter()
        self._deadline_s = deadline_s
        place = parse_redis_url(url)
        self._keys = keys = Keys(identity)
        link = RedisLink(
            place, deadline_s=deadline_s, connections=connections, key=keys.purges, on_recovery=self._recover
        )
        self._context = context = RedisContext(
            keys=keys,
            link=link,
            clock=RedisClock(clock, key=keys.purges),
            backlog=Backlog(max_jobs=queue_entries, max_bytes=queue_bytes),
            node=secrets.token_hex(8),
            layouts=layouts,
            limit_bytes=limit_bytes,
            purged=Listeners("a purge of another server", *on_purge),
        )
        self.counts = context.counts
        self._link, self._fences, self._backlog = context.link, context.fences, context.backlog
        self._news = RedisNews(context, on_reconnect=on_reconnect, listeners=listeners)
        self._purges = RedisPurges(context)
        self._writes = RedisWrites(context, on_written=self._pay_purges)
        self._leases = RedisLeases(context, self._writes, hold_s=lease_s)

    async def __aenter__(self) -> Self:
        await self._link.__aenter__()
        self._tasks = [
            asyncio.create_task(self._backlog.run(), name="jvgate-redis-writes"),
            asyncio.create_task(self._news.listen(), name="jvgate-redis-news"),
            asyncio.create_task(self._purges.keep_house(), name="jvgate-redis-purges"),
            asyncio.create_task(self._keep_time(), name="jvgate-redis-clock"),
        ]
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._link.breaker.is_closed:
            await self._backlog.drain(limit_s=_DRAIN_S)  # so that no process waits for a lease of ours
        await self._leases.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._purges.warn()
        await self._link.__aexit__()

    def __str__(self) -> str:
        """Return the URL without what is secret in it."""
        return str(self._link.place)

    @property
    def ahead_s(self) -> float:
        """Seconds by which Redis's clock is ahead of memory's."""
        return self._context.clock.ahead_s

    @property
    def state(self) -> TierState:
        """The present state of Redis."""
        breaker = self._link.breaker
        return TierState(breaker.state, breaker.reason, self._writes.breaker.reason, self._news.is_listening)

    async def get(self, query: Query) -> Packed | Miss:
        """Return the entry of *query*, or why there is none, within the deadline."""
        found = await self._look(query)
        how = "hit" if isinstance(found, Packed) else found.reason
        self.counts["get", how] += 1
        self.looks[query.dataspec, how] += 1
        return found

    def put(self, packed: Packed) -> None:
        """Keep *packed* soon, or drop it and count why."""
        self._writes.put(packed)

    async def lease(self, query: Query) -> Lease | None:
        """Return the lease of *query*, or None when somebody else has it; one's own when Redis cannot say."""
        return await self._leases.take(query_text(query))

    async def wait(self, query: Query, *, limit_s: float, newer_than: float = -inf) -> Packed | Miss:
        """Return the entry of *query* as it lands, or a miss: `free`, `late`, or why Redis does not say."""
        found = await self._await_value(query, limit_s, newer_than)
        self.counts["wait", "hit" if isinstance(found, Packed) else found.reason] += 1
        return found

    async def purge(self, *tags: str) -> SharedPurge:
        """Remove what carries any of *tags*; owed where Redis is out of reach."""
        return await self._purges.purge(tags) if tags else SharedPurge()

    def fence(self, *tags: str, stamp: int = 0) -> int:
        """Take nothing any more that carries any of *tags* and was read before; return the stamp, for other processes.

        stamp: what another process got here.
        """
        stamp = stamp or self._fences.newest + 1
        self._fences.raise_fences(tags, stamp)
        return stamp

    async def tell(self, message: Message) -> None:
        """Send *message* to the listeners of its kind in all processes; dropped when Redis is out of reach.

        Raises ValueError for one that is too large.
        """
        with suppress(RedisTrouble):
            await self._news.tell(message)

    async def inspect(self, *, limit: int = 1000) -> Inspection:
        """Return what Redis holds of ours, with at most *limit* keys; nothing when it is out of reach."""
        try:
            return await self._link.run(
                partial(inspected, keys=self._keys, limit=limit, now=self._context.clock()), limit_s=_INSPECT_S
            )
        except RedisTrouble:
            return Inspection()

    async def _look(self, query: Query) -> Packed | Miss:
        try:
            data = await self._fetch(self._keys.value(query_text(query)))
        except RedisTrouble as exc:
            return Miss(exc.reason)
        if not data:
            return Miss("absent")
        self.counts["bytes", "read"] += len(data)
        context = self._context
        opened = partial(unpack, query=query, layouts=context.layouts, limit_bytes=context.limit_bytes)
        found = await asyncio.to_thread(opened, data)
        return self._judged(found)

    async def _fetch(self, key: str) -> bytes:
        """Return the value of *key*, or its beginning where it cannot be one of ours; empty when there is none."""
        start: bytes = await self._link.ask("GETRANGE", key, 0, _FIRST_BYTES - 1)
        length = packed_length(start)
        if not len(start) == _FIRST_BYTES < length <= HEADER_BYTES + FACTS_BYTES + self._context.limit_bytes:
            return start
        limit_s = self._deadline_s + length / FLOOR_BYTES_S
        rest: bytes = await self._link.ask("GETRANGE", key, _FIRST_BYTES, length - 1, limit_s=limit_s)
        return start + rest

    def _judged(self, found: Packed | Miss) -> Packed | Miss:
        if isinstance(found, Miss):
            return found
        if found.stale_until <= self._context.clock():
            return Miss("expired")
        if self._fences.rejects(found):
            return Miss("purged")
        self._news.was_read()
        return found

    async def _await_value(self, query: Query, limit_s: float, newer_than: float) -> Packed | Miss:
        loop = asyncio.get_running_loop()
        end = loop.time() + limit_s
        text, seen = query_text(query), _Seen()
        with self._news.watch(text) as news:
            while True:
                news.clear()
                found = await self._value_or_free(query, text, newer_than, seen)
                if found is not None:
                    return found
                left_s = end - loop.time()
                if left_s <= 0:
                    return Miss("late")
                await _wait_for(news, min(left_s, _POLL_S * random.uniform(0.75, 1.25)))

    async def _value_or_free(self, query: Query, text: str, newer_than: float, seen: _Seen) -> Packed | Miss | None:
        """Return the value, or why not to wait for it; None while somebody has the lease."""
        found = await self._look_anew(query, text, seen)
        if _is_newer(found, newer_than):
            return found
        try:
            if await self._leases.is_held(text):
                return None
        except RedisTrouble as exc:
            return Miss(exc.reason)
        found = await self._look_anew(query, text, seen)
        return found if _is_newer(found, newer_than) else Miss("free")

    async def _look_anew(self, query: Query, text: str, seen: _Seen) -> Packed | Miss:
        """Look as `_look` does, but not at what was *seen* there before and will not do."""
        try:
            head = await self._link.ask("GETRANGE", self._keys.value(text), 0, HEADER_BYTES - 1)
        except RedisTrouble as exc:
            return Miss(exc.reason)
        if head == seen.head:
            return Miss("seen")
        seen.head = head
        return await self._look(query)

    async def _recover(self, client: Client) -> None:
        """Make good what Redis missed, before anybody reads from it."""
        await self._context.clock.set(client)
        await self._purges.pay(client)
        self._news.hurry()
        self._purges.hurry()

    async def _keep_time(self) -> None:
        """Read Redis's clock anew soon after ours jumped, since all in Redis has a wrong age until then; for ever."""
        while True:
            await asyncio.sleep(_POLL_S)
            if self._context.clock.is_doubtful:
                with suppress(RedisTrouble):
                    await self._link.run(self._context.clock.set, limit_s=_INSPECT_S)

    async def _pay_purges(self) -> None:
        if self._purges.owed:
            await self._link.run(self._purges.pay, limit_s=_INSPECT_S)
        self._purges.hurry()


@dataclass(slots=True)
class _Seen:
    """The header of the last value that was looked at; its checksum tells values apart."""

    head: bytes | None = None


def _is_newer(found: Packed | Miss, newer_than: float) -> bool:
    return isinstance(found, Packed) and found.dataset.read_at > newer_than


async def _wait_for(news: asyncio.Event, limit_s: float) -> None:
    try:
        async with asyncio.timeout(limit_s):
            await news.wait()
    except TimeoutError:
        return
