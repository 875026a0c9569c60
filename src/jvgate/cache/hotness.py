"""Which keys are asked for most, lately: counts that fade, in bounded memory, for the price of a dict update a hit.

Theory of operation.  Instead of making all counts smaller as time passes, a newer hit weighs more: its weight doubles
every half-life ("forward decay": Cormode, Shkapenyuk, Srivastava, Xu, 2009).  When there are twice as many keys as are
kept, the smaller half goes, and what comes anew begins where the largest of those ended, as if it had been among them
("space-saving": Metwally, Agrawal, El Abbadi, 2005): counts are never too low, and what is asked for often cannot be
pushed out by many that are asked for once.
"""

from __future__ import annotations

import heapq
import math
from operator import itemgetter

__all__ = ["Hotness"]

# Before a weight leaves the range of a float, all counts are put back to scale.
_MOST_WEIGHT = 2.0**200


class Hotness:
    """Fading hit counts by key.  keys: how many are kept at least (twice as many at most).  now: where time begins."""

    def __init__(self, *, keys: int = 512, half_life_s: float = 300.0, now: float = 0.0) -> None:
        self._keys = keys
        self._half_life_s = half_life_s
        self._began = now
        self._weight = 1.0
        self._floor = 0.0
        self._counts: dict[str, float] = {}

    def __len__(self) -> int:
        return len(self._counts)

    def hit(self, key: str) -> None:
        """Count a hit of *key* at the time last told to `tick`."""
        try:
            self._counts[key] += self._weight
        except KeyError:
            self._counts[key] = self._floor + self._weight
            if len(self._counts) > 2 * self._keys:
                self._prune()

    def tick(self, now: float) -> None:
        """Tell the time, every second or so."""
        weight = 2.0 ** min((now - self._began) / self._half_life_s, 1000.0)
        if weight > _MOST_WEIGHT:
            self._counts = {key: count / weight for key, count in self._counts.items()}
            self._floor /= weight
            self._began, weight = now, 1.0
        self._weight = weight

    def hits_per_s(self, key: str) -> float:
        """Return about how often *key* is asked for; never too low, 0 for one that is not kept."""
        return self._counts.get(key, 0.0) / self._weight * math.log(2) / self._half_life_s

    def hottest(self, most: int = 20) -> list[tuple[str, float]]:
        """Return the keys asked for most and their hits per second, the hottest first."""
        best = heapq.nlargest(most, self._counts.items(), key=itemgetter(1))
        return [(key, self.hits_per_s(key)) for key, _ in best]

    def _prune(self) -> None:
        """Keep the upper half."""
        ranked = sorted(self._counts.items(), key=itemgetter(1), reverse=True)
        self._floor = max(self._floor, ranked[self._keys][1])
        self._counts = dict(ranked[: self._keys])
