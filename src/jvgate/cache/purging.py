"""Purges lately made, so that what was on its way meanwhile is not kept after them."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

__all__ = ["Matches", "Purges"]

Matches = Callable[[frozenset[str]], bool]
"""Whether an entry with these tags is to go."""

_MOST = 1024


class Purges:
    """The last purges.  clock: of lifetimes."""

    def __init__(self, *, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._made: deque[tuple[float, Matches]] = deque()
        self._forgotten_at = float("-inf")

    def note(self, matches: Matches) -> None:
        """Keep that what *matches* was purged now."""
        self._made.append((self._clock(), matches))
        if len(self._made) > _MOST:
            self._forgotten_at, _ = self._made.popleft()

    def hit(self, tags: frozenset[str], *, since: float) -> bool:
        """Whether what has *tags* and began at *since* must not be kept."""
        if since <= self._forgotten_at:  # what was purged after it began is not known any more: better too much
            return True
        return any(at >= since and matches(tags) for at, matches in self._made)
