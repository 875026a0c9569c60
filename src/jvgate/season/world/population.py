"""The racehorses: numbers, births, connections and pedigrees, from the stay in which a horse began."""

from __future__ import annotations

from datetime import date, timedelta
from functools import lru_cache, partial

from jvgate.season.world.belts import BELTS, Belt, Stay, crop_of, last_round, root_of, stay_in, stays_of
from jvgate.season.world.meetings import month_start_round, saturday_of, week_of_round
from jvgate.season.world.model import BreedingHorse, Horse
from jvgate.season.world.names import horse_name
from jvgate.season.world.people import (
    BREEDERS,
    OWNERS,
    TRAINER_SEATS,
    breeder,
    breeding_horse_of,
    breeding_number,
    coat_of,
    owner,
)
from jvgate.season.world.rng import Dice

__all__ = ["horse_in", "root_of_number"]

_SCRAMBLE, _SPAN = 40_503, 100_000
_UNSCRAMBLE = pow(_SCRAMBLE, -1, _SPAN)
_SALE_SHARE = 350  # of a thousand


def _birth_year(root: Stay) -> int:
    """Return the birth year of the horse that began with *root*."""
    if root.belt.crop:
        return crop_of(root.belt.circuit, root.start)
    return saturday_of(week_of_round(root.belt.circuit, root.start)).year - root.belt.newcomer_age


def _first_round(belt: Belt, birth_year: int) -> int:
    """Return the round from which a birth year's newcomers of a belt are counted."""
    if belt.crop:
        return month_start_round(belt.circuit, birth_year + 2, 6)
    return month_start_round(belt.circuit, birth_year + belt.newcomer_age, 1)


@lru_cache(maxsize=16_384)
def _number_of(root: Stay) -> str:
    """Return the registration number of the horse that began with *root*: birth year, 1, five digits."""
    belt, year = root.belt, _birth_year(root)
    place = (root.start - _first_round(belt, year)) * len(belt.slots) + root.row
    serial = belt.base + place * belt.seats + root.seat
    return f"{year}1{serial * _SCRAMBLE % _SPAN:05d}"


def root_of_number(seed: int, number: str) -> Stay | None:
    """Return the first stay of the horse with a registration number, None when it is nobody's."""
    if len(number) != 10 or not number.isdigit() or number[4] != "1" or not "1990" < number[:4] < "9000":
        return None
    serial = int(number[5:]) * _UNSCRAMBLE % _SPAN
    belts = sorted((belt for belts in BELTS for belt in belts.values()), key=lambda belt: belt.base)
    belt = [belt for belt in belts if belt.base <= serial][-1]
    place, seat = divmod(serial - belt.base, belt.seats)
    later, row = divmod(place, len(belt.slots))
    root = Stay(belt, _first_round(belt, int(number[:4])) + later, row, seat)
    genuine = stay_in(belt, root.start, row, seat) == root and _number_of(root) == number
    return root if genuine and root_of(seed, root) == root else None


@lru_cache(maxsize=16_384)
def horse_in(seed: int, stay: Stay) -> Horse:
    """Return the horse that has *stay*."""
    return _horse(seed, root_of(seed, stay))


@lru_cache(maxsize=8192)
def _horse(seed: int, root: Stay) -> Horse:
    number, year = _number_of(root), _birth_year(root)
    serial = int(number)
    dice = Dice(seed, "horse", serial)
    home = "12"[root.belt.circuit if root.belt.circuit < 2 else dice.below(2)]
    trainer_seat = dice.below(TRAINER_SEATS // 2) * 2 + (home == "2")
    sex = dice.choice("1111122222111223")
    stays = stays_of(seed, root)
    first = saturday_of(week_of_round(root.belt.circuit, root.start))
    last = saturday_of(week_of_round(root.belt.circuit, last_round(stays[-1])[0]))
    sold = dice.chance(_SALE_SHARE)
    return Horse(
        number=number,
        name=horse_name((year % 40) * _SPAN + serial % _SPAN),
        birth=date(year, 1, 20) + timedelta(days=dice.below(130)),
        sex=sex,
        coat=coat_of(seed, serial),
        symbol="00" if root.belt.crop else "05",
        home=home,
        entered=first - timedelta(days=45 + dice.below(30)),
        retires=last + timedelta(days=12 + dice.below(5)),
        ancestry=partial(_pedigree, seed, serial, year),
        owner=owner(seed, min(dice.below(OWNERS), dice.below(OWNERS))),
        breeder=breeder(seed, dice.below(BREEDERS)),
        trainer_seat=trainer_seat,
        sale_price_yen=(300 + dice.below(90) ** 2) * 10_000 if sold else 0,
        sale_year=year + dice.below(2) if sold else 0,
        talent=500 + dice.bell(160) + 60 * (len(stays) - 1),
        base_weight_kg=(480 if sex != "2" else 456) + dice.bell(18) * 2,
    )


def _pedigree(seed: int, serial: int, birth_year: int) -> tuple[BreedingHorse, ...]:
    """Return the 14 ancestors: parents, grandparents, great-grandparents, sire's side first."""
    row = [breeding_horse_of(seed, breeding_number(seed, serial, birth_year, dam=dam)) for dam in (False, True)]
    found = list(row)
    for _ in range(2):
        row = [breeding_horse_of(seed, number) for horse in row for number in (horse.sire_number, horse.dam_number)]
        found += row
    return tuple(found)
