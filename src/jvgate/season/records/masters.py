"""Master records: horses (UM), riders (KS), trainers (CH), breeders (BR), owners (BN).

Makers: `horses`, `jockeys`, `trainers`, `breeders`, `owners`.  All take the day on which the record is made: careers
count what was run before it.  length: an older layout (UM 1577, BR 537).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta

from jvgate.records.encode import encode
from jvgate.season.records.heads import head
from jvgate.season.records.honours import first_rides, first_wins, graded_wins
from jvgate.season.records.rows import counts, house_rows, person_rows
from jvgate.season.world.careers import CareerRows, Workload, career_rows
from jvgate.season.world.model import Breeder, Horse, Jockey, Owner, Trainer
from jvgate.season.world.people import apprentice_mark
from jvgate.season.world.rng import draw
from jvgate.season.world.starts import HorseCareer, career_of, runs_before
from jvgate.season.world.world import World

__all__ = [
    "breeder_rows",
    "breeders",
    "career_fields",
    "horses",
    "jockey_rows",
    "jockeys",
    "owner_rows",
    "owners",
    "trainer_rows",
    "trainers",
]

OLD_UM, OLD_BR = 1577, 537
_STARTS = {"jockey": 310, "trainer": 370, "owner": 56, "breeder": 185}
"""Starts a year, on average, of somebody of each kind."""

_FOUNDED = 1990


def horses(world: World, chosen: Iterable[Horse], *, made: date, length: int | None = None) -> list[bytes]:
    """Return the UM records of the *chosen* horses."""
    return [_horse(world, horse, made=made, length=length) for horse in chosen]


def jockeys(world: World, *, made: date) -> list[bytes]:
    """Return the KS records of all licensed riders."""
    return [_jockey(world, jockey, made) for jockey in world.jockeys(made)]


def trainers(world: World, *, made: date) -> list[bytes]:
    """Return the CH records of all licensed trainers."""
    return [_trainer(world, trainer, made) for trainer in world.trainers(made)]


def breeders(world: World, chosen: Iterable[Breeder], *, made: date, length: int | None = None) -> list[bytes]:
    """Return the BR records of the *chosen* breeders."""
    return [_breeder(world, breeder, made=made, length=length) for breeder in chosen]


def owners(world: World, chosen: Iterable[Owner], *, made: date) -> list[bytes]:
    """Return the BN records of the *chosen* owners."""
    return [_owner(world, owner, made) for owner in chosen]


def jockey_rows(world: World, jockey: Jockey, *, until: date) -> CareerRows:
    """Return the career of a rider."""
    workload = Workload(_STARTS["jockey"] * (100 + jockey.skill) // 100, jockey.skill)
    return career_rows(world, "jockey", jockey.code, since=jockey.licensed, until=until, workload=workload)


def trainer_rows(world: World, trainer: Trainer, *, until: date) -> CareerRows:
    """Return the career of a trainer."""
    workload = _workload(world, "trainer", trainer.code)
    return career_rows(world, "trainer", trainer.code, since=trainer.licensed, until=until, workload=workload)


def owner_rows(world: World, owner: Owner, *, until: date) -> CareerRows:
    """Return the career of an owner's horses."""
    return career_rows(
        world,
        "owner",
        owner.code,
        since=_since(owner.code),
        until=until,
        workload=_workload(world, "owner", owner.code),
    )


def breeder_rows(world: World, breeder: Breeder, *, until: date) -> CareerRows:
    """Return the career of the horses that a breeder bred."""
    workload = _workload(world, "breeder", breeder.code)
    return career_rows(world, "breeder", breeder.code, since=_since(breeder.code), until=until, workload=workload)


def career_fields(career: HorseCareer) -> dict[str, object]:
    """Return the fields of a horse's career that UM and CK share."""
    return {
        "RuikeiHonsyoHeiti": career.prize[0],
        "RuikeiHonsyoSyogai": career.prize[1],
        "RuikeiFukaHeichi": career.added[0],
        "RuikeiFukaSyogai": career.added[1],
        "RuikeiSyutokuHeichi": career.earned[0],
        "RuikeiSyutokuSyogai": career.earned[1],
        "ChakuSogo_ChakuKaisu": career.total.tolist(),
        "ChakuChuo_ChakuKaisu": career.total.tolist(),
        "ChakuKaisuBa": counts(career.tracks, 3),
        "ChakuKaisuJyotai": counts(career.goings, 3),
        "Kyakusitu": list(career.styles),
        "RaceCount": career.starts,
    }


