"""JV-Link's own interface as pywin32 late binding shows it: names, arguments and result tuples.

A method with out or by-reference parameters returns a tuple: the return code, then those parameters in
the order of declaration.  What an in/out argument holds before the call does not matter.
Source: JV-Link interface specification 4.9.0.1, `spec/data/jra/interface.json`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

__all__ = [
    "FullJVLink",
    "JVLink",
    "Movies",
    "Opens",
    "Pictures",
    "Position",
    "Preferences",
    "Reads",
    "Setup",
    "Watching",
]


class Opens(Protocol):
    """From a new object to an open session, and back."""

    def JVInit(self, sid: str) -> int:
        """Load the settings; once per object.  sid: 1-64 bytes, a label and no credential."""

    def JVOpen(
        self, dataspec: str, fromtime: str, option: int, readcount: int, downloadcount: int, lastfiletimestamp: str
    ) -> tuple[int, int, int, str]:
        """Open stored data -> (code, files, files to download, newest file as YYYYMMDDhhmmss).

        fromtime: `start` or `start-end`, YYYYMMDDhhmmss, of the time a file was provided: start < t <= end.
        """

    def JVRTOpen(self, dataspec: str, key: str) -> int:
        """Open real-time data of one day, race or event."""

    def JVStatus(self) -> int:
        """Return how many files are downloaded; negative when JVOpen found none to download."""

    def JVCancel(self) -> None:
        """Stop the download; reads fail until JVClose."""

    def JVClose(self) -> int:
        """Close what is open; due after every open, also one that found nothing (-1, -2)."""


class Reads(Protocol):
    """Reading what is open, record by record.

    Codes: > 0 bytes of one record, CR LF included; 0 everything read; -1 a file ended, call again;
    -3 the next file is still being downloaded.
    """

    def JVRead(self, buff: str, size: int, filename: str) -> tuple[int, str, int, str]:
        """Read one record as text -> (code, text, size, file name)."""

    def JVGets(self, buff: bytes, size: int, filename: str) -> tuple[int, memoryview | bytes, str]:
        """Read one record as bytes -> (code, at least code bytes, file name).

        A record of more than *size* bytes is cut without a word, and its last byte is NUL.
        """

    def JVSkip(self) -> None:
        """Let the next read begin with the next file; acts once however often it is called."""

    def JVFiledelete(self, filename: str) -> int:
        """Delete JV-Link's own copy of a file that cannot be read."""


class Position(Protocol):
    """How far reading has come."""

    @property
    def m_TotalReadFilesize(self) -> int:
        """Size of all that is open, KiB, at least 1."""

    @property
    def m_CurrentReadFilesize(self) -> int:
        """Size of the file being read, bytes; from its first record to its -1."""

    @property
    def m_CurrentFileTimestamp(self) -> str:
        """When the file being read was provided, YYYYMMDDhhmmss; from its first record to its -1."""


class Setup(Protocol):
    """What JVInit loaded."""

    @property
    def m_saveflag(self) -> int:
        """1 when downloaded files are kept."""

    @property
    def m_savepath(self) -> str:
        """The folder of JV-Link's own files."""

    @property
    def m_JVLinkVersion(self) -> str:
        """Four digits, such as 0490."""

    @property
    def m_payflag(self) -> int:
        """1 when no pay-out dialog pops up."""


class JVLink(Opens, Reads, Position, Setup, Protocol):
    """All of JV-Link that a session needs.  One object holds one session, on one thread for life."""


class Preferences(Protocol):
    """Changing what JVInit loads; takes effect at the next open.  Each returns a code."""

    def JVSetUIProperties(self) -> int:
        """Show the settings dialog and wait for a person: never on a server."""

    def JVSetServiceKey(self, servicekey: str) -> int:
        """Store the service key, once; -101 when there is one already.  SECRET: never logged, never given out."""

    def JVSetSaveFlag(self, saveflag: int) -> int:
        """1 keeps downloaded files."""

    def JVSetSavePath(self, savepath: str) -> int:
        """Set the folder of JV-Link's own files; it must exist."""

    def JVSetPayFlag(self, payflag: int) -> int:
        """1 lets no pay-out dialog pop up."""


class Pictures(Protocol):
    """Silks (50x50 bitmaps) and courses (256x200 GIFs).  A "No Image" picture comes with -1."""

    def JVFukuFile(self, pattern: str, filepath: str) -> int:
        """Write the silks that *pattern* describes to a file."""

    def JVFuku(self, pattern: str, buff: bytes) -> tuple[int, memoryview | bytes]:
        """Return the silks that *pattern* describes -> (code, bitmap)."""

    def JVCourseFile(self, key: str, filepath: str, explanation: str) -> tuple[int, str, str]:
        """Put the picture of a course into JV-Link's own folder -> (code, its path, explanation)."""

    def JVCourseFile2(self, key: str, filepath: str) -> int:
        """Write the picture of a course to a file."""


class Movies(Protocol):
    """Race and workout videos; they need a Racing Viewer right (-304)."""

    def JVMVCheck(self, key: str) -> int:
        """1 when the video of a race is public, 0 when not."""

    def JVMVCheckWithType(self, movietype: str, key: str) -> int:
        """The same for a type of video."""

    def JVMVPlay(self, key: str) -> int:
        """Open a browser window on JV-Link's machine."""

    def JVMVPlayWithType(self, movietype: str, key: str) -> int:
        """The same for a type of video."""

    def JVMVOpen(self, movietype: str, searchkey: str) -> int:
        """Open a list of workout videos."""

    def JVMVRead(self, buff: str, size: int) -> tuple[int, str, int]:
        """Read a line of that list -> (bytes, line, size); 0 at the end."""


class Watching(Protocol):
    """JV-Link's events, and the two things that bring them to us, which are ours and not JV-Link's.

    on_event: told the name (JVEvtPay, …) and parameter of each event, from within `pump`.
    """

    on_event: Callable[[str, str], None]

    def JVWatchEvent(self) -> int:
        """Begin to watch."""

    def JVWatchEventClose(self) -> int:
        """End it."""

    def pump(self) -> None:
        """Deliver window messages and events that wait; on the session's own thread, while nothing else runs there."""


class FullJVLink(JVLink, Preferences, Pictures, Movies, Watching, Protocol):
    """Everything that JV-Link has, but for its service key, which nobody reads."""
