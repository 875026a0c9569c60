"""When the next delivery of stored data is due, and how long an answer may live until then.

The calendar (`lifetimes.json`) is that of a normal weekend.  A delivery can be late, and a holiday shifts it, so what
was due and has not come is asked for often, within a grace; after that the answer lives by its plain figure again.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache

from jvgate.freshness.tables import table
from jvgate.spec.jst import JST, epoch_of, moment_at
from jvgate.values import Dataset

__all__ = ["Due", "due_dates", "last_delivery", "next_delivery", "stored_life_s"]

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_WEEK = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Due:
    """One line of the calendar: *into_week* after Monday 00:00, JST.  is_sure: whether it comes every week."""

    into_week: timedelta
    is_sure: bool


@cache
def due_dates(dataspec: str) -> tuple[Due, ...]:
    """Return the calendar of *dataspec*; none for one that is delivered irregularly, or in real time."""
    return tuple(map(_due, table("lifetimes")["deliveries"]["dataspecs"].get(dataspec, ())))


def next_delivery(dataspec: str, now: datetime) -> datetime | None:
    """Return the first moment after *now* (aware) at which the calendar names a delivery, JST, or None."""
    monday = _monday(now)
    moments = [monday + due.into_week for due in due_dates(dataspec)]
    return min((at if at > now else at + _WEEK for at in moments), default=None)


def last_delivery(dataspec: str, now: datetime) -> datetime | None:
    """Return the last moment up to *now* (aware) at which a delivery was sure to come, JST, or None."""
    monday = _monday(now)
    moments = [monday + due.into_week for due in due_dates(dataspec) if due.is_sure]
    return max((at if at <= now else at - _WEEK for at in moments), default=None)


def stored_life_s(dataset: Dataset, *, fresh_s: float, floor_s: float, now: float, luck: float = 0.0) -> float:
    """Return for how many seconds from *now* nothing new is to be expected for *dataset*: at least the floor.

    fresh_s: what holds where the calendar says nothing.  luck: 0 to 1, spreads those that wait for the same delivery.
    """
    facts: dict[str, float] = table("lifetimes")["deliveries"]
    moment = moment_at(now)
    due, coming = last_delivery(dataset.query.dataspec, moment), next_delivery(dataset.query.dataspec, moment)
    if coming is None:
        return max(floor_s, fresh_s)
    until_next_s = coming.timestamp() - now + facts["after_s"] * luck
    if due is None or _has_come(dataset, due.timestamp() - facts["early_s"]):
        return max(floor_s, until_next_s)
    if now < due.timestamp() + facts["grace_s"]:
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
