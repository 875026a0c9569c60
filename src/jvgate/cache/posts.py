"""Post times: when the races start, learned from the records that say so."""

from __future__ import annotations

import re
from collections.abc import Mapping

from jvgate.cache.heads import Heads, place_of, spans_of
from jvgate.cache.jst import DAY_S, day_at, epoch_of

__all__ = ["PostTimes", "about", "posts_in"]

_POST = re.compile(r"([0-9]{8}[0-9A-Z]{2}[0-9]{2})([01][0-9]|2[0-3])([0-5][0-9])")
_UNSET = b"0000"
# Days before today that are still of use: results and corrections of a race come after it.
_BACK_DAYS = 2
_MOST_DAYS = 32


def posts_in(heads: Heads, *, since: str = "00000000") -> dict[str, float]:
    """Return the post times that records of the day *since* (YYYYMMDD) or later tell: race (12 characters) -> epoch."""
    found: dict[str, float] = {}
    earliest = since.encode()
    for run in heads.runs:
        place, clock = place_of(run.layout), spans_of(run.layout, "HassoTime")
        if not (place.race and clock):
            continue
        for key in run.distinct(place.day + place.race + clock):
            if key < earliest or key.endswith(_UNSET):
                continue
            told = _POST.fullmatch(key.decode("ascii", "replace"))
            midnight = epoch_of(told[1][:8]) if told else None
            if told and midnight is not None:
                found[told[1]] = midnight + 3600 * int(told[2]) + 60 * int(told[3])
    return found


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
        self._days: dict[str, dict[str, float]] = {}

    def __len__(self) -> int:
        return sum(map(len, self._days.values()))

    def learn(self, heads: Heads, *, now: float) -> None:
        """Take over what *heads* tell; what is read later wins."""
        since = day_at(now - _BACK_DAYS * DAY_S)
        for race, post in posts_in(heads, since=since).items():
            self._days.setdefault(race[:8], {})[race] = post
        kept = sorted(day for day in self._days if day >= since)[:_MOST_DAYS]
        self._days = {day: self._days[day] for day in kept}

    def get(self, race: str) -> float | None:
        """Return when *race* starts, None when nobody said."""
        return self._days.get(race[:8], {}).get(race)

    def of(self, key: str) -> Mapping[str, float]:
        """Return the known post times that a real-time *key* is about: those of its day, or that of its race."""
        subject = about(key)
        if len(subject) == 8:
            return dict(self._days.get(subject, {}))
        post = self.get(subject)
        return {} if post is None else {subject: post}

    def between(self, start: float, end: float) -> list[tuple[float, str]]:
        """Return post time and race of those that start from *start* to *end*, the next one first."""
        days = self._days.values()
        return sorted((post, race) for races in days for race, post in races.items() if start <= post <= end)
