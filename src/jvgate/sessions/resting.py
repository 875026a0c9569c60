"""How long a session rests that fails again and again: not at all after one failure, then longer each time."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Callable

from jvgate.sessions.lane import Lane
from jvgate.values import Backoff

__all__ = ["BACKOFF", "Rests", "rest_s"]

# Of the failures after the first; the jitter keeps the sessions from coming back all at once.
BACKOFF = Backoff(first_s=0.25, most_s=30.0, jitter=0.5)


class Rests:
    """The lanes that rest, in one event loop, and how often each has failed in a row."""

    def __init__(self) -> None:
        self._failures: Counter[Lane] = Counter()
        self._timers: dict[Lane, asyncio.TimerHandle] = {}

    def __len__(self) -> int:
        return len(self._timers)

    def __contains__(self, lane: Lane) -> bool:
        return lane in self._timers

    def begin(self, lane: Lane, then: Callable[[Lane], None], *, is_failure: bool) -> None:
        """Let *lane* rest, and call *then* with it.  is_failure: whether one more is counted."""
        self._failures[lane] += is_failure
        loop = asyncio.get_running_loop()
        self._timers[lane] = loop.call_later(rest_s(self._failures[lane]), self._end, lane, then)

    def make_up(self, lane: Lane) -> None:
        """Forget the failures of *lane*: something has come to its end there."""
        del self._failures[lane]

    def cancel(self) -> None:
        """Let none of them come back."""
        for timer in self._timers.values():
            timer.cancel()

    def _end(self, lane: Lane, then: Callable[[Lane], None]) -> None:
        del self._timers[lane]
        then(lane)


def rest_s(failures: int) -> float:
    """Return the rest after *failures* failures in a row: none after the first."""
    return BACKOFF.pause_s(failures - 1, random.random())
