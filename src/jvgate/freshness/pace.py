"""How long a real-time answer lives before it is final: by how near post time is and how often it really changes.

Post time gives the scale: the nearer the race, the shorter, by the steps of `lifetimes.json`.  What was observed
corrects it: half the time between two changes, but never further from the scale than four times up or down.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from jvgate.spec.jst import epoch_of

__all__ = ["Pace"]

Steps = Sequence[tuple[float | None, float]]


class Pace:
    """Tells how long real-time answers live.  facts: that part of `lifetimes.json`."""

    def __init__(self, facts: Mapping[str, Any]) -> None:
        self._facts = facts

    def life_s(self, fresh_s: float, factor: float, *, change_every_s: float | None) -> float:
        """Return the lifetime of an answer: *fresh_s* on a race day, times the *factor* of its post time."""
        scale_s = fresh_s * factor
        if change_every_s is None:
            return scale_s
        share, trust = self._facts["change_share"], self._facts["change_trust"]
        return float(min(max(share * change_every_s, scale_s / trust), scale_s * trust))

    def nearness(self, posts: Sequence[float], *, day: str, is_day: bool, now: float) -> float:
        """Return what a lifetime is multiplied with: small near one of *posts* (epoch seconds), large far from all.

        day: of the races (YYYYMMDD).  is_day: whether all its races are meant; some of them may not be among *posts*.
        A race of unknown post time starts at some time of the usual hours, and within them its factor is 1.
        """
        factors = [self._factor(post - now) for post in posts]
        if is_day or not posts:
            first, last = self._span(day)
            factors.append(max(1.0, self._factor(first - now if now < first else min(0.0, last - now))))
        return min(factors)

    def told_by(self, posts: Sequence[float], *, day: str) -> float:
        """Return when the results of all races of *day* are told, *posts* being those known, epoch seconds."""
        return max([*posts, self._span(day)[1]]) + float(self._facts["after"][0][0])

    def _span(self, day: str) -> tuple[float, float]:
        """Return the earliest and the latest post time that *day* may have, epoch seconds."""
        first, last = epoch_of(day + self._facts["first_post"]), epoch_of(day + self._facts["last_post"])
        return first or 0.0, last or 0.0

    def _factor(self, until_post_s: float) -> float:
        steps: Steps = self._facts["before"] if until_post_s >= 0 else self._facts["after"]
        return next(factor for limit_s, factor in steps if limit_s is None or abs(until_post_s) <= limit_s)
