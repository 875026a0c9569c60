"""How a race is run: order, margins, times, laps and corners that agree with one another.

Lengths behind are kept in hundredths of a second and rounded down to tenths only for the clock, as at the races; the
winner's laps are shared out from its time, and everyone's last 600 m follows from its place in the field before them.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

from jvgate.season.world.lineup import field_of, form_of, must_win
from jvgate.season.world.meetings import conditions_of
from jvgate.season.world.model import Conditions, Corner, Finish, Race, Result, Runner
from jvgate.season.world.population import horse_in
from jvgate.season.world.programme import belt_of
from jvgate.season.world.rng import Dice, draw
from jvgate.season.world.tracks import base_time, corners_passed

__all__ = ["MARGINS", "result_of"]

MARGINS = {
    "D  ": 0, "H  ": 1, "A  ": 3, "K  ": 6, " 12": 9, " 34": 13, "1  ": 17, "114": 21, "112": 25, "134": 29, "2  ": 33,
    "212": 42, "3  ": 50, "312": 58, "4  ": 67, "5  ": 83, "6  ": 100, "7  ": 117, "8  ": 133, "9  ": 150, "Z  ": 167,
    "T  ": 220,
}  # fmt: skip
"""Margin (table 2102) -> hundredths of a second, in rising order."""

_USUAL = (
    ("H  ",) * 7 + ("A  ",) * 8 + ("K  ",) * 14 + (" 12",) * 13 + (" 34",) * 11 + ("1  ",) * 9 + ("114",) * 9
    + ("112",) * 7 + ("134",) * 6 + ("2  ",) * 5 + ("212",) * 4 + ("3  ",) * 3 + ("312",) * 2 + ("4  ", "5  ")
)  # fmt: skip
_LONG = ("3  ", "4  ", "5  ", "6  ", "7  ", "8  ", "Z  ", "T  ")
_DEAD_HEAT = 3  # of a thousand pairs

_CLASS_PACE = {"debut": 8, "maiden": 0, "win1": -6, "win2": -11, "win3": -15, "open": -20, "jump": 0}
_GOING_PACE = {"turf": (0, 6, 14, 23), "dirt": (0, -4, -7, 1), "jump": (0, 8, 18, 30)}
"""Thousandths of the time by going 1-4."""


class _Line(NamedTuple):
    """A finisher: place, ties, margin to the one before, hundredths behind the winner."""

    runner: Runner
    place: int
    tied: int
    margin: str
    behind: int


@lru_cache(maxsize=2048)
def result_of(seed: int, race: Race) -> Result:
    """Return the outcome of *race*."""
    field = field_of(seed, race)
    keys = (race.day.toordinal(), int(race.meeting.course), race.number)
    dice = Dice(seed, "result", *keys)
    sky = [told for told in conditions_of(seed, race.meeting) if told.at <= race.post][-1]
    lines = _lines(dice, race, _order(seed, race, field))
    clock = _winning_time(dice, race, sky) * 10 + dice.below(10)
    times = [(clock + line.behind) // 10 for line in lines]
    laps = _laps(dice, race, times[0])
    positions, corners, gaps = _journey(dice, race, [line.runner for line in lines])
    finishes = [
        _finish(race, line, times, positions=positions[line.runner.number], laps=laps, gap=gaps[line.runner.number])
        for line in lines
    ]
    return Result(
        race=race,
        conditions=sky,
        finishes=(*finishes, *(_unplaced(runner) for runner in _others(field))),
        laps=laps,
        first3f=_first(laps, race.distance, 600),
        first4f=_first(laps, race.distance, 800),
        last3f=sum(laps[-3:]),
        last4f=sum(laps[-4:]),
        corners=corners,
    )


def _order(seed: int, race: Race, field: tuple[Runner, ...]) -> list[Runner]:
    """Return those who finish, best first."""
    wins = must_win(seed, race)
    winner = horse_in(seed, wins).number if wins else ""

    def worth(runner: Runner) -> tuple[bool, int, int]:
        score = runner.horse.talent + runner.jockey.skill + form_of(seed, race, runner.horse)
        return runner.horse.number == winner, score, -runner.number

    return sorted((runner for runner in field if runner.status == "0"), key=worth, reverse=True)


def _others(field: tuple[Runner, ...]) -> list[Runner]:
    """Return those without a place: first the ones that started."""
    return sorted(
        (runner for runner in field if runner.status != "0"), key=lambda other: (not other.starts, other.number)
    )


def _lines(dice: Dice, race: Race, order: list[Runner]) -> list[_Line]:
    """Return the finishers with places and margins.  Only free belts can have two winners."""
    lines = [_Line(order[0], 1, 0, "   ", 0)]
    for at, runner in enumerate(order[1:], start=2):
        tie = dice.chance(_DEAD_HEAT) and (at > 2 or belt_of(race).free) and lines[-1].margin != "D  "
        back = at * 2 > len(order) and dice.chance(90)
        margin = "D  " if tie else dice.choice(_LONG) if back else dice.choice(_USUAL)
        place = lines[-1].place if tie else at
        if tie:
            lines[-1] = lines[-1]._replace(tied=1)
        lines.append(_Line(runner, place, int(tie), margin, lines[-1].behind + MARGINS[margin]))
    return lines


def _winning_time(dice: Dice, race: Race, sky: Conditions) -> int:
    """Return the winner's time in tenths: the course's usual one, by class, age, going and chance."""
    usual = base_time(race.surface, race.distance)
    going = int(sky.dirt if race.surface == "dirt" else sky.turf) - 1
    pace = _CLASS_PACE[belt_of(race).name] + _GOING_PACE[race.surface][going] + (6 if race.ages[1] == 2 else 0)
    return usual + usual * (pace + dice.bell(5)) // 1000


def _laps(dice: Dice, race: Race, time: int) -> tuple[int, ...]:
    """Return laps that add up to *time*: a slow first one, a quick second, and the rest even but for a few tenths."""
    if race.surface == "jump":
        return ()
    rest = race.distance % 200
    metres = ([rest] if rest else []) + [200] * (race.distance // 200)
    fade = 2 if race.surface == "dirt" else -1
    middle = len(metres) // 2
    laps = [time * length // race.distance + dice.below(5) - 2 for length in metres]
    laps = [lap + fade * (at - middle) // 2 for at, lap in enumerate(laps)]
    laps[0] += 7 if not rest else 5
    laps[1] -= 7
    over, at = time - sum(laps), 1
    while over:
        step = 1 if over > 0 else -1
        laps[1 + at % (len(laps) - 1)] += step
        over, at = over - step, at + 1
    return tuple(laps)


def _first(laps: tuple[int, ...], distance: int, metres: int) -> int:
    """Return the time of the first *metres* in tenths; a lap that lies across the mark counts by its part."""
    if not laps:
        return 0
    done, total = 0, 0
    for at, lap in enumerate(laps):
        length = distance % 200 if at == 0 and distance % 200 else 200
        if done + length > metres:
            return total + lap * (metres - done) // length
        done, total = done + length, total + lap
    return total


class _Journey(NamedTuple):
    positions: dict[int, tuple[int, int, int, int]]
    corners: tuple[Corner, ...]
    gaps: dict[int, int]


def _journey(dice: Dice, race: Race, order: list[Runner]) -> _Journey:
    """Return positions by horse number, the corner texts, and tenths behind the leader 600 m from home."""
    passed = corners_passed(race.surface, race.distance, race.track)
    early = {runner.number: _style(runner) * 100 + dice.bell(50) for runner in order}
    found = {runner.number: [0, 0, 0, 0] for runner in order}
    corners, running = [], sorted(early, key=lambda number: (early[number], number))
    for at, (corner, lap) in enumerate(passed):
        mixed = {
            runner.number: early[runner.number] * (len(passed) + 1 - at) + place * 22 * (at + 1) + dice.bell(30)
            for place, runner in enumerate(order)
        }
        running = sorted(mixed, key=lambda number: (mixed[number], number))
        groups = _groups(dice, running)
        corners.append(Corner(corner, lap, _corner_text(dice, groups)))
        place = 1
        for group in groups:
            for number in group:
                found[number][corner - 1] = place
            place += len(group)
    gaps, gap = {}, 0
    for number in running:
        gaps[number] = gap
        gap += dice.choice((0, 1, 1, 1, 2))
    positions = {number: (row[0], row[1], row[2], row[3]) for number, row in found.items()}
    return _Journey(positions, tuple(corners), gaps)


def _style(runner: Runner) -> int:
    """Return how a horse likes to run: 1 in front … 4 from behind."""
    return (1, 2, 2, 2, 3, 3, 3, 4, 4)[draw(7, "style", int(runner.horse.number)) % 9]


def _groups(dice: Dice, running: list[int]) -> list[list[int]]:
    """Return the order cut into groups that run side by side and share a position."""
    groups = [[running[0]]]
    for number in running[1:]:
        if len(groups[-1]) < 4 and dice.chance(330):
            groups[-1].append(number)
        else:
            groups.append([number])
    return groups


def _corner_text(dice: Dice, groups: list[list[int]]) -> str:
    """Return JV-Data's text: ( ) side by side, `*` the leader of the first group, `,` `-` `=` for growing gaps."""
    parts = []
    for at, group in enumerate(groups):
        names = ",".join(map(str, group))
        star = "*" if at == 0 and len(group) > 1 else ""
        parts.append(f"({star}{names})" if len(group) > 1 else names)
    text = parts[0]
    for before, part in pairwise(parts):
        gap = dice.choice(",,,,,--=")
        text += ("" if gap == "," and before.endswith(")") and part.startswith("(") else gap) + part
    return text


