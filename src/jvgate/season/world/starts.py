"""A horse's own career, counted from its runs: the splits of UM and CK."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from jvgate.season.world.careers import BANDS, COURSES, SURFACES, band_of, finish_index, ran
from jvgate.season.world.model import Horse, PastRun
from jvgate.season.world.rng import Numbers
from jvgate.season.world.world import World

__all__ = ["HorseCareer", "career_of", "runs_before"]

_TUESDAY = 1

_DIRECTIONS = {"10": 0, **dict.fromkeys(("11", "12", "13", "14", "15", "16"), 2), "23": 2, "25": 2, "29": 0}
"""Track code (table 2009) to straight, right, left; all others of the flat are right-handed."""

_EARNED = {"701": 40_000, "703": 40_000, "005": 50_000, "010": 60_000, "016": 90_000}
"""Class-deciding earnings of a win by race condition (100 yen); open races count half the prize."""


@dataclass(frozen=True, slots=True, eq=False)
class HorseCareer:
    """Counts by finish (rows of six) and money in 100 yen (flat, jump).

    total: one row.  tracks: turf straight, right, left, dirt straight, right, left, jump.  goings: turf, dirt, jump by
    going.  turf_bands, dirt_bands: nine bands.  courses: surface by course.  styles: four counts.
    """

    total: Numbers
    tracks: Numbers
    goings: Numbers
    turf_bands: Numbers
    dirt_bands: Numbers
    courses: Numbers
    styles: tuple[int, ...]
    prize: tuple[int, int]
    added: tuple[int, int]
    earned: tuple[int, int]

    @property
    def starts(self) -> int:
        """Races it ran in."""
        return int(self.total.sum())


def runs_before(world: World, horse: Horse, *, until: date) -> list[PastRun]:
    """Return the starts of *horse* before the day *until*.

    The world is asked for the whole week, Wednesday to Tuesday: Thursday's and Monday's records share its answer.
    """
    tuesday = until + timedelta(days=(_TUESDAY - until.weekday()) % 7)
    return [run for run in world.runs_of(horse, tuesday) if run.race.day < until]


def career_of(runs: Sequence[PastRun]) -> HorseCareer:
    """Return the career that *runs* add up to; withdrawals do not count."""
    lines = [run for run in runs if ran(run.finish)]
    bands = _count(lines, (3, len(BANDS)), lambda run: (_surface(run), band_of(run.race.distance)))
    courses = _count(lines, (3, len(COURSES)), lambda run: (_surface(run), int(run.race.meeting.course) - 1))
    return HorseCareer(
        total=bands.sum(axis=(0, 1)),
        tracks=_count(lines, (7,), _track),
        goings=_count(lines, (12,), lambda run: (_surface(run) * 4 + _going(run),)),
        turf_bands=bands[0],
        dirt_bands=bands[1],
        courses=courses,
        styles=tuple(sum(run.finish.style == style for run in lines) for style in "1234"),
        prize=_money(lines, lambda run: run.finish.prize),
        added=_money(lines, lambda run: run.finish.added),
        earned=_money(lines, _earned),
    )


def _count(lines: Sequence[PastRun], shape: tuple[int, ...], place: Callable[[PastRun], tuple[int, ...]]) -> Numbers:
    cells = np.zeros((*shape, 6), dtype=np.int64)
    for run in lines:
        cells[(*place(run), finish_index(run.finish))] += 1
    return cells


def _money(lines: Sequence[PastRun], amount: Callable[[PastRun], int]) -> tuple[int, int]:
    """Return the sums of flat and of jump races."""
    flat, jump = (sum(amount(run) for run in lines if (_surface(run) == 2) is jumped) for jumped in (False, True))
    return flat, jump


def _surface(run: PastRun) -> int:
    return SURFACES.index(run.race.surface)


def _track(run: PastRun) -> tuple[int]:
    if run.race.surface == "jump":
        return (6,)
    return (_surface(run) * 3 + _DIRECTIONS.get(run.race.track, 1),)


def _going(run: PastRun) -> int:
    conditions = run.conditions
    return max(0, int(conditions.dirt if run.race.surface == "dirt" else conditions.turf) - 1)


def _earned(run: PastRun) -> int:
    """Return what decides the class: a fixed sum for a win, half the prize of the first two in open races."""
    won = _EARNED.get(run.race.condition)
    if won is not None:
        return won if run.finish.place == 1 else 0
    return run.finish.prize // 2 if run.finish.place in (1, 2) else 0
