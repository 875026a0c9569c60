"""The link to Redis: every command with a deadline, no command torn by who asked it, nothing asked of what is silent.

Theory of operation.  A command goes its own way: over a wire that is at hand (`redis_direct`), else in a task of the
link's own.  Who asked waits for it at most for the deadline, and may be cancelled (its client left) at any moment; the
command goes on either way, its whole reply is read and the connection is clean again.  Only when it has not come to
its end within the hard limit is it torn off, and its connection closed.  So a connection is never handed on with
somebody else's reply in it.

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
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Generic, Self, TypeVar

import structlog

from jvgate.cache.redis.breaker import Breaker
from jvgate.cache.redis.client import FOREIGN_ERRORS, Client, RedisRefused, RedisTrouble, open_client, ours
from jvgate.cache.redis.direct import DirectClient, Wire, packed
from jvgate.cache.redis.keys import PURGES
from jvgate.cache.redis.url import RedisPlace

__all__ = ["RedisLink"]

_HARD_S = 1.0  # a command that takes so long is torn off, and its connection closed
_PROBE_S = 2.0  # a cluster has much to tell at first
_RECOVERY_S = 5.0
_LONGEST_WINDOW_S = 5.0  # a probe costs no request anything
_LAST_TURNS = 3  # of the event loop, in which a reply that lies in the socket is read
_SPARE_CONNECTIONS = 4  # the subscription, and one that is being closed

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
        self.breaker = Breaker(longest_window_s=_LONGEST_WINDOW_S, unknown=True)
        self._deadline_s = deadline_s
        self._connections = connections
        self._on_recovery = on_recovery
        self._tasks: set[asyncio.Task[Any]] = set()
        self._is_closing = False

    async def __aenter__(self) -> Self:
        self._slots = asyncio.Semaphore(self._connections)
        self._trouble = asyncio.Event()
        async with AsyncExitStack() as end:
            # Wires keep theirs, and pipelines take others.
            client = open_client(self.place, connections=2 * self._connections + _SPARE_CONNECTIONS)
            self.client: Client = await end.enter_async_context(client)
            await self._probe()  # before anything is served, so that nobody pays for a Redis that is not there
            self._end = end.pop_all()
        self._keeper = asyncio.create_task(self._keep(), name="jvgate-redis-keeper")
        return self

    async def __aexit__(self, *_: object) -> None:
        self._is_closing = True
        for task in (self._keeper, *self._tasks):
            task.cancel()
        await asyncio.gather(self._keeper, *self._tasks, return_exceptions=True)
        with suppress(*FOREIGN_ERRORS):  # it hangs or is gone: what is ours of it is closed
            await self._end.aclose()

    async def ask(self, *command: str | bytes | int, limit_s: float | None = None) -> Any:
        """Return the reply to *command* within *limit_s* (default: the deadline).  Raises RedisTrouble.

        For commands whose replies redis-py leaves as they are: a wire's are what Redis says.
        """
        words = packed(command)
        wire = self._wire_at_hand()
        if wire is None:
            return await self.run(lambda client: client.execute_command(*command), limit_s=limit_s)
        sent = self._begun(limit_s)
        sent.tear, sent.is_on_wire = wire.abort, True
        await self._slots.acquire()  # at once, since one is free
        wire.send(words, partial(self._replied, sent))
        return await _answer(sent)

    async def run(self, talk: Callable[[Client], Awaitable[Reply]], *, limit_s: float | None = None) -> Reply:
        """Return what *talk* returns, as `ask` does."""
        if not self.breaker.is_closed:
            raise RedisTrouble("open")
        command = self._begun(limit_s)
        task = asyncio.create_task(self._carry_out(talk, command))
        command.tear = task.cancel
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return await _answer(command)

    def _wire_at_hand(self) -> Wire | None:
        if self._slots.locked() or not self.breaker.is_closed or not isinstance(self.client, DirectClient):
            return None
        return self.client.at_hand()

    def _begun(self, limit_s: float | None) -> _Command[Any]:
        """Return a command that is due within *limit_s*."""
        loop = asyncio.get_running_loop()
        limit_s = self._deadline_s if limit_s is None else limit_s
        command: _Command[Any] = _Command(loop.create_future(), self.breaker.opened, limit_s, loop.time() + limit_s)
        command.timer = loop.call_at(command.due_at, self._is_due, command)
        return command

    async def _carry_out(self, talk: Callable[[Client], Awaitable[Reply]], command: _Command[Reply]) -> None:
        """Take a turn, talk, and give the answer to who still waits for it."""
        answer: Reply | RedisTrouble = RedisTrouble("closed")  # unless it comes to its end
        try:
            async with self._slots:
                if self.breaker.is_closed:
                    command.is_on_wire = True
                    answer = await talk(self.client)
                else:
                    answer = RedisTrouble("open")
        except FOREIGN_ERRORS as exc:
            answer = self._noted(exc, command)
        finally:
            command.settle(answer)

    def _replied(self, command: _Command[Any], reply: Any) -> None:
        """Give the reply that came over a wire, or the error that there is instead, to who still waits for it."""
        self._slots.release()
        command.settle(self._noted(reply, command) if isinstance(reply, Exception) else reply)

    def _noted(self, error: Exception, command: _Command[Any]) -> RedisTrouble:
        """Return what *error* means to who asked for *command*; what it says of Redis is noted."""
        trouble = ours(error)
        trouble.__cause__ = error
        if not isinstance(trouble, RedisRefused):
            self._failed(trouble.reason, command.era)
        return trouble

    def _is_due(self, command: _Command[Any], turns: int = _LAST_TURNS) -> None:
        """Give up waiting for *command*, unless it is this process that stood still."""
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
        """Let go who waits for *command*; it may still come to its end, for a while."""
        if command.is_on_wire:
            self._failed("timeout", command.era)
        if not command.answer.done():
            command.answer.set_result(RedisTrouble("timeout" if command.is_on_wire else "busy"))
        left_s = max(_HARD_S - command.limit_s, 0)
        command.timer = asyncio.get_running_loop().call_later(left_s, command.tear)

    def _failed(self, reason: str, era: int) -> None:
        if era != self.breaker.opened or self._is_closing:
            return  # it began before the last trouble, of which it tells late; or it was ended by us
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
            async with asyncio.timeout(_PROBE_S):
                await self.client.execute_command("EXISTS", PURGES)
            async with asyncio.timeout(_RECOVERY_S):
                await self._on_recovery(self.client)
        except FOREIGN_ERRORS as exc:
            self._failed(ours(exc).reason, self.breaker.opened)
            return
        except Exception:  # a fault of ours: it must not end the keeper, which would leave Redis alone for ever
            log.exception("what Redis missed could not be made good", url=str(self.place))
            self._failed("error", self.breaker.opened)
            return
        if self.breaker.succeeded(self._now()):
            log.info("Redis answers", url=str(self.place))

    def _now(self) -> float:
        return asyncio.get_running_loop().time()


@dataclass(slots=True, eq=False)
class _Command(Generic[Reply]):
    """One command on its way.  era: how often the breaker had opened when it began; due_at: by the loop's clock.

    tear: ends it in its midst.  timer: what is done when it is due, None when it has come to its end.
    """

    answer: asyncio.Future[Reply | RedisTrouble]
    era: int
    limit_s: float
    due_at: float
    is_on_wire: bool = False
    is_extended: bool = False
    tear: Callable[[], object] = field(init=False)
    timer: asyncio.TimerHandle | None = field(init=False)

    def settle(self, answer: Reply | RedisTrouble) -> None:
        """Take note of the end."""
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None
        if not self.answer.done():
            self.answer.set_result(answer)


async def _answer(command: _Command[Reply]) -> Reply:
    """Wait for what becomes of *command*; who is cancelled here cancels only that.  Raises RedisTrouble."""
    answer = await command.answer
    if isinstance(answer, RedisTrouble):
        raise answer
    return answer
