"""When the next delivery of stored data is due, and how long an answer may live until then.

The calendar (`lifetimes.json`) is that of a normal weekend.  A delivery can be late, and a holiday shifts it, so what
was due and has not come is asked for often, within a grace; after that the answer lives by its plain figure again.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from jvgate.spec.jst import JST, epoch_of, moment_at
from jvgate.values import Dataset

__all__ = ["Calendar", "Due"]

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_WEEK = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Due:
    """One line of the calendar: *into_week* after Monday 00:00, JST.  is_sure: whether it comes every week."""

    into_week: timedelta
    is_sure: bool


class Calendar:
    """When deliveries are due.  facts: that part of `lifetimes.json`."""

    def __init__(self, facts: Mapping[str, Any]) -> None:
        self._after_s = float(facts["after_s"])
        self._early_s = float(facts["early_s"])
        self._grace_s = float(facts["grace_s"])
        self._due = {name: tuple(map(_due, lines)) for name, lines in facts["dataspecs"].items()}

    def due_dates(self, dataspec: str) -> tuple[Due, ...]:
        """Return the calendar of *dataspec*; none for one that is delivered irregularly, or in real time."""
        return self._due.get(dataspec, ())

    def next_delivery(self, dataspec: str, now: datetime) -> datetime | None:
        """Return the first moment after *now* (aware) at which the calendar names a delivery, JST, or None."""
        monday = _monday(now)
        moments = [monday + due.into_week for due in self.due_dates(dataspec)]
        return min((at if at > now else at + _WEEK for at in moments), default=None)

    def last_delivery(self, dataspec: str, now: datetime) -> datetime | None:
        """Return the last moment up to *now* (aware) at which a delivery was sure to come, JST, or None."""
        monday = _monday(now)
        moments = [monday + due.into_week for due in self.due_dates(dataspec) if due.is_sure]
        return max((at if at <= now else at - _WEEK for at in moments), default=None)

    def life_s(self, dataset: Dataset, *, fresh_s: float, floor_s: float, now: float, luck: float = 0.0) -> float:
        """Return for how many seconds from *now* nothing new is to be expected for *dataset*: at least the floor.

        fresh_s: what holds where the calendar says nothing.  luck: 0 to 1, spreads those that wait for one delivery.
        """
        moment = moment_at(now)
        due, coming = (
            self.last_delivery(dataset.query.dataspec, moment),
            self.next_delivery(dataset.query.dataspec, moment),
        )
        if coming is None:
            return max(floor_s, fresh_s)
        until_next_s = coming.timestamp() - now + self._after_s * luck
        if due is None or _has_come(dataset, due.timestamp() - self._early_s):
            return max(floor_s, until_next_s)
        if now < due.timestamp() + self._grace_s:
            return floor_s
        return max(floor_s, min(fresh_s, until_next_s))


def _has_come(dataset: Dataset, due: float) -> bool:
    """Whether *dataset* has what was due, or cannot have it: its window ends before that, or begins after it."""
    query = dataset.query
    start, end, newest = (epoch_of(text) for text in (query.from_time, query.to_time, dataset.last_file_timestamp))
    if (end is not None and end < due) or (start is not None and start >= due):
        return True
    return newest is not None and newest >= due


def _due(text: str) -> Due:
    day, hour, minute, doubt = re.fullmatch(r"(\w{3}) (\d\d):(\d\d)(\??)", text).groups()  # type: ignore[union-attr]  # a test reads every row
    return Due(timedelta(days=_DAYS.index(day), hours=int(hour), minutes=int(minute)), not doubt)


def _monday(now: datetime) -> datetime:
    """Return Monday 00:00 of the week of *now* in Japan."""
    here = now.astimezone(JST)
    return here.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=here.weekday())
