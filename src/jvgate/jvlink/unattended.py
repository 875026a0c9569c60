"""The simulator beside reading: settings that change nothing, silks where its shelf draws them, no videos, events."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Protocol, runtime_checkable

from jvgate.errors import NotOffered
from jvgate.jvlink.shelf import Shelf

__all__ = ["DrawsSilks", "TellsEvents", "Unattended"]

_NOT_INITIALISED = -201
_NO_PICTURE = -1
_NOT_STORED = -100
_BAD_PATH = -118


@runtime_checkable
class TellsEvents(Protocol):
    """A shelf that knows what JVWatchEvent would tell."""

    def events(self, *, since: datetime, until: datetime) -> Sequence[tuple[datetime, str, str]]:
        """Return moment, event's name and parameter of each event after *since* up to *until*, in order."""


@runtime_checkable
class DrawsSilks(Protocol):
    """A shelf that draws silks."""

    def silks(self, pattern: str) -> bytes | None:
        """Return a 50x50 bitmap of the silks that *pattern* describes, None when it means nothing."""


def _ignore(name: str, parameter: str) -> None:
    """Take no notice of an event."""


class Unattended:
    """What of JV-Link has to do with a person, a picture or an event; the reading is `Simulator`'s."""

    m_saveflag = 0
    m_savepath = ""
    m_JVLinkVersion = "0490"  # noqa: N815 - JV-Link's own name
    m_payflag = 1
    on_event: Callable[[str, str], None] = staticmethod(_ignore)

    def __init__(self, shelf: Shelf, *, now: Callable[[], datetime]) -> None:
        self._shelf = shelf
        self._now = now
        self._initialised = False
        self._watched_until: datetime | None = None

    def JVWatchEvent(self) -> int:
        """Begin to watch: what happens from now on is told."""
        if not self._initialised:
            return _NOT_INITIALISED
        self._watched_until = self._now()
        return 0

    def JVWatchEventClose(self) -> int:
        """End it."""
        self._watched_until = None
        return 0

    def pump(self) -> None:
        """Tell the events since the last time."""
        if self._watched_until is None or not isinstance(self._shelf, TellsEvents):
            return
        since, self._watched_until = self._watched_until, self._now()
        for _, name, parameter in self._shelf.events(since=since, until=self._watched_until):
            self.on_event(name, parameter)

    def JVSetUIProperties(self) -> int:
        """Show nothing: there is nobody to see it."""
        return _NOT_STORED

    def JVSetServiceKey(self, servicekey: str) -> int:
        """Need no key."""
        return _NOT_STORED

    def JVSetSaveFlag(self, saveflag: int) -> int:
        """Save nothing."""
        return _NOT_STORED

    def JVSetSavePath(self, savepath: str) -> int:
        """Save nothing."""
        return _NOT_STORED

    def JVSetPayFlag(self, payflag: int) -> int:
        """Show no dialog, whatever is set."""
        return 0

    def JVFuku(self, pattern: str, buff: bytes) -> tuple[int, bytes]:
        """Draw silks, where the shelf can.  Raises NotOffered."""
        if not isinstance(self._shelf, DrawsSilks):
            raise NotOffered("silks")
        if not self._initialised:
            return _NOT_INITIALISED, b""
        picture = self._shelf.silks(pattern)
        return (0, picture) if picture is not None else (_NO_PICTURE, b"")

    def JVFukuFile(self, pattern: str, filepath: str) -> int:
        """Write silks to a file."""
        code, picture = self.JVFuku(pattern, b"")
        if code != 0:
            return code
        try:
            Path(filepath).write_bytes(picture)
        except OSError:
            return _BAD_PATH
        return 0

    def JVCourseFile(self, key: str, filepath: str, explanation: str) -> tuple[int, str, str]:
        """Have no pictures of courses."""
        raise NotOffered("pictures of courses")

    def JVCourseFile2(self, key: str, filepath: str) -> int:
        """Have no pictures of courses."""
        raise NotOffered("pictures of courses")

    def JVMVCheck(self, key: str) -> int:
        """Have no videos."""
        raise NotOffered("videos")

    def JVMVCheckWithType(self, movietype: str, key: str) -> int:
        """Have no videos."""
        raise NotOffered("videos")

    def JVMVPlay(self, key: str) -> int:
        """Have no videos."""
        raise NotOffered("videos")

    def JVMVPlayWithType(self, movietype: str, key: str) -> int:
        """Have no videos."""
        raise NotOffered("videos")

    def JVMVOpen(self, movietype: str, searchkey: str) -> int:
        """Have no videos."""
        raise NotOffered("videos")

    def JVMVRead(self, buff: str, size: int) -> tuple[int, str, int]:
        """Have no videos."""
        raise NotOffered("videos")
