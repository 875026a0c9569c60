"""Course records (RC): the best time of every course and distance, and of the Grade 1 races of the past year.

Maker: `course_records`.  Records are from the years before the season; they are so much faster than the course's
usual time that no race of the season beats them.  Their holders won a race on that course that day.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from functools import lru_cache
from typing import NamedTuple

from jvgate.records.encode import encode
from jvgate.season.records.heads import head, race_key
from jvgate.season.world.meetings import SEASON_START
from jvgate.season.world.model import Finish, Race
from jvgate.season.world.rng import draw
from jvgate.season.world.tracks import COURSE_NAMES, base_time, course_offers
from jvgate.season.world.world import World

__all__ = ["course_records"]

_FASTER = {"11": 25, "13": 42, "18": 25}
"""Race type (table 2005) -> how much faster than usual the record is, in thousandths."""

_KINDS = {"turf": ("11", "13"), "dirt": ("11", "13"), "jump": ("18",)}
_YEARS_BACK = 8


class _Course(NamedTuple):
    """What a record belongs to.  kind: race type, 13 for all ages above two."""

    course: str
    surface: str
    distance: int
    track: str
    kind: str


class _Best(NamedTuple):
    """The race of a record and its winner; a reference time has no holder."""

    race: Race
    finish: Finish


def course_records(world: World, *, made: date, courses: Iterable[str] = COURSE_NAMES) -> list[bytes]:
    """Return the RC records of the *courses* (table 2001), those of their Grade 1 races behind."""
    wanted = tuple(courses)
    plain = [_course_record(world, each, made) for each in _all() if each.course in wanted]
    return plain + [_grade_record(world, race, made) for race in _grade_one(world, made.year) if _at(race, wanted)]


@lru_cache(maxsize=1)
def _all() -> tuple[_Course, ...]:
    return tuple(
        _Course(course, surface, distance, track, kind)
        for course in COURSE_NAMES
        for surface, kinds in _KINDS.items()
        for distance, track in course_offers(course, surface)
        for kind in kinds
    )


def _at(race: Race, courses: tuple[str, ...]) -> bool:
    return race.meeting.course in courses


def _course_record(world: World, course: _Course, made: date) -> bytes:
    best = _best(world, course)
    usual = base_time(course.surface, course.distance)
    record = head("RC", "1", made) | {
        "RecInfoKubun": "1",
        "SyubetuCD": course.kind,
        "Kyori": course.distance,
        "TrackCD": course.track,
        "RecKubun": "2",
        "RecTime": (usual - usual * _FASTER[course.kind] // 1000) / 10,
    }
    return encode(record | _set_on(best, course.surface), world.layouts)


def _grade_record(world: World, race: Race, made: date) -> bytes:
    """Return the record of a Grade 1 race: a little above the course's own."""
    best = _best(world, _Course(race.meeting.course, race.surface, race.distance, race.track, "13"))
    usual = base_time(race.surface, race.distance)
    faster = _FASTER["11" if race.kind == "11" else "18" if race.surface == "jump" else "13"]
    record = head("RC", "1", made) | {
        "RecInfoKubun": "2",
        "SyubetuCD": race.kind,
        "Kyori": race.distance,
        "TrackCD": race.track,
        "RecKubun": "2",
        "RecTime": (usual - usual * (faster - 2) // 1000) / 10,
    }
    return encode(
        record
        | _set_on(best, race.surface)
        | {"TokuNum": race.title.number, "Hondai": race.title.main, "GradeCD": race.grade},
        world.layouts,
    )


def _set_on(best: _Best, surface: str) -> dict[str, object]:
    """Return race, weather and holder of a record; all were set on good ground."""
    finish = best.finish
    runner, horse = finish.runner, finish.runner.horse
    return race_key(best.race) | {
        "TenkoCD": "1",
        "SibaBabaCD": "1" if surface != "dirt" else None,
        "DirtBabaCD": "1" if surface == "dirt" else None,
        "RecUmaInfo": [
            {
                "KettoNum": horse.number,
                "Bamei": horse.name.text,
                "UmaKigoCD": horse.symbol,
                "SexCD": horse.sex,
                "ChokyosiCode": runner.trainer.code,
                "ChokyosiName": runner.trainer.name.text,
                "Futan": runner.carried / 10,
                "KisyuCode": runner.jockey.code,
                "KisyuName": runner.jockey.name.text,
            }
        ],
    }


@lru_cache(maxsize=512)
def _best(world: World, course: _Course) -> _Best:
    """Return the race in which a record was set: one of its kind if there was any in the year of the record."""
    races = _races_of_year(world, course.course)
    alike = [race for race in races if race.surface == course.surface]
    ages = [race for race in alike if (race.kind == "11") == (course.kind == "11")] or alike or list(races)
    same = [race for race in ages if (race.distance, race.track) == (course.distance, course.track)] or ages
    race = same[draw(world.seed, "best time", int(course.course), course.distance, int(course.track)) % len(same)]
    return _Best(race, world.result(race).winner)


@lru_cache(maxsize=len(COURSE_NAMES))
def _races_of_year(world: World, course: str) -> tuple[Race, ...]:
    """Return the races at *course* in the year of its records, which lies before the season."""
    year = SEASON_START.year - 1 - draw(world.seed, "best year", int(course)) % _YEARS_BACK
    days = (date(year, 1, 1) + timedelta(days=offset) for offset in range(365))
    racing = (day for day in days if any(meeting.course == course for meeting in world.meetings(day)))
    return tuple(race for day in racing for race in world.races(day) if race.meeting.course == course)


@lru_cache(maxsize=8)
def _grade_one(world: World, year: int) -> tuple[Race, ...]:
    """Return the Grade 1 races of the year before *year*: the last ones that were all run."""
    days = (date(year - 1, 1, 1) + timedelta(days=offset) for offset in range(366))
    return tuple(race for day in days for race in world.races(day) if race.grade == "A")
