"""A circuit breaker as plain decisions: when to leave alone what does not answer, and when to try it again.

    closed ──a failure──> open ──its window is over: one probe──> half-open ──an answer──> closed
                            ^                                         │
                            └────────another failure, window doubled──┘

Theory of operation.  One failure opens it: whoever comes while it is open is turned away without waiting, so a thing
that hangs costs those who asked it already, once.  When the window is over, the first who asks is admitted as the
probe and all others are still turned away.  Windows double from try to try, up to a limit, with some jitter so that
many machines do not come at the same moment; they begin small again only when it has been closed for longer than the
last one: what answers one time in two is not asked twice a second.  A probe that never reports is given up after one
more window.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from typing import Literal

__all__ = ["Breaker", "State"]

State = Literal["closed", "open", "half-open"]


class Breaker:
    """Decides who may pass.  now: monotonic seconds.  reason: why it is not closed, one word; "" when it is.

    opened: how often it has opened from closed.  unknown: it begins half-open, with its owner as the probe.
    """

    def __init__(
        self,
        *,
        first_window_s: float = 0.5,
        longest_window_s: float = 30.0,
        jitter: float = 0.2,
        dice: Callable[[], float] = random.random,
        unknown: bool = False,
    ) -> None:
        self.state: State = "half-open" if unknown else "closed"
        self.reason = "unknown" if unknown else ""
        self.opened = 0
        self.until = 0.0
        self._first_s = first_window_s
        self._longest_s = longest_window_s
        self._jitter = jitter
        self._dice = dice
        self._window_s = 0.0
        self._closed_at = -math.inf

    @property
    def is_closed(self) -> bool:
        """Whether everybody may pass."""
        return self.state == "closed"

    def admits(self, now: float) -> bool:
        """Whether who asks at *now* may pass; who may while it is not closed is the probe, and reports."""
        if self.state == "closed":
            return True
        if now < self.until:
            return False
        self.state = "half-open"
        self.until = now + self._window_s
        return True

    def failed(self, now: float, reason: str) -> bool:
        """Take note of a failure.  Return whether the state or the reason is another one than before."""
        before = (self.is_closed, self.reason)
        if self.state == "open":  # asked before it opened, and late to say so
            return False
        if self.state == "closed":
            self.opened += 1
            is_calm = now - self._closed_at > self._window_s
            self._window_s = self._first_s if is_calm else self._longer()
        else:
            self._window_s = max(self._first_s, self._longer())
        self.state, self.reason = "open", reason
        self.until = now + self._window_s * (1 + self._jitter * self._dice())
        return before != (False, reason)

    def succeeded(self, now: float) -> bool:
        """Take note of an answer.  Return whether it was the probe's, and so closed it."""
        if self.state != "half-open":
            return False
        self.state, self.reason, self._closed_at = "closed", "", now
        return True

    def _longer(self) -> float:
        return min(self._window_s * 2, self._longest_s)
