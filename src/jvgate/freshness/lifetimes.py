"""How long a dataset may be used: fresh, stale while it is read again, stale when the source fails.

Theory of operation.  What the content says goes first: an answer whose records are final, and past the window in which
corrections come, lives longest.  Else a stored one lives until the calendar names a delivery (`deliveries.py`), a
real-time one by post time and by how often it really changes (`pace.py`).  All between the floor and the ceiling of its
data spec; where nothing better is known its plain figure holds (`figures.py`).  The facts are in `lifetimes.json`.

Nothing here has a clock or dice: `now` (seconds since the epoch, by the clock that the source's data goes by) and
random numbers are arguments.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from jvgate.freshness.deliveries import Calendar
from jvgate.freshness.figures import Figures, Overrides, figures_with
from jvgate.freshness.pace import Pace
from jvgate.freshness.post_times import PostTimes, about, posts_in
from jvgate.records.scan import Scan
from jvgate.spec.jst import DAY_S, epoch_of
from jvgate.spec.places import place_of
from jvgate.spec.spec import Spec
from jvgate.values import Dataset, Query

__all__ = ["Lifetimes", "Windows", "is_final", "luck_of"]


@dataclass(frozen=True, slots=True)
class Windows:
    """How long an answer may be used, seconds from its read.

    stale_s, error_s: how much longer than fresh_s while it is being read again, and when the source fails.
    """

    fresh_s: float
    stale_s: float
    error_s: float


class Lifetimes:
    """The figures in force: those of the data file, changed by *overrides*.  Raises SettingsError for wrong ones."""

    def __init__(self, spec: Spec, overrides: Overrides | None = None) -> None:
        self._figures = figures_with(spec, overrides)
        self._final: Mapping[str, Any] = spec.lifetimes["final"]
        self._jitter = float(spec.lifetimes["jitter"])
        self._pace = Pace(spec.lifetimes["pace"])
        self._calendar = Calendar(spec.lifetimes["deliveries"])

    def figures(self, query: Query) -> Figures:
        """Return the figures of the data spec of *query*, those of its kind for one that is not known."""
        known = self._figures.get(query.dataspec)
        return known or self._figures["real_time" if query.is_realtime else "stored"]

    def windows(
        self,
        dataset: Dataset,
        *,
        now: float,
        posts: PostTimes | None = None,
        change_every_s: float | None = None,
        random: float | None = None,
    ) -> Windows:
        """Return how long *dataset*, read at *now*, may be used.

        posts: post times known from elsewhere.  change_every_s: how often the content of this query changed lately.
        random: 0 to 1, for a little jitter; None for none.
        """
        figures = self.figures(dataset.query)
        luck = 0.0 if random is None else luck_of(str(dataset.query), random)
        if not dataset.body:
            fresh_s = self._spread(min(figures.empty, figures.fresh), luck)
            return Windows(fresh_s, min(figures.stale, fresh_s), min(figures.error, fresh_s))
        if dataset.query.is_realtime:
            life_s = self._live_s(dataset, figures, posts or PostTimes(), now, change_every_s)
            fresh_s = max(figures.floor, self._spread(life_s, luck))
        else:
            fresh_s = self._stored_s(dataset, figures, now, luck)
        stale_s = min(figures.stale, fresh_s)
        return Windows(fresh_s, stale_s, max(figures.error, stale_s))

    def _live_s(
        self, dataset: Dataset, figures: Figures, posts: PostTimes, now: float, change_every_s: float | None
    ) -> float:
        """Return how long a real-time answer lives."""
        query, scan = dataset.query, dataset.scan
        day = about(query.key)[:8]
        midnight = epoch_of(day)
        corrections_s = self._final["correction_days"]["real_time"] * DAY_S
        if midnight is not None and now >= midnight + DAY_S + corrections_s:
            return figures.settled
        known, is_day = _posts_of(query, scan, posts), len(about(query.key)) <= 8
        if is_final(scan, self._final, is_realtime=True) and not (is_day and now <= self._pace.told_by(known, day=day)):
            return figures.ceiling
        factor = self._pace.nearness(known, day=day, is_day=is_day, now=now)
        life_s = self._pace.life_s(figures.fresh, factor, change_every_s=change_every_s)
        return min(max(life_s, figures.floor), figures.ceiling)

    def _stored_s(self, dataset: Dataset, figures: Figures, now: float, luck: float) -> float:
        """Return how long a stored answer lives: longest when its window is closed and quiet, else until a delivery."""
        # Only normal data has a window that closes; setup data gains whole months behind its end.
        closed_at = epoch_of(dataset.query.to_time) if dataset.query.option == 1 else None
        corrections_s = self._final["correction_days"]["stored"] * DAY_S
        if closed_at is not None and now >= max(closed_at, _last_day_end(dataset.scan)) + corrections_s:
            life_s = figures.settled if is_final(dataset.scan, self._final, is_realtime=False) else figures.ceiling
            return max(figures.floor, self._spread(life_s, luck))
        until_s = self._calendar.life_s(
            dataset, fresh_s=self._spread(figures.fresh, luck), floor_s=figures.floor, now=now, luck=luck
        )
        return min(until_s, max(figures.floor, self._spread(figures.ceiling, luck)))

    def _spread(self, life_s: float, luck: float) -> float:
        """Return *life_s* a little shorter, so that what was read together does not expire together."""
        return life_s * (1.0 - self._jitter * luck)


def is_final(scan: Scan, final: Mapping[str, Any], *, is_realtime: bool) -> bool:
    """Return whether every record of *scan* says by its DataKubun that it does not change any more.

    final: that part of `lifetimes.json`.
    """
    known = final["real_time" if is_realtime else "stored"]
    for run in scan.runs():
        marks = known.get(run.layout.record, "" if is_realtime else None)
        if marks is not None and not set(run.marks()) <= set(marks.encode()):
            return False
    return scan.is_clear


def luck_of(key: str, random: float) -> float:
    """Return a number from 0 to 1 that differs from key to key, and for each key with *random* (0 to 1)."""
    return (zlib.crc32(key.encode()) / 2**32 + random) % 1.0


def _posts_of(query: Query, scan: Scan, posts: PostTimes) -> list[float]:
    """Return the post times that matter to *query*; what its own records say goes before what is known otherwise."""
    subject = about(query.key)
    known = dict(posts.of(query.key))
    known.update((race, post) for race, post in posts_in(scan).items() if race.startswith(subject))
    return list(known.values())


def _last_day_end(scan: Scan) -> float:
    """Return the end of the newest day that the records are about, epoch seconds, 0 when they name none."""
    placed = [(run, place_of(run.layout).day) for run in scan.runs()]
    days = {day for run, spans in placed if spans for day in run.distinct(spans)}
    midnights = (epoch_of(day.decode("ascii", "replace")) for day in sorted(days, reverse=True))
    return next((midnight + DAY_S for midnight in midnights if midnight is not None), 0.0)
