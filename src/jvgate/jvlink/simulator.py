"""JV-Link without Windows: the same interface, return codes and rules over a shelf of files.

Theory of operation.  `_open` is None until an open, and then holds what it found until JVClose; after an
open that found nothing (-1) it holds no files, so that the next open is refused (-202) as JV-Link refuses
it.  Reading walks through `_open.files`: a file's records are loaded at its first read and dropped at its
end.  `_ready` is what the next reads give; it is emptied wherever they give something else, so that a read has
one thing to look at.  Downloads take no thread: a file is finished once its share of time since the open has
passed.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from jvgate.errors import JVLinkError
from jvgate.jvlink.rules import DataspecRule, check_open, check_realtime, check_sid, parse_span, select
from jvgate.jvlink.shelf import Shelf, ShelfFile
from jvgate.jvlink.unattended import Unattended

__all__ = ["Latency", "Simulator"]

_NOT_INITIALISED = -201
_STILL_OPEN = -202
_NOT_OPEN = -203
_NOTHING = -1
_FILE_END = -1
_DOWNLOADING = -3
_FILE_NOT_FOUND = -503
_NOT_DELETED = -1
_SHORTEST_SLEEP_S = 0.001  # shorter ones sleep much longer than asked, so that waits are saved up


@dataclass(frozen=True, slots=True)
class Latency:
    """How slow the simulator plays: an open (ms), each record (us), each file's download (ms).  0 is off."""

    open_ms: float = 0
    read_us: float = 0
    download_ms: float = 0


@dataclass(frozen=True, slots=True)
class _Answer:
    """The one file of a real-time answer; its time is not told."""

    name: str
    records: Sequence[bytes]
    fault: JVLinkError | None = None
    provided: str = ""

    @property
    def size(self) -> int:
        return sum(map(len, self.records))

    def read(self) -> Sequence[bytes]:
        if self.fault is not None:
            raise self.fault
        return self.records


@dataclass(slots=True)
class _Open:
    """What an open found, and how far reading has come.

    at: the file to read next, or, when is_reading, the one whose records are ready.
    """

    files: Sequence[ShelfFile] = ()
    downloads: int = 0
    opened_at: float = 0.0
    at: int = 0
    is_reading: bool = False
    current: ShelfFile | None = None
    skip: bool = False
    cancelled: bool = False


