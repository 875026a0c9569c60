"""How often the content of a query really changes: a moving average of the times between observed changes."""

from __future__ import annotations

from dataclasses import dataclass

from cachetools import FIFOCache

from jvgate.freshness.post_times import about
from jvgate.values import Query

__all__ = ["ChangeRate", "family_of"]


@dataclass(slots=True)
class _Seen:
    """changed_at: the last change.  every_s: the average so far, None before the first one was seen."""

    changed_at: float
    every_s: float | None = None


class ChangeRate:
    """Average change intervals by key; the key least recently observed is forgotten first.

    weight: how much the newest interval counts (the rest is what was known).  Moments: seconds of any one clock.
    """

    def __init__(self, *, most_keys: int = 4096, weight: float = 0.3) -> None:
        self._weight = weight
        self._seen: FIFOCache[str, _Seen] = FIFOCache(most_keys)

    def __len__(self) -> int:
        return len(self._seen)

    def observe(self, key: str, now: float, *, changed: bool) -> None:
        """Note that *key* was read at *now*, and whether its content was another one than before.

        The first look is no change: it only starts the clock.
        """
        seen = self._seen.get(key)
        if seen is None:
            self._seen[key] = _Seen(now)
            return
        self._seen[key] = seen  # the last one to be forgotten
        if changed:
            seen.every_s = self._moved(seen.every_s, max(0.0, now - seen.changed_at))
            seen.changed_at = now

    def every_s(self, key: str, now: float) -> float | None:
        """Return the seconds between two changes of *key*, None when too little was seen.

        A silence longer than the average counts as an interval of its length: what does not change any more slows
        down without another change.
        """
        seen = self._seen.get(key)
        if seen is None or seen.every_s is None:
            return None
        silence = now - seen.changed_at
        return self._moved(seen.every_s, silence) if silence > seen.every_s else seen.every_s

    def _moved(self, known: float | None, interval: float) -> float:
        return interval if known is None else known + self._weight * (interval - known)


def family_of(query: Query) -> str:
    """Return the key under which the changes of *query* are observed: its data spec and the day or race it is about."""
    return f"{query.dataspec}:{about(query.key)}" if query.is_realtime else query.dataspec
