"""The week's calendar of deliveries: which data spec brings which record types when, for which days, and until when.

The tables below are the calendar; a `Delivery` is one stored file that they promise, and its records are made when
read. Moments are a weekday and a time in the week around a race weekend: `thu` and `fri` lie before its Saturday,
`mon` to `wed` after it; `-sun` and `-mon` are those of the weekend before.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache

from jvgate.season.records import abroad
from jvgate.season.records.makers import MakerJob, maker_of
from jvgate.season.world.meetings import saturday_of, week_of
from jvgate.season.world.world import World

__all__ = ["CALENDAR", "FOR_EVER", "OLD_LENGTHS", "SUCCESSORS", "Delivery", "Row", "calendar_of", "deliveries"]

SUCCESSORS = {"DIFF": "DIFN", "BLOD": "BLDN", "SNAP": "SNPN", "HOSE": "HOSN", "TCOV": "TCVN", "RCOV": "RCVN"}
OLD_LENGTHS = {"UM": 1577, "BR": 537, "HN": 245, "SK": 178, "CK": 6864, "HS": 196, "BT": 6887}
"""The specs and lengths of the layouts before 2023-08-08."""

_MOMENTS = {
    "-sun": -6, "-mon": -5, "thu": -2, "fri": -1, "sat": 0, "sun": 1, "mon": 2, "tue": 3, "wed": 4, "+thu": 5,
}  # fmt: skip
"""Day -> days after the Saturday of the race weekend."""

_LETTERS = {
    "RACE": "VM", "TOKU": "TV", "DIFN": "DN", "DIFF": "DF", "BLDN": "BN", "BLOD": "BF", "SNPN": "SN", "SNAP": "SF",
    "SLOP": "SL", "WOOD": "WD", "YSCH": "YS", "HOSN": "HN", "HOSE": "HF", "HOYU": "HY", "COMM": "CM", "MING": "MG",
    "TCVN": "TN", "TCOV": "TF", "RCVN": "RN", "RCOV": "RF",
}  # fmt: skip
"""Data spec -> the two letters of its file names after the record type."""

FOR_EVER = ("HOSN", "HOSE", "COMM")
"""Data specs whose files are never thrown away."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the calendar.  days: the race days, a file each; "week": one file for all.  stage: told to the maker.

    until: when a later delivery replaces it, else it stays as long as its data spec keeps files.
    """

    records: str
    when: str
    days: str
    stage: str = ""
    until: str = ""
    only: str = "every"


_RESULTS = "H1 H6 O1 O2 O3 O4 O5 O6"

CALENDAR: dict[str, tuple[Row, ...]] = {
    "RACE": (
        Row("RA SE JG", "thu 16:30", "sat sun", "1", until="thu 20:00"),
        Row("RA SE JG", "thu 20:00", "sat", "1", until="fri 12:00"),
        Row("RA SE JG", "thu 20:00", "sun", "1", until="sat 12:00"),
        Row("RA SE", "fri 12:00", "sat", "2", until="mon 14:00"),
        Row("RA SE", "sat 12:00", "sun", "2", until="mon 14:00"),
        Row("JG", "fri 12:00", "sat", "2"),
        Row("JG", "sat 12:00", "sun", "2"),
        Row("RA SE", "mon 14:00", "sat sun", "7"),
        Row("HR", "mon 14:00", "sat sun", "2"),
        Row(_RESULTS, "mon 14:00", "sat sun", "5"),
        Row("WF", "mon 14:00", "sun", "7"),
    ),
    "TOKU": (Row("TK", "-sun 18:30", "week", "1", until="-mon 18:30"), Row("TK", "-mon 18:30", "week", "2")),
    "DIFN": (
        Row("UM BR BN", "thu 20:00", "week", "new"),
        Row("UM KS CH BR BN RC", "mon 14:00", "week"),
        Row("RA SE", "mon 14:00", "week", "abroad", only="abroad"),
    ),
    "BLDN": (Row("HN SK", "thu 20:00", "week"), Row("BT", "mon 14:00", "week", only="month")),
    "SNPN": (Row("CK", "thu 20:00", "sat sun", "1"), Row("CK", "mon 14:00", "week", "2")),
    "MING": (Row("DM TM", "mon 14:00", "sat sun", "7"),),
    "YSCH": (Row("YS", "mon 14:00", "week", "3"), Row("YS", "tue 14:00", "week", "1", only="december")),
    "HOSN": (Row("HS", "tue 11:00", "week"),),
    "HOYU": (Row("HY", "tue 15:00", "week"),),
    "COMM": (Row("CS", "tue 10:00", "week", only="january"),),
    "SLOP": tuple(Row("HC", f"{day} 13:10", day) for day in ("thu", "fri", "sat", "sun", "tue", "wed")),
    "WOOD": tuple(Row("WC", f"{day} 13:20", day) for day in ("thu", "fri", "sat", "sun", "tue", "wed")),
    "TCVN": (
        Row("UM CH BR BN RC", "-mon 14:00", "week", until="mon 14:00"),
        Row("RA SE", "-mon 14:00", "week", "past", until="mon 14:00"),
    ),
    "RCVN": (
        Row("UM KS CH BR BN RC", "thu 20:00", "week", until="+thu 20:00"),
        Row("RA SE", "thu 20:00", "week", "past", until="+thu 20:00"),
    ),
}
"""Data spec (of the current layouts) -> its deliveries for one race weekend."""


@lru_cache(maxsize=64)
def calendar_of(dataspec: str) -> tuple[Row, ...]:
    """Return the rows of a data spec, an old one's from its successor; none for an unknown one."""
    return CALENDAR.get(SUCCESSORS.get(dataspec, dataspec), ())


