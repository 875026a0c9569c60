"""A sink that records what a session reads into an archive folder, so that it can be interrupted at any moment.

Theory of operation.  Each file of JV-Link becomes a file of the same name, written under a hidden name and renamed once
it is whole and on the disk; its time of change is the time at which JRA-VAN provided it.  So the folder itself tells
what is there, and an interrupted run leaves nothing that the next one could mistake.  How a data spec is recorded, and
how far completely, stands in a hidden file beside it (`Mark`): the way before the first record, so that no other way
mixes with it; the point after everything that it speaks of (`resume.py`).
"""

from __future__ import annotations

import os
import re
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path, PurePosixPath, PureWindowsPath
from threading import Lock
from typing import IO

import zstandard
from filelock import FileLock, Timeout

from jvgate.errors import ArchiveError, SourceError
from jvgate.jvlink.request import Progress
from jvgate.sessions.archive.rawfile import provided_in_name, shown
from jvgate.spec.jst import JST

__all__ = ["TIME", "Recording", "epoch_s", "exclusive", "is_safe_name", "publish", "settle_folder"]

LOCK_NAME = ".jvgate-record.lock"
_LONGEST_NAME_BYTES = 200
_ZSTD_LEVEL = 9
_RENAME_TRIES, _RENAME_WAIT_S = 20, 0.1
TIME = re.compile(r"([0-9]{14})?")
_FORBIDDEN = re.compile(r'[<>:"/\\|?*\x00-\x1f\x7f]|[ .]$|^[. ]|\.zst$', re.IGNORECASE)
_RESERVED = re.compile(r"(CON|PRN|AUX|NUL|COM[0-9¹²³]|LPT[0-9¹²³]|CONIN\$|CONOUT\$) *(\.|$)", re.IGNORECASE)


class Recording:
    """Writes files into *folder*: a session's sink, whose methods run on the session's thread.

    is_compressed: as `.zst`.  only_name: of the one file there is, where it is not the source's.
    added, added_bytes, records_added: of the files that are whole.  seen_bytes: of all that came, whole or not.
    Raises OSError for what cannot be written, SourceError for a name that cannot be.
    """

    def __init__(self, folder: Path, *, is_compressed: bool = False, only_name: str = "") -> None:
        self.added: list[str] = []
        self.added_bytes = 0
        self.records_added = 0
        self.seen_bytes = 0
        self.latest = Progress()
        self._folder = folder
        self._only_name = only_name
        self._suffix = ".zst" if is_compressed else ""
        self._taken: set[str] = set()
        self._name = ""
        self._provided = ""
        self._count = 0
        self._part: IO[bytes] | None = None
        self._lock = Lock()
        self._is_closed = False
        folder.mkdir(parents=True, exist_ok=True)
        for left in folder.glob(".*.part"):
            left.unlink()

    @property
    def is_empty(self) -> bool:
        """Whether no file lies in the folder."""
        return next(self._files(), None) is None

    def have(self, since: str, *, by_name: bool) -> frozenset[str]:
        """Return the names of the files provided after *since* that are here and need not be read again.

        by_name: also those whose names do not tell when they were provided.  A name that does stands for one version
        of its file; under one that does not, the source may have a newer one by now.
        """
        files = list(self._files())
        forms = Counter(_plain_name(path) for path in files)  # in both: a change of form was interrupted
        provided = {_plain_name(path): provided_in_name(_plain_name(path)) for path in files}
        return frozenset(
            name
            for path in files
            if forms[name := _plain_name(path)] == 1
            and (by_name or provided[name])
            and (provided[name] or _changed(path)) > since
        )

    def begin(self, name: str, provided: str) -> None:
        """Begin a file; the one before it is whole."""
        with self._lock:
            self._check_open()
            self._finish()
            name = self._only_name or name
            if not is_safe_name(name):
                raise SourceError(f"a file named {name[:80]!a} cannot be recorded")
            if name.casefold() in self._taken:
                self._forget(name, f"{name}.zst")  # a later run must not take one of them for both
                raise SourceError(f"the source has two files named {name}: they cannot lie in one folder")
            self._name, self._provided, self._count = name, provided, 0
            self._part = self._part_path().open("wb")

    def records(self, batch: bytes | bytearray, count: int) -> None:
        """Write records of the file."""
        with self._lock:
            self._check_open()
            assert self._part is not None
            self._part.write(batch)
            self._count += count
            self.seen_bytes += len(batch)

    def progress(self, progress: Progress) -> None:
        """Keep how far the read has come."""
        self.latest = progress

    def finish(self) -> None:
        """Make the file that was begun last appear under its name: the read has ended well, so that it is whole."""
        with self._lock:
            self._finish()

    def discard(self) -> None:
        """Throw the file that is not whole away."""
        with self._lock:
            part, self._part = self._part, None
            if part is None:
                return
            with suppress(OSError):  # what it still held may not fit on the disk either
                part.close()
            self._part_path().unlink(missing_ok=True)
            self.seen_bytes = self.added_bytes

    def close(self) -> None:
        """Take no more, though a session that nobody waits for may still send; throw away what is not whole."""
        self._is_closed = True
        self.discard()

    def _check_open(self) -> None:
        if self._is_closed:
            raise SourceError("the recording has ended")

    def _finish(self) -> None:
        if self._part is None:
            return
        self._part.flush()  # here, so that a full disk leaves the file to `discard`
        self._part.close()
        part = self._part_path()
        size = part.stat().st_size
        if self._suffix:  # in one piece, so that the same records always give the same bytes
            part.write_bytes(zstandard.ZstdCompressor(level=_ZSTD_LEVEL).compress(part.read_bytes()))
        publish(part, self._folder / (self._name + self._suffix), moment_s=self._moment_s())
        self._part = None
        # The same file in the other form: of both, the plain one would be read, however old.
        self._forget(self._name if self._suffix else f"{self._name}.zst")
        self._taken.add(self._name.casefold())
        self.added.append(self._name)
        self.added_bytes += size
        self.records_added += self._count

    def _moment_s(self) -> float | None:
        """Return when the file was provided; None where that is not told, and for the answer to a key."""
        if self._only_name:
            return None
        told = epoch_s(self._provided)
        return told if told is not None else epoch_s(provided_in_name(self._name) or "")

    def _part_path(self) -> Path:
        return self._folder / f".{self._name}.part"

    def _forget(self, *names: str) -> None:
        for name in names:
            (self._folder / name).unlink(missing_ok=True)

    def _files(self) -> Iterator[Path]:
        return (path for path in self._folder.iterdir() if not path.name.startswith(".") and path.is_file())


