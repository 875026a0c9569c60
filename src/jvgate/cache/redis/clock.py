"""What time it is by Redis: the one clock that all processes which share it go by.

Theory of operation.  Moments in Redis are read on other machines, whose clocks may be an hour off: by those, an entry
that is fresh for 30 s would be fresh for an hour more, or never.  So each process looks how far Redis's clock is ahead
of its own whenever it has found Redis (again), and counts by that.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from jvgate.cache.redis.client import FOREIGN_ERRORS, Client, RedisRefused, ours
from jvgate.cache.redis.keys import PURGES

__all__ = ["RedisClock"]

_TIME_SCRIPT: Final = "return redis.call('TIME')"


class RedisClock:
    """Seconds since the epoch, by Redis.  own: the same by this machine.

    ahead_s: how far the first is ahead of the second, 0 until that is known.
    """

    def __init__(self, own: Callable[[], float]) -> None:
        self.ahead_s = 0.0
        self._own = own

    def __call__(self) -> float:
        """Return what time it is."""
        return self._own() + self.ahead_s

    async def set(self, client: Client) -> None:
        """Look at Redis's clock; one that says nothing is left as it was.  Raises what redis-py raises.

        A script, since that has a key: so all processes look at the same node of a cluster.
        """
        began = self._own()
        try:
            seconds, microseconds = await client.execute_command("EVAL", _TIME_SCRIPT, 1, PURGES)
        except FOREIGN_ERRORS as exc:
            if isinstance(ours(exc), RedisRefused):
                return
            raise
        self.ahead_s = int(seconds) + int(microseconds) / 1e6 - (began + self._own()) / 2
