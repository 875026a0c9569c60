"""What the processes tell each other through Redis: a value has landed, a lease was given back, something was purged.

Theory of operation.  One task listens, on a connection of its own.  Messages are only a help: who waits looks again
from time to time anyway, and a purge stands in the fences too (`fences`).  So when the subscription breaks, what was
missed is made good at its return: the fences are read anew, and the owner throws away what it kept meanwhile
(`on_reconnect`).  A connection that is open and dead is found out by a PING of its own.

Who cannot listen though Redis answers (an ACL without the channel, a proxy that knows no SUBSCRIBE) looks at the fences
between its tries to listen, and acts on each that is new to it as on a message: it learns of a purge a second late.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from itertools import chain
from typing import Any, Final

import orjson
import structlog

from jvgate.cache.redis.client import CONNECT_S, FOREIGN_ERRORS, Client, RedisTrouble, ours, unless_refused
from jvgate.cache.redis.fences import RESTORE_SCRIPT, Fences, is_stamp
from jvgate.cache.redis.keys import NEWS, PURGES
from jvgate.cache.redis.link import RedisLink

__all__ = ["RedisNews"]

_QUIET_S = 5.0  # after which the connection is asked whether it lives
_FIRST_PAUSE_S = 0.1
_LONGEST_PAUSE_S = 1.0

log: structlog.stdlib.BoundLogger = structlog.get_logger("jvgate.cache")


class RedisNews:
    """The subscription of this process.  node: its name in messages.

    on_purge: told the tags that another process purged.  on_reconnect: called when news may have been missed.
    Both are called in the event loop.
    """

    def __init__(
        self,
        link: RedisLink,
        fences: Fences,
        *,
        node: str,
        on_purge: Callable[[tuple[str, ...]], None],
        on_reconnect: Callable[[], None],
    ) -> None:
        self.is_listening = False
        self.cuts = 0
        self.is_trusted = True  # nothing was read that a purge may have meant of which one could not hear
        self._link = link
        self._fences = fences
        self._node = node
        self._on_purge = on_purge
        self._on_reconnect = on_reconnect
        self._watching: dict[str, set[asyncio.Event]] = {}
        self._hurry = asyncio.Event()
        self._is_deaf = False  # and that was said

    @contextmanager
    def watch(self, text: str) -> Iterator[asyncio.Event]:
        """Yield what is set whenever there is news of the query whose text is *text*."""
        event = asyncio.Event()
        watchers = self._watching.setdefault(text, set())
        watchers.add(event)
        try:
            yield event
        finally:
            watchers.discard(event)
            if not watchers:
                self._watching.pop(text, None)

    def message(self, kind: str, **facts: object) -> bytes:
        """Return a message of *kind*: `landed`, `left` with a query, `purge` with tags and a stamp, or `fences`."""
        return orjson.dumps({"kind": kind, "from": self._node, **facts})

    def was_read(self) -> None:
        """Note that something was read from Redis and may be kept; before the first news that is not safe."""
        self.is_trusted = self.is_trusted and self.is_listening

    def learn(self, fences: Mapping[bytes, bytes]) -> None:
        """Take note of *fences* as they stand in Redis, and tell the owner of those whose purges were not heard."""
        if tags := self._fences.learn(fences):
            self._call(self._on_purge, tags)

    def hurry(self) -> None:
        """Do not wait for the next try: Redis is back."""
        self._hurry.set()

    async def listen(self) -> None:
        """Listen for ever."""
        pause_s = _FIRST_PAUSE_S
        while True:
            try:
                await self._subscribe_and_listen()
            except (*FOREIGN_ERRORS, AttributeError, RuntimeError) as exc:  # redis-py's own, of a torn subscription
                if self.is_listening:
                    log.warning("the news of other processes are cut off", url=str(self._link.place),
                                why=ours(exc).reason)  # fmt: skip
                    pause_s = _FIRST_PAUSE_S
                else:
                    await self._look(ours(exc).reason)
            self.is_listening = False
            self.cuts += 1
            self._hurry.clear()
            try:
                async with asyncio.timeout(pause_s * random.uniform(0.5, 1.5)):
                    await self._hurry.wait()
            except TimeoutError:
                pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)

    async def _look(self, why: str) -> None:
        """Look for purges, which cannot be heard; *why*, is said once when it is not that Redis is away."""
        try:
            unknown = await self._link.run(lambda client: unless_refused(self._compare(client)), limit_s=CONNECT_S)
        except RedisTrouble:
            return
        if unknown:
            self._call(self._on_purge, unknown)
        if not self._is_deaf:
            self._is_deaf = True
            log.warning("the news of other processes cannot be heard, so their purges are looked for every second",
                        url=str(self._link.place), why=why)  # fmt: skip

    async def _subscribe_and_listen(self) -> None:
        client = self._link.client
        pubsub = client.pubsub()
        try:
            async with asyncio.timeout(CONNECT_S):
                await pubsub.subscribe(NEWS)
            was_asked = False
            while True:
                async with asyncio.timeout(_QUIET_S + CONNECT_S):
                    message = await pubsub.get_message(timeout=_QUIET_S)
                    if message is None and was_asked:
                        raise TimeoutError
                    was_asked = message is None
                    if was_asked:
                        await pubsub.ping()
                    else:
                        await self._hear(message, client)
        finally:
            await pubsub.aclose()

    async def _hear(self, message: dict[str, Any], client: Client) -> None:
        if message["type"] == "subscribe":  # a second one would be a connection that redis-py made anew
            await self._catch_up(client)
        elif message["type"] == "message" and self._take(message["data"]):
            self.learn(await _fences_of(client))

    async def _catch_up(self, client: Client) -> None:
        """Learn what was purged before the first message."""
        await self._compare(client)
        if self.cuts or self.is_listening or not self.is_trusted:
            self._call(self._on_reconnect)
        self.is_trusted = True
        self.is_listening = True
        self._is_deaf = False
        for event in _events(self._watching):
            event.set()

    async def _compare(self, client: Client) -> tuple[str, ...]:
        """Learn the fences of Redis and give it back those that it lost; return the tags of those that were unknown."""
        fences = await _fences_of(client)
        unknown = self._fences.learn(fences)
        if lost := self._fences.beyond(fences):
            command = ("EVAL", RESTORE_SCRIPT, 1, PURGES, *chain.from_iterable(lost.items()))
            if await unless_refused(client.execute_command(*command)):
                await unless_refused(client.execute_command("PUBLISH", NEWS, self.message("fences")))
        return unknown

    def _take(self, data: bytes) -> bool:
        """Act on a message, and return whether the fences have to be read; what is none of ours is passed over."""
        try:
            facts = orjson.loads(data)
            kind, query = facts["kind"], facts.get("query")
            if kind == "purge" and is_stamp(facts["stamp"]):
                self._purged(tuple(map(str, facts["tags"])), facts["stamp"], facts["from"])
            elif kind in _OF_A_QUERY:
                for event in self._watching.get(query, ()):
                    event.set()
            return bool(kind == "fences")
        except (AttributeError, KeyError, TypeError, ValueError):
            return False

    def _purged(self, tags: tuple[str, ...], stamp: int, node: str) -> None:
        self._fences.raise_fences(tags, stamp)
        if node != self._node:
            self._call(self._on_purge, tags)

    def _call(self, listener: Callable[..., None], *arguments: object) -> None:
        """Call what the owner gave, and hand its errors to the loop: they do not end the listening."""
        asyncio.get_running_loop().call_soon(listener, *arguments)


_OF_A_QUERY: Final = frozenset({"landed", "left"})


async def _fences_of(client: Client) -> dict[bytes, bytes]:
    """Return the hash of fences.  Raises what redis-py raises."""
    fences: dict[bytes, bytes] = await client.execute_command("HGETALL", PURGES)
    return fences


def _events(watching: dict[str, set[asyncio.Event]]) -> Iterator[asyncio.Event]:
    for events in watching.values():
        yield from events
