"""The values that cross rooms: what is asked (Query), what JV-Link gave (Dataset), what is sent (Answer)."""

from __future__ import annotations

from dataclasses import dataclass, field

__all__ = ["Answer", "Dataset", "Query", "SourceFile"]


@dataclass(frozen=True, slots=True)
class Query:
    """One question to JV-Link, already validated; its text is the cache key.

    Stored data has from_time (and to_time, option); real-time data has key.
    Times: YYYYMMDDhhmmss, Japan Standard Time, start < provided <= end.
    records: the record types wanted, sorted; empty for all that the data spec delivers.
    """

    dataspec: str
    from_time: str = ""
    to_time: str = ""
    option: int = 0
    key: str = ""
    records: tuple[str, ...] = ()

    @property
    def is_realtime(self) -> bool:
        """Whether JVRTOpen (a key) answers this, not JVOpen (a from-time)."""
        return bool(self.key)

    @property
    def jvopen_fromtime(self) -> str:
        """The fromtime argument of JVOpen: `start` or `start-end`."""
        return f"{self.from_time}-{self.to_time}" if self.to_time else self.from_time

    def __str__(self) -> str:
        """Return the canonical form, for example `RACE:20261101000000-20261108000000:1:RA+SE`."""
        if self.is_realtime:
            parts = [self.dataspec, self.key]
        else:
            parts = [self.dataspec, f"{self.from_time}-{self.to_time}", str(self.option)]
        if self.records:
            parts.append("+".join(self.records))
        return ":".join(parts)


@dataclass(frozen=True, slots=True)
class SourceFile:
    """One physical file of a dataset.  offset: where its records start in the dataset's bytes."""

    name: str
    provided: str
    offset: int


@dataclass(frozen=True, slots=True)
class Dataset:
    """What JV-Link gave for a query: whole, raw and untouched, or it would not exist.

    body: the records as read, one after another, Shift_JIS with CR LF.
    last_file_timestamp: YYYYMMDDhhmmss or "" when nothing was found.
    read_at: seconds since the epoch (wall clock), when the read ended.
    open_s, read_s: what JV-Link took, seconds.
    """

    query: Query
    body: bytes
    files: tuple[SourceFile, ...] = ()
    last_file_timestamp: str = ""
    read_at: float = 0.0
    open_s: float = field(default=0.0, compare=False)
    read_s: float = field(default=0.0, compare=False)


@dataclass(frozen=True, slots=True)
class Answer:
    """A dataset rendered in one form: finished bytes, the same for the same dataset and form."""

    body: bytes
    content_type: str
    etag: str
    record_count: int
    error_count: int = 0
