"""Post times: when the races start, learned from the records that say so."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from jvgate.records.scan import Scan
from jvgate.spec.jst import DAY_S, day_at, epoch_of
from jvgate.spec.places import place_of, spans_of

__all__ = ["PostTimes", "Start", "about", "posts_in", "starts_in"]

_START = re.compile(r"([0-9]{8}[0-9A-Z]{2})([0-9]{2})([01][0-9]|2[0-3])([0-5][0-9])([0-9]{4}|)")
_UNSET = b"0000"
# Days before today that are still of use: results and corrections of a race come after it.
_BACK_DAYS = 2
_MOST_DAYS = 32


@dataclass(frozen=True, slots=True, order=True)
class Start:
    """When a race starts, epoch seconds.  race: its 12 characters; long: its 16, "" where the records have none."""

    post: float
    race: str
    long: str = field(default="", compare=False)


def starts_in(scan: Scan, *, since: str = "00000000") -> list[Start]:
    """Return the starts that records of the day *since* (YYYYMMDD) or later tell, in no order."""
    found: list[Start] = []
    earliest = since.encode()
    for run in scan.runs():
        place, clock = place_of(run.layout), spans_of(run.layout, "HassoTime")
        if not (place.race and clock):
            continue
        meeting = spans_of(run.layout, "Kaiji") + spans_of(run.layout, "Nichiji")
        keys = run.distinct(place.day + place.race + clock + meeting)
        found += [start for key in keys if key >= earliest and (start := _start(key)) is not None]
    return found


def posts_in(scan: Scan) -> dict[str, float]:
    """Return the post times that the records tell: race (12 characters) -> epoch seconds."""
    return {start.race: start.post for start in starts_in(scan)}


def _start(key: bytes) -> Start | None:
    told = _START.fullmatch(key.decode("ascii", "replace"))
    midnight = epoch_of(told[1][:8]) if told and key[12:16] != _UNSET else None
    if told is None or midnight is None:
        return None
    day_course, number, hour, minute, meeting = told.groups()
    post = midnight + 3600 * int(hour) + 60 * int(minute)
    return Start(post, day_course + number, day_course + meeting + number if meeting else "")


def about(key: str) -> str:
    """Return what a real-time *key* is about: a race in its 12 characters, else a day; "" when it is no such key."""
    if len(key) == 28:  # an event: record type, race, time sent
        return key[2:14]
    if len(key) in (12, 16):
        return key[:10] + key[-2:]
    return key if len(key) == 8 else ""


class PostTimes:
    """The post times known now, by race (12 characters), in seconds since the epoch.  Forgets the days gone by."""

    def __init__(self) -> None:
        self._days: dict[str, dict[str, Start]] = {}

    def __len__(self) -> int:
        return sum(map(len, self._days.values()))

    def learn(self, scan: Scan, *, now: float) -> None:
        """Take over what *scan* tell; what is read later wins.

        May be called while another thread looks: what is there is replaced as a whole, and never changed.
        """
        since = day_at(now - _BACK_DAYS * DAY_S)
        days = dict(self._days)
        for start in starts_in(scan, since=since):
            days[start.race[:8]] = {**days.get(start.race[:8], {}), start.race: start}
        kept = sorted(day for day in days if day >= since)[:_MOST_DAYS]
        self._days = {day: days[day] for day in kept}

    def of(self, key: str) -> Mapping[str, float]:
        """Return the known post times that a real-time *key* is about: those of its day, or that of its race."""
        subject = about(key)
        starts = self._days.get(subject[:8], {})
        return {race: start.post for race, start in starts.items() if race.startswith(subject)}

    def between(self, begin: float, end: float) -> list[Start]:
        """Return the starts from *begin* to *end*, the next one first."""
        return sorted(
            start for starts in self._days.values() for start in starts.values() if begin <= start.post <= end
        )
