"""Who is in a race: the entries of its belt, drawn numbers, riders, weights, and what the public thinks of them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import lru_cache

from jvgate.season.world.belts import Stay, deal, last_round, previous_stay, race_of, stay_in, winning_seat
from jvgate.season.world.meetings import meetings_on, saturday_of
from jvgate.season.world.model import Horse, Jockey, Race, Runner
from jvgate.season.world.people import JOCKEY_SEATS, apprentice_mark, jockey_in, trainer_in
from jvgate.season.world.population import horse_in
from jvgate.season.world.programme import belt_of, race_at, race_index, round_of
from jvgate.season.world.rng import Dice, draw, shuffled
from jvgate.season.world.tracks import gate_limit

__all__ = ["brackets", "entered", "excluded", "field_of", "form_of", "must_win", "visits"]

_SIZES = {
    "debut": (16, 16, 15, 14, 13, 12, 11, 10, 9, 8),
    "maiden": (18, 18, 17, 16, 16, 16, 16, 15, 14, 13, 12),
    "win1": (18, 17, 16, 16, 16, 15, 14, 13, 12, 11, 10, 9),
    "win2": (16, 16, 15, 14, 13, 12, 11, 10, 9, 8),
    "win3": (16, 16, 16, 15, 14, 13, 12, 11, 10, 9),
    "open": (18, 18, 18, 17, 16, 16, 15, 14, 13, 12, 11, 10),
    "jump": (14, 14, 13, 12, 11, 10, 9, 8),
}
"""Belt -> field sizes, all equally likely."""

_SCRATCHED, _EXCLUDED, _STOPPED, _JUMPER_STOPPED = 6, 4, 3, 35  # of a thousand runners
_JOCKEY_CHANGED = 8


@lru_cache(maxsize=4096)
def _stays(seed: int, race: Race) -> tuple[tuple[Stay, ...], tuple[Stay, ...]]:
    """Return who got into the field and who did not; the winner of the belt always does."""
    belt, number, index = belt_of(race), round_of(race), race_index(race)
    rows = deal(seed, belt, number)
    keys = (race.day.toordinal(), belt.circuit, race.number)
    dice = Dice(seed, "entries", *keys)
    limit = 18 if race.distance_before else gate_limit(race.surface)
    size = min(dice.choice(_SIZES[belt.name]), limit, belt.seats)
    lots = {seat: draw(seed, "lot", *keys, seat) for seat in range(belt.seats)}
    lots[winning_seat(seed, belt, number, index)] = -1
    order = sorted(lots, key=lots.__getitem__)
    stays = [stay_in(belt, number, rows[seat][index], seat) for seat in order]
    return tuple(stays[:size]), tuple(stays[size:])


def entered(seed: int, race: Race) -> tuple[Stay, ...]:
    """Return the stays of the horses in the field, withdrawn ones included, in no special order."""
    return _stays(seed, race)[0]


def excluded(seed: int, race: Race) -> tuple[Horse, ...]:
    """Return up to four horses that were entered and lost the draw: where the field is full."""
    inside, outside = _stays(seed, race)
    full = len(inside) >= min(gate_limit(race.surface), belt_of(race).seats)
    return tuple(horse_in(seed, stay) for stay in outside[:4]) if full else ()


def must_win(seed: int, race: Race) -> Stay | None:
    """Return the stay that wins the race because its horse leaves the class, None in free belts."""
    belt, number, index = belt_of(race), round_of(race), race_index(race)
    if belt.free:
        return None
    seat = winning_seat(seed, belt, number, index)
    return stay_in(belt, number, deal(seed, belt, number)[seat][index], seat)


def status_of(seed: int, race: Race, stay: Stay) -> str:
    """Return what becomes of a runner (table 2101): nearly always "0"."""
    lot = draw(seed, "status", race.day.toordinal(), int(race.meeting.course), race.number, stay.seat) % 1000
    stopped = _JUMPER_STOPPED if race.surface == "jump" else _STOPPED
    if lot >= _SCRATCHED + _EXCLUDED + stopped or stay == must_win(seed, race):
        return "0"
    return "1" if lot < _SCRATCHED else "3" if lot < _SCRATCHED + _EXCLUDED else "4"


def visits(seed: int, stay: Stay) -> Iterator[Race]:
    """Yield the races of a stay for which the horse was in the field, oldest first."""
    last, _ = last_round(stay)
    for number in range(stay.start, last + 1, stay.belt.period):
        race = race_at(seed, stay.belt, number, race_of(seed, stay, number))
        if stay in entered(seed, race):
            yield race


def _last_start(seed: int, stay: Stay, race: Race) -> Race | None:
    """Return the race in which the horse ran last before *race*, None at a first start."""
    belt = stay.belt
    number, at = round_of(race) - belt.period, stay
    while True:
        if number < at.start:
            earlier = previous_stay(seed, at)
            if earlier is None:
                return None
            at, number = earlier, last_round(earlier)[0]
        before = race_at(seed, at.belt, number, race_of(seed, at, number))
        if at in entered(seed, before) and status_of(seed, before, at) not in "123":
            return before
        number -= at.belt.period


def body_weight(seed: int, horse: Horse, race: Race) -> int:
    """Return the body weight on the day of *race* in kilograms, even as the scales show it."""
    grown = 2 * min(6, max(0, (race.day - horse.birth).days // 180 - 4))
    swing = Dice(seed, "weight", int(horse.number), race.day.toordinal()).bell(5) * 2
    return min(596, max(404, horse.base_weight_kg + grown + swing))


def brackets(size: int) -> tuple[int, ...]:
    """Return the bracket of horse 1, 2, …: eight brackets, the last ones take the horses that are too many."""
    if size <= 8:
        return tuple(range(1, size + 1))
    each, more = divmod(size, 8)
    return tuple(bracket for bracket in range(1, 9) for _ in range(each + (bracket > 8 - more)))


def _riders(race: Race) -> list[int]:
    """Return the jockey seats at the meeting: home riders, a third of them at the third meeting when there is one."""
    circuit, week = race.meeting.circuit, race.meeting.week
    away = any(meeting.circuit == 2 for meeting in meetings_on(saturday_of(week)))
    seats = range(JOCKEY_SEATS) if circuit == 2 else range(circuit, JOCKEY_SEATS, 2)
    if not away:
        return list(seats)
    return [seat for seat in seats if ((seat // 2 + week) % 3 == 0) == (circuit == 2)]


def _seat_riders(seed: int, race: Race, horses: list[Horse], spare: int) -> list[Jockey]:
    """Return a rider for each horse, its usual one if free, and *spare* more that ride nothing in the race."""
    seats = _riders(race)
    if race.surface == "jump":
        licensed = [seat for seat in seats if seat % 5 == 0]
        seats = licensed + [seat for seat in seats if seat % 5][: max(0, len(horses) + spare - len(licensed))]
    taken: set[int] = set()
    chosen = []
    for horse in horses + [None] * spare:
        serial = int(horse.number) if horse else 0
        wish = Dice(seed, "rider", serial) if horse else Dice(seed, "spare", race.day.toordinal(), race.number)
        at = min(wish.below(len(seats)), wish.below(len(seats)))
        while seats[at] in taken:
            at = (at + 1) % len(seats)
        taken.add(seats[at])
        chosen.append(jockey_in(seed, seats[at], race.day))
    return chosen


def _carried(race: Race, horse: Horse, mark: str) -> int:
    """Return the weight to carry in tenths of a kilogram: by age and sex or handicap, less the rider's allowance."""
    female, age = horse.sex == "2", horse.age_on(race.day)
    if race.surface == "jump":
        carried = (580 if age == 3 else 600) - 20 * female
    elif race.weights == "1":
        carried = min(590, max(500, 555 + (horse.talent - 620) // 40 * 10)) - 20 * female
    elif age == 2:
        carried = 550 if female or race.day.month < 10 else 560
    elif age == 3 and race.ages[1] == 3:
        carried = 550 if female else 570
    else:
        behind = (30 if race.day.month < 9 else 20) if age == 3 else 0
        carried = 580 - behind - 20 * female
    return carried - {"1": 10, "2": 20, "3": 30, "4": 40, "9": 20}.get(mark, 0)


def _mark(race: Race, jockey: Jockey) -> str:
    """Return the rider's allowance in the race: none in special races."""
    return "0" if race.grade != " " else apprentice_mark(jockey, race.day)


def form_of(seed: int, race: Race, horse: Horse) -> int:
    """Return how well the horse feels on the day, around 0."""
    keys = (race.day.toordinal(), int(race.meeting.course), race.number)
    return Dice(seed, "form", *keys, int(horse.number)).bell(110)


_EIGHTHS = (256, 279, 304, 332, 362, 395, 431, 470)  # 256 times the eighth roots of two


def _appeal(seed: int, race: Race, horse: Horse, skill: int, wins: bool) -> int:
    """Return the share of the bets: doubled by every 96 points of what the public sees, which is less than there is."""
    keys = (race.day.toordinal(), int(race.meeting.course), race.number)
    opinion = Dice(seed, "opinion", *keys, int(horse.number)).bell(90)
    score = 600 + (horse.talent - 560) + skill + form_of(seed, race, horse) // 3 + opinion + 70 * wins
    doubled, eighth = divmod(min(1600, max(0, score)) // 12, 8)
    return max(1, (_EIGHTHS[eighth] << doubled) >> 8)


def _withdrawn_at(race: Race, status: str, lot: int) -> datetime | None:
    """Return when a withdrawal is announced: the evening before or in the morning, an exclusion at the gate."""
    if status == "3":
        return race.post - timedelta(minutes=4)
    if status != "1":
        return None
    morning = datetime(race.day.year, race.day.month, race.day.day, 8, 15) + timedelta(minutes=lot % 40)
    return morning if lot & 64 else morning - timedelta(hours=15)


@lru_cache(maxsize=2048)
def field_of(seed: int, race: Race) -> tuple[Runner, ...]:
    """Return the runners by horse number."""
    keys = (race.day.toordinal(), int(race.meeting.course), race.number)
    stays = entered(seed, race)
    order = shuffled(len(stays), seed, "numbers", *keys)
    stays = tuple(stays[at] for at in order)
    horses = [horse_in(seed, stay) for stay in stays]
    changed = [
        number
        for number, stay in enumerate(stays, start=1)
        if draw(seed, "rider change", *keys, number) % 1000 < _JOCKEY_CHANGED and status_of(seed, race, stay) in "04"
    ]
    riders = _seat_riders(seed, race, horses, len(changed))
    planned, spare = riders[: len(stays)], dict(zip(changed, riders[len(stays) :], strict=True))
    wins = must_win(seed, race)
    return tuple(
        _runner(
            seed,
            race,
            stay,
            number=number,
            bracket=bracket,
            planned=planned[number - 1],
            jockey=spare.get(number, planned[number - 1]),
            wins=stay == wins,
        )
        for number, (stay, bracket) in enumerate(zip(stays, brackets(len(stays)), strict=True), start=1)
    )


def _runner(
    seed: int, race: Race, stay: Stay, *, number: int, bracket: int, planned: Jockey, jockey: Jockey, wins: bool
) -> Runner:
    """Return one runner.  planned: who was to ride; jockey: who rides."""
    horse, status = horse_in(seed, stay), status_of(seed, race, stay)
    lot = draw(seed, "runner", race.day.toordinal(), int(race.meeting.course), race.number, number) % (1 << 16)
    mark, mark_before = _mark(race, jockey), _mark(race, planned)
    before = _last_start(seed, stay, race)
    weight = body_weight(seed, horse, race)
    out, replaced = status in "123", jockey is not planned
    return Runner(
        number=number,
        bracket=bracket,
        horse=horse,
        trainer=trainer_in(seed, horse.trainer_seat, race.day),
        jockey=jockey,
        apprentice=mark,
        carried=_carried(race, horse, mark),
        blinkers=draw(seed, "blinkers", int(horse.number)) % 9 == 0,
        weight_kg=0 if status == "1" else weight,
        weight_change_kg=None if status == "1" or before is None else weight - body_weight(seed, horse, before),
        status=status,
        withdrawn_at=_withdrawn_at(race, status, lot) if out else None,
        appeal=_appeal(seed, race, horse, jockey.skill, wins),
        jockey_before=planned if replaced else None,
        apprentice_before=mark_before if replaced else "0",
        carried_before=_carried(race, horse, mark_before) if replaced else 0,
        jockey_changed_at=_changed_at(race, lot) if replaced else None,
    )


def _changed_at(race: Race, lot: int) -> datetime:
    """Return when a change of rider is announced: in the morning, or an hour before the race."""
    morning = datetime(race.day.year, race.day.month, race.day.day, 8, 20) + timedelta(minutes=lot % 50)
    return morning if lot & 64 else race.post - timedelta(minutes=60 + lot % 20)