@contextmanager
def exclusive(folder: Path) -> Iterator[None]:
    """Keep *folder* for this process; the system lets it go when the process ends, however it does.

    Raises ArchiveError when another one is recording there, OSError when the folder cannot be made or written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / LOCK_NAME
    lock = FileLock(path, timeout=0, thread_local=False, fallback_to_soft=False)
    try:
        lock.acquire()
    except Timeout as exc:
        raise ArchiveError(str(folder), "another `jvgate record` is writing there") from exc
    try:
        yield
    finally:
        with suppress(OSError):  # while it is ours; on Windows the library removes it, an open file stays there
            path.unlink()
        lock.release()


def is_safe_name(name: str) -> bool:
    """Whether *name*, which came from the source, is a plain file name on every system."""
    try:
        encoded = name.encode("utf-8")
    except UnicodeEncodeError:  # bytes that are no text: another system could not name it
        return False
    is_plain = PurePosixPath(name).name == name == PureWindowsPath(name).name
    is_short = 0 < len(encoded) <= _LONGEST_NAME_BYTES
    return is_plain and is_short and not _FORBIDDEN.search(name) and not _RESERVED.match(name)


def publish(part: Path, path: Path, *, moment_s: float | None) -> None:
    """Give a whole file its time of change and, once it is on the disk, its name."""
    if moment_s is not None:
        os.utime(part, (moment_s, moment_s))
    with part.open("rb+") as file:
        os.fsync(file.fileno())
    for _ in range(_RENAME_TRIES if os.name == "nt" else 0):  # a virus scanner or a reader may hold either one
        with suppress(PermissionError):
            part.replace(path)
            return
        time.sleep(_RENAME_WAIT_S)
    part.replace(path)


def settle_folder(folder: Path) -> None:
    """See to it that the names in *folder* are on the disk; Windows does so by itself."""
    if os.name != "nt":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _plain_name(path: Path) -> str:
    return shown(path.name).removesuffix(".zst")


def _changed(path: Path) -> str:
    return datetime.fromtimestamp(path.stat().st_mtime, JST).strftime("%Y%m%d%H%M%S")


def epoch_s(stamp: str) -> float | None:
    """Return YYYYMMDDhhmmss, Japan Standard Time, as seconds since the epoch; None for what is no time."""
    if not stamp or not TIME.fullmatch(stamp):
        return None
    try:
        return datetime.strptime(stamp, "%Y%m%d%H%M%S").replace(tzinfo=JST).timestamp()
    except ValueError:
        return None
