"""How long a real-time answer lives before it is final: by how near post time is and how often it really changes.

Post time gives the scale: the nearer the race, the shorter, by the steps of `lifetimes.json`.  What was observed
corrects it: half the time between two changes, but never further from the scale than four times up or down.
"""

from __future__ import annotations

from collections.abc import Sequence

from jvgate.freshness.tables import table
from jvgate.spec.jst import epoch_of

__all__ = ["live_life_s", "nearness", "told_by"]

Steps = Sequence[tuple[float | None, float]]


def live_life_s(fresh_s: float, factor: float, *, change_every_s: float | None) -> float:
    """Return how long an answer lives that is fresh for *fresh_s* on a race day, at the *factor* of its post time."""
    scale_s = fresh_s * factor
    if change_every_s is None:
        return scale_s
    share, trust = table("lifetimes")["pace"]["change_share"], table("lifetimes")["pace"]["change_trust"]
    return float(min(max(share * change_every_s, scale_s / trust), scale_s * trust))


def nearness(posts: Sequence[float], *, day: str, is_day: bool, now: float) -> float:
    """Return what a lifetime is multiplied with: small near one of *posts* (epoch seconds), large far from all.

    day: of the races (YYYYMMDD).  is_day: whether all its races are meant; some of them may not be among *posts*.
    A race of unknown post time starts at some time of the usual hours, and within them its factor is 1.
    """
    factors = [_factor(post - now) for post in posts]
    if is_day or not posts:
        first, last = _span(day)
        factors.append(max(1.0, _factor(first - now if now < first else min(0.0, last - now))))
    return min(factors)


def told_by(posts: Sequence[float], *, day: str) -> float:
    """Return when the results of all races of *day* are told, *posts* being those known, epoch seconds."""
    return max([*posts, _span(day)[1]]) + float(table("lifetimes")["pace"]["after"][0][0])


def _span(day: str) -> tuple[float, float]:
    """Return the earliest and the latest post time that *day* may have, epoch seconds."""
    pace = table("lifetimes")["pace"]
    first, last = epoch_of(day + pace["first_post"]), epoch_of(day + pace["last_post"])
    return first or 0.0, last or 0.0


def _factor(until_post_s: float) -> float:
    pace = table("lifetimes")["pace"]
    steps: Steps = pace["before"] if until_post_s >= 0 else pace["after"]
    return next(factor for limit_s, factor in steps if limit_s is None or abs(until_post_s) <= limit_s)
