"""Who runs where, by arithmetic: each class of the programme is a conveyor belt of seats.

Theory of operation.  A belt holds the races of one class on one circuit.  Its round n belongs to group n mod
period, and the group's horses come back every *period* rounds: one such appearance is a visit.  A race has `seats`
seats, numbered f; in visit v the `leaving` seats with f // leaving == v mod term give up their horse, and take a
new one at visit v + 1.  So every horse stays `term` visits.  One leaving horse wins each race (its only win in the
class), the others leave beaten. Winners take the new places of the next class some rounds later (`Feed`); places
that no feed fills go to newcomers. For each f, the horses of seat f are dealt out over the races of the round anew,
so the company changes.  Crop belts are emptied when a new crop of two-year-olds begins in June.  Free belts (open
class, jumps) have no fixed winner.

Going back along feeds gives a horse's past, going forward its future; nothing needs the weeks in between.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

from jvgate.season.world.meetings import month_start_round, saturday_of, week_of_round
from jvgate.season.world.rng import draw, shuffled

__all__ = ["BELTS", "Belt", "Feed", "Stay", "crop_of", "next_stay", "previous_stay", "root_of", "stay_in", "stays_of"]


@dataclass(frozen=True, slots=True, eq=False)
class Feed:
    """New places *first* … of a belt go to leavers of belt *source*, some rounds after they left (a lag per circuit).

    each: how many beaten leavers of a race; 0 for its winner.
    """

    source: str
    lags: tuple[int, int, int]
    first: int = 0
    each: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Belt:
    """One class on one circuit.  slots: (0 Saturday, 1 Sunday; race number).  base: of the newcomers' serials."""

    name: str
    circuit: int
    condition: str
    slots: tuple[tuple[int, int], ...]
    seats: int
    leaving: int
    period: int
    base: int
    crop: bool = False
    free: bool = False
    newcomer_age: int = 4
    feeds: tuple[Feed, ...] = ()
    term: int = field(init=False)  # visits that a horse stays
    word: str = field(init=False)  # the belt's own purpose for draws

    def __post_init__(self) -> None:
        object.__setattr__(self, "term", self.seats // self.leaving)
        object.__setattr__(self, "word", f"belt {self.circuit} {self.name}")


def _belts(circuit: int) -> dict[str, Belt]:
    """Return the belts of one circuit.  The third races half the year: shorter periods keep its horses young."""
    long, short = ((4, 3), (4, 3), (2, 2))[circuit]
    jumps = circuit != 2
    base = circuit * 30_000
    first_win = ((0, 6), (0, 7), (1, 6), (1, 7), (1, 8)) + (() if jumps else ((0, 8),))
    maiden = tuple((day, number) for day in (0, 1) for number in range(1, 5))
    # The long lag brings winners of June at the age of two into the older horses' class in January.
    first_feeds = (Feed("maiden", (31, 31, 16)), Feed("debut", (31, 31, 16), first=8))
    belts = [
        Belt("debut", circuit, "701", ((0, 5), (1, 5)), 16, 16, short, base + 8_000, crop=True),
        Belt(
            "maiden", circuit, "703", maiden, 18, 3, short, base, crop=True, feeds=(Feed("debut", (3, 3, 2), each=12),)
        ),
        Belt("win1", circuit, "005", first_win, 18, 2, long, base + 14_000, newcomer_age=3, feeds=first_feeds),
        Belt(
            "win2",
            circuit,
            "010",
            ((0, 9), (1, 9), (0, 12), (1, 12)),
            16,
            2,
            long,
            base + 10_000,
            feeds=(Feed("win1", (4, 4, 2)),),
        ),
        Belt("win3", circuit, "016", ((0, 10), (1, 10)), 16, 2, long, base + 21_000, feeds=(Feed("win2", (4, 4, 2)),)),
        Belt(
            "open",
            circuit,
            "999",
            ((0, 11), (1, 11)),
            18,
            2,
            long,
            base + 23_000,
            free=True,
            feeds=(Feed("win3", (5, 5, 3)), Feed("win3", (5, 5, 3), first=2, each=1)),
        ),
    ]
    if jumps:
        feeds = (Feed("win1", (8, 8, 4), each=1),)
        belts.append(Belt("jump", circuit, "999", ((0, 8),), 14, 2, long, base + 25_000, free=True, feeds=feeds))
    return {belt.name: belt for belt in belts}


BELTS: tuple[dict[str, Belt], ...] = tuple(_belts(circuit) for circuit in (0, 1, 2))
"""The belts by circuit and name."""


class Stay(NamedTuple):
    """A horse's time on a belt: its first round there and the row and seat it holds."""

    belt: Belt
    start: int
    row: int
    seat: int


class Visit(NamedTuple):
    """One appearance: the round and the race (index into the belt's slots)."""

    stay: Stay
    round: int
    race: int


@lru_cache(maxsize=4096)
def crop_of(circuit: int, number: int) -> int:
    """Return the birth year of the crop that is on the crop belts in a round: two-year-olds from June on."""
    saturday = saturday_of(week_of_round(circuit, number))
    return saturday.year - 2 - (number < month_start_round(circuit, saturday.year, 6))


def _crop_visit(belt: Belt, crop: int, group: int) -> int:
    """Return the first visit of *group* with the crop."""
    first = month_start_round(belt.circuit, crop + 2, 6)
    return -((group - first) // belt.period)


@lru_cache(maxsize=2048)
def deal(seed: int, belt: Belt, number: int) -> tuple[tuple[int, ...], ...]:
    """Return, for each seat f, the row that race 0, 1, … of the round gets its horse from."""
    rows = len(belt.slots)
    return tuple(shuffled(rows, seed, belt.word, number, seat) for seat in range(belt.seats))


def winning_seat(seed: int, belt: Belt, number: int, race: int) -> int:
    """Return the seat of the leaver that wins the race (on a free belt: that counts as winner for feeds)."""
    group = number // belt.period % belt.term
    return group * belt.leaving + draw(seed, belt.word, number, -1 - race) % belt.leaving


def stay_in(belt: Belt, number: int, row: int, seat: int) -> Stay:
    """Return the stay of the horse that holds a seat in a round."""
    visit, group = divmod(number, belt.period)
    start = visit - (visit - 1 - seat // belt.leaving) % belt.term
    if belt.crop:
        start = max(start, _crop_visit(belt, crop_of(belt.circuit, number), group))
    return Stay(belt, start * belt.period + group, row, seat)


def last_round(stay: Stay) -> tuple[int, bool]:
    """Return the last round of a stay and whether the horse leaves in its turn (not because its crop ends)."""
    belt = stay.belt
    visit, group = divmod(stay.start, belt.period)
    last = visit + (stay.seat // belt.leaving - visit) % belt.term
    if belt.crop:
        end = _crop_visit(belt, crop_of(belt.circuit, stay.start) + 1, group) - 1
        if end < last:
            return end * belt.period + group, False
    return last * belt.period + group, True


def race_of(seed: int, stay: Stay, number: int) -> int:
    """Return the race (index into the belt's slots) to which the horse of a stay is dealt in a round."""
    return deal(seed, stay.belt, number)[stay.seat].index(stay.row)


def _beaten(seed: int, belt: Belt, number: int, race: int) -> list[int]:
    """Return the leaving seats that do not win, in order."""
    first = number // belt.period % belt.term * belt.leaving
    won = winning_seat(seed, belt, number, race)
    return [seat for seat in range(first, first + belt.leaving) if seat != won]


def previous_stay(seed: int, stay: Stay) -> Stay | None:
    """Return the stay from which the horse came, None for a newcomer."""
    belt, visit = stay.belt, stay.start // stay.belt.period
    if (visit - 1) % belt.term != stay.seat // belt.leaving:
        return None  # it came when its crop began
    place = stay.row * belt.leaving + stay.seat % belt.leaving
    for feed in belt.feeds:
        source = BELTS[belt.circuit][feed.source]
        left = stay.start - feed.lags[belt.circuit]
        race, loser = divmod(place - feed.first, feed.each or 1)
        if not 0 <= race < len(source.slots):
            continue
        if belt.crop and crop_of(belt.circuit, left) != crop_of(belt.circuit, stay.start):
            continue
        seat = _beaten(seed, source, left, race)[loser] if feed.each else winning_seat(seed, source, left, race)
        return stay_in(source, left, deal(seed, source, left)[seat][race], seat)
    return None


def next_stay(seed: int, stay: Stay) -> Stay | None:
    """Return the stay to which the horse goes on, None when it retires."""
    left, in_turn = last_round(stay)
    if not in_turn:
        return None
    race = race_of(seed, stay, left)
    won = winning_seat(seed, stay.belt, left, race) == stay.seat
    loser = 0 if won else _beaten(seed, stay.belt, left, race).index(stay.seat)
    for belt in BELTS[stay.belt.circuit].values():
        for feed in belt.feeds:
            if feed.source != stay.belt.name or won == bool(feed.each) or loser >= (feed.each or 1):
                continue
            place = feed.first + race * (feed.each or 1) + loser
            start = left + feed.lags[belt.circuit]
            same_crop = not belt.crop or crop_of(belt.circuit, left) == crop_of(belt.circuit, start)
            if place < len(belt.slots) * belt.leaving and same_crop:
                row, offset = divmod(place, belt.leaving)
                seat = (start // belt.period - 1) % belt.term * belt.leaving + offset
                return Stay(belt, start, row, seat)
    return None


def root_of(seed: int, stay: Stay) -> Stay:
    """Return the first stay of the horse that has *stay*."""
    while (earlier := previous_stay(seed, stay)) is not None:
        stay = earlier
    return stay


def stays_of(seed: int, root: Stay) -> list[Stay]:
    """Return all stays of a horse from its first one on."""
    stays = [root]
    while (later := next_stay(seed, stays[-1])) is not None:
        stays.append(later)
    return stays
