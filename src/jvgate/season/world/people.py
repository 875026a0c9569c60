"""Riders, trainers, owners, breeders and breeding horses, each worked out from its number alone.

Riders and trainers hold seats for a working life and are followed by someone new with a new code, so that the
season can go on for ever; owners, breeders and breeding stock are told by their numbers.
"""

from __future__ import annotations

from datetime import date
from functools import lru_cache

from jvgate.season.world.model import Breeder, BreedingHorse, Jockey, Name, Owner, Trainer
from jvgate.season.world.names import company_name, person_name, stud_name
from jvgate.season.world.rng import Dice, draw

__all__ = [
    "BREEDERS",
    "JOCKEY_SEATS",
    "OWNERS",
    "TRAINER_SEATS",
    "apprentice_mark",
    "breeder",
    "breeding_horse_of",
    "breeding_number",
    "coat_of",
    "jockey_in",
    "owner",
    "trainer_in",
]

JOCKEY_SEATS, TRAINER_SEATS = 144, 120
OWNERS, BREEDERS = 800, 240
_RIDING_YEARS, _TRAINING_YEARS = 25, 30
_EPOCH = 1960
_FEMALE_CODES = 16_000  # names with a number from here on are women's: no two people share a name

_COATS = ("03",) * 45 + ("01",) * 22 + ("04",) * 18 + ("05",) * 6 + ("07",) * 6 + ("02",) * 2 + ("06",)
_COLOURS = ["白", "黒", "赤", "青", "黄", "緑", "桃", "紫", "茶", "水色"]
_PATTERNS = ("一本輪", "二本輪", "襷", "星散", "元禄", "山形一文字", "鋸歯形", "縦縞")
_PLACES = ("霧多郡鈴里町", "朧沢郡帆別町", "琥珀市", "漣郡梢内町", "瑠璃郡泉別町", "霞浦郡凪町")
_LINES = 30


def _seat_span(seed: int, word: str, seat: int, years: int, day: date) -> tuple[int, int]:
    """Return the generation that holds a seat on *day* and the year in which it began; seats change on 1 March."""
    offset = draw(seed, word, seat) % years
    racing_year = day.year - (day.month < 3)
    generation = (racing_year - _EPOCH + offset) // years
    return generation, _EPOCH - offset + generation * years


def jockey_in(seed: int, seat: int, day: date) -> Jockey:
    """Return the rider of a seat on *day*.  Even seats belong to the east, odd ones to the west."""
    generation, year = _seat_span(seed, "jockey", seat, _RIDING_YEARS, day)
    return _jockey(seed, seat, generation, year)


