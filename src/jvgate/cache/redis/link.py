"""Commands to Redis: each with a deadline, none torn by the caller that asked it, all behind a circuit breaker.

A command runs in a task of the link.  Its caller waits at most for the deadline and may be cancelled (its client left)
at any moment; the command goes on either way, its whole reply is read, and the connection is clean again.  A command
that has not ended within the hard limit is cancelled, and redis-py closes its connection.  So no connection is ever
handed on with the reply to another command in it.

A missed deadline and a refused or lost connection open the breaker; from then on no caller waits.  One task, the
keeper, sends the probe when the breaker's window is over, so that no request pays for it.  Everything that the owner
owes to Redis (`on_recovery`) is done before the link counts as well again.

A deadline that passes because this process's event loop stood still says nothing about Redis: a reply may lie in the
socket.  A timer that fires far too late therefore waits once more.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from typing import Any, Generic, Self, TypeVar

import structlog

from jvgate.cache.redis.breaker import Breaker
from jvgate.cache.redis.client import FOREIGN_ERRORS, Client, RedisRefused, RedisTrouble, open_client, ours
from jvgate.cache.redis.url import RedisPlace
from jvgate.values import Backoff

__all__ = ["RedisLink"]

_HARD_S = 1.0  # a command that takes so long is cancelled, and its connection closed
_PROBE_S = 2.0  # a cluster has much to tell at first
_RECOVERY_S = 5.0
_BACKOFF = Backoff(first_s=0.5, most_s=5.0, jitter=0.2)  # a probe costs no request anything
_LAST_TURNS = 3  # of the event loop, in which a reply that lies in the socket is read
_SPARE_CONNECTIONS = 4  # the subscription, and one that is being closed

Reply = TypeVar("Reply")

log: structlog.stdlib.BoundLogger = structlog.get_logger("jvgate.cache")


class RedisLink:
    """Commands to the Redis of *place*; used with `async with`, in one event loop.

    deadline_s: how long a caller waits.  connections: for commands, all together.
    on_recovery: done when Redis answers again, before any caller is served.  key: any one of ours.
    """

    def __init__(
        self,
        place: RedisPlace,
        *,
        deadline_s: float,
        connections: int,
        key: str,
        on_recovery: Callable[[Client], Awaitable[None]],
    ) -> None:
        self.place = place
        self.breaker = Breaker(_BACKOFF, unknown=True)
        self._deadline_s = deadline_s
        self._connections = connections
        self._key = key
        self._on_recovery = on_recovery
        self._tasks: set[asyncio.Task[Any]] = set()
        self._is_closing = False

    async def __aenter__(self) -> Self:
        self._slots = asyncio.Semaphore(self._connections)
        self._trouble = asyncio.Event()
        async with AsyncExitStack() as end:
            client = open_client(self.place, connections=self._connections + _SPARE_CONNECTIONS)
            self.client: Client = await end.enter_async_context(client)
            await self._probe()  # before anything is served, so that no request pays for a Redis that is not there
            self._end = end.pop_all()
        self._keeper = asyncio.create_task(self._keep(), name="jvgate-redis-keeper")
        return self

    async def __aexit__(self, *_: object) -> None:
        self._is_closing = True
        for task in (self._keeper, *self._tasks):
            task.cancel()
        await asyncio.gather(self._keeper, *self._tasks, return_exceptions=True)
        with suppress(*FOREIGN_ERRORS):  # it hangs or is gone: our side of it is closed
            await self._end.aclose()

    async def ask(self, *command: str | bytes | int, limit_s: float | None = None) -> Any:
        """Return the reply to *command* within *limit_s* (default: the deadline).  Raises RedisTrouble."""
        return await self.run(lambda client: client.execute_command(*command), limit_s=limit_s)

    async def run(self, talk: Callable[[Client], Awaitable[Reply]], *, limit_s: float | None = None) -> Reply:
        """Return the result of *talk*, as `ask` does."""
        if self._is_closing:
            raise RedisTrouble("closed")
        if not self.breaker.is_closed:
            raise RedisTrouble("open")
        loop = asyncio.get_running_loop()
        limit_s = self._deadline_s if limit_s is None else limit_s
        command: _Command[Reply] = _Command(loop.create_future(), self.breaker.opened, limit_s, loop.time() + limit_s)
        command.timer = loop.call_at(command.due_at, self._is_due, command)
        command.task = task = asyncio.create_task(self._carry_out(talk, command))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        # A cancelled caller cancels only its own future, never the task.
        answer = await command.answer
        if isinstance(answer, RedisTrouble):
            raise answer
        return answer

    async def _carry_out(self, talk: Callable[[Client], Awaitable[Reply]], command: _Command[Reply]) -> None:
        """Take a slot, talk, and hand the answer to the caller, if it still waits."""
        answer: Reply | RedisTrouble = RedisTrouble("closed")  # unless it comes to its end
        try:
            async with self._slots:
                if self.breaker.is_closed:
                    command.is_sent = True
                    answer = await talk(self.client)
                else:
                    answer = RedisTrouble("open")
        except FOREIGN_ERRORS as exc:
            answer = self._noted(exc, command)
        finally:
            command.settle(answer)

    def _noted(self, error: Exception, command: _Command[Any]) -> RedisTrouble:
        """Return *error* as ours, for the caller of *command*; the breaker hears of it unless it is a refusal."""
        trouble = ours(error)
        trouble.__cause__ = error
        if not isinstance(trouble, RedisRefused):
            self._failed(trouble.reason, command.era)
        return trouble

    def _is_due(self, command: _Command[Any], turns: int = _LAST_TURNS) -> None:
        """Give up waiting for *command*, unless it was this process that stood still."""
        loop = asyncio.get_running_loop()
        if command.timer is None:
            return
        if loop.time() > command.due_at + command.limit_s / 2 and not command.is_extended:
            command.is_extended = True
            command.due_at = loop.time() + command.limit_s
            command.timer = loop.call_at(command.due_at, self._is_due, command)
        elif turns:
            loop.call_soon(self._is_due, command, turns - 1)
        else:
            self._give_up(command)

    def _give_up(self, command: _Command[Any]) -> None:
        """Release the caller of *command*; the command may still end by itself until the hard limit."""
        if command.is_sent:
            self._failed("timeout", command.era)
        if not command.answer.done():
            command.answer.set_result(RedisTrouble("timeout" if command.is_sent else "busy"))
        left_s = max(_HARD_S - command.limit_s, 0)
        command.timer = asyncio.get_running_loop().call_later(left_s, command.task.cancel)

    def _failed(self, reason: str, era: int) -> None:
        if era != self.breaker.opened or self._is_closing:
            return  # a late report of an earlier trouble, or of our own end
        if self.breaker.failed(self._now(), reason):
            log.warning("Redis is left alone", url=str(self.place), why=reason)
        self._trouble.set()

    async def _keep(self) -> None:
        """Send a probe whenever a window of the open breaker is over."""
        while True:
            await self._trouble.wait()
            while not self.breaker.is_closed:
                await asyncio.sleep(self.breaker.until - self._now())
                if self.breaker.admits(self._now()):
                    await self._probe()
            self._trouble.clear()

    async def _probe(self) -> None:
        """Ask for a sign of life; any key will do, and in a cluster the key selects the node."""
        try:
            async with asyncio.timeout(_PROBE_S):
                await self.client.execute_command("EXISTS", self._key)
            async with asyncio.timeout(_RECOVERY_S):
                await self._on_recovery(self.client)
        except FOREIGN_ERRORS as exc:
            self._failed(ours(exc).reason, self.breaker.opened)
            return
        except Exception:  # a fault of ours: it must not end the keeper, or the breaker would never close
            log.exception("what Redis missed could not be made good", url=str(self.place))
            self._failed("error", self.breaker.opened)
            return
        if self.breaker.succeeded(self._now()):
            log.info("Redis answers", url=str(self.place))

    def _now(self) -> float:
        return asyncio.get_running_loop().time()


@dataclass(slots=True, eq=False)
class _Command(Generic[Reply]):
    """One command.  era: how often the breaker had opened when it began; due_at: by the loop's clock.

    is_sent: it has its slot.  timer: runs when it is due, None when it has ended.
    """

    answer: asyncio.Future[Reply | RedisTrouble]
    era: int
    limit_s: float
    due_at: float
    is_sent: bool = False
    is_extended: bool = False
    task: asyncio.Task[None] = field(init=False)
    timer: asyncio.TimerHandle | None = field(init=False)

    def settle(self, answer: Reply | RedisTrouble) -> None:
        """End it with *answer*."""
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None
        if not self.answer.done():
            self.answer.set_result(answer)
