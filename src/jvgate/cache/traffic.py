"""What is asked of the tiers: counts by tier, result and data spec, and which keys are asked for most."""

from __future__ import annotations

import heapq
import math
import time
from collections import Counter
from collections.abc import Mapping
from operator import itemgetter

__all__ = ["Hotness", "Traffic", "grouped"]

# Before a weight leaves the range of a float, all counts are put back to scale.
_MOST_WEIGHT = 2.0**200


class Traffic:
    """Counts, for the price of two dict updates a hit.

    requests: (tier, result, data spec) -> how often.  hotness: of the questions that memory answered, by their text.
    """

    def __init__(self) -> None:
        self.requests: Counter[tuple[str, str, str]] = Counter()
        self.hotness = Hotness(now=time.monotonic())

    def count(self, tier: str, result: str, dataspec: str) -> None:
        """Count one look-up."""
        self.requests[tier, result, dataspec] += 1

    def totals(self) -> Mapping[tuple[str, str], int]:
        """Return the look-ups by tier and result."""
        totals: Counter[tuple[str, str]] = Counter()
        for (tier, result, _), count in self.requests.items():
            totals[tier, result] += count
        return totals

    def by_dataspec(self) -> dict[str, dict[str, object]]:
        """Return for each data spec how the look-ups in memory went, and the share of those that it answered."""
        looks = {(dataspec, how): count for (tier, how, dataspec), count in self.requests.items() if tier == "l1"}
        return {dataspec: {**found, "hit_ratio": _ratio(found)} for dataspec, found in grouped(looks).items()}


def grouped(looks: Mapping[tuple[str, str], int]) -> dict[str, Counter[str]]:
    """Return data spec -> how the looks for it went.  looks: (data spec, how it went) -> how often."""
    found: dict[str, Counter[str]] = {}
    for (dataspec, how), count in sorted(looks.items()):
        found.setdefault(dataspec, Counter())[how] += count
    return found


def _ratio(found: Counter[str]) -> float:
    return round(1 - found["miss"] / found.total(), 4)


class Hotness:
    """Fading hit counts by key, in bounded memory.  keys: the least number that is kept, twice as many at most.

    now: the beginning of time.  Counts do not shrink as time passes; a newer hit weighs more: its weight
    doubles every half-life ("forward decay": Cormode, Shkapenyuk, Srivastava, Xu, 2009).  When there are twice as many
    keys as are kept, the smaller half goes, and a new key begins where the largest of those ended, as if it had been
    among them ("space-saving": Metwally, Agrawal, El Abbadi, 2005): counts are never too low, and a key that is asked
    for often cannot be displaced by many that are asked for once.
    """

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
