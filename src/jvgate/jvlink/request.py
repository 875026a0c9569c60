"""What a read is: the request, its bounds, how far it has come, where its records go, and what is told at its end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

__all__ = ["Limits", "Progress", "Request", "Sink", "Summary"]


@dataclass(frozen=True, slots=True)
class Request:
    """What to read: stored data by fromtime and option, or real-time data by key.

    fromtime: `start` or `start-end`, YYYYMMDDhhmmss.  unwanted: record types to drop.
    have: names of files to pass over.  limit_bytes: of all records kept, None for no limit.
    """

    dataspec: str
    fromtime: str = ""
    option: int = 0
    key: str = ""
    unwanted: frozenset[str] = frozenset()
    have: frozenset[str] = frozenset()
    limit_bytes: int | None = None

    @property
    def end(self) -> str:
        """Return the last time of provision that is wanted, YYYYMMDDhhmmss; "" for no end."""
        return self.fromtime.partition("-")[2]

    def __str__(self) -> str:
        """Return it as the log and errors show it."""
        return f"{self.dataspec}:{self.key}" if self.key else f"{self.dataspec}:{self.fromtime}:{self.option}"


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of a session.

    buffer_bytes: the size given to JVGets; more than the longest record (H6, 102,890 bytes).
    batch_bytes, batch_s: records are handed over when so many are there, or so old; first_s: for the first ones, since
    somebody may wait for them alone.
    poll_s: between two looks at a running download.  stall_s: how long it may stand still.
    reopen_s: to wait before an open is repeated because a file could not be fetched.
    """

    buffer_bytes: int = 110_000
    batch_bytes: int = 1 << 20
    batch_s: float = 0.02
    first_s: float = 0.002
    poll_s: float = 0.1
    stall_s: float = 60.0
    reopen_s: float = 2.0


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a read has come.  files, downloads: as JVOpen announced them, 0 for real-time data.

    bytes_total: all that is open by JV-Link's own estimate, unwanted records included; 0 when not known.
    """

    files: int = 0
    files_read: int = 0
    downloads: int = 0
    downloaded: int = 0
    bytes_read: int = 0
    records_read: int = 0
    bytes_total: int = 0


@dataclass(frozen=True, slots=True)
class Summary:
    """What is told of a read that came to its end; for no data at all everything is empty.

    last_file_timestamp: of JVOpen, YYYYMMDDhhmmss; "" for real-time data.  read_count: files that JVOpen announced.
    bytes, records: handed to the sink.  open_s: the open alone; read_s: download and reading.
    """

    last_file_timestamp: str = ""
    read_count: int = 0
    bytes: int = 0
    records: int = 0
    open_s: float = 0.0
    read_s: float = 0.0


class Sink(Protocol):
    """Where a read goes.  It is whole only when the read returns; a method may block, and JV-Link then waits."""

    def begin(self, name: str, provided: str) -> None:
        """Take what follows as records of the file *name*.  provided: YYYYMMDDhhmmss, "" for real-time data."""

    def records(self, batch: bytes | bytearray, count: int) -> None:
        """Take *count* records, one after another, as read.  The batch is the sink's from now on."""

    def progress(self, progress: Progress) -> None:
        """Take note of how far the read has come."""
