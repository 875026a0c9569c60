"""Commands over connections that redis-py opens and a protocol of our own then speaks over.

Theory of operation.  redis-py connects, encrypts and says who we are.  Then the connection's transport gets another
protocol, a `Wire`, for which a command is one write, and a reply one call by the event loop: no task, no stream, no
buffer between; with those a short GET takes three times as long.  A wire carries one command at a time, and reads the
reply to its end whether or not anybody still waits for it; only then does it take the next.  What comes that nobody
asked for closes it.  A wire that is closed goes back to redis-py's pool, whose connection is opened anew when needed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final

import hiredis
from redis._parsers.base import BaseParser
from redis.asyncio import Redis
from redis.asyncio.connection import Connection
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import InvalidResponse

__all__ = ["DirectClient", "Wire", "packed"]

OnReply = Callable[[Any], None]
"""Called once with the reply to a command, or with the error that there is instead."""

_PART: Final = object()  # of a reply, the rest of which is still to come


class DirectClient:
    """What is used of *client*, and its commands over wires.  One event loop's."""

    def __init__(self, client: Redis) -> None:
        self._pool = client.connection_pool
        self._callbacks: Mapping[Any, Callable[[Any], Any]] = client.response_callbacks
        self._wires: set[Wire] = set()
        self._idle: list[Wire] = []
        self._closed: list[Wire] = []
        self.pipeline = client.pipeline
        self.pubsub = client.pubsub

    def at_hand(self) -> Wire | None:
        """Return a wire that is open and has nothing to do, if there is one; a command must be sent over it at once."""
        while self._idle:
            wire = self._idle.pop()
            if wire.is_open:
                return wire
        return None

    async def execute_command(self, *args: Any) -> Any:
        """Send one command and return its reply.  Raises what redis-py raises."""
        command = packed(args)
        wire = self.at_hand() or await self._opened()
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        wire.send(command, partial(_settle, answer))
        try:
            reply = await answer
        except asyncio.CancelledError:  # it has taken too long
            if answer.cancelled():  # else the wire may carry the command of somebody else by now
                wire.abort()
            raise
        if isinstance(reply, Exception):
            raise reply
        callback = self._callbacks.get(args[0])
        return reply if callback is None else callback(reply)

    async def aclose(self) -> None:
        """Give the connections back to the pool, which closes them."""
        for wire in self._wires:
            wire.abort()
        await self._give_back()

    async def _opened(self) -> Wire:
        await self._give_back()
        connection: Connection = await self._pool.get_connection()  # type: ignore[no-untyped-call]
        wire = Wire(connection, self._note)
        self._wires.add(wire)
        return wire

    def _note(self, wire: Wire) -> None:
        """Take note of a wire that has nothing to do, or is closed."""
        (self._idle if wire.is_open else self._closed).append(wire)

    async def _give_back(self) -> None:
        """Give the connections of closed wires back to the pool."""
        while self._closed:
            wire = self._closed.pop()
            self._wires.discard(wire)
            await wire.connection.disconnect(nowait=True)
            await self._pool.release(wire.connection)


def packed(command: tuple[str | bytes | int, ...]) -> bytes:
    """Return *command* as it is sent.  Raises TypeError and ValueError for what cannot be."""
    words: bytes = hiredis.pack_command(command)  # type: ignore[arg-type]  # the stub knows commands of one word
    return words


def _settle(answer: asyncio.Future[Any], reply: Any) -> None:
    if not answer.done():
        answer.set_result(reply)


class Wire(asyncio.Protocol):
    """One connection and the command on it.  on_end: told after each reply, and once when the wire is closed."""

    def __init__(self, connection: Connection, on_end: Callable[[Wire], None]) -> None:
        self.connection = connection
        self.is_open = True
        self._on_end = on_end
        self._on_reply: OnReply | None = None
        self._reader = hiredis.Reader(
            protocolError=InvalidResponse, replyError=BaseParser.parse_error, notEnoughData=_PART
        )
        self._transport: Any = connection._writer.transport  # type: ignore[union-attr]  # it is connected
        self._streams = self._transport.get_protocol()
        self._transport.set_protocol(self)

    def send(self, command: bytes, on_reply: OnReply) -> None:
        """Send *command*, packed; *on_reply* is called with what Redis says to it, or what redis-py would raise."""
        self._on_reply = on_reply
        self._transport.write(command)

    def abort(self) -> None:
        """Close it at once, whatever is under way."""
        self._end(RedisConnectionError("the connection was given up"))

    def data_received(self, data: bytes) -> None:
        """Give the reply to who asked for it, when it is whole."""
        try:
            self._reader.feed(data)
            reply = self._reader.gets()
        except (InvalidResponse, ValueError) as exc:  # the latter for a redirection that names no place
            self._end(exc)
            return
        on_reply, is_whole = self._on_reply, reply is not _PART
        if on_reply is None or (is_whole and self._reader.has_data()):
            self._end(InvalidResponse("more than was asked for"))
        elif isinstance(reply, RedisConnectionError):  # it says no to every command
            self._end(reply)
        elif is_whole:
            self._on_reply = None
            self._on_end(self)
            on_reply(reply)

    def connection_lost(self, exc: Exception | None) -> None:
        """Take note of the end; the streams of redis-py must know as well."""
        self._streams.connection_lost(exc)
        self._end(RedisConnectionError("the connection was closed by the other side"))

    def _end(self, error: Exception) -> None:
        if not self.is_open:
            return
        self.is_open = False
        self._transport.abort()
        self._on_end(self)
        on_reply, self._on_reply = self._on_reply, None
        if on_reply is not None:
            on_reply(error)
