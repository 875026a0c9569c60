"""When and where the season races: two meetings every weekend, a third in half of them, the same plan every year.

A *week* is counted from the first Saturday of the season (0 = 2024-01-06) and may be negative.  A *round* counts
only the weekends on which a circuit races, so that round + 1 is always its next weekend.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache

from jvgate.season.world.model import Conditions, MeetingDay
from jvgate.season.world.rng import Dice

__all__ = [
    "SEASON_START",
    "conditions_of",
    "meetings_on",
    "month_start_round",
    "round_on_or_after",
    "saturday_of",
    "week_of",
    "week_of_round",
]

SEASON_START = date(2024, 1, 6)

_PLAN = {
    0: "06:4 05:4 06:6 05:6 05:4 03:4 04:6 06:5 05:5 05:4 06:5",
    1: "08:4 08:3 09:6 08:5 08:4 09:4 07:4 10:5 09:4 08:5 08:3 09:6",
}
"""Blocks of course:weeks from the year's first Saturday on; they fill the longest year (53 Saturdays)."""

_THIRD = ((1, "10", 4), (9, "07", 3), (15, "03", 3), (23, "02", 4), (28, "01", 6), (41, "04", 3), (47, "07", 3))
"""The third meeting: first week of the year, course, weeks."""

_THIRD_WEEKS = tuple(week for start, _, weeks in _THIRD for week in range(start, start + weeks))


@dataclass(frozen=True, slots=True)
class _Block:
    """Some weekends at one course.  start, weeks: weeks of the year.  kaiji: the how-manieth block there this year."""

    circuit: int
    course: str
    start: int
    weeks: int
    kaiji: int


def _numbered(blocks: list[tuple[int, int, str, int]]) -> tuple[_Block, ...]:
    """Return the blocks of a year with their meeting numbers: start, circuit, course, weeks."""
    seen: dict[str, int] = {}
    numbered = []
    for start, circuit, course, weeks in sorted(blocks):
        seen[course] = seen.get(course, 0) + 1
        numbered.append(_Block(circuit, course, start, weeks, seen[course]))
    return tuple(numbered)


@lru_cache(maxsize=1)
def _year_blocks() -> tuple[_Block, ...]:
    """Return the blocks of every year, in order of their first weekend."""
    blocks = [(start, 2, course, weeks) for start, course, weeks in _THIRD]
    for circuit, plan in _PLAN.items():
        start = 0
        for course, weeks in (part.split(":") for part in plan.split()):
            blocks.append((start, circuit, course, int(weeks)))
            start += int(weeks)
    return _numbered(blocks)


def week_of(day: date) -> int:
    """Return the week of *day*; a week begins on Saturday."""
    return (day - SEASON_START).days // 7


def saturday_of(week: int) -> date:
    """Return the Saturday of *week*."""
    return SEASON_START + timedelta(days=7 * week)


def _week_in_year(saturday: date) -> int:
    """Return 0 for the year's first Saturday, 52 at most."""
    return (saturday.timetuple().tm_yday - 1) // 7


def _first_saturday(year: int) -> date:
    """Return the first Saturday of *year*."""
    first = date(year, 1, 1)
    return first + timedelta(days=(5 - first.weekday()) % 7)


def round_on_or_after(circuit: int, day: date) -> int:
    """Return the first round of *circuit* whose Saturday is *day* or later."""
    week = -((SEASON_START - day).days // 7)
    if circuit != 2:
        return week
    saturday = saturday_of(week)
    position = _week_in_year(saturday)
    later = sum(1 for other in _THIRD_WEEKS if other < position)
    return (saturday.year - SEASON_START.year) * len(_THIRD_WEEKS) + later


def week_of_round(circuit: int, number: int) -> int:
    """Return the week of round *number* of *circuit*."""
    if circuit != 2:
        return number
    year, position = divmod(number, len(_THIRD_WEEKS))
    return week_of(_first_saturday(SEASON_START.year + year) + timedelta(days=7 * _THIRD_WEEKS[position]))


@lru_cache(maxsize=512)
def month_start_round(circuit: int, year: int, month: int) -> int:
    """Return the first round of *circuit* in or after a month."""
    return round_on_or_after(circuit, date(year, month, 1))


@lru_cache(maxsize=1024)
def meetings_on(day: date) -> tuple[MeetingDay, ...]:
    """Return the meetings of *day* by course code: none unless it is a Saturday or Sunday."""
    if day.weekday() < 5:
        return ()
    week = week_of(day)
    saturday = saturday_of(week)
    position = _week_in_year(saturday)
    held = (block for block in _year_blocks() if block.start <= position < block.start + block.weeks)
    sunday = int(day != saturday)
    return tuple(
        MeetingDay(
            day=day,
            week=week,
            circuit=block.circuit,
            course=block.course,
            kaiji=block.kaiji,
            nichiji=2 * (position - block.start) + 1 + sunday,
        )
        for block in sorted(held, key=lambda block: block.course)
    )


_SKIES = "1112212341"
_COLD_SKIES = "1112212561"
_WET = {"3": 2, "4": 1, "5": 2, "6": 1}
_CHANGE_TIMES = ((10, 35), (11, 40), (12, 55), (13, 50), (14, 35), (15, 20))


@lru_cache(maxsize=512)
def conditions_of(seed: int, meeting: MeetingDay) -> tuple[Conditions, ...]:
    """Return weather and going of a meeting day: the morning's and up to two changes, never two in one minute."""
    dice = Dice(seed, "sky", meeting.day.toordinal(), int(meeting.course))
    skies = _COLD_SKIES if meeting.day.month in (1, 2, 12) else _SKIES
    sky = dice.choice(skies)
    wet = max(0, _WET.get(sky, 0) + dice.below(2) - (not dice.chance(300)))
    told = [_told(meeting.day, 6, 0, sky, wet)]
    for hour, minute in _CHANGE_TIMES:
        if len(told) == 3 or not dice.chance(120):
            continue
        sky, wet = _next_sky(dice, skies, sky, wet)
        now = _told(meeting.day, hour, minute, sky, wet)
        if (now.weather, now.turf, now.dirt) != (told[-1].weather, told[-1].turf, told[-1].dirt):
            told.append(now)
    return tuple(told)


def _next_sky(dice: Dice, skies: str, sky: str, wet: int) -> tuple[str, int]:
    """Return the sky and the wetness after a change: rain makes the ground one step worse, sun dries it slowly."""
    sky = dice.choice(skies)
    drier = int(sky not in _WET and dice.chance(250))
    return sky, min(3, max(0, wet + (sky in _WET) - drier))


def _told(day: date, hour: int, minute: int, sky: str, wet: int) -> Conditions:
    """Return an announcement; dirt takes water one step later than it shows on turf, but keeps it."""
    at = datetime(day.year, day.month, day.day, hour, minute)
    return Conditions(at=at, weather=sky, turf=str(1 + wet), dirt=str(1 + min(3, wet + (wet > 1))))
