"""A circuit breaker as plain decisions: when to stop asking a server that does not answer, and when to try again.

    closed ──a failure──> open ──its window is over: one probe──> half-open ──an answer──> closed
                            ^                                         │
                            └────────another failure, longer window───┘

One failure opens it: callers are turned away at once while it is open, so a server that hangs costs only the callers
that had asked it already.  When the window is over, the first caller is admitted as the probe and all others are still
turned away.  Windows grow by `Backoff`; they begin small again only when the breaker has been closed for longer than
the last one, so that a server that answers every other time is not asked twice a second.  A probe that never reports is
given up after one more window.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from typing import Literal

from jvgate.values import Backoff

__all__ = ["Breaker", "State"]

State = Literal["closed", "open", "half-open"]


class Breaker:
    """Decides which callers may pass.  now: monotonic seconds.  reason: why it is not closed, one word; "" when it is.

    opened: how often it has opened from closed.  unknown: it begins half-open, with its owner as the probe.
    """

    def __init__(self, backoff: Backoff, *, dice: Callable[[], float] = random.random, unknown: bool = False) -> None:
        self.state: State = "half-open" if unknown else "closed"
        self.reason = "unknown" if unknown else ""
        self.opened = 0
        self.until = 0.0
        self._backoff = backoff
        self._dice = dice
        self._failures = 0  # in a row
        self._closed_at = -math.inf

    @property
    def is_closed(self) -> bool:
        """Whether every caller may pass."""
        return self.state == "closed"

    def admits(self, now: float) -> bool:
        """Whether a caller at *now* may pass; one that may while it is not closed is the probe, and reports."""
        if self.state == "closed":
            return True
        if now < self.until:
            return False
        self.state = "half-open"
        self.until = now + self._window_s
        return True

    def failed(self, now: float, reason: str) -> bool:
        """Note a failure.  Return whether the state or the reason has changed."""
        before = (self.is_closed, self.reason)
        if self.state == "open":  # a late report of a call that was made before it opened
            return False
        if self.state == "closed":
            self.opened += 1
            if now - self._closed_at > self._window_s:
                self._failures = 0
        self._failures += 1
        self.state, self.reason = "open", reason
        self.until = now + self._backoff.pause_s(self._failures, self._dice())
        return before != (False, reason)

    def succeeded(self, now: float) -> bool:
        """Note an answer.  Return whether it was the probe's, and so closed it."""
        if self.state != "half-open":
            return False
        self.state, self.reason, self._closed_at = "closed", "", now
        return True

    @property
    def _window_s(self) -> float:
        """The last window without its jitter, 0 before the first."""
        return self._backoff.pause_s(self._failures)
