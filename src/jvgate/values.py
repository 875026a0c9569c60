"""The values that cross rooms: what is asked (Question), what JV-Link gave (Dataset), what is sent (Answer)."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum
from math import inf
from typing import Final, Generic, Self, TypeVar

import orjson

from jvgate.records.scan import Scan, scan
from jvgate.spec.conditions import Condition
from jvgate.spec.jst import JST
from jvgate.spec.layouts import Layouts
from jvgate.spec.spec import Provider

__all__ = [
    "MISSING",
    "Answer",
    "Backoff",
    "Dataset",
    "Entry",
    "Landed",
    "Message",
    "Missing",
    "Query",
    "Question",
    "Selection",
    "SourceClock",
    "SourceFile",
]

Value_co = TypeVar("Value_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Query:
    """One question to the source of *provider*, already validated; its text is the cache key.

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
    provider: Provider = "jra"

    @property
    def is_realtime(self) -> bool:
        """Whether JVRTOpen (a key) answers this, not JVOpen (a from-time)."""
        return bool(self.key)

    @property
    def jvopen_fromtime(self) -> str:
        """The fromtime argument of JVOpen: `start` or `start-end`."""
        return f"{self.from_time}-{self.to_time}" if self.to_time else self.from_time

    def __str__(self) -> str:
        """Return the canonical form, for example `jra:RACE:20261101000000-20261108000000:1:RA+SE`."""
        if self.is_realtime:
            parts = [self.provider, self.dataspec, self.key]
        else:
            parts = [self.provider, self.dataspec, f"{self.from_time}-{self.to_time}", str(self.option)]
        if self.records:
            parts.append("+".join(self.records))
        return ":".join(parts)


@dataclass(frozen=True, slots=True)
class Selection:
    """How a dataset is to be shown: which records, which of their fields, in which form.

    records: types, empty for all.  fields: answer keys, dotted inside groups, empty for all.
    limit: None for no limit.  labels: `ja`, `en` or "" for none.  where: every condition must hold; sorted.
    charset: of a form that is text in more than one, "" for UTF-8; `utf-8` only until the form is chosen.
    media_type: how the client calls the form, "" for its first name.
    """

    format: str = "json"
    records: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()
    limit: int | None = None
    offset: int = 0
    raw: bool = False
    labels: str = ""
    where: tuple[Condition, ...] = ()
    charset: str = ""
    media_type: str = ""

    def __str__(self) -> str:
        """Return the canonical form: what differs from showing everything."""
        parts = [
            self.format,
            "record=" + "+".join(self.records) if self.records else "",
            "fields=" + "+".join(self.fields) if self.fields else "",
            f"limit={self.limit}" if self.limit is not None else "",
            f"offset={self.offset}" if self.offset else "",
            "raw" if self.raw else "",
            f"labels={self.labels}" if self.labels else "",
            f"charset={self.charset}" if self.charset else "",
            f"type={self.media_type}" if self.media_type else "",
            *(f"where={condition}" for condition in self.where),
        ]
        return "&".join(part for part in parts if part)


@dataclass(frozen=True, slots=True)
class Question:
    """What a client asks: one query, or those of a joined data spec, and how to show what they give.

    coding: the content coding of the answer, "" for none.
    takes_plain: whether the answer may also go without, where packing does not pay.
    """

    dataspec: str
    queries: tuple[Query, ...]
    selection: Selection
    coding: str = ""
    takes_plain: bool = True

    def __str__(self) -> str:
        """Return the canonical form: the key of the finished answer."""
        coding = [self.coding if self.takes_plain else f"{self.coding}!"] if self.coding else []
        return "|".join([self.dataspec, *map(str, self.queries), str(self.selection), *coding])


@dataclass(frozen=True, slots=True)
class SourceFile:
    """One physical file of a dataset.  offset: where its records start in the dataset's bytes."""

    name: str
    provided: str
    offset: int


