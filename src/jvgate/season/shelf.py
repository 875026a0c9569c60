"""The shelf of the generated season: what JV-Link's server would hold at a moment, stored and real-time.

Nothing is made before it is read; what a file holds never depends on the moment at which it is asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, time, timedelta

from jvgate.season import silks
from jvgate.season.calendar import realtime
from jvgate.season.calendar.deliveries import FOR_EVER, Delivery, deliveries
from jvgate.season.world.meetings import SEASON_START
from jvgate.season.world.world import world_of
from jvgate.spec.layouts import Layouts

__all__ = ["SeasonShelf"]

_KEPT = timedelta(days=365)
_FIRST = datetime.combine(SEASON_START, time()) - timedelta(days=7)  # the first weekend's entries came before it


class SeasonShelf:
    """Stored files and real-time answers of the season with a seed.  Moments are naive Japanese time."""

    def __init__(self, layouts: Layouts, seed: int = 1) -> None:
        self._world = world_of(seed, layouts)

    def stored(self, dataspec: str, *, now: datetime, setup: bool) -> Sequence[Delivery]:
        """Return the files of *dataspec* that are there at *now*, oldest first.

        setup: everything since the season began; else what is still kept.
        """
        kept = _FIRST if setup or dataspec in FOR_EVER else max(_FIRST, now - _KEPT)
        return deliveries(self._world, dataspec, since=kept, now=now)

    def realtime(self, dataspec: str, key: str, *, now: datetime) -> Sequence[bytes] | None:
        """Return the records that *dataspec* gives for *key* at *now*, None where there is no such data."""
        return realtime.answer(self._world, dataspec, key, now=now)

    def events(self, *, since: datetime, until: datetime) -> Sequence[tuple[datetime, str, str]]:
        """Return what JVWatchEvent tells after *since* up to *until*: moment, event's name, its key."""
        return realtime.events(self._world, since=since, until=until)

    def silks(self, pattern: str) -> bytes | None:
        """Return the silks that *pattern* (a record's Fukusyoku) describes as a bitmap, None when it means nothing."""
        return silks.draw(pattern)
