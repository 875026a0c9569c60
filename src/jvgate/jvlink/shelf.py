"""What the simulator serves: a shelf of files, as JRA-VAN's server holds them for JV-Link."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Protocol

__all__ = ["Shelf", "ShelfFile"]


class ShelfFile(Protocol):
    """One stored file.  Its records are made or loaded only when they are read."""

    @property
    def name(self) -> str:
        """JV-Link's file name."""

    @property
    def provided(self) -> str:
        """When it was provided: YYYYMMDDhhmmss, Japan Standard Time."""

    @property
    def size(self) -> int:
        """Bytes, as announced before reading: an estimate is enough."""

    def read(self) -> Iterable[bytes]:
        """Return the records, each with its CR LF; made as they are taken where making them costs.

        Raises JVLinkError (-402 empty, -403 broken, -503 gone) before the first one.
        """


class Shelf(Protocol):
    """All files of one source.  now: naive, Japan Standard Time."""

    def stored(self, dataspec: str, *, now: datetime, setup: bool) -> Sequence[ShelfFile]:
        """Return the files of one data spec provided up to *now*, the oldest first.

        setup: also those that only a set-up (options 3 and 4) delivers.
        """

    def realtime(self, dataspec: str, key: str, *, now: datetime) -> Sequence[bytes] | None:
        """Return the records for *key*, or None when there are none.  Raises JVLinkError as `read`."""