def _finish(
    race: Race, line: _Line, times: list[int], *, positions: tuple[int, int, int, int], laps: tuple[int, ...], gap: int
) -> Finish:
    """Return a finisher's line of the result; times are those of all finishers, in order."""
    at = line.place - 1
    time = times[at]
    first_part = sum(laps[:-3])
    paid = slice(at, at + 1 + line.tied)
    return Finish(
        runner=line.runner,
        place=line.place,
        line_place=line.place,
        tied=line.tied,
        time=time,
        margin=line.margin,
        behind=time - times[0] if line.place > 1 else times[0] - times[min(1 + line.tied, len(times) - 1)],
        corners=positions,
        last3f=time - first_part - gap if laps else time * 200 // race.distance,
        style=_judged(positions, len(times)),
        prize=sum(race.prizes[paid]) // (1 + line.tied),
        added=sum(race.added[paid]) // (1 + line.tied),
    )


def _judged(positions: tuple[int, int, int, int], starters: int) -> str:
    """Return the style judged from the last corner: 1 led, 2 in the first third, 3 in the second, 4 behind."""
    last = next((place for place in reversed(positions) if place), 0)
    if last <= 1:
        return "1" if last else "0"
    return "2" if last * 3 <= starters + 2 else "3" if last * 3 <= starters * 2 else "4"


def _unplaced(runner: Runner) -> Finish:
    """Return the line of a runner that did not start or did not finish."""
    return Finish(
        runner=runner,
        place=0,
        line_place=0,
        tied=0,
        time=0,
        margin="   ",
        behind=0,
        corners=(0, 0, 0, 0),
        last3f=0,
        style="0",
        prize=0,
        added=0,
    )
