"""Careers as counts: how often somebody finished first to fifth or worse, by course, surface and distance.

A tally is one array of counts (course, surface, distance band, finish), so every split of a master record is a sum
over the same cells, and all splits agree.  What people did this year is counted from the results of the world;
what lies before is drawn by lot from how long and how well they work, since adding up many years of races would
take minutes.  Horses are counted from their own runs throughout.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from jvgate.season.world.model import Finish, Race
from jvgate.season.world.rng import Numbers, draw, ripple
from jvgate.season.world.world import World

__all__ = [
    "BANDS",
    "COURSES",
    "SURFACES",
    "CareerRows",
    "FinishCounts",
    "Workload",
    "band_of",
    "career_rows",
    "finish_index",
    "ran",
    "tally_of",
]

SURFACES = ("turf", "dirt", "jump")
COURSES = tuple(f"{number:02d}" for number in range(1, 11))
BANDS = (1200, 1400, 1600, 1800, 2000, 2200, 2400, 2800, 9999)
"""Upper ends of the nine distance bands; the three of the older records are made of three each."""

_SHAPE = (len(COURSES), len(SURFACES), len(BANDS), 6)
_COURSE_SHARES = (4, 4, 6, 10, 18, 16, 9, 14, 13, 6)
_SURFACE_SHARES = (47, 50, 3)
_BAND_SHARES = ((16, 8, 22, 24, 18, 5, 4, 2, 1), (28, 18, 12, 32, 6, 1, 1, 1, 1), (0, 0, 0, 0, 0, 0, 0, 8, 92))
_FINISH_SHARES = (8, 8, 7, 7, 7, 60)
_ADDED = 5_000
_PRIZES = (110_000, 44_000, 27_500, 16_500, 11_000, 0)  # an average race, 100 yen


class Workload(NamedTuple):
    """How somebody works: starts a year, and how much better than chance, in per cent."""

    starts: int
    skill: int


@dataclass(frozen=True, slots=True, eq=False)
class FinishCounts:
    """Counts by course, surface, distance band and finish, and the money that came with them (100 yen)."""

    cells: Numbers
    prize_flat: int = 0
    prize_jump: int = 0
    added_flat: int = 0
    added_jump: int = 0

    def __add__(self, other: FinishCounts) -> FinishCounts:
        return FinishCounts(
            self.cells + other.cells,
            self.prize_flat + other.prize_flat,
            self.prize_jump + other.prize_jump,
            self.added_flat + other.added_flat,
            self.added_jump + other.added_jump,
        )


def ran(finish: Finish) -> bool:
    """Return whether the runner came out of the gate: only then a start counts."""
    return finish.runner.starts


def finish_index(finish: Finish) -> int:
    """Return the slot of the finish: 0-4 for first to fifth, 5 for the rest and those that did not finish."""
    return finish.place - 1 if 1 <= finish.place <= 5 else 5


def band_of(distance: int) -> int:
    """Return the distance band, 0-8."""
    return next(band for band, most in enumerate(BANDS) if distance <= most)


def tally_of(lines: Iterable[tuple[Race, Finish]]) -> FinishCounts:
    """Return the counts of the given starts."""
    cells = np.zeros(_SHAPE, dtype=np.int64)
    money = [0, 0, 0, 0]
    for race, finish in lines:
        surface = SURFACES.index(race.surface)
        cells[int(race.meeting.course) - 1, surface, band_of(race.distance), finish_index(finish)] += 1
        money[surface == 2] += finish.prize
        money[2 + (surface == 2)] += finish.added
    return FinishCounts(cells, *money)


@dataclass(frozen=True, slots=True, eq=False)
class CareerRows:
    """Somebody's tallies on a day: this year so far, the year before, and everything."""

    year: int
    this_year: FinishCounts
    previous: FinishCounts
    career: FinishCounts


def career_rows(world: World, kind: str, code: str, *, since: date, until: date, workload: Workload) -> CareerRows:
    """Return the tallies before the day *until*.  kind: jockey, trainer, owner or breeder."""
    new_year = date(until.year, 1, 1)
    counted = tally_of(_this_year(world, until).get((kind, code), ()))
    seed = draw(world.seed, f"career {kind}", int(code))
    before, start = (_drawn(seed, since, day, workload) for day in (date(until.year - 1, 1, 1), new_year))
    return CareerRows(
        year=until.year,
        this_year=counted,
        previous=_tally(start - before),
        career=_tally(start) + counted,
    )


def _drawn(seed: int, since: date, day: date, workload: Workload) -> Numbers:
    """Return the counts drawn by lot from *since* to *day*.

    They grow month by month and never shrink, so what lies between two days is the difference.
    """
    months = max(0, (day.year - since.year) * 12 + day.month - since.month)
    return (_monthly(workload) * months + _luck(seed)) >> 20


@lru_cache(maxsize=1)
def _luck(seed: int) -> Numbers:
    """Return what decides when the fractions of a start make a whole one."""
    return ripple(seed, math.prod(_SHAPE), height=1 << 19).reshape(_SHAPE) + (1 << 19)


def _tally(cells: Numbers) -> FinishCounts:
    """Return the tally of drawn counts, with the prize money of average races."""
    runs = cells.sum(axis=(0, 2))
    turf, dirt, jump = (runs * np.array(_PRIZES)).sum(axis=1).tolist()
    wins = runs[:, 0].tolist()
    return FinishCounts(cells, turf + dirt, jump, _ADDED * (wins[0] + wins[1]), _ADDED * wins[2])


@lru_cache(maxsize=512)
def _monthly(workload: Workload) -> Numbers:
    """Return starts a month by cell, of 2 to the 20th."""
    finish = np.array(_FINISH_SHARES, dtype=np.int64) * 100
    finish[:3] = finish[:3] * (100 + workload.skill) // 100
    bands = np.array(_BAND_SHARES, dtype=np.int64)
    cells = (
        np.array(_COURSE_SHARES)[:, None, None, None]
        * np.array(_SURFACE_SHARES)[None, :, None, None]
        * bands[None, :, :, None]
        * finish[None, None, None, :]
    )
    rate: Numbers = (cells * ((workload.starts << 20) // 12)) // int(cells.sum())
    return rate


_Lines = Mapping[tuple[str, str], Sequence[tuple[Race, Finish]]]


@lru_cache(maxsize=8)
def _this_year(world: World, until: date) -> _Lines:
    """Return everybody's starts from New Year up to *until* (exclusive), by kind and code."""
    found: dict[tuple[str, str], list[tuple[Race, Finish]]] = defaultdict(list)
    for offset in range((until - date(until.year, 1, 1)).days):
        for key, lines in _of_day(world, date(until.year, 1, 1) + timedelta(days=offset)).items():
            found[key].extend(lines)
    return found


@lru_cache(maxsize=800)  # two years: days without races count too
def _of_day(world: World, day: date) -> _Lines:
    """Return everybody's starts of one day; kept, since every later day of the year counts them again."""
    found: dict[tuple[str, str], list[tuple[Race, Finish]]] = defaultdict(list)
    for race in world.races(day):
        for finish in world.result(race).finishes:
            if ran(finish):
                for key in _people(finish):
                    found[key].append((race, finish))
    return found


def _people(finish: Finish) -> tuple[tuple[str, str], ...]:
    runner = finish.runner
    return (
        ("jockey", runner.jockey.code),
        ("trainer", runner.trainer.code),
        ("owner", runner.horse.owner.code),
        ("breeder", runner.horse.breeder.code),
    )
