"""Leases: one process alone reads a query from the source, and the others wait for its value.

A lease is a key that only the first process can set, with its owner token and an expiry.  It is renewed while the task
that took it runs, compared with the token each time, and given back in the same way: no process ends another one's
lease.  A process that dies renews nothing, and the others wait at most for the expiry.

When Redis cannot tell the holder, the caller has a lease of its own (`is_shared` is False) and reads for itself.  If
the command went out and only the reply is missing, the key may be set all the same; so the release tries to remove it
then too.
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

from jvgate.cache.redis.client import RedisTrouble
from jvgate.cache.redis.context import RedisContext
from jvgate.cache.redis.writes import RedisWrites
from jvgate.cache.shared import Lease

__all__ = ["RedisLeases"]

_RENEWALS = 3  # in the time that a lease lasts
_GIVE_BACK_S = 1.0

_RENEW_SCRIPT = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])
"""
_REMOVE_SCRIPT = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])
"""


_NEVER, _LONGEST_MS = -1, 86_400_000  # as PTTL says it; what no setting allows


class RedisLeases:
    """The leases of this process.  hold_s: how long one lasts that is not renewed."""

    def __init__(self, context: RedisContext, writes: RedisWrites, *, hold_s: float) -> None:
        self._context = context
        self._keys = context.keys
        self._link = context.link
        self._counts = context.counts
        self._writes = writes
        self._hold_ms = int(hold_s * 1000)
        self._taken = 0
        self._renewals: dict[str, asyncio.Task[None]] = {}

    async def take(self, text: str) -> Lease | None:
        """Return the lease of the query whose text is *text*, or None when somebody else has it."""
        self._taken += 1
        token = f"{self._context.node}:{self._taken}"
        lease = Lease(self._context.fences.newest, on_release=partial(self._queue_release, text, token))
        asking = asyncio.ensure_future(
            self._writes.attempt("SET", self._keys.lease(text), token, "NX", "PX", self._hold_ms)
        )
        try:
            is_ours = await asyncio.shield(asking)
        except asyncio.CancelledError:  # nobody will give back what may be taken all the same
            asking.add_done_callback(partial(_give_back, lease))
            raise
        except RedisTrouble as exc:
            self._counts["lease", exc.reason] += 1
            return lease
        self._counts["lease", "taken" if is_ours else "held"] += 1
        if not is_ours:
            return None
        lease.is_shared = True
        renewal = self._renew(lease, self._keys.lease(text), token, asyncio.current_task())
        self._renewals[token] = task = asyncio.create_task(renewal, name=f"jvgate-lease-{text}")
        task.add_done_callback(lambda _: self._renewals.pop(token, None))
        return lease

    async def is_held(self, text: str) -> bool:
        """Return whether anybody has the lease.  Raises RedisTrouble.

        One that does not expire, or in days, is nobody's of us: it goes, or all would wait for it for ever.
        """
        expires_ms = await self._link.ask("PTTL", self._keys.lease(text))
        if expires_ms == _NEVER or expires_ms > _LONGEST_MS:
            self._counts["lease", "foreign"] += 1
            await self._writes.attempt("UNLINK", self._keys.lease(text))
            return False
        return bool(expires_ms > 0)

    async def close(self) -> None:
        """Renew nothing any more."""
        renewals = list(self._renewals.values())
        for renewal in renewals:
            renewal.cancel()
        await asyncio.gather(*renewals, return_exceptions=True)

    async def _renew(self, lease: Lease, key: str, token: str, holder: asyncio.Task[Any] | None) -> None:
        """Renew until it is given back, lost, or its holder is gone without a word."""
        while True:
            await asyncio.sleep(self._hold_ms / 1000 / _RENEWALS)
            if holder is not None and holder.done() and not lease.is_released:
                return
            try:
                is_ours = await self._link.ask("EVAL", _RENEW_SCRIPT, 1, key, token, self._hold_ms)
            except RedisTrouble:
                continue
            if not is_ours:
                self._counts["lease", "lost"] += 1
                return

    def _queue_release(self, text: str, token: str) -> None:
        self._context.backlog.append(lambda: self._release(text, token))

    async def _release(self, text: str, token: str) -> None:
        if renewal := self._renewals.pop(token, None):
            renewal.cancel()
        try:
            if await self._link.ask("EVAL", _REMOVE_SCRIPT, 1, self._keys.lease(text), token, limit_s=_GIVE_BACK_S):
                message = self._context.message("released", query=text)
                await self._link.ask("PUBLISH", self._keys.news, message, limit_s=_GIVE_BACK_S)
        except RedisTrouble:
            return  # it expires


def _give_back(lease: Lease, asking: asyncio.Task[object]) -> None:
    """Give *lease* back, however *asking* for it ended."""
    if not asking.cancelled():
        asking.exception()
    lease.release()
