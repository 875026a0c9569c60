"""What riders and trainers are remembered for: first ride, first win, and the latest graded wins."""

from __future__ import annotations

from datetime import date, timedelta
from functools import lru_cache

from jvgate.season.records.heads import race_key
from jvgate.season.world.model import Finish, Horse, Jockey, Race
from jvgate.season.world.rng import draw
from jvgate.season.world.world import World

__all__ = ["first_rides", "first_wins", "graded_wins"]

GRADED = "ABCDFGH"
_WEEKS_BACK = 26
Win = tuple[Race, Finish]


def graded_wins(world: World, kind: str, code: str, *, until: date) -> list[dict[str, object]]:
    """Return up to three slots of graded wins before *until*, newest first; half a year is looked through.

    kind: jockey or trainer.
    """
    week = until - timedelta(days=(until.weekday() - 5) % 7)  # the Saturday before
    found: list[Win] = []
    for back in range(_WEEKS_BACK):
        wins = _graded(world, week - timedelta(weeks=back))
        found += [win for win in wins if win[0].day < until and _won_by(win[1], kind) == code]
        if len(found) >= 3:
            break
    return [_graded_slot(world, race, finish) for race, finish in found[:3]]


def first_rides(world: World, jockey: Jockey, *, until: date) -> list[dict[str, object] | None]:
    """Return the slots of the first ride on the flat and over jumps (None: none yet)."""
    ride = _first_ride(world, jockey)
    if ride is None or ride[0].day >= until:
        return [None, None]
    race, finish = ride
    place = {"KakuteiJyuni": finish.place, "IJyoCD": finish.runner.status}
    return [_slot(race, finish.runner.horse, _starters(world, race)) | place, None]


def first_wins(world: World, jockey: Jockey, *, until: date) -> list[dict[str, object] | None]:
    """Return the slots of the first win on the flat and over jumps (None: none yet).

    It came some weeks after the first ride, on the same horse; nobody looks up who else was in that race.
    """
    luck = draw(world.seed, "first win", int(jockey.code))
    ride = _first_ride(world, jockey)
    races = _flat_races(world, ride[0].day + timedelta(weeks=3 + luck % 20)) if ride else ()
    if ride is None or not races or races[0].day >= until:
        return [None, None]
    return [_slot(races[luck // 32 % len(races)], ride[1].runner.horse, 12 + luck // 1024 % 5), None]


def _first_ride(world: World, jockey: Jockey) -> Win | None:
    """Return the first ride: all who were licensed together began in one race, each on a horse of its own."""
    saturday = jockey.licensed + timedelta(days=(5 - jockey.licensed.weekday()) % 7)
    race = _first_race(world, saturday)
    if race is None:
        return None
    finishes = world.result(race).finishes
    own = [finish for finish in finishes if finish.runner.jockey.code == jockey.code]
    return race, own[0] if own else finishes[int(jockey.code) % len(finishes)]


@lru_cache(maxsize=64)
def _first_race(world: World, saturday: date) -> Race | None:
    races = _flat_races(world, saturday)
    return races[draw(world.seed, "first ride", saturday.toordinal()) % len(races)] if races else None


def _flat_races(world: World, day: date) -> tuple[Race, ...]:
    """Return the races of *day* in which beginners ride."""
    return tuple(race for race in world.races(day) if race.surface != "jump" and race.grade == " ")


@lru_cache(maxsize=64)
def _graded(world: World, saturday: date) -> tuple[Win, ...]:
    """Return the graded wins of a weekend, newest first."""
    days = [saturday + timedelta(days=offset) for offset in (2, 1, 0)]
    races = [race for day in days for race in reversed(world.races(day)) if race.grade in GRADED]
    return tuple((race, finish) for race in races for finish in world.result(race).finishes if finish.place == 1)


def _won_by(finish: Finish, kind: str) -> str:
    return finish.runner.jockey.code if kind == "jockey" else finish.runner.trainer.code


def _graded_slot(world: World, race: Race, finish: Finish) -> dict[str, object]:
    title = race.title
    return _slot(race, finish.runner.horse, _starters(world, race)) | {
        "Hondai": title.main,
        "Ryakusyo10": title.short10,
        "Ryakusyo6": title.short6,
        "Ryakusyo3": title.short3,
        "GradeCD": race.grade,
    }


def _slot(race: Race, horse: Horse, starters: int) -> dict[str, object]:
    """Return what all these slots have: the race, how many ran, and the horse."""
    return race_key(race) | {"SyussoTosu": starters, "KettoNum": horse.number, "Bamei": horse.name.text}


def _starters(world: World, race: Race) -> int:
    return sum(runner.starts for runner in world.field(race))
