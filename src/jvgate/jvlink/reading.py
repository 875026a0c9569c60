"""One read between open and close: waiting for the download, then record after record to the end.

Theory of operation.  Records go to the sink in batches, file by file, so that nothing large is held here.  When a
file turns out broken in its midst, JV-Link fetches it anew and it is read again from its start (`Read.restart`).
What the sink has of it already must not come twice: the batch not yet handed over is dropped, and of what was handed
over the length and checksum are kept; the same bytes are then left out of the second reading.  If they are not the
same, the first copy was not only short but wrong, and the read ends with the error.

JV-Link keeps to the end of a from-time only in part: with options 3 and 4 it cuts the current month alone.  So files
that were provided after the end are left out here, and the newest file time told is that of a file up to the end.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from zlib import crc32

from jvgate.errors import DatasetTooLarge, JVLinkError, ReadCancelled, SessionTimeout, SourceError
from jvgate.jvlink.interface import JVLink
from jvgate.jvlink.request import Limits, Progress, Request, Sink

__all__ = ["Read", "Wait"]

_FILE_END = -1
_DOWNLOADING = -3
_UNLIMITED = 1 << 62


class Wait:
    """Bounds the waiting of one read: it may stand still for so long, and be given up at any time.

    sleep, clock: seconds, as `time.sleep` and `time.monotonic`.
    """

    def __init__(
        self,
        what: str,
        limits: Limits,
        *,
        sleep: Callable[[float], None],
        clock: Callable[[], float],
        cancelled: Callable[[], bool],
    ) -> None:
        self.what = what
        self.limits = limits
        self.clock = clock
        self.cancelled = cancelled
        self._sleep = sleep
        self._moved_at = clock()

    def moved(self) -> None:
        """Note that there was progress."""
        self._moved_at = self.clock()

    def pause(self, why: str) -> None:
        """Sleep until the next look.  Raises SessionTimeout when nothing moved for too long."""
        if self.clock() - self._moved_at >= self.limits.stall_s:
            raise SessionTimeout(f"{self.what}: {why}", limit_s=self.limits.stall_s)
        self._sleep(self.limits.poll_s)

    def rest(self, seconds: float) -> None:
        """Sleep for *seconds*.  Raises ReadCancelled as soon as nobody waits any more."""
        until = self.clock() + seconds
        while (left_s := until - self.clock()) > 0:
            if self.cancelled():
                raise ReadCancelled(self.what)
            self._sleep(min(left_s, self.limits.poll_s))


@dataclass(slots=True)
class _File:
    """The file being read.  is_wanted: its first record said so; is_begun: the sink knows of it.

    is_late: it was provided after the end of the request.

    given_bytes, given_sum: length and checksum of what the sink has of it.
    again: how much of that its second reading has still to repeat; again_sum: of what it has repeated so far.
    """

    name: str
    provided: str
    is_late: bool = False
    is_wanted: bool = False
    is_begun: bool = False
    given_bytes: int = 0
    given_sum: int = 0
    again: int = 0
    again_sum: int = 0


@dataclass(slots=True)
class Read:
    """One request on its way, over as many opens as it takes.

    one_type_per_file: an unwanted first record rules out its whole file, as JV-Link promises.
    doing: told what the session is at, again and again as it moves on, for those who watch over it.
    newest_in_time: the newest time of provision, up to the end of the request, of the files met so far.
    """

    link: JVLink
    request: Request
    sink: Sink
    wait: Wait
    one_type_per_file: bool
    doing: Callable[[str], None]
    given_bytes: int = 0
    given_records: int = 0
    newest_in_time: str = ""
    _unwanted: frozenset[bytes] = frozenset()
    _passed_over: frozenset[str] = frozenset()
    _file: _File | None = None
    _broken: _File | None = None
    _done: set[str] = field(default_factory=set)
    _files_ended: int = 0
    _opened: Progress = field(default_factory=Progress)

    def __post_init__(self) -> None:
        self._unwanted = frozenset(record.encode("ascii") for record in self.request.unwanted)
        self._passed_over = self.request.have

    def await_download(self, files: int, downloads: int) -> None:
        """Wait until every file is there: reading earlier may lose records."""
        self._opened = Progress(files=files, downloads=downloads, bytes_total=self.link.m_TotalReadFilesize * 1024)
        self.wait.moved()
        downloaded = 0
        self._report(downloaded)
        while downloaded < downloads:
            self._check_cancelled()
            self.doing("JVStatus")
            finished = self.link.JVStatus()
            if finished < 0:
                raise JVLinkError(finished, "JVStatus")
            if finished > downloaded:
                downloaded = finished
                self.wait.moved()
                self._report(downloaded)
            else:
                self.wait.pause(f"the download ({downloaded} of {downloads} files)")

    def run(self) -> None:
        """Read to the end; every record kept has been handed over then."""
        self.wait.moved()
        while True:
            self._check_cancelled()
            code, name = self._read_some()
            if code == 0:
                self._end_file()
                self._check_nothing_lost()
                return
            if code == _DOWNLOADING:
                self.wait.pause("the download of the next file")
                continue
            if code < 0 and code != _FILE_END:
                raise JVLinkError(code, "JVGets", detail=name)
            self.wait.moved()
            if code == _FILE_END:
                self._end_file()
            self._report(self._opened.downloads)

    def restart(self) -> None:
        """Make ready for another open after an error: an unfinished file will be read again from its start."""
        self._passed_over = self.request.have | self._done
        self._files_ended = 0
        file, self._file = self._file, None
        if file is not None and file.is_begun:
            file.again, file.again_sum = file.given_bytes, 0
            self._broken = file

    def _read_some(self) -> tuple[int, str]:
        """Read until a batch is due -> (the last code, its file).  The hot loop: no call but JVGets and the clock."""
        gets, clock, limits = self.link.JVGets, self.wait.clock, self.wait.limits
        size, left = limits.buffer_bytes, self._left_bytes()
        room = min(limits.batch_bytes, left + 1)
        is_selecting = bool(self.request.end or self._unwanted or self._passed_over)
        is_picky = is_selecting or bool(self._broken or (self._file and self._file.again))
        batch: list[bytes] = []
        keep, kept = batch.append, 0
        self.doing("JVGets")
        due = clock() + (limits.batch_s if self.given_records else limits.first_s)
        code, name = 1, ""
        file_name = self._file.name if self._file else None
        while kept < room and clock() < due:
            code, buff, name = gets(b"", size, "")
            if code <= 0:
                break
            record = bytes(buff if len(buff) == code else buff[:code])
            if len(record) != code or code >= size:
                raise SourceError(f"JVGets said {code} bytes of {name} and gave {len(record)}; {size} have room")
            if name != file_name:
                if batch:  # JV-Link tells the end of a file by -1; where it does not, the name tells
                    self._hand_over(batch)
                    batch, kept = [], 0
                    keep = batch.append
                self._enter(name)
                file_name = name
            if is_picky and not self._is_wanted(record):
                file_name = self._file.name if self._file else None
                continue
            keep(record)
            kept += code
        if kept > left:
            raise DatasetTooLarge(self.wait.what, limit_bytes=self.request.limit_bytes or 0)
        if batch and (code >= 0 or code in (_FILE_END, _DOWNLOADING)):  # of a broken file no more than need be
            self._hand_over(batch)
        return code, name

    def _left_bytes(self) -> int:
        limit_bytes = self.request.limit_bytes
        return _UNLIMITED if limit_bytes is None else limit_bytes - self.given_bytes

    def _enter(self, name: str) -> None:
        """Begin a file, or go on with the one that was found broken."""
        if self._file is not None:
            self._end_file()
        if self._broken is not None and name == self._broken.name:
            self._file, self._broken = self._broken, None
            return
        provided, end = self.link.m_CurrentFileTimestamp, self.request.end
        is_late = bool(end) and provided > end
        self._file = _File(name, provided, is_late)
        if not is_late:
            self.newest_in_time = max(self.newest_in_time, provided)

    def _hand_over(self, batch: list[bytes]) -> None:
        file = self._file
        assert file is not None
        if not file.is_begun:
            if self._broken is not None:
                raise SourceError(f"{self._broken.name} was broken, and is no longer the next file to be read")
            self.sink.begin(file.name, file.provided)
            file.is_begun = True
        data = b"".join(batch)
        file.given_bytes += len(data)
        file.given_sum = crc32(data, file.given_sum)
        self.given_bytes += len(data)
        self.given_records += len(batch)
        self.sink.records(data, len(batch))

    def _is_wanted(self, record: bytes) -> bool:
        """Whether to keep a record; where files hold one type, the first one decides for its file."""
        file = self._file
        assert file is not None
        if file.is_late or file.name in self._passed_over:
            self._skip_file()
            return False
        if self._unwanted and not (self.one_type_per_file and file.is_wanted):
            # A record may begin with the NUL that some JVGets put behind the one before it.
            record_type = record[:2] if record[:1] != b"\0" else record.lstrip(b"\0")[:2]
            if record_type in self._unwanted:
                if self.one_type_per_file:
                    self._skip_file()
                return False
            file.is_wanted = True
        return not file.again or self._is_news(file, record)

    def _is_news(self, file: _File, record: bytes) -> bool:
        """Whether *record* lies behind what was handed over before the file was found broken."""
        file.again -= len(record)
        file.again_sum = crc32(record, file.again_sum)
        if file.again < 0 or (file.again == 0 and file.again_sum != file.given_sum):
            raise SourceError(f"{file.name} was broken, and its new copy does not begin like the old one")
        return False

    def _skip_file(self) -> None:
        self.link.JVSkip()
        self._end_file()
        self._report(self._opened.downloads)

    def _end_file(self) -> None:
        file, self._file = self._file, None
        if file is None:
            return
        if file.again:
            raise SourceError(f"{file.name} was broken, and its new copy is shorter than the old one")
        self._done.add(file.name)
        self._files_ended += 1

    def _check_nothing_lost(self) -> None:
        if self._broken is not None:
            raise SourceError(f"{self._broken.name} was broken, and is gone after the next open")

    def _report(self, downloaded: int) -> None:
        self.sink.progress(
            replace(
                self._opened,
                files_read=self._files_ended,
                downloaded=downloaded,
                bytes_read=self.given_bytes,
                records_read=self.given_records,
            )
        )

    def _check_cancelled(self) -> None:
        if self.wait.cancelled():
            self.link.JVCancel()
            raise ReadCancelled(self.wait.what)