@lru_cache(maxsize=128)
def _offset(moment: str) -> timedelta:
    """Return how long after Saturday 00:00 a moment of the calendar is."""
    day, clock = moment.split()
    hour, minute = clock.split(":")
    return timedelta(days=_MOMENTS[day], hours=int(hour), minutes=int(minute))


def _happens(only: str, saturday: date) -> bool:
    """Return whether a row holds in the week of *saturday*."""
    if only == "month":
        return saturday.day <= 7
    if only == "december":
        return saturday.month == 12 and 18 <= saturday.day <= 24
    if only == "january":
        return saturday.month == 1 and saturday.day <= 7
    return only == "every" or abroad.is_week(saturday)


@dataclass(frozen=True, slots=True)
class Delivery:
    """One stored file.  name: JV-Link's style.  provided: YYYYMMDDhhmmss.  size: bytes, a fair guess."""

    name: str
    provided: str
    size: int
    record: str
    job: MakerJob

    def read(self) -> Iterable[bytes]:
        """Return the records with CR LF, each made when it is taken."""
        return maker_of(self.record, self.job.stage)(self.job)


def deliveries(world: World, dataspec: str, *, since: datetime, now: datetime) -> list[Delivery]:
    """Return the files of a data spec that were provided from *since* to *now* and not yet replaced, oldest first."""
    found: list[Delivery] = []
    for week in range(max(0, week_of(since.date()) - 2), week_of(now.date()) + 3):
        saturday = saturday_of(week)
        start = datetime(saturday.year, saturday.month, saturday.day)
        for row in calendar_of(dataspec):
            at = start + _offset(row.when)
            replaced = bool(row.until) and start + _offset(row.until) <= now
            if since <= at <= now and not replaced and _happens(row.only, saturday):
                found += _files(world, dataspec, row, saturday, at)
    return sorted(found, key=lambda file: (file.provided, file.name))


def _files(world: World, dataspec: str, row: Row, saturday: date, at: datetime) -> Iterator[Delivery]:
    """Yield the files of one row in one week: one per record type and day."""
    provided, old = f"{at:%Y%m%d%H%M%S}", dataspec in SUCCESSORS
    for day_name in row.days.split():
        day = saturday + timedelta(days=_MOMENTS.get(day_name, 0))
        races = 12 * len(world.meetings(day))
        for record in row.records.split():
            length = OLD_LENGTHS.get(record) if old else None
            size = _guess(record, row.stage, races) * (length or _LENGTHS[record])
            job = MakerJob(world, day, at.date(), row.stage, length)
            yield Delivery(f"{record}{_LETTERS[dataspec]}{day:%Y%m%d}{provided}.jvd", provided, size, record, job)


_LENGTHS = {
    "TK": 21657, "RA": 1272, "SE": 555, "HR": 719, "H1": 28955, "H6": 102890, "O1": 962, "O2": 2042, "O3": 2654,
    "O4": 4031, "O5": 12293, "O6": 83285, "UM": 1609, "KS": 4173, "CH": 3862, "BR": 545, "BN": 477, "HN": 251,
    "SK": 208, "CK": 6870, "RC": 501, "HC": 60, "HS": 200, "HY": 123, "YS": 382, "BT": 6889, "CS": 6829,
    "DM": 303, "TM": 141, "WF": 7215, "JG": 80, "WC": 105,
}  # fmt: skip
_COUNTS = {
    "TK": 16, "UM": 680, "KS": 144, "CH": 120, "BR": 220, "BN": 350, "HN": 700, "SK": 90, "RC": 60, "HC": 300, "HS": 30,
    "HY": 90, "YS": 8, "BT": 30, "CS": 150, "WF": 1, "WC": 150,
}  # fmt: skip
"""Record type -> how many there usually are in a file; those of races go by the races."""


def _guess(record: str, stage: str, races: int) -> int:
    """Return about how many records a file will have."""
    if record in _COUNTS:
        return _COUNTS[record] // (8 if stage == "new" else 1)
    if stage == "abroad":
        return 1 if record == "RA" else 4
    if stage == "past":
        return 200 if record == "RA" else 1_800
    if record == "CK":
        return 6 if stage == "2" else 14 * races
    return races * 14 if record == "SE" else max(1, races // 5) if record == "JG" else races
