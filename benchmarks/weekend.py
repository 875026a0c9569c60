"""The data of the benchmarks: records of the generated season's last race weekend, the same on every machine."""

from __future__ import annotations

from datetime import datetime
from functools import cache

from jvgate.season.shelf import SeasonShelf
from jvgate.spec.spec import load_spec

JRA = load_spec("jra")


__all__ = ["FROM_TIME", "RECORDS", "SOURCE_DATE", "by_type", "weekend", "weekend_before"]

SEED = 1
NOW = datetime(2026, 11, 18, 12)
SOURCE_DATE = "2026-11-18"
FROM_TIME = "20261116000000"  # since then the results of 14 and 15 November have come
RACE_DAY, EVENING = "20261115", datetime(2026, 11, 15, 23)

# Record type -> the data spec that brings it; those of the second table are real-time ones of a day.
RECORDS = {
    **dict.fromkeys(("RA", "SE", "HR", "H1", "H6", "O1", "O2", "O3", "O4", "O5", "O6", "WF", "JG"), "RACE"),
    **dict.fromkeys(("UM", "KS", "CH", "BR", "BN", "RC"), "DIFN"),
    **dict.fromkeys(("HN", "SK", "BT"), "BLDN"),
    **dict.fromkeys(("DM", "TM"), "MING"),
    "TK": "TOKU", "CK": "SNPN", "YS": "YSCH", "HS": "HOSN", "HY": "HOYU", "CS": "COMM", "HC": "SLOP", "WC": "WOOD",
    "WH": "0B11", **dict.fromkeys(("WE", "AV", "JC", "TC", "CC"), "0B14"),
}  # fmt: skip


def weekend(record: str) -> list[bytes]:
    """Return the records of a type in the final files of the last two race days."""
    return _files(record)[-1]


def weekend_before(record: str) -> list[bytes]:
    """Return the same of the week before."""
    return _files(record)[0]


@cache
def _files(record: str) -> list[list[bytes]]:
    shelf = SeasonShelf(JRA.layouts, SEED)
    named = [file for file in shelf.stored("RACE", now=NOW, setup=False) if file.name.startswith(record)]
    return [[raw for file in named[-4:-2] for raw in file.read()], [raw for file in named[-2:] for raw in file.read()]]


@cache
def by_type(record: str) -> list[bytes]:
    """Return some records of any type, from the newest data that has them."""
    shelf, dataspec = SeasonShelf(JRA.layouts, SEED), RECORDS[record]
    if dataspec.startswith("0B"):
        found = shelf.realtime(dataspec, RACE_DAY, now=EVENING) or ()
        return [raw for raw in found if raw[:2] == record.encode()]
    named = [file for file in shelf.stored(dataspec, now=NOW, setup=False) if file.name.startswith(record)]
    return list(named[-1].read())
