"""Training times: the slope (HC) and the woodchip course (WC) of both training centres.

Makers: `slope_works`, `wood_works` (world, day -> records of both centres, by time of day).  A horse works in the two
weeks before it runs, at the centre of its trainer; cumulative times are the sums of the laps.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from itertools import accumulate

from jvgate.records.encode import encode
from jvgate.season.records.heads import head
from jvgate.season.world.model import Horse
from jvgate.season.world.rng import Dice
from jvgate.season.world.world import World

__all__ = ["slope_works", "wood_works"]

_SATURDAY = 5

_SLOPE_SHARES = {1: 60, 2: 420, 3: 260, 4: 60, 5: 120, 6: 300}
_WOOD_SHARES = {1: 40, 2: 380, 3: 200, 4: 20, 5: 40, 6: 180}
"""Weekday -> horses of a thousand that work there; nobody on Mondays."""

_LAP_CEILING, _TOTAL_CEILING = 999, 9999
_WOOD_COURSES = {"0": ("3", "1"), "1": ("2", "0")}
"""Centre -> woodchip course and direction in use."""


def slope_works(world: World, day: date) -> list[bytes]:
    """Return the HC records of *day*."""
    return _works(world, day, "HC", _slope_times, shares=_SLOPE_SHARES)


def wood_works(world: World, day: date) -> list[bytes]:
    """Return the WC records of *day*."""
    return _works(world, day, "WC", _wood_times, shares=_WOOD_SHARES)


def _works(
    world: World, day: date, spec: str, times: Callable[[Dice, int, int], dict[str, object]], *, shares: dict[int, int]
) -> list[bytes]:
    share = shares.get(day.weekday(), 0)
    found: list[tuple[str, str, bytes]] = []
    for horse in _entered(world, day):
        dice = Dice(world.seed, f"work {spec}", int(horse.number), day.toordinal())
        if not dice.chance(share):
            continue
        centre = "1" if world.trainer_of(horse, day).home == "2" else "0"
        clock = f"{5 + dice.below(6):02d}:{dice.below(60):02d}"
        record = head(spec, "1", day) | {
            "TresenKubun": centre,
            "ChokyoDate": day.isoformat(),
            "ChokyoTime": clock,
            "KettoNum": horse.number,
        }
        if spec == "WC":
            record["Course"], record["BabaAround"] = _WOOD_COURSES[centre]
        record |= times(dice, horse.talent, day.weekday())
        found.append((clock, horse.number, encode(record, world.layouts)))
    return [raw for _, _, raw in sorted(found)]


def _entered(world: World, day: date) -> tuple[Horse, ...]:
    """Return the horses that run on the next weekend after *day*, or, on a Saturday and Sunday, on the one after."""
    saturday = day + timedelta(days=(_SATURDAY - day.weekday()) % 7 or 7)
    return world.horses_in(saturday, saturday + timedelta(days=2))


def _effort(dice: Dice, talent: int, weekday: int) -> int:
    """Return how many tenths slower than a fast lap: better horses and the Wednesday work are faster."""
    return max(0, dice.below(14) + (0 if weekday in (2, 3) else 14) - (talent - 500) // 60)


def _slope_times(dice: Dice, talent: int, weekday: int) -> dict[str, object]:
    """Return times of the last four furlongs; now and then the first beam missed the horse."""
    slow = _effort(dice, talent, weekday)
    laps = [121 + slow // 2 + dice.below(6), 124 + slow + dice.below(5), 129 + slow + dice.below(6)]
    if not dice.chance(15):
        laps.append(135 + slow + dice.below(9))
    return _times(laps, 4)


def _wood_times(dice: Dice, talent: int, weekday: int) -> dict[str, object]:
    """Return times of as many furlongs as were taken: five or six for most, seven to ten for a few."""
    slow = _effort(dice, talent, weekday)
    furlongs = dice.choice((5, 5, 5, 6, 6, 6, 6, 6, 7, 7, 8, 9, 10))
    laps = [113 + slow // 2 + dice.below(8), 117 + slow // 2 + dice.below(6)]
    laps += [122 + slow + 4 * back // 3 + dice.below(7) for back in range(furlongs - 2)]
    if dice.chance(4):
        laps[-1] = _LAP_CEILING + dice.below(200)  # pulled up to a walk where the timing begins
    return _times(laps, 10)


def _times(laps: list[int], most: int) -> dict[str, object]:
    """Return laps and their sums in seconds, by furlongs from the finish; None where nothing was timed."""
    record: dict[str, object] = {}
    timed = [*zip(laps, accumulate(laps), strict=True), *[(0, 0)] * (most - len(laps))]
    for furlong, (lap, total) in enumerate(timed, start=1):
        too_slow = lap >= _LAP_CEILING
        record[f"LapTime{furlong}"] = _tenths(_LAP_CEILING if too_slow else lap)
        if furlong > 1:
            record[f"HaronTime{furlong}"] = _tenths(_TOTAL_CEILING if too_slow else total)
    return record


def _tenths(value: int) -> float | None:
    return value / 10 if value else None
