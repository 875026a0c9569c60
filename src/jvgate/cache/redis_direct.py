"""Commands over connections that are kept at hand, beside the pool of redis-py.

Its client takes a connection out of the pool for every command, looks at it, measures itself and puts it back, which
takes a third of a short GET.  Here a connection stays out of the pool from its first command on: the next command
takes it as it is.  It goes back, and redis-py mends it there, when anything but a reply or a refusal came over it, or
when there is something to read on it before anybody has asked.
"""

from __future__ import annotations

from typing import Any, Final

from hiredis import pack_command
from redis.asyncio import Redis
from redis.asyncio.connection import Connection
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import ResponseError

__all__ = ["DirectClient"]

_LOST: Final = (RedisConnectionError, OSError)


class DirectClient:
    """What is used of *client*, and its commands over connections of our own.  One event loop's."""

    def __init__(self, client: Redis) -> None:
        self._client = client
        self._pool = client.connection_pool
        self._idle: list[Connection] = []
        self.pipeline = client.pipeline
        self.pubsub = client.pubsub

    async def execute_command(self, *args: Any) -> Any:
        """Send one command and return its reply.  Raises what redis-py raises."""
        connection = await self._connection()
        is_well = False
        try:
            await connection.send_packed_command(pack_command(args), check_health=False)
            reply = await self._client.parse_response(connection, args[0])
            is_well = True
        except ResponseError:
            is_well = True
            raise
        finally:  # cancelled in its midst it is closed by redis-py already
            if is_well:
                self._idle.append(connection)
            else:
                await self._pool.release(connection)
        return reply

    async def aclose(self) -> None:
        """Give the connections back to the pool, which closes them."""
        while self._idle:
            await self._pool.release(self._idle.pop())

    async def _connection(self) -> Connection:
        """Return a connection on which nothing is under way."""
        while self._idle:
            connection = self._idle.pop()
            if await _is_silent(connection):
                return connection
            await self._pool.release(connection)
        taken: Connection = await self._pool.get_connection()  # type: ignore[no-untyped-call]
        return taken


async def _is_silent(connection: Connection) -> bool:
    """Whether *connection* is open, and nothing has come that nobody asked for."""
    try:
        return connection.is_connected and not await connection.can_read()
    except _LOST:
        return False
