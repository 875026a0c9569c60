"""Finish counts at the time of entry (CK): the horse and everybody around it.

Maker: `entry_counts`.
"""

from __future__ import annotations

from datetime import date
from functools import lru_cache

from jvgate.records.encode import encode
from jvgate.season.records.heads import race_head
from jvgate.season.records.masters import breeder_rows, career_fields, jockey_rows, owner_rows, trainer_rows
from jvgate.season.records.rows import counts, entry_rows, house_rows
from jvgate.season.world.model import Breeder, Jockey, Owner, Race, Runner, Trainer
from jvgate.season.world.starts import career_of, runs_before
from jvgate.season.world.world import World

__all__ = ["OLD_CK", "entry_counts"]

OLD_CK = 6864


def entry_counts(
    world: World, race: Race, *, kubun: str = "1", made: date, length: int | None = None, changed_only: bool = False
) -> list[bytes]:
    """Return the CK records of the field of *race*.

    made: careers count what was run before.  changed_only: only runners whose rider changed (kubun 2, on Monday);
    else the rider is the one first named.  length: the older layout, 6864.
    """
    runners = [runner for runner in world.field(race) if runner.jockey_before or not changed_only]
    riders = [runner.jockey if changed_only else runner.jockey_before or runner.jockey for runner in runners]
    header = race_head("CK", kubun, made, race=race)
    return [
        encode(
            header | _counts(world, runner, rider, until=min(made, race.day), old=length == OLD_CK),
            world.layouts,
            length=length,
        )
        for runner, rider in zip(runners, riders, strict=True)
    ]


def _counts(world: World, runner: Runner, jockey: Jockey, *, until: date, old: bool) -> dict[str, object]:
    horse, breeder = runner.horse, runner.horse.breeder
    career = career_of(runs_before(world, horse, until=until))
    return career_fields(career) | {
        "KettoNum": horse.number,
        "Bamei": horse.name.text,
        "ChakuKaisuSibaKyori": counts(career.turf_bands, 3),
        "ChakuKaisuDirtKyori": counts(career.dirt_bands, 3),
        "ChakuKaisuJyoSiba": counts(career.courses[0], 3),
        "ChakuKaisuJyoDirt": counts(career.courses[1], 3),
        "ChakuKaisuJyoSyogai": counts(career.courses[2], 3),
        "KisyuCode": jockey.code,
        "KisyuName": jockey.name.text,
        "KisyuChaku_HonRuikei": _jockey(world, jockey, until),
        "ChokyosiCode": runner.trainer.code,
        "ChokyosiName": runner.trainer.name.text,
        "ChokyoChaku_HonRuikei": _trainer(world, runner.trainer, until),
        "BanusiCode": horse.owner.code,
        "BanusiName_Co": horse.owner.full_name,
        "BanusiName": horse.owner.name.text,
        "BanusiChaku_HonRuikei": _owner(world, horse.owner, until),
        "BreederCode": breeder.old_code if old else breeder.code,
        "BreederName_Co": breeder.full_name,
        "BreederName": breeder.name.text,
        "BreederChaku_HonRuikei": _breeder(world, breeder, until),
    }


# A weekend's thousand runners share a few hundred people.


@lru_cache(maxsize=256)
def _jockey(world: World, jockey: Jockey, until: date) -> bytes:
    return entry_rows(jockey_rows(world, jockey, until=until))


@lru_cache(maxsize=256)
def _trainer(world: World, trainer: Trainer, until: date) -> bytes:
    return entry_rows(trainer_rows(world, trainer, until=until))


@lru_cache(maxsize=1024)
def _owner(world: World, owner: Owner, until: date) -> bytes:
    return house_rows(owner_rows(world, owner, until=until))


@lru_cache(maxsize=512)
def _breeder(world: World, breeder: Breeder, until: date) -> bytes:
    return house_rows(breeder_rows(world, breeder, until=until))
