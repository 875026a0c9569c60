"""A client of redis-py for a place, and what its many errors mean in one word.

Nothing is retried and nothing times out in here: deadlines and second tries are the link's matter (`link`).
RESP2, no handshake but AUTH and SELECT: one round trip less on every new connection, and the same on Redis and
Valkey.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Iterator
from contextlib import asynccontextmanager
from typing import Any, Final, Protocol, TypeVar

from redis.asyncio import Redis, RedisCluster
from redis.asyncio.cluster import ClusterNode
from redis.asyncio.connection import Connection, ConnectionPool, SSLConnection, UnixDomainSocketConnection
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import MasterNotFoundError, Sentinel
from redis.backoff import NoBackoff
from redis.exceptions import (
    AuthenticationError,
    BusyLoadingError,
    ClusterDownError,
    ClusterError,
    InvalidResponse,
    NoPermissionError,
    OutOfMemoryError,
    ReadOnlyError,
    RedisClusterException,
    RedisError,
    ResponseError,
)
from redis.exceptions import TimeoutError as RedisTimeout

from jvgate.cache.redis.url import RedisPlace
from jvgate.errors import JvgateError

__all__ = ["FOREIGN_ERRORS", "Client", "RedisRefused", "RedisTrouble", "open_client", "ours", "unless_refused"]

Reply = TypeVar("Reply")

CONNECT_S = 1.0
_READ_BYTES = 1 << 17

FOREIGN_ERRORS: Final = (RedisError, RedisClusterException, OSError, EOFError, TimeoutError, ValueError, IndexError)
"""What redis-py and asyncio raise when the other side is gone, silent, or no Redis at all."""


class RedisTrouble(JvgateError):
    """Redis did not answer.  reason: one word."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"Redis: {reason}")
        self.reason = reason


class RedisRefused(RedisTrouble):
    """Redis answered, and said no to this one command: the connection is well."""


class Client(Protocol):
    """What is used of `redis.asyncio.Redis` and `RedisCluster`."""

    async def execute_command(self, *args: Any) -> Any:
        """Send one command and return its reply."""

    def pipeline(self, *, transaction: bool) -> Any:
        """Return a pipeline of commands."""

    def pubsub(self) -> Any:
        """Return a subscriber with a connection of its own."""


@asynccontextmanager
async def open_client(place: RedisPlace, *, connections: int) -> AsyncIterator[Client]:
    """Yield a client of *place* with at most so many connections, closed at the end.  Nothing is connected yet."""
    if place.kind == "cluster":
        async with _cluster(place, connections) as client:
            yield client
    elif place.kind == "sentinel":
        async with _behind_sentinel(place, connections) as client:
            yield client
    else:
        pool = ConnectionPool(connection_class=_connection_class(place), max_connections=connections, **_where(place))
        async with Redis.from_pool(pool) as client:
            yield client


def _connection_class(place: RedisPlace) -> type[Connection | UnixDomainSocketConnection]:
    if place.kind == "unix":
        return UnixDomainSocketConnection
    return SSLConnection if place.is_tls else Connection


def _where(place: RedisPlace) -> dict[str, Any]:
    target = {"path": place.path} if place.kind == "unix" else dict(zip(("host", "port"), place.hosts[0], strict=True))
    return {**target, "db": place.db, **_how(place), **place.credentials, **place.tls_options}


def _how(place: RedisPlace) -> dict[str, Any]:
    return {
        "protocol": 2,
        "driver_info": None,
        "socket_timeout": None,
        "socket_connect_timeout": CONNECT_S,
        "socket_read_size": _READ_BYTES,
        "retry": Retry(NoBackoff(), 0),
    }


def _tls(place: RedisPlace) -> dict[str, Any]:
    return {"ssl": True, **place.tls_options} if place.is_tls else {}


@asynccontextmanager
async def _cluster(place: RedisPlace, connections: int) -> AsyncIterator[Client]:
    how = {**_how(place), "max_connections": connections, **place.credentials, **_tls(place)}
    how["retry"] = Retry(NoBackoff(), 1)  # the second try goes to the node that has the slot by now
    nodes = [ClusterNode(host, port) for host, port in place.hosts]
    client = RedisCluster(startup_nodes=nodes, require_full_coverage=False, **how)
    try:
        yield client
    finally:
        await client.aclose()
        for known in ("nodes_cache", "startup_nodes"):  # a client that lost its cluster leaves them open
            await client.nodes_manager.aclose(known)


@asynccontextmanager
async def _behind_sentinel(place: RedisPlace, connections: int) -> AsyncIterator[Client]:
    how: dict[str, Any] = {**_how(place), **_tls(place)}
    own = {**how, "socket_timeout": CONNECT_S, **place.sentinel_credentials}
    async with Sentinel(place.hosts, sentinel_kwargs=own) as sentinel:  # type: ignore[no-untyped-call]
        how |= {"max_connections": connections, "db": place.db, **place.credentials}
        async with sentinel.master_for(place.master, **how) as client:
            yield client


_WORDS: Final[tuple[tuple[type[BaseException], str], ...]] = (
    (AuthenticationError, "auth"),
    (BusyLoadingError, "loading"),
    (MasterNotFoundError, "no-master"),
    (ClusterDownError, "cluster-down"),
    (InvalidResponse, "no-redis"),
    (RedisTimeout, "timeout"),
    (TimeoutError, "timeout"),
    (ConnectionRefusedError, "refused"),
    (FileNotFoundError, "refused"),  # no such unix socket
    (ClusterError, "cluster"),
    (RedisClusterException, "cluster"),
)
_REFUSALS: Final[tuple[tuple[type[BaseException], str], ...]] = (
    (ReadOnlyError, "readonly"),
    (OutOfMemoryError, "full"),
    (NoPermissionError, "forbidden"),
)
_REFUSAL_CODES = {"MISCONF": "misconf", "NOREPLICAS": "noreplicas", "WRONGTYPE": "foreign", "NOSPACE": "full"}


def ours(error: BaseException) -> RedisTrouble:
    """Return what *error*, one of FOREIGN_ERRORS, means."""
    if isinstance(error, RedisTrouble):
        return error
    if isinstance(error, ResponseError) and not isinstance(error, ClusterDownError):
        known = (word for kind, word in _REFUSALS if isinstance(error, kind))
        return RedisRefused(next(known, _REFUSAL_CODES.get(_code(error), "error")))
    for cause in _causes(error):
        for kind, word in _WORDS:
            if isinstance(cause, kind):
                return RedisTrouble(word)
    return RedisTrouble("lost")


async def unless_refused(reply: Awaitable[Reply]) -> Reply | None:
    """Return *reply*, or None when Redis says no to that one command.  Raises what redis-py raises else."""
    try:
        return await reply
    except FOREIGN_ERRORS as exc:
        if isinstance(ours(exc), RedisRefused):
            return None
        raise


def _code(error: ResponseError) -> str:
    """Return the first word that Redis said; in a pipeline redis-py tells the command before it, and quotes it."""
    return str(error).rpartition("caused error: ")[2].lstrip("('\"").partition(" ")[0]


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """Yield *error* and what led to it: redis-py wraps what the system said."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
