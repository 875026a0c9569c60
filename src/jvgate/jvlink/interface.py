"""JV-Link's own interface as pywin32 late binding shows it: names, arguments and result tuples.

A method with out or by-reference parameters returns a tuple: the return code, then those parameters in
the order of declaration.  What an in/out argument holds before the call does not matter.
Source: JV-Link interface specification 4.9.0.1, `spec/data/interface.json`.
"""

from __future__ import annotations

from typing import Protocol

__all__ = ["JVLink", "Opens", "Position", "Reads", "Setup"]


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

FullJVLink = JVLink
