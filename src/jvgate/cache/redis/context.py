"""The value that the parts of the Redis tier share: their Redis, its clock, and the state of this process."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from jvgate.cache.redis.backlog import Backlog
from jvgate.cache.redis.client import FOREIGN_ERRORS, Client, RedisRefused, ours
from jvgate.cache.redis.fences import Fences
from jvgate.cache.redis.keys import Keys
from jvgate.cache.redis.link import RedisLink
from jvgate.listeners import Listeners
from jvgate.spec.layouts import Layouts
from jvgate.values import Message

__all__ = ["RedisClock", "RedisContext"]

_JUMP_S: Final = 0.1
_TIME_SCRIPT: Final = "return redis.call('TIME')"


class RedisClock:
    """Seconds since the epoch, by Redis: the one clock that all processes which share it use.

    Moments in Redis are read on other machines, whose clocks may be an hour off: by those, an entry that is fresh for
    30 s would be fresh for an hour more, or never.  own: the clock of this process, of which only its steps matter.
    key: any one of ours.  ahead_s: seconds by which Redis's clock is ahead of it, measured whenever Redis was found
    (again), and after *own* jumped; by this machine's wall clock until then.
    """

    def __init__(self, own: Callable[[], float], *, key: str, monotonic: Callable[[], float] = time.monotonic) -> None:
        self.ahead_s = time.time() - own()
        self._own = own
        self._key = key
        self._monotonic = monotonic
        self._steady_s = own() - monotonic()

    def __call__(self) -> float:
        """Return the time."""
        return self._own() + self.ahead_s

    @property
    def is_doubtful(self) -> bool:
        """Whether the own clock jumped since Redis's was read: after a suspend, or since the wall clock was set."""
        return abs(self._own() - self._monotonic() - self._steady_s) > _JUMP_S

    async def set(self, client: Client) -> None:
        """Read Redis's clock; a refusal leaves ours as it was.  Raises what redis-py raises.

        A script, since that has a key: so all processes ask the same node of a cluster.
        """
        steady_s, began = self._own() - self._monotonic(), self._own()
        try:
            seconds, microseconds = await client.execute_command("EVAL", _TIME_SCRIPT, 1, self._key)
        except FOREIGN_ERRORS as exc:
            if isinstance(ours(exc), RedisRefused):
                self._steady_s = steady_s
                return
            raise
        self._steady_s = steady_s
        self.ahead_s = int(seconds) + int(microseconds) / 1e6 - (began + self._own()) / 2


@dataclass(frozen=True, slots=True)
class RedisContext:
    """One process with one source at one Redis.  node: its name, random.

    layouts: of the records.  limit_bytes: of one dataset's records.
    counts: (request, result) -> how often.  purged: told the tags that another process purged.
    """

    keys: Keys
    link: RedisLink
    clock: RedisClock
    backlog: Backlog
    node: str
    layouts: Layouts
    limit_bytes: int
    purged: Listeners[tuple[str, ...]]
    fences: Fences = field(default_factory=Fences)
    counts: Counter[tuple[str, str]] = field(default_factory=Counter)

    def message(self, kind: str, **payload: object) -> bytes:
        """Return a message of this process for the news channel."""
        return Message(kind, {**payload, "from": self.node}).to_bytes()

    def learn(self, fences: Mapping[bytes, bytes]) -> None:
        """Note *fences* as they stand in Redis; the listeners are told of purges that this process did not hear."""
        if tags := self.fences.learn(fences):
            self.purged.tell(tags)
