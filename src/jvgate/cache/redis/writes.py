"""Writes behind the answers.

No request waits for a write.  A value that does not fit into the backlog is dropped and counted, as is every value
while the breaker is open.  A lease is given back through the same backlog, behind the value, and that is never dropped:
a process that waits for its end finds the value in its place.

The order of a write: the index of each tag first, so that no value is without one; then the value with its expiry;
then the look at the fences that tells whether a purge has overtaken it (see `fences`); then the message to those who
wait.

A server that answers and takes no writes (a read-only replica, a full memory) has a breaker of its own for them:
reads go on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

import structlog

from jvgate.cache.redis.breaker import Breaker
from jvgate.cache.redis.client import Client, RedisRefused, RedisTrouble
from jvgate.cache.redis.codec import pack
from jvgate.cache.redis.context import RedisContext
from jvgate.cache.redis.keys import query_text
from jvgate.cache.shared import ALL, Packed
from jvgate.values import Backoff

__all__ = ["FLOOR_BYTES_S", "INLINE_BYTES", "RedisWrites"]

FLOOR_BYTES_S = 5_000_000
"""A network slower than this counts as broken."""

INLINE_BYTES = 1 << 16
"""Longer records are packed and unpacked off the event loop."""

_WRITE_S = 1.0
_BACKOFF = Backoff(first_s=1.0, most_s=30.0, jitter=0.2)
_INDEX_SLACK_MS = 60_000  # an index outlives what it names
_OVERHEAD_BYTES = 1024

_INDEX_SCRIPT = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
redis.call('ZADD', KEYS[1], now + ARGV[2], ARGV[1])
if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[2]) then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
"""

log: structlog.stdlib.BoundLogger = structlog.get_logger("jvgate.cache")


class RedisWrites:
    """Writes values and counts the outcomes.  on_written: done each time Redis has taken a value."""

    def __init__(self, context: RedisContext, *, on_written: Callable[[], Awaitable[None]]) -> None:
        self.breaker = Breaker(_BACKOFF)
        self._context = context
        self._keys = context.keys
        self._link = context.link
        self._counts = context.counts
        self._on_written = on_written

    def put(self, packed: Packed) -> None:
        """Queue *packed*, or drop it."""
        size = len(packed.dataset.body)
        if size > self._context.limit_bytes:
            self._counts["put", "large"] += 1
        elif not self._link.breaker.is_closed:
            self._counts["put", "open"] += 1
        elif not self._context.backlog.offer(lambda: self._write(packed), size + _OVERHEAD_BYTES):
            self._counts["put", "backlog"] += 1

    async def attempt(self, *command: str | bytes | int, limit_s: float | None = None) -> object:
        """Return the reply to a command that writes.  Raises RedisTrouble, without asking while writes are refused."""
        return await self.guard(lambda client: client.execute_command(*command), limit_s=limit_s)

    async def guard(self, talk: Callable[[Client], Awaitable[object]], *, limit_s: float | None = None) -> object:
        """Return what *talk*, which writes, returns; otherwise as `attempt`."""
        now = asyncio.get_running_loop().time()
        if not self.breaker.admits(now):
            raise RedisRefused(self.breaker.reason)
        try:
            reply = await self._link.run(talk, limit_s=limit_s)
        except RedisRefused as exc:
            if self.breaker.failed(now, exc.reason):
                log.warning("Redis takes no writes", url=str(self._link.place), why=exc.reason)
            raise
        if self.breaker.succeeded(now):
            log.info("Redis takes writes", url=str(self._link.place))
        return reply

    async def _write(self, packed: Packed) -> None:
        try:
            self._counts["put", await self._written(packed)] += 1
            await self._on_written()
        except RedisTrouble as exc:
            self._counts["put", exc.reason] += 1
        except (TypeError, ValueError):  # what cannot be packed
            self._counts["put", "unpackable"] += 1

    async def _written(self, packed: Packed) -> str:
        """Write *packed* and return how it went.  Raises RedisTrouble."""
        expires_ms = int((packed.stale_until - self._context.clock()) * 1000)
        if expires_ms <= 0:
            return "expired"
        if self._context.fences.rejects(packed):
            return "purged"
        text = query_text(packed.dataset.query)
        tags = (ALL, *packed.tags)
        is_long = len(packed.dataset.body) > INLINE_BYTES
        data = await asyncio.to_thread(pack, packed) if is_long else pack(packed)
        limit_s = _WRITE_S + len(data) / FLOOR_BYTES_S
        await self.guard(lambda client: self._index(client, tags, text, expires_ms), limit_s=limit_s)
        await self.attempt("SET", self._keys.value(text), data, "PX", expires_ms, limit_s=limit_s)
        self._counts["bytes", "written"] += len(data)
        fences = await self._link.ask("HMGET", self._keys.purges, *tags, limit_s=_WRITE_S)
        self._context.learn({tag.encode(): fence for tag, fence in zip(tags, fences, strict=True) if fence})
        if self._context.fences.rejects(packed):
            await self._link.ask("UNLINK", self._keys.value(text), limit_s=_WRITE_S)
            return "purged"
        with suppress(RedisRefused):  # it is there, told or not
            await self._link.ask(
                "PUBLISH", self._keys.news, self._context.message("landed", query=text), limit_s=_WRITE_S
            )
        return "stored"

    async def _index(self, client: Client, tags: tuple[str, ...], text: str, expires_ms: int) -> None:
        """Note under each tag that the query whose text is *text* carries it."""
        pipeline = client.pipeline(transaction=False)
        for tag in tags:
            pipeline.execute_command("EVAL", _INDEX_SCRIPT, 1, self._keys.tag(tag), text, expires_ms + _INDEX_SLACK_MS)
        await pipeline.execute()
