"""Pedigree records: breeding horses (HN), foals (SK), lineages (BT), sales of young horses (HS).

Makers: `breeding_horses`, `foals`, `lineages`, `sales`.  Names and numbers are those of UM's Ketto3Info.  length: an
older layout (HN 245, SK 178, BT 6887, HS 196), whose breeding numbers have eight digits.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from jvgate.records.encode import encode
from jvgate.season.records.heads import head
from jvgate.season.records.texts import lineage_text
from jvgate.season.world.model import BreedingHorse, Horse
from jvgate.season.world.rng import draw
from jvgate.season.world.world import World

__all__ = ["LINES", "breeding_horses", "foals", "lineages", "sales"]

OLD_HN, OLD_SK, OLD_BT, OLD_HS = 245, 178, 6887, 196
LINES = 30
_TRUNKS = 6  # lines 0-5 are trunks; the others branch off them

_FOREIGN_PLACES = ("米国", "英国", "愛国", "仏国")
_SALES = {
    0: ("111101", "暁月生産者連合", "暁月セール当歳市場", 7, 10, 2),
    1: ("111203", "朧台家畜市場協会", "朧台サマーセール１歳市場", 8, 21, 4),
}
"""Age at the sale -> code, organiser, name, month, first day, length in days."""


def breeding_horses(
    world: World, horses: Iterable[Horse], *, made: date, length: int | None = None, kubun: str = "1"
) -> list[bytes]:
    """Return the HN records of all ancestors of *horses*, each once, by number."""
    known = {each.number: each for horse in horses for each in horse.pedigree}
    return [_breeding_horse(world, known[number], made=made, kubun=kubun, length=length) for number in sorted(known)]


def foals(world: World, horses: Iterable[Horse], *, made: date, length: int | None = None) -> list[bytes]:
    """Return the SK records of *horses*."""
    return [_foal(world, horse, made=made, length=length) for horse in horses]


def lineages(world: World, *, made: date, length: int | None = None, kubun: str = "2") -> list[bytes]:
    """Return the BT records of all sire lines."""
    return [_lineage(world, line, made=made, kubun=kubun, length=length) for line in range(LINES)]


def sales(world: World, horses: Iterable[Horse], *, made: date, length: int | None = None) -> list[bytes]:
    """Return the HS records of those of *horses* that were sold as foals or yearlings before the day *made*."""
    return [
        _sale(world, horse, made, length) for horse in horses if horse.sale_price_yen and _sale_days(horse)[1] < made
    ]


def _number(horse: BreedingHorse, *, old: bool) -> str:
    return horse.old_number if old else horse.number


def _import_year(world: World, horse: BreedingHorse) -> int | None:
    """Return when a breeding horse came from abroad; every eighth did."""
    luck = draw(world.seed, "import", int(horse.number))
    return None if luck % 8 else horse.birth_year + 3 + luck // 8 % 4


def _breeding_horse(world: World, horse: BreedingHorse, *, made: date, kubun: str, length: int | None) -> bytes:
    old = length == OLD_HN
    imported = _import_year(world, horse)
    sire, dam = (world.breeding_horse(number) for number in (horse.sire_number, horse.dam_number))
    abroad = _FOREIGN_PLACES[int(horse.number) % len(_FOREIGN_PLACES)]
    record = head("HN", kubun, made) | {
        "HansyokuNum": _number(horse, old=old),
        "Bamei": horse.name.text,
        "BameiKana": horse.name.kana,
        "BameiEng": horse.name.latin,
        "BirthYear": horse.birth_year,
        "SexCD": horse.sex,
        "HinsyuCD": "1",
        "KeiroCD": horse.coat,
        "HansyokuMochiKubun": "3" if imported else "0",
        "ImportYear": imported,
        "SanchiName": abroad if imported else horse.place,
        "HansyokuFNum": _number(sire, old=old),
        "HansyokuMNum": _number(dam, old=old),
    }
    return encode(record, world.layouts, length=length)


def _foal(world: World, horse: Horse, *, made: date, length: int | None) -> bytes:
    old = length == OLD_SK
    # A foal carried home by an imported mare counts as brought along.
    in_utero = _import_year(world, horse.pedigree[1]) == horse.birth.year
    record = head("SK", "1", made) | {
        "KettoNum": horse.number,
        "BirthDate": horse.birth.isoformat(),
        "SexCD": "1" if horse.sex == "3" else horse.sex,  # as it was born
        "HinsyuCD": "1",
        "KeiroCD": horse.coat,
        "SankuMochiKubun": "1" if in_utero else "0",
        "BreederCode": horse.breeder.old_code if old else horse.breeder.code,
        "SanchiName": horse.breeder.place,
        "HansyokuNum": [_number(each, old=old) for each in horse.pedigree],
    }
    return encode(record, world.layouts, length=length)


def _founder(world: World, line: int) -> BreedingHorse:
    """Return the oldest stallion of a line: the world tells lines by the numbers of its first stallions."""
    first = 1_102_000_000
    return world.breeding_horse(f"{first + (line - first) % LINES:010d}")


def _lineage(world: World, line: int, *, made: date, kubun: str, length: int | None) -> bytes:
    founder, trunk = _founder(world, line), line % _TRUNKS
    branch = line // _TRUNKS
    parent = _founder(world, trunk) if branch else None
    record = head("BT", kubun, made) | {
        "HansyokuNum": _number(founder, old=length == OLD_BT),
        "KeitoId": f"{trunk + 1:02d}" + (f"{branch:02d}" if branch else ""),
        "KeitoName": f"{founder.name.text}系",
        "KeitoEx": lineage_text(founder, parent),
    }
    return encode(record, world.layouts, length=length)


def _sale_days(horse: Horse) -> tuple[date, date]:
    """Return the first and last day of the sale."""
    *_, month, day, days = _SALES[horse.sale_year - horse.birth.year]
    return date(horse.sale_year, month, day), date(horse.sale_year, month, day + days - 1)


def _sale(world: World, horse: Horse, made: date, length: int | None) -> bytes:
    age = horse.sale_year - horse.birth.year
    code, host, name, *_ = _SALES[age]
    first, last = _sale_days(horse)
    record = head("HS", "1", made) | {
        "KettoNum": horse.number,
        "HansyokuFNum": _number(horse.pedigree[0], old=length == OLD_HS),
        "HansyokuMNum": _number(horse.pedigree[1], old=length == OLD_HS),
        "BirthYear": horse.birth.year,
        "SaleCode": code,
        "SaleHostName": host,
        "SaleName": name,
        "FromDate": first.isoformat(),
        "ToDate": last.isoformat(),
        "Barei": age,
        "Price": horse.sale_price_yen,
    }
    return encode(record, world.layouts, length=length)
