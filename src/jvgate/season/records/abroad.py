"""Races outside the season's own courses that its horses went to: a local exchange race or one overseas, now and then.

They stand beside the horses' careers and are not counted in them.
"""

from __future__ import annotations

from datetime import date, timedelta

from jvgate.records.encode import encode
from jvgate.season.records.heads import head
from jvgate.season.world.meetings import week_of
from jvgate.season.world.model import Horse
from jvgate.season.world.names import horse_name, race_word
from jvgate.season.world.rng import Dice, shuffled
from jvgate.season.world.world import World

__all__ = ["is_week", "races", "runners"]

_LOCAL = (("44", "大井"), ("45", "川崎"), ("43", "船橋"))
_OVERSEAS = ("G0", "C7", "B6")
_FIELD = 9


def is_week(saturday: date) -> bool:
    """Return whether such a race was run in the week before *saturday*: every third week."""
    return week_of(saturday) % 3 == 0


def _is_overseas(saturday: date) -> bool:
    return week_of(saturday) % 9 == 0


def _head(spec: str, saturday: date, made: date) -> dict[str, object]:
    """Return record header and race key: on the Wednesday before; overseas a Sunday, without meeting and day."""
    overseas = _is_overseas(saturday)
    day = saturday - timedelta(days=6 if overseas else 3)
    turn = week_of(saturday) // 3
    key: dict[str, object] = {"Year": day.year, "MonthDay": f"{day:%m-%d}", "RaceNum": 8 if overseas else 11}
    key["JyoCD"] = _OVERSEAS[turn % 3] if overseas else _LOCAL[turn % 3][0]
    if not overseas:
        key |= {"Kaiji": day.month, "Nichiji": 1 + turn % 5}
    return head(spec, "B" if overseas else "A", made) | key


def races(world: World, saturday: date, *, made: date) -> list[bytes]:
    """Return the RA record of the race."""
    overseas = _is_overseas(saturday)
    word = race_word(week_of(saturday) % 576)
    record = _head("RA", saturday, made) | {
        "Hondai": f"{word.text}記念競走",
        "Ryakusyo10": f"{word.text}記念",
        "Ryakusyo6": f"{word.text}記念",
        "Ryakusyo3": word.text,
        "Kyori": 2000 if overseas else 1600,
        "TrackCD": "17" if overseas else "24",
        "SyussoTosu": _FIELD,
        "NyusenTosu": _FIELD,
        "TorokuTosu": _FIELD,
        "Honsyokin": [] if overseas else [200_000, 70_000, 40_000, 20_000, 10_000],
    }
    record |= {"SibaBabaCD": "1"} if overseas else {"DirtBabaCD": "1", "YoubiCD": "6", "TenkoCD": "1"}
    return [encode(record, world.layouts)]


def _travellers(world: World, saturday: date) -> list[Horse]:
    """Return the two or three of the season's horses that went: of those left out of an open race."""
    later = saturday + timedelta(days=7)
    left_out = [horse for race in world.races(later) if race.condition == "999" for horse in world.excluded(race)]
    ran = [runner.horse for race in world.races(later) if race.number == 11 for runner in world.field(race)]
    return (left_out + ran)[: 1 if _is_overseas(saturday) else 3]


def runners(world: World, saturday: date, *, made: date) -> list[bytes]:
    """Return the SE records of the season's horses, and of the winner where it is another."""
    travellers = _travellers(world, saturday)
    overseas = _is_overseas(saturday)
    places = shuffled(_FIELD, world.seed, "abroad", week_of(saturday))
    time = 1215 if overseas else 1000
    winner = horse_name(4_000_000 + week_of(saturday))
    rivals = [{"KettoNum": "0000000000", "Bamei": winner.text}]
    records = []
    for at, horse in enumerate(travellers):
        place, dice = places[at] + 1, Dice(world.seed, "abroad", int(horse.number), week_of(saturday))
        if place == 1:
            place = _FIELD  # the winner is a horse of the place
        trainer = world.trainer_of(horse, saturday)
        record = _head("SE", saturday, made) | {
            "Umaban": 2 * at + 1,
            "KettoNum": horse.number,
            "Bamei": horse.name.text,
            "UmaKigoCD": horse.symbol,
            "SexCD": horse.sex,
            "HinsyuCD": "1",
            "KeiroCD": horse.coat,
            "Barei": horse.age_on(saturday),
            "TozaiCD": horse.home,
            "ChokyosiCode": trainer.code,
            "ChokyosiRyakusyo": trainer.name.short,
            "BanusiCode": horse.owner.code,
            "BanusiName": horse.owner.name.text,
            "Futan": 55.0 if horse.sex == "2" else 57.0,
            "KakuteiJyuni": place,
            "Time": (time + 3 * place) / 10,
            "TimeDiff": 3 * place / 10,
            "Ninki": None if overseas else 1 + dice.below(_FIELD),
            "ChakuUmaInfo": rivals,
        }
        if not overseas:
            record |= {"Wakuban": min(8, 2 * at + 1)}
        records.append(encode(record, world.layouts))
    return records
