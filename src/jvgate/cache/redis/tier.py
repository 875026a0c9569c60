"""The second tier over Redis: datasets that every jvgate which points at the same Redis shares.

Theory of operation.  Each part has a module with its own: the names (`keys`), the values' bytes (`packing`), commands
with a deadline and a breaker (`redis_link`), writes behind the answers (`redis_writes`), leases (`redis_leases`),
purges (`redis_purges`, `fences`) and the messages between processes (`redis_news`).  This one puts them together,
reads, and waits.

A read asks for the first quarter of a mebibyte, which is nearly always all.  The header says how long the value is;
the rest of a longer one is asked for in a second command, whose deadline grows with its length.  So a large value
over a slow network is no reason to think Redis dead, and a value of foreign size is not fetched at all.

Who waits for a value registers for news first, then looks for the value, then for the lease, then for the value once
more: a value lands before its lease goes, so if both looks find nothing nobody is reading.  A slow poll stands behind
the news.

Over a cluster there is one breaker for all its nodes: while one of them hangs, the others are left alone too.

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
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from math import inf
from typing import Self

from jvgate.cache.redis.backlog import Backlog
from jvgate.cache.redis.client import Client, RedisTrouble
from jvgate.cache.redis.clock import RedisClock
from jvgate.cache.redis.fences import Fences
from jvgate.cache.redis.inspection import inspected
from jvgate.cache.redis.keys import query_text, value_key
from jvgate.cache.redis.leases import RedisLeases
from jvgate.cache.redis.link import RedisLink
from jvgate.cache.redis.news import RedisNews
from jvgate.cache.redis.packing import FACTS_BYTES, HEADER_BYTES, Miss, Packed, packed_length, unpack
from jvgate.cache.redis.purges import RedisPurges
from jvgate.cache.redis.url import parse_redis_url
from jvgate.cache.redis.writes import FLOOR_BYTES_S, RedisWrites
from jvgate.cache.shared import Inspection, Lease, Purged, TierState
from jvgate.values import Query

__all__ = ["RedisTier"]

_FIRST_BYTES = 1 << 18
_POLL_S = 1.0
_INSPECT_S = 2.0
_DRAIN_S = 1.0
_QUEUE_ENTRIES = 256
_QUEUE_BYTES = 64 << 20


class RedisTier:
    """A `SharedTier` at *url*; used with `async with`, in one event loop.  Raises SettingsError for what is no URL.

    deadline_s: how long a read may take.  lease_s: how long a lease lasts of which nobody hears any more.
    limit_bytes: of one dataset's records.
    on_purge: told the tags that another process purged; on_reconnect: called when purges may have been missed.
    clock: seconds since the epoch, by this machine.
    """

    def __init__(
        self,
        url: str,
        *,
        deadline_s: float = 0.05,
        lease_s: float = 10.0,
        limit_bytes: int = 32 << 20,
        connections: int = 32,
        queue_entries: int = _QUEUE_ENTRIES,
        queue_bytes: int = _QUEUE_BYTES,
        on_purge: Callable[[tuple[str, ...]], None] = lambda tags: None,
        on_reconnect: Callable[[], None] = lambda: None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.counts: Counter[tuple[str, str]] = Counter()
        self.looks: Counter[tuple[str, str]] = Counter()
        self._deadline_s = deadline_s
        self._limit_bytes = limit_bytes
        self._clock = RedisClock(clock)
        node = secrets.token_hex(8)
        self._fences = Fences()
        self._backlog = Backlog(max_jobs=queue_entries, max_bytes=queue_bytes)
        self._link = RedisLink(
            parse_redis_url(url), deadline_s=deadline_s, connections=connections, on_recovery=self._recover
        )
        self._news = RedisNews(self._link, self._fences, node=node, on_purge=on_purge, on_reconnect=on_reconnect)
        self._purges = RedisPurges(self._link, self._fences, self._news)
        self._writes = RedisWrites(
            self._link, self._fences, self._news, self._backlog, self.counts,
            limit_bytes=limit_bytes, clock=self._clock, on_written=self._pay_purges,
        )  # fmt: skip
        self._leases = RedisLeases(
            self._link, self._writes, self._news, self._fences, self._backlog, self.counts, node=node, hold_s=lease_s
        )

    async def __aenter__(self) -> Self:
        await self._link.__aenter__()
        self._tasks = [
            asyncio.create_task(self._backlog.run(), name="jvgate-redis-writes"),
            asyncio.create_task(self._news.listen(), name="jvgate-redis-news"),
            asyncio.create_task(self._purges.keep_house(), name="jvgate-redis-purges"),
        ]
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._link.breaker.is_closed:
            await self._backlog.drain(limit_s=_DRAIN_S)  # so that nobody waits for a lease of ours
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
        """How far Redis's clock is ahead of this machine's."""
        return self._clock.ahead_s

    @property
    def state(self) -> TierState:
        """How Redis is at present."""
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

    async def purge(self, *tags: str) -> Purged:
        """Remove what carries any of *tags*; owed where Redis is out of reach."""
        return await self._purges.purge(tags) if tags else Purged()

    def fence(self, *tags: str, stamp: int = 0) -> int:
        """Take nothing any more that carries any of *tags* and was read before; return the stamp, for other processes.

        stamp: what another process got here.
        """
        stamp = stamp or self._fences.newest + 1
        self._fences.raise_fences(tags, stamp)
        return stamp

    async def inspect(self, *, limit: int = 1000) -> Inspection:
        """Return what Redis holds of ours, with at most *limit* keys; nothing when it is out of reach."""
        try:
            return await self._link.run(partial(inspected, limit=limit, now=self._clock()), limit_s=_INSPECT_S)
        except RedisTrouble:
            return Inspection()

    async def _look(self, query: Query) -> Packed | Miss:
        try:
            data = await self._fetch(value_key(query_text(query)))
        except RedisTrouble as exc:
            return Miss(exc.reason)
        if not data:
            return Miss("absent")
        self.counts["bytes", "read"] += len(data)
        found = await asyncio.to_thread(unpack, data, query=query, limit_bytes=self._limit_bytes)
        return self._judged(found)

    async def _fetch(self, key: str) -> bytes:
        """Return the value of *key*, or its beginning where it cannot be one of ours; empty when there is none."""
        start: bytes = await self._link.ask("GETRANGE", key, 0, _FIRST_BYTES - 1)
        length = packed_length(start)
        if not len(start) == _FIRST_BYTES < length <= HEADER_BYTES + FACTS_BYTES + self._limit_bytes:
            return start
        limit_s = self._deadline_s + length / FLOOR_BYTES_S
        rest: bytes = await self._link.ask("GETRANGE", key, _FIRST_BYTES, length - 1, limit_s=limit_s)
        return start + rest

    def _judged(self, found: Packed | Miss) -> Packed | Miss:
        if isinstance(found, Miss):
            return found
        if found.stale_until <= self._clock():
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
            head = await self._link.ask("GETRANGE", value_key(text), 0, HEADER_BYTES - 1)
        except RedisTrouble as exc:
            return Miss(exc.reason)
        if head == seen.head:
            return Miss("seen")
        seen.head = head
        return await self._look(query)

    async def _recover(self, client: Client) -> None:
        """Make good what Redis missed, before anybody reads from it."""
        await self._clock.set(client)
        await self._purges.pay(client)
        self._news.hurry()
        self._purges.hurry()

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
