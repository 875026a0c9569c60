"""The one error tree of jvgate (standard library only: a bare 32-bit Python imports it too).

JvgateError
├── QueryError              what was asked cannot be asked: parameter, value, allowed
├── RecordError             bytes or values that do not fit a record layout: record, field, offset
├── SettingsError           a setting that is not allowed: name, value, allowed
└── SourceError             the source could not answer: retry_after_s when waiting may help
    ├── JVLinkError         JV-Link returned an error code: code, method
    ├── ArchiveError        the archive folder is missing or holds no JV-Data: path
    ├── DatasetTooLarge     the answer is larger than may be held in memory: limit_bytes
    ├── SessionTimeout      a call or a wait outlasted its limit: limit_s
    └── SourceBusy          every session is taken and the queue is full: place
"""

from __future__ import annotations

__all__ = [
    "ArchiveError",
    "DatasetTooLarge",
    "JVLinkError",
    "JvgateError",
    "QueryError",
    "ReadCancelled",
    "RecordError",
    "SessionTimeout",
    "SettingsError",
    "SourceBusy",
    "SourceError",
]


class JvgateError(Exception):
    """Root of every error that jvgate raises on purpose."""


class QueryError(JvgateError):
    """What was asked cannot be asked.

    slug: the stable name of the problem (`invalid-from-time`, …).
    allowed: one readable sentence or list that says what would have been right.
    """

    def __init__(self, slug: str, why: str, *, parameter: str, value: str | None, allowed: str) -> None:
        super().__init__(f"{why} Allowed: {allowed}")
        self.slug = slug
        self.why = why
        self.parameter = parameter
        self.value = value
        self.allowed = allowed


class RecordError(JvgateError):
    """Bytes or values that do not fit the layout of their record.

    offset: 0-based, in bytes from the start of the record; None when no place is meant.
    """

    def __init__(self, record: str, field: str, *, why: str, offset: int | None = None) -> None:
        place = "" if offset is None else f" at byte {offset}"
        super().__init__(f"{record}.{field}{place}: {why}")
        self.record = record
        self.field = field
        self.offset = offset
        self.why = why


class SettingsError(JvgateError):
    """A setting whose value is not allowed; the message names the setting and what it takes."""

    def __init__(self, name: str, why: str, *, allowed: str) -> None:
        super().__init__(f"{name}: {why} Allowed: {allowed}")
        self.name = name
        self.allowed = allowed


class SourceError(JvgateError):
    """The source could not answer.  retry_after_s: seconds to wait, None when waiting cannot help."""

    retry_after_s: int | None = None


class JVLinkError(SourceError):
    """JV-Link answered *method* with an error *code* (see spec/data/return_codes.json)."""

    def __init__(self, code: int, method: str, *, detail: str = "") -> None:
        super().__init__(f"{method} returned {code}" + (f": {detail}" if detail else ""))
        self.code = code
        self.method = method
        self.detail = detail


class ArchiveError(SourceError):
    """The archive folder is missing, unreadable, or holds no JV-Data."""

    def __init__(self, path: str, why: str) -> None:
        super().__init__(f"archive {path}: {why}")
        self.path = path
        self.why = why


class DatasetTooLarge(SourceError):
    """The raw records of a query pass the limit for one answer."""

    def __init__(self, query: str, *, limit_bytes: int) -> None:
        super().__init__(f"{query}: more than {limit_bytes} bytes of raw records")
        self.query = query
        self.limit_bytes = limit_bytes


class SessionTimeout(SourceError):
    """A call to JV-Link, or the wait for its download, made no progress within its limit."""

    retry_after_s = 30

    def __init__(self, what: str, *, limit_s: float) -> None:
        super().__init__(f"{what}: no progress within {limit_s:g} s")
        self.what = what
        self.limit_s = limit_s


class ReadCancelled(SourceError):
    """A read that was given up because nobody waits for it any more."""

    retry_after_s = 5

    def __init__(self, what: str) -> None:
        super().__init__(f"{what}: cancelled")
        self.what = what


class SourceBusy(SourceError):
    """Every session is taken and no more requests may wait.  place: how many wait already."""

    retry_after_s = 5

    def __init__(self, place: int) -> None:
        super().__init__(f"all sessions are busy and {place} requests wait already")
        self.place = place