class Simulator(Unattended):
    """JV-Link's interface over *shelf*.

    rules: what each data spec allows.  now: the source's clock, naive, Japan Standard Time.
    sleep, clock: seconds, as `time.sleep` and `time.monotonic`.
    can_refetch: whether a file that was deleted can be fetched anew; an archive is all there is.
    """

    def __init__(
        self,
        shelf: Shelf,
        rules: Mapping[str, DataspecRule],
        *,
        now: Callable[[], datetime],
        latency: Latency | None = None,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
        can_refetch: bool = True,
    ) -> None:
        super().__init__(shelf, now=now)
        self._rules = rules
        self._latency = latency or Latency()
        self._sleep = sleep
        self._clock = clock
        self._can_refetch = can_refetch
        self._read_s = self._latency.read_us / 1e6
        self._owed_s = 0.0
        self._open: _Open | None = None
        self._ready: Iterator[bytes] = iter(())
        self._name = ""

    def JVInit(self, sid: str) -> int:
        """Take the software id; needed once, before any open."""
        code = check_sid(sid)
        self._initialised = self._initialised or code == 0
        return code

    def JVOpen(
        self, dataspec: str, fromtime: str, option: int, readcount: int, downloadcount: int, lastfiletimestamp: str
    ) -> tuple[int, int, int, str]:
        """Open the stored files of one data spec or several joined ones."""
        try:
            self._check_may_open("JVOpen")
            files = self._find(dataspec, fromtime, option)
        except JVLinkError as exc:
            return exc.code, 0, 0, ""
        self._begin(files, downloads=len(files) if self._latency.download_ms else 0)
        if not files:
            return _NOTHING, 0, 0, ""
        return 0, len(files), self._begun.downloads, max(file.provided for file in files)

    def JVRTOpen(self, dataspec: str, key: str) -> int:
        """Open the real-time data of a day, a race or an event: one file."""
        try:
            self._check_may_open("JVRTOpen")
            check_realtime(self._rules, dataspec, key)
        except JVLinkError as exc:
            return exc.code
        answer = self._realtime(dataspec, key)
        self._begin([answer] if answer else [], downloads=0)
        return 0 if answer else _NOTHING

    def JVStatus(self) -> int:
        """Return the number of finished downloads."""
        if not self._initialised:
            return _NOT_INITIALISED
        if self._open is None or not self._open.downloads or self._open.cancelled:
            return _NOT_OPEN
        return self._finished(self._open)

    def JVRead(self, buff: str, size: int, filename: str) -> tuple[int, str, int, str]:
        """Read one record as text, each byte widened to one character."""
        code, record, name = self._next(size)
        return code, record.decode("latin-1"), size, name

    def JVGets(self, buff: bytes, size: int, filename: str) -> tuple[int, memoryview | bytes, str]:
        """Read one record as bytes."""
        return self._next(size)

    def JVSkip(self) -> None:
        """Begin the next read with the next file."""
        if self._open is not None:
            self._open.skip = True
            self._ready = iter(())

    def JVCancel(self) -> None:
        """Stop the download: every read gives -203 until JVClose."""
        if self._open is not None:
            self._open.cancelled = True
            self._ready = iter(())

    def JVClose(self) -> int:
        """Close what is open, if anything is."""
        self._pay(at_least_s=0.0)
        self._open = None
        self._ready = iter(())
        return 0

    def JVFiledelete(self, filename: str) -> int:
        """Forget the local copy of a file of this session; the shelf keeps its own."""
        if not self._initialised:
            return _NOT_INITIALISED
        files = self._open.files if self._open else ()
        if not any(file.name == filename for file in files):
            return _FILE_NOT_FOUND
        return 0 if self._can_refetch else _NOT_DELETED

    @property
    def m_TotalReadFilesize(self) -> int:
        """Size of all that is open, KiB, at least 1; 0 when nothing is."""
        files = self._open.files if self._open else ()
        return max(1, sum(file.size for file in files) // 1024) if files else 0

    @property
    def m_CurrentReadFilesize(self) -> int:
        """Size of the file being read, bytes."""
        return self._open.current.size if self._open and self._open.current else 0

    @property
    def m_CurrentFileTimestamp(self) -> str:
        """When the file being read was provided; "" for real-time data."""
        return self._open.current.provided if self._open and self._open.current else ""

    @property
    def _begun(self) -> _Open:
        assert self._open is not None
        return self._open

    def _check_may_open(self, method: str) -> None:
        if not self._initialised:
            raise JVLinkError(_NOT_INITIALISED, method)
        if self._open is not None:
            raise JVLinkError(_STILL_OPEN, method)

    def _begin(self, files: Sequence[ShelfFile], *, downloads: int) -> None:
        if self._latency.open_ms:
            self._sleep(self._latency.open_ms / 1000)
        self._open = _Open(files, downloads, opened_at=self._clock())

    def _find(self, dataspec: str, fromtime: str, option: int) -> list[ShelfFile]:
        ids = check_open(self._rules, dataspec, option)
        span = parse_span(fromtime)
        if span.end and not all(self._rules[spec].end_allowed for spec in ids):
            return []  # JV-Link gives -1 here, which looks like "no data"
        now, setup = self._now(), option in (3, 4)
        shelves = [self._shelf.stored(spec, now=now, setup=setup) for spec in ids]
        return [file for shelf in shelves for file in select(shelf, span, option=option, now=now)]

    def _realtime(self, dataspec: str, key: str) -> _Answer | None:
        name = f"{dataspec}{key}.rtd"
        try:
            records = self._shelf.realtime(dataspec, key, now=self._now())
        except JVLinkError as exc:  # the open succeeds, and the first read tells
            return _Answer(name, (), exc)
        return _Answer(name, records) if records else None

    def _finished(self, opened: _Open) -> int:
        passed_ms = (self._clock() - opened.opened_at) * 1000
        return min(opened.downloads, int(passed_ms / self._latency.download_ms))

    def _next(self, size: int) -> tuple[int, bytes, str]:
        """Return the code, bytes and file name of the next read."""
        record = next(self._ready, None)
        if record is None:
            return self._move_on(size)
        if self._read_s:
            self._owed_s += self._read_s
            self._pay(at_least_s=_SHORTEST_SLEEP_S)
        if len(record) > size:
            record = record[: size - 1] + b"\0"
        return len(record), record, self._name

    def _move_on(self, size: int) -> tuple[int, bytes, str]:
        """End the file whose records have run out, or read the first of the next."""
        opened = self._open
        if opened is None or not opened.files or opened.cancelled:
            return (_NOT_OPEN if self._initialised else _NOT_INITIALISED), b"", ""
        if opened.skip:
            opened.at, opened.is_reading, opened.skip = opened.at + 1, False, False
        if opened.is_reading:
            opened.at, opened.is_reading = opened.at + 1, False
            return _FILE_END, b"", self._name
        return self._load(opened) or self._next(size)

    def _load(self, opened: _Open) -> tuple[int, bytes, str] | None:
        """Load the next file's records, or return what the read answers instead."""
        if opened.at >= len(opened.files):
            return 0, b"", ""
        if opened.downloads and self._finished(opened) <= opened.at:
            return _DOWNLOADING, b"", ""
        file = opened.files[opened.at]
        try:
            self._ready = iter(file.read())
        except JVLinkError as exc:
            return exc.code, b"", file.name
        opened.current, opened.is_reading, self._name = file, True, file.name
        return None

    def _pay(self, *, at_least_s: float) -> None:
        """Sleep the time that reads have cost so far, once it is long enough to be slept."""
        if self._owed_s > at_least_s:
            self._sleep(self._owed_s)
            self._owed_s = 0.0