def _workload(world: World, kind: str, code: str) -> Workload:
    luck = draw(world.seed, f"pace {kind}", int(code))
    return Workload(_STARTS[kind] * (40 + luck % 121) // 100, luck // 128 % 61 - 30)


def _since(code: str) -> date:
    """Return since when a house is in business."""
    return date(_FOUNDED + int(code) % 27, 1, 1)


def _kubun(first: date, made: date) -> str:
    """Return DataKubun: new in its first week, an update later."""
    return "1" if first > made - timedelta(days=7) else "2"


def _iso(day: date | None) -> str | None:
    return day.isoformat() if day else None


def _horse(world: World, horse: Horse, *, made: date, length: int | None) -> bytes:
    gone, old = horse.retires <= made, length == OLD_UM
    kubun = "9" if gone else "1" if horse.entered > made - timedelta(days=7) else "4"
    career = career_of(runs_before(world, horse, until=made))
    bands = (career.turf_bands, career.dirt_bands)
    thirds = b"".join(counts(nine.reshape(3, 3, 6).sum(axis=1), 3) for nine in bands)
    record = head("UM", kubun, made) | _identity(horse, gone=gone) | _connections(world, horse, made=made, old=old)
    return encode(record | career_fields(career) | {"ChakuKaisuKyori": thirds}, world.layouts, length=length)


def _identity(horse: Horse, *, gone: bool) -> dict[str, object]:
    """Return who the horse is and whether it still races."""
    return {
        "KettoNum": horse.number,
        "DelKubun": "1" if gone else "0",
        "RegDate": _iso(horse.entered),
        "DelDate": _iso(horse.retires) if gone else None,
        "BirthDate": _iso(horse.birth),
        "Bamei": horse.name.text,
        "BameiKana": horse.name.kana,
        "BameiEng": horse.name.latin,
        "ZaikyuFlag": "0" if gone else "1",
        "UmaKigoCD": horse.symbol,
        "SexCD": horse.sex,
        "HinsyuCD": "1",
        "KeiroCD": horse.coat,
    }


def _connections(world: World, horse: Horse, *, made: date, old: bool) -> dict[str, object]:
    """Return where the horse comes from and who has it."""
    trainer = world.trainer_of(horse, min(made, horse.retires))
    return {
        "Ketto3Info": _ancestors(horse, old=old),
        "TozaiCD": trainer.home,
        "ChokyosiCode": trainer.code,
        "ChokyosiRyakusyo": trainer.name.short,
        "BreederCode": horse.breeder.old_code if old else horse.breeder.code,
        "BreederName": horse.breeder.name.text,
        "SanchiName": horse.breeder.place,
        "BanusiCode": horse.owner.code,
        "BanusiName": horse.owner.name.text,
    }


def _ancestors(horse: Horse, *, old: bool) -> bytes:
    """Return the group Ketto3Info: number and name of the 14 ancestors."""
    return b"".join(
        (each.old_number if old else each.number).encode() + each.name.text.encode("cp932").ljust(36, b"\0")
        for each in horse.pedigree
    ).replace(b"\0\0", b"\x81\x40")


def _jockey(world: World, jockey: Jockey, made: date) -> bytes:
    stable = {trainer.code: trainer for trainer in world.trainers(made)}.get(jockey.trainer_code)
    record = head("KS", _kubun(jockey.licensed, made), made) | {
        "KisyuCode": jockey.code,
        "DelKubun": "1" if jockey.retires <= made else "0",
        "IssueDate": _iso(jockey.licensed),
        "DelDate": _iso(jockey.retires) if jockey.retires <= made else None,
        "BirthDate": _iso(jockey.birth),
        "KisyuName": jockey.name.text,
        "KisyuNameKana": jockey.name.kana,
        "KisyuRyakusyo": jockey.name.short,
        "KisyuNameEng": jockey.name.latin,
        "SexCD": jockey.sex,
        "SikakuCD": jockey.licence,
        "MinaraiCD": apprentice_mark(jockey, made),
        "TozaiCD": jockey.home,
        "ChokyosiCode": stable.code if stable else "00000",
        "ChokyosiRyakusyo": stable.name.short if stable else None,
        "HatuKiJyo": first_rides(world, jockey, until=made),
        "HatuSyori": first_wins(world, jockey, until=made),
        "SaikinJyusyo": graded_wins(world, "jockey", jockey.code, until=made),
        "HonZenRuikei": person_rows(jockey_rows(world, jockey, until=made)),
    }
    return encode(record, world.layouts)


def _trainer(world: World, trainer: Trainer, made: date) -> bytes:
    record = head("CH", _kubun(trainer.licensed, made), made) | {
        "ChokyosiCode": trainer.code,
        "DelKubun": "1" if trainer.retires <= made else "0",
        "IssueDate": _iso(trainer.licensed),
        "DelDate": _iso(trainer.retires) if trainer.retires <= made else None,
        "BirthDate": _iso(trainer.birth),
        "ChokyosiName": trainer.name.text,
        "ChokyosiNameKana": trainer.name.kana,
        "ChokyosiRyakusyo": trainer.name.short,
        "ChokyosiNameEng": trainer.name.latin,
        "SexCD": trainer.sex,
        "TozaiCD": trainer.home,
        "SaikinJyusyo": graded_wins(world, "trainer", trainer.code, until=made),
        "HonZenRuikei": person_rows(trainer_rows(world, trainer, until=made)),
    }
    return encode(record, world.layouts)


def _breeder(world: World, breeder: Breeder, *, made: date, length: int | None) -> bytes:
    record = head("BR", "2", made) | {
        "BreederCode": breeder.old_code if length == OLD_BR else breeder.code,
        "BreederName_Co": breeder.full_name,
        "BreederName": breeder.name.text,
        "BreederNameKana": breeder.name.kana,
        "BreederNameEng": breeder.name.latin,
        "Address": breeder.place,
        "HonRuikei": house_rows(breeder_rows(world, breeder, until=made)),
    }
    return encode(record, world.layouts, length=length)


def _owner(world: World, owner: Owner, made: date) -> bytes:
    record = head("BN", "2", made) | {
        "BanusiCode": owner.code,
        "BanusiName_Co": owner.full_name,
        "BanusiName": owner.name.text,
        "BanusiNameKana": owner.name.kana,
        "BanusiNameEng": owner.name.latin,
        "Fukusyoku": owner.silks,
        "HonRuikei": house_rows(owner_rows(world, owner, until=made)),
    }
    return encode(record, world.layouts)
