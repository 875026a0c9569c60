"""What is asked of the tiers: counts by tier, result and data spec, and which keys are asked for most."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping

from jvgate.cache.hotness import Hotness

__all__ = ["Traffic", "grouped"]


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
