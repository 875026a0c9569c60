"""What an entry of the cache is about, as tags, and which tags a purge looks for.

| tag | an entry with it |
| --- | --- |
| `dataspec=RACE` | answers that data spec |
| `record=RA` | holds records of that type, or was asked for them |
| `date=20261122` | holds records about that day, or was asked for it |
| `race=202611220511` | holds records about that race (always the 12-character form), or was asked for it |
| `races=20261122` | may hold records about any race of that day |
| `date=any`, `races=any` | may hold records about any day, any race |

A purge never misses an entry that holds what it names; it may hit one that does not.  So whatever cannot be told race
by race (a day's answer, which may gain a race; weather of a meeting; more races than the bound; bytes that are no
known record) has a wider tag, and a purge by race looks for the wider tags too.  A record is about what its key
names: a jockey's record that mentions his first win is not about that race.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Final

from jvgate.cache.shared import ALL
from jvgate.freshness.post_times import about
from jvgate.records.scan import Scan
from jvgate.spec.places import place_of
from jvgate.spec.racekeys import DayKey, KeyRules, RaceKey
from jvgate.values import Dataset, Query

__all__ = [
    "EVERYTHING",
    "MOST_DAYS",
    "MOST_RACES",
    "Purge",
    "has_any",
    "is_purged",
    "narrowest",
    "purge_tags",
    "tags_of",
]

Purge = tuple[frozenset[str], ...]
"""Sets of tags: an entry that has at least one tag of each is purged."""

EVERYTHING: Final[Purge] = (frozenset({ALL}),)
"""The purge that nothing escapes."""

MOST_RACES = 512
MOST_DAYS = 512

_ANY = "any"
_DAY = r"[0-9]{8}"
_RACE = r"[0-9]{8}[0-9A-Z]{2}[0-9]{2}"


def tags_of(dataset: Dataset) -> frozenset[str]:
    """Return the tags of *dataset*: about a thousand at most, and never none."""
    scan = dataset.scan
    asked_days, asked_races, wide = _asked(dataset.query)
    races, days, found_wide = _found(scan)
    days, races, wide = days | asked_days, races | asked_races, wide | found_wide
    if len(races) > MOST_RACES:
        wide, races = wide | {race[:8] for race in races}, set()
    if len(days) > MOST_DAYS:
        wide, days = {_ANY}, {_ANY}
    if _ANY in wide or not scan.is_clear:
        wide, days = {_ANY}, days | {_ANY}
    records = {run.layout.record for run in scan.runs()} | scan.unread | set(dataset.query.records)
    return frozenset(
        [f"dataspec={dataset.query.dataspec}"]
        + [f"record={record}" for record in records]
        + [f"date={day}" for day in days]
        + [f"race={race}" for race in races]
        + [f"races={day}" for day in wide]
    )


def purge_tags(rules: KeyRules, *, dataspec: str = "", race: str = "", date: str = "", record: str = "") -> Purge:
    """Return what to look for, the narrowest last; an entry must match every one that is given.

    race: 12 or 16 characters.  date: YYYYMMDD.  Raises QueryError (`invalid-key`) for what is neither.
    """
    wanted: list[frozenset[str]] = []
    if record:
        wanted.append(frozenset({f"record={record}"}))
    if dataspec:
        wanted.append(frozenset({f"dataspec={dataspec}"}))
    if date:
        day = str(DayKey.parse(date))
        wanted.append(frozenset({f"date={day}", f"date={_ANY}"}))
    if race:
        key = RaceKey.parse(race, rules)
        wanted.append(frozenset({f"race={key.short}", f"races={key.day}", f"races={_ANY}"}))
    return tuple(wanted)


def is_purged(tags: Collection[str], purge: Purge) -> bool:
    """Whether an entry with *tags* is meant by *purge*; nothing is meant by a purge that names nothing."""
    if purge == EVERYTHING:
        return True
    return bool(purge) and all(not wanted.isdisjoint(tags) for wanted in purge)


def has_any(entry: Collection[str], tags: Collection[str]) -> bool:
    """Whether something with the tags *entry* has one of *tags*; everything has `all`."""
    return ALL in tags or not set(tags).isdisjoint(entry)


def narrowest(purge: Purge) -> tuple[str, ...]:
    """Return tags of which every entry that *purge* means has one: as few entries besides as one look can tell."""
    return tuple(sorted(purge[-1])) if purge else ()


def _asked(query: Query) -> tuple[set[str], set[str], set[str]]:
    """Return the day, the race and the day of which any race is meant, that a real-time key names."""
    if not query.key:
        return set(), set(), set()
    subject = about(query.key)
    if len(subject) > 8:
        return {subject[:8]}, {subject}, set()
    day = subject or _ANY
    return {day}, set(), {day}


def _found(scan: Scan) -> tuple[set[str], set[str], set[str]]:
    """Return the races, the days and the days of which any race may be meant, that the records name."""
    races: set[str] = set()
    days: set[str] = set()
    wide: set[str] = set()
    for run in scan.runs():
        place = place_of(run.layout)
        if not place.day:
            continue
        keys = run.distinct(place.day + place.race)
        named = _texts(keys, _RACE if place.race else _DAY)
        if len(named) < len(keys):
            wide.add(_ANY)
        days.update([name[:8] for name in named])
        (races if place.race else wide).update(named)
    return races, days, wide


def _texts(keys: Collection[bytes], form: str) -> list[str]:
    """Return those of *keys* that have the *form*, all looked at in one go."""
    joined = b" ".join(keys).decode("ascii", "replace") + " "
    if re.fullmatch(f"(?:{form} )+", joined) is None:
        return [text for text in joined[:-1].split(" ") if re.fullmatch(form, text) is not None]
    return joined[:-1].split(" ")