@lru_cache(maxsize=1024)
def _jockey(seed: int, seat: int, generation: int, year: int) -> Jockey:
    dice = Dice(seed, "jockey", seat, generation)
    female, home = dice.chance(80), "12"[seat % 2]
    number = (generation * JOCKEY_SEATS + seat) % 16_000 + _FEMALE_CODES * female
    stable = trainer_in(seed, dice.below(TRAINER_SEATS // 2) * 2 + seat % 2, date(year, 3, 1))
    return Jockey(
        code=f"{1000 + (generation * JOCKEY_SEATS + seat) % 98_000:05d}",
        name=person_name(number, female=female),
        sex="2" if female else "1",
        birth=date(year - 18 - dice.below(3), 1 + dice.below(12), 1 + dice.below(28)),
        licensed=date(year, 3, 1),
        retires=date(year + _RIDING_YEARS, 2, 28),
        home=home,
        licence="1" if seat % 5 == 0 else "2",
        trainer_code="00000" if dice.chance(600) else stable.code,
        skill=dice.bell(40),
    )


def apprentice_mark(jockey: Jockey, day: date) -> str:
    """Return the allowance (table 2303) that a rider has on *day*: it goes with years, women keep two kilograms."""
    years = day.year - jockey.licensed.year
    if jockey.sex == "2":
        return "4" if years < 2 else "9"
    return "3" if years < 1 else "2" if years < 2 else "1" if years < 4 else "0"


def trainer_in(seed: int, seat: int, day: date) -> Trainer:
    """Return the trainer of a seat on *day*.  Even seats are at Miho, odd ones at Ritto."""
    generation, year = _seat_span(seed, "trainer", seat, _TRAINING_YEARS, day)
    return _trainer(seed, seat, generation, year)


@lru_cache(maxsize=1024)
def _trainer(seed: int, seat: int, generation: int, year: int) -> Trainer:
    dice = Dice(seed, "trainer", seat, generation)
    serial = generation * TRAINER_SEATS + seat
    return Trainer(
        code=f"{1000 + serial % 98_000:05d}",
        name=person_name(32_767 - serial % 16_000 - 16_000),
        sex="1",
        birth=date(year - 36 - dice.below(6), 1 + dice.below(12), 1 + dice.below(28)),
        licensed=date(year, 3, 1),
        retires=date(year + _TRAINING_YEARS, 2, 28),
        home="12"[seat % 2],
    )


@lru_cache(maxsize=OWNERS)
def owner(seed: int, number: int) -> Owner:
    """Return owner 0 … OWNERS - 1: every fourth is a company."""
    dice = Dice(seed, "owner", number)
    if number % 4 == 0:
        name = company_name(number // 4, "ホースクラブ", "ホースクラブ", "Horse Club")
        full = f"（株）{name.text}"
    else:
        name = person_name(number + 8_000)
        full = name.text
    body, sleeves = dice.choice(_COLOURS), dice.choice(_COLOURS)
    silks = f"{body}，{dice.choice(_COLOURS)}{dice.choice(_PATTERNS)}，{sleeves}袖"
    return Owner(code=f"{number * 7 + 11:06d}", name=name, full_name=full, silks=silks)


@lru_cache(maxsize=BREEDERS)
def breeder(seed: int, number: int) -> Breeder:
    """Return breeder 0 … BREEDERS - 1."""
    name = company_name(number + 250, "牧場", "ボクジョウ", "Farm")
    old = f"{number * 13 + 301:06d}"
    return Breeder(
        code=f"{old}00",
        old_code=old,
        name=name,
        full_name=f"（有）{name.text}" if number % 3 else name.text,
        place=_PLACES[draw(seed, "breeder", number) % len(_PLACES)],
    )


def coat_of(seed: int, number: int) -> str:
    """Return a coat colour (table 2203) with the colours' usual shares."""
    return _COATS[draw(seed, "coat", number) % len(_COATS)]


_BAND_YEARS, _FIRST_BAND_YEAR = 8, 1900
_SIRES, _DAMS = 60, 1_400


def breeding_number(seed: int, child: int, birth_year: int, *, dam: bool) -> str:
    """Return the number of a parent of *child*: born about ten years before it."""
    band = (birth_year - (9 if dam else 11) - _FIRST_BAND_YEAR) // _BAND_YEARS
    index = draw(seed, "dam" if dam else "sire", child) % (_DAMS if dam else _SIRES)
    return f"11{band:02d}00{index + (5_000 if dam else 0):04d}"


@lru_cache(maxsize=8192)
def breeding_horse_of(seed: int, number: str) -> BreedingHorse:
    """Return the stallion or mare of a number.  Raises KeyError where the number cannot be anyone's."""
    if len(number) != 10 or not number.isdigit() or not number.startswith("11") or number[4:6] != "00":
        raise KeyError(number)
    band, index = int(number[2:4]), int(number[6:])
    dam = index >= 5_000
    if index - 5_000 * dam >= (_DAMS if dam else _SIRES):
        raise KeyError(number)
    serial = int(number)
    dice = Dice(seed, "breeding", serial)
    year = _FIRST_BAND_YEAR + band * _BAND_YEARS + dice.below(_BAND_YEARS)
    sire = breeding_number(seed, serial, year, dam=False)
    return BreedingHorse(
        number=number,
        old_number=f"11{band:02d}{index:04d}",
        name=_stud(band * 2_000 + index % 5_000 + (100_000 if dam else 0)),
        birth_year=year,
        sex="2" if dam else "1",
        coat=coat_of(seed, serial),
        line=_line(seed, sire),
        sire_number=sire,
        dam_number=breeding_number(seed, serial, year, dam=True),
        place=_PLACES[dice.below(len(_PLACES))],
    )


def _stud(number: int) -> Name:
    return stud_name(number)


@lru_cache(maxsize=2048)
def _line(seed: int, sire: str) -> int:
    """Return the sire line: handed down from sire to son back to the stallions of the first bands."""
    band = int(sire[2:4])
    if band <= 2:
        return int(sire) % _LINES
    year = _FIRST_BAND_YEAR + band * _BAND_YEARS + Dice(seed, "breeding", int(sire)).below(_BAND_YEARS)
    return _line(seed, breeding_number(seed, int(sire), year, dam=False))
