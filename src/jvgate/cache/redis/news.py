"""The news channel: messages between the processes that share a Redis.

A message has a kind and a payload.  The kinds of the tier itself are `landed` and `released` (a value is there, a
lease was given back; payload: query), `purge` (tags, stamp) and `fences` (the hash of fences was repaired).  Other
packages register listeners for kinds of their own.  An unknown kind is ignored, so is a malformed
message; both are counted.

One task listens, on a connection of its own.  Messages are only a help: a waiting process looks again from time to time
anyway, and a purge stands in the fences too (`fences`).  So when the subscription breaks, it is made good at its
return: the fences are read anew, and the owner drops everything that it kept meanwhile (`on_reconnect`).  A PING of the
listening task finds a connection that is open and dead.

A process that cannot listen though Redis answers (an ACL without the channel, a proxy without SUBSCRIBE) looks at the
fences between its tries, and acts on each new one as on a message: it learns of a purge a second late.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import chain
from typing import Any

import structlog

from jvgate.cache.redis.client import CONNECT_S, FOREIGN_ERRORS, Client, RedisTrouble, ours, unless_refused
from jvgate.cache.redis.context import RedisContext
from jvgate.cache.redis.fences import RESTORE_SCRIPT, is_stamp
from jvgate.listeners import Listener, Listeners
from jvgate.values import Backoff, Message

__all__ = ["RedisNews"]

_QUIET_S = 5.0  # after which the connection is asked whether it lives
_BACKOFF = Backoff(first_s=0.15, most_s=1.5, jitter=2 / 3)

log: structlog.stdlib.BoundLogger = structlog.get_logger("jvgate.cache")


class RedisNews:
    """The subscription of this process.

    on_reconnect: called when news may have been missed.  listeners: of other packages, by kind, the tier's own kinds
    too; each hears the messages of all processes, this one included.
    """

    def __init__(
        self,
        context: RedisContext,
        *,
        on_reconnect: Sequence[Listener[None]] = (),
        listeners: Mapping[str, Sequence[Listener[Message]]] | None = None,
    ) -> None:
        self.is_listening = False
        self.cuts = 0
        self.is_trusted = True  # nothing was read from Redis while a purge could not be heard
        self._context = context
        self._reconnected = Listeners[None]("a new subscription", *on_reconnect)
        self._own: dict[str, Listener[Message]] = {"landed": self._wake, "released": self._wake, "purge": self._purged}
        self._listeners = {
            kind: Listeners[Message](f"a message of kind {kind}", *each) for kind, each in (listeners or {}).items()
        }
        self._watching: dict[str, set[asyncio.Event]] = {}
        self._hurry = asyncio.Event()
        self._is_deaf = False  # and that was logged

    @contextmanager
    def watch(self, text: str) -> Iterator[asyncio.Event]:
        """Yield an event that is set whenever there is news of the query whose text is *text*."""
        event = asyncio.Event()
        watchers = self._watching.setdefault(text, set())
        watchers.add(event)
        try:
            yield event
        finally:
            watchers.discard(event)
            if not watchers:
                self._watching.pop(text, None)

    async def tell(self, message: Message) -> None:
        """Send *message* to all processes.  Raises RedisTrouble, and ValueError for one that is too large."""
        data = self._context.message(message.kind, **message.payload)
        await self._context.link.ask("PUBLISH", self._context.keys.news, data)

    def was_read(self) -> None:
        """Note that a value was read from Redis and may be kept; before the first news that is not safe."""
        self.is_trusted = self.is_trusted and self.is_listening

    def hurry(self) -> None:
        """Try to listen at once: Redis is back."""
        self._hurry.set()

    async def listen(self) -> None:
        """Listen for ever."""
        failures = 0
        while True:
            try:
                await self._subscribe_and_listen()
            except (*FOREIGN_ERRORS, AttributeError, RuntimeError) as exc:  # redis-py's own, of a torn subscription
                if self.is_listening:
                    url, why = str(self._context.link.place), ours(exc).reason
                    log.warning("the news of other processes are cut off", url=url, why=why)
                    failures = 0
                else:
                    await self._look(ours(exc).reason)
            self.is_listening = False
            self.cuts += 1
            self._hurry.clear()
            try:
                async with asyncio.timeout(_BACKOFF.pause_s(failures + 1, random.random())):
                    await self._hurry.wait()
            except TimeoutError:
                failures += 1

    async def _look(self, why: str) -> None:
        """Look for purges that cannot be heard.  why: logged once, unless it is that Redis is away."""
        link = self._context.link
        try:
            unknown = await link.run(lambda client: unless_refused(self._compare(client)), limit_s=CONNECT_S)
        except RedisTrouble:
            return
        if unknown:
            self._context.purged.tell(unknown)
        if not self._is_deaf:
            self._is_deaf = True
            text = "the news of other processes cannot be heard, so their purges are looked for every second"
            log.warning(text, url=str(link.place), why=why)

    async def _subscribe_and_listen(self) -> None:
        client = self._context.link.client
        pubsub = client.pubsub()
        try:
            async with asyncio.timeout(CONNECT_S):
                await pubsub.subscribe(self._context.keys.news)
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
            self._context.learn(await self._fences_of(client))

    async def _catch_up(self, client: Client) -> None:
        """Learn the purges before the first message."""
        await self._compare(client)
        if self.cuts or self.is_listening or not self.is_trusted:
            self._reconnected.tell(None)
        self.is_trusted = True
        self.is_listening = True
        self._is_deaf = False
        for events in self._watching.values():
            for event in events:
                event.set()

    async def _compare(self, client: Client) -> tuple[str, ...]:
        """Learn the fences of Redis and give it back those that it lost; return the tags of those that were unknown."""
        keys, fences = self._context.keys, await self._fences_of(client)
        unknown = self._context.fences.learn(fences)
        if lost := self._context.fences.beyond(fences):
            command = ("EVAL", RESTORE_SCRIPT, 1, keys.purges, *chain.from_iterable(lost.items()))
            if await unless_refused(client.execute_command(*command)):
                await unless_refused(client.execute_command("PUBLISH", keys.news, self._context.message("fences")))
        return unknown

    def _take(self, data: bytes) -> bool:
        """Give a message to its listeners; return whether the fences have to be read."""
        try:
            message = Message.from_bytes(data)
            if message.kind == "fences":
                return True
            own, listeners = self._own.get(message.kind), self._listeners.get(message.kind)
            if own is None and listeners is None:
                self._context.counts["message", "unknown"] += 1
            if own is not None:
                own(message)
            if listeners is not None:
                listeners.tell(message)
        except ValueError:
            self._context.counts["message", "malformed"] += 1
        return False

    def _wake(self, message: Message) -> None:
        for event in self._watching.get(message.text("query"), ()):
            event.set()

    def _purged(self, message: Message) -> None:
        tags, stamp, node = message.texts("tags"), message.number("stamp"), message.text("from")
        if not is_stamp(stamp):
            raise ValueError("no stamp of a purge")
        self._context.fences.raise_fences(tags, stamp)
        if node != self._context.node:
            self._context.purged.tell(tags)

    async def _fences_of(self, client: Client) -> dict[bytes, bytes]:
        """Return the hash of fences.  Raises what redis-py raises."""
        fences: dict[bytes, bytes] = await client.execute_command("HGETALL", self._context.keys.purges)
        return fences
