"""The link to Redis: every command with a deadline, no command torn by who asked it, nothing asked of what is silent.

Theory of operation.  A command is a task of the link's own.  Who asked waits for it at most for the deadline, and may
be cancelled (its client left) at any moment; the task goes on either way, reads its whole reply and gives the
connection back clean. Only when it has not come to its end within the hard limit is it cancelled, and redis-py then
closes the connection.  So a connection is never handed on with somebody else's reply in it.

A deadline missed, or a connection refused or lost, opens the breaker; from then on nobody waits.  One task, the
keeper, asks by itself when the window is over, so not even the probe costs a request anything.  What the owner owes
to Redis (`on_recovery`) is done before the link counts as well.

A deadline that passes because this process's event loop stood still says nothing about Redis: a reply may lie in the
socket. Who finds himself woken far too late waits once more.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from functools import partial
from typing import Any, Self, TypeVar

import structlog

from jvgate.cache.breaker import Breaker
from jvgate.cache.keys import PURGES
from jvgate.cache.redis_client import FOREIGN_ERRORS, Client, RedisRefused, RedisTrouble, open_client, ours
from jvgate.cache.redis_url import RedisPlace

__all__ = ["RedisLink"]

_HARD_S = 1.0  # a command that takes so long is torn off, and its connection closed
_RECOVERY_S = 5.0
_LAST_TURNS = 3  # of the event loop, in which a reply that lies in the socket is read
_SPARE_CONNECTIONS = 4  # beside those for commands: the subscription, and one that is being closed

Reply = TypeVar("Reply")

log: structlog.stdlib.BoundLogger = structlog.get_logger("jvgate.cache")


class RedisLink:
    """Commands to the Redis of *place*; used with `async with`, in one event loop.

    deadline_s: how long who asks waits.  connections: for commands, all together.
    on_recovery: done when Redis answers again, before anybody else is served.
    """

    def __init__(
        self,
        place: RedisPlace,
        *,
        deadline_s: float,
        connections: int,
        on_recovery: Callable[[Client], Awaitable[None]],
    ) -> None:
        self.place = place
        self.breaker = Breaker(unknown=True)
        self._deadline_s = deadline_s
        self._connections = connections
        self._on_recovery = on_recovery
        self._tasks: set[asyncio.Task[Any]] = set()
        self._on_wire: set[asyncio.Task[Any] | None] = set()

    async def __aenter__(self) -> Self:
        self._slots = asyncio.Semaphore(self._connections)
        self._trouble = asyncio.Event()
        async with AsyncExitStack() as end:
            client = open_client(self.place, connections=self._connections + _SPARE_CONNECTIONS)
            self.client: Client = await end.enter_async_context(client)
            await self._probe()  # before anything is served, so that nobody pays for a Redis that is not there
            self._end = end.pop_all()
        self._keeper = asyncio.create_task(self._keep(), name="jvgate-redis-keeper")
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in (self._keeper, *self._tasks):
            task.cancel()
        await asyncio.gather(self._keeper, *self._tasks, return_exceptions=True)
        with suppress(*FOREIGN_ERRORS):  # it hangs or is gone: what is ours of it is closed
            await self._end.aclose()

    async def ask(self, *command: str | bytes | int, limit_s: float | None = None) -> Any:
        """Return the reply to *command* within *limit_s* (default: the deadline).  Raises RedisTrouble."""
        return await self.run(lambda client: client.execute_command(*command), limit_s=limit_s)

    async def run(self, talk: Callable[[Client], Awaitable[Reply]], *, limit_s: float | None = None) -> Reply:
        """Return what *talk* returns, as `ask` does."""
        if not self.breaker.is_closed:
            raise RedisTrouble("open")
        limit_s = self._deadline_s if limit_s is None else limit_s
        era = self.breaker.opened
        task = asyncio.create_task(self._take_turn(talk, max(limit_s, _HARD_S)))
        self._tasks.add(task)
        task.add_done_callback(partial(self._carried_out, era))
        if await _is_done(task, limit_s):
            return task.result()
        if task not in self._on_wire:
            raise RedisTrouble("busy")  # too many at once: no fault of Redis
        self._failed("timeout", era)
        raise RedisTrouble("timeout")

    async def _take_turn(self, talk: Callable[[Client], Awaitable[Reply]], hard_s: float) -> Reply:
        async with self._slots:
            if not self.breaker.is_closed:
                raise RedisTrouble("open")
            return await self._carry_out(talk, hard_s)

    async def _carry_out(self, talk: Callable[[Client], Awaitable[Reply]], hard_s: float) -> Reply:
        task = asyncio.current_task()
        self._on_wire.add(task)
        try:
            async with asyncio.timeout(hard_s):
                return await talk(self.client)
        except FOREIGN_ERRORS as exc:
            raise ours(exc) from exc
        finally:
            self._on_wire.discard(task)

    def _carried_out(self, era: int, task: asyncio.Task[Any]) -> None:
        """Judge the link by how *task* ended, whether or not somebody still waits for it."""
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if isinstance(error, RedisTrouble) and not isinstance(error, RedisRefused) and error.reason != "open":
            self._failed(error.reason, era)

    def _failed(self, reason: str, era: int) -> None:
        if era != self.breaker.opened:
            return  # it began before the last trouble, of which it tells late
        if self.breaker.failed(self._now(), reason):
            log.warning("Redis is left alone", url=str(self.place), why=reason)
        self._trouble.set()

    async def _keep(self) -> None:
        """Try again what is left alone, whenever a window is over."""
        while True:
            await self._trouble.wait()
            while not self.breaker.is_closed:
                await asyncio.sleep(self.breaker.until - self._now())
                if self.breaker.admits(self._now()):
                    await self._probe()
            self._trouble.clear()

    async def _probe(self) -> None:
        """Ask for a sign of life; any key will do, and in a cluster a key says whom to ask."""
        try:
            await self._carry_out(lambda client: client.execute_command("EXISTS", PURGES), _HARD_S)
            await self._carry_out(self._on_recovery, _RECOVERY_S)
        except RedisTrouble as exc:
            self._failed(exc.reason, self.breaker.opened)
            return
        if self.breaker.succeeded(self._now()):
            log.info("Redis answers", url=str(self.place))

    def _now(self) -> float:
        return asyncio.get_running_loop().time()


async def _is_done(task: asyncio.Task[Any], limit_s: float) -> bool:
    """Wait for *task* for *limit_s*.  It is never cancelled by this, whatever happens to who waits."""
    loop = asyncio.get_running_loop()
    late_at = loop.time() + limit_s * 1.5
    await asyncio.wait((task,), timeout=limit_s)
    if not task.done() and loop.time() > late_at:
        await asyncio.wait((task,), timeout=limit_s)
    for _ in range(_LAST_TURNS):
        if not task.done():
            await asyncio.sleep(0)
    return task.done()