@dataclass(frozen=True, slots=True)
class Dataset:
    """What JV-Link gave for a query: whole, raw and untouched, or it would not exist.

    body: the records as read, one after another, Shift_JIS with CR LF.  scan: where they stand in it.
    last_file_timestamp: YYYYMMDDhhmmss or "" when nothing was found.
    read_at: seconds since the epoch (wall clock), when the read ended.
    open_s, read_s: what JV-Link took, seconds; wait_s: how long the query waited for a session.
    """

    query: Query
    body: bytes
    scan: Scan = field(compare=False, repr=False)
    files: tuple[SourceFile, ...] = ()
    last_file_timestamp: str = ""
    read_at: float = 0.0
    open_s: float = field(default=0.0, compare=False)
    read_s: float = field(default=0.0, compare=False)
    wait_s: float = field(default=0.0, compare=False)

    @classmethod
    def landed(
        cls,
        query: Query,
        body: bytes,
        files: tuple[SourceFile, ...] = (),
        last_file_timestamp: str = "",
        read_at: float = 0.0,
        *,
        layouts: Layouts,
        open_s: float = 0.0,
        read_s: float = 0.0,
        wait_s: float = 0.0,
    ) -> Self:
        """Return a dataset that has just come, with its scan: here alone the records of datasets are framed.

        Takes milliseconds for megabytes: off the event loop.
        """
        found = scan(body, layouts, [file.offset for file in files] or [0])
        return cls(query, body, found, files, last_file_timestamp, read_at, open_s, read_s, wait_s)


@dataclass(frozen=True, slots=True)
class Landed:
    """The news that a dataset of *query* is there.  before: the last one of the same query that memory had, if any.

    is_read: it was read from the source just now; False when another process read it and it came through Redis.
    """

    query: Query
    dataset: Dataset
    before: Dataset | None
    is_read: bool


@dataclass(frozen=True, slots=True)
class Answer:
    """Datasets rendered in one form: finished bytes, always the same for the same datasets and form.

    successor: the data spec with the current layouts, where an older one was asked for; else "".
    pages: what asks for the records before and after these (`first`, `prev`, `next`), where there are any.
    file_name: what to call it where it is to be saved; else "".
    coding: how the body is packed, "" when it is not.
    """

    body: bytes
    content_type: str
    etag: str
    successor: str = ""
    pages: tuple[tuple[str, Question], ...] = ()
    file_name: str = ""
    coding: str = ""


class Missing(Enum):
    """The sentinel's type: an empty dataset is an answer, this is none."""

    MISSING = "missing"


MISSING: Final = Missing.MISSING


@dataclass(frozen=True, slots=True, weakref_slot=True)
class Entry(Generic[Value_co]):
    """A kept value and for how long it may be used.  Times are those of `lifetime_clock`; weight: bytes it counts for.

    fresh_until: as it is.  stale_until: while it is being refreshed.  error_until: while its source fails.
    refresh_at: a hit from then on has it refreshed early, so that one that is asked for often never gets old.
    packs_again: the first hit has it packed smaller (`gateway/compressing.py`).
    tags: what it is purged by.
    """

    value: Value_co
    read_at: float
    fresh_until: float
    weight: int
    stale_until: float = 0.0
    error_until: float = 0.0
    refresh_at: float = inf
    packs_again: bool = False
    tags: frozenset[str] = frozenset()

    @property
    def kept_until(self) -> float:
        """When it is of no use any more."""
        return max(self.fresh_until, self.stale_until, self.error_until)


