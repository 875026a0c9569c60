"""One read between open and close: waiting for the download, then record after record to the end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from jvgate.errors import DatasetTooLarge, JVLinkError, ReadCancelled, SessionTimeout, SourceError
from jvgate.jvlink.interface import JVLink

__all__ = ["Limits", "Progress", "Read", "ReadFile", "Reading", "Wait"]

_FILE_END = -1
_DOWNLOADING = -3
_CHECK_EVERY = 64  # records read between two looks at `cancelled`


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of a session.

    buffer_bytes: the size given to JVGets; more than the longest record (H6, 102,890 bytes).
    poll_s: between two looks at a running download.  stall_s: how long it may stand still.
    """

    buffer_bytes: int = 110_000
    poll_s: float = 0.1
    stall_s: float = 60.0


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a read has come.  files, downloads: as JVOpen announced them, 0 for real-time data."""

    files: int
    files_read: int
    downloads: int
    downloaded: int
    bytes_read: int


@dataclass(frozen=True, slots=True)
class ReadFile:
    """One file that was read.  provided: YYYYMMDDhhmmss.  offset: of its first record in the body, bytes."""

    name: str
    provided: str
    offset: int


@dataclass(frozen=True, slots=True)
class Reading:
    """All that one open gave.  An empty body is an answer: there is no such data.

    body: the records one after another, as read.  files: those that gave a record, in the order read.
    last_file_timestamp: of JVOpen, YYYYMMDDhhmmss; "" for real-time data and for nothing.
    read_count: files that JVOpen announced.  open_s: the open alone; read_s: download and reading.
    """

    body: bytes = b""
    files: tuple[ReadFile, ...] = ()
    last_file_timestamp: str = ""
    read_count: int = 0
    open_s: float = 0.0
    read_s: float = 0.0


class Wait:
    """Bounds the waiting of one read: it may stand still for so long, and be given up at any time."""

    def __init__(
        self,
        what: str,
        limits: Limits,
        sleep: Callable[[float], None],
        clock: Callable[[], float],
        cancelled: Callable[[], bool],
    ) -> None:
        self.what = what
        self.cancelled = cancelled
        self._limits = limits
        self._sleep = sleep
        self._clock = clock
        self._moved_at = clock()

    def moved(self) -> None:
        """Note that there was progress."""
        self._moved_at = self._clock()

    def pause(self, why: str) -> None:
        """Sleep until the next look.  Raises SessionTimeout when nothing moved for too long."""
        if self._clock() - self._moved_at >= self._limits.stall_s:
            raise SessionTimeout(f"{self.what}: {why}", limit_s=self._limits.stall_s)
        self._sleep(self._limits.poll_s)


@dataclass(slots=True)
class Read:
    """One read between open and close.

    unwanted: record types to drop.  files: those that gave a record so far.
    """

    link: JVLink
    wait: Wait
    buffer_bytes: int
    unwanted: frozenset[bytes]
    skips_files: bool
    limit_bytes: int
    on_progress: Callable[[Progress], None]
    files: list[ReadFile] = field(default_factory=list)
    _kept: list[bytes] = field(default_factory=list)
    _total: int = 0
    _files_ended: int = 0
    _announced: tuple[int, int] = (0, 0)
    _at_file_start: bool = True

    def await_download(self, files: int, downloads: int) -> None:
        """Wait until every file is there: reading earlier may lose records."""
        self._announced = (files, downloads)
        self.wait.moved()
        downloaded = 0
        while downloaded < downloads:
            self._check_cancelled()
            finished = self.link.JVStatus()
            if finished < 0:
                raise JVLinkError(finished, "JVStatus")
            if finished > downloaded:
                downloaded = finished
                self.wait.moved()
                self._report(downloaded)
            else:
                self.wait.pause(f"the download ({downloaded} of {downloads} files)")

    def run(self) -> bytes:
        """Read to the end and return the records kept."""
        self.wait.moved()
        while True:
            code, name = self._read_some()
            self._check_cancelled()
            if code == 0:
                return b"".join(self._kept)
            if code == _DOWNLOADING:
                self.wait.pause("the download of the next file")
                continue
            if code < 0 and code != _FILE_END:
                raise JVLinkError(code, "JVGets", detail=name)
            self.wait.moved()
            if code == _FILE_END:
                self._end_file()

    def _read_some(self) -> tuple[int, str]:
        """Read a handful of records -> (the last code, its file).  The hot loop: no call but JVGets."""
        gets, size, unwanted, limit_bytes = self.link.JVGets, self.buffer_bytes, self.unwanted, self.limit_bytes
        keep, total = self._kept.append, self._total
        for _ in range(_CHECK_EVERY):
            code, buff, name = gets(b"", size, "")
            if code <= 0:
                break
            record = bytes(buff[:code])
            if len(record) != code or code >= size:
                raise SourceError(f"JVGets said {code} bytes of {name} and gave {len(record)}; {size} have room")
            if unwanted and self._is_unwanted(record):
                continue
            if self._at_file_start:
                self._begin_file(name, total)
            keep(record)
            total += code
            if total > limit_bytes:
                raise DatasetTooLarge(self.wait.what, limit_bytes=limit_bytes)
        self._total = total
        return code, name

    def _begin_file(self, name: str, offset: int) -> None:
        self.files.append(ReadFile(name, self.link.m_CurrentFileTimestamp, offset))
        self._at_file_start = False

    def _is_unwanted(self, record: bytes) -> bool:
        """Whether to drop a record; where files hold one type, the first one decides for its file."""
        if self.skips_files and not self._at_file_start:
            return False
        # A record may begin with the NUL that some JVGets put behind the one before it.
        is_unwanted = (record[:2] if record[:1] != b"\0" else record.lstrip(b"\0")[:2]) in self.unwanted
        if is_unwanted and self.skips_files:
            self._skip_file()
        return is_unwanted

    def _skip_file(self) -> None:
        self.link.JVSkip()
        self._end_file()

    def _end_file(self) -> None:
        self._files_ended += 1
        self._at_file_start = True
        self._report(self._announced[1])

    def _report(self, downloaded: int) -> None:
        files, downloads = self._announced
        self.on_progress(Progress(files, self._files_ended, downloads, downloaded, self._total))

    def _check_cancelled(self) -> None:
        if self.wait.cancelled():
            self.link.JVCancel()
            raise ReadCancelled(self.wait.what)