class SourceClock:
    """The clock that a source's data goes by: its time in Japan, and its speed against the wall clock.

    start: its time at *began* (seconds since the epoch), naive, Japan Standard Time; None for real time.
    speed: its seconds in one of the wall clock; 0 when it stands still.  Lifetimes pass by it, but by the wall clock
    where it stands still.
    """

    def __init__(self, start: datetime | None = None, *, began: float = 0.0, speed: float = 1.0) -> None:
        self._run = (start, began, speed)  # replaced as a whole: other threads read it

    @property
    def speed(self) -> float:
        """Its seconds in one of the wall clock."""
        return self._run[2]

    @property
    def is_real(self) -> bool:
        """Whether it is the time of day."""
        return self._run[0] is None

    def now(self) -> datetime:
        """Return its time, naive, Japan Standard Time."""
        start, began, speed = self._run
        if start is None:
            return datetime.fromtimestamp(time.time(), JST).replace(tzinfo=None)
        return start + timedelta(seconds=(time.time() - began) * speed)

    def epoch_s(self) -> float:
        """Return its time as seconds since the epoch."""
        return self.now().replace(tzinfo=JST).timestamp()

    def wall_s(self, source_s: float) -> float:
        """Return how many seconds pass by the wall clock while *source_s* pass by this one."""
        return source_s / self.speed if self.speed > 0 else source_s

    def follow(self, now: datetime | None, speed: float = 1.0) -> None:
        """Go on from *now* at *speed*, as another machine tells; None for real time."""
        self._run = (now, time.time(), speed) if now is not None else (None, 0.0, 1.0)


@dataclass(frozen=True, slots=True)
class Backoff:
    """The pauses after failures in a row: exponential, bounded, with jitter.

    first_s: after the first failure.  most_s: the longest pause.  factor: growth from one failure to the next.
    jitter: the random share of a pause, 0 to 1, so that several processes do not try again at the same moment.
    """

    first_s: float
    most_s: float
    factor: float = 2.0
    jitter: float = 0.0

    def pause_s(self, failures: int, luck: float = 0.0) -> float:
        """Return the pause after *failures* failures in a row, 0 after none.  luck: 0 to 1, chosen by the caller."""
        if failures < 1:
            return 0.0
        longest_s = min(self.most_s, self.first_s * self.factor ** min(failures - 1, _MOST_STEPS))
        return longest_s * (1 - self.jitter * luck)


_MOST_STEPS: Final = 64  # beyond them the power would leave the range of a float


@dataclass(frozen=True, slots=True)
class Message:
    """An announcement to other processes: of the same server over a pipe, of other servers over Redis.

    kind: selects the listeners.  payload: JSON values; its accessors raise ValueError for one of another type.
    """

    kind: str
    payload: Mapping[str, object] = field(default_factory=dict)

    MOST_BYTES = 1 << 18

    def text(self, name: str) -> str:
        """Return the text *name* of the payload."""
        value = self.payload.get(name)
        if not isinstance(value, str):
            raise self._malformed(name)
        return value

    def texts(self, name: str) -> tuple[str, ...]:
        """Return the list of texts *name* of the payload."""
        value = self.payload.get(name)
        if not isinstance(value, list | tuple) or not all(isinstance(each, str) for each in value):
            raise self._malformed(name)
        return tuple(value)

    def number(self, name: str) -> int:
        """Return the whole number *name* of the payload."""
        value = self.payload.get(name)
        if type(value) is not int:  # True is none
            raise self._malformed(name)
        return value

    def to_bytes(self) -> bytes:
        """Return the message as JSON.  Raises ValueError when it is too large or no JSON."""
        try:
            data = orjson.dumps({**self.payload, "kind": self.kind})
        except TypeError as exc:
            raise ValueError(f"a message of kind {self.kind} holds more than JSON") from exc
        if len(data) > self.MOST_BYTES:
            raise ValueError(f"a message of kind {self.kind} has {len(data)} bytes")
        return data

    @classmethod
    def from_bytes(cls, data: bytes) -> Message:
        """Return the message in *data*, which anybody may have written.  Raises ValueError for any other bytes."""
        document = orjson.loads(data) if len(data) <= cls.MOST_BYTES else None
        if not isinstance(document, dict) or not isinstance(kind := document.pop("kind", None), str):
            raise ValueError("no message")
        return cls(kind, document)

    def _malformed(self, name: str) -> ValueError:
        return ValueError(f"a message of kind {self.kind} without a valid {name}")
