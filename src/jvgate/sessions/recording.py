"""A sink that records what a session reads into an archive folder, so that it can be interrupted at any moment.

Theory of operation.  Each file of JV-Link becomes a file of the same name, written under a hidden name and renamed once
it is whole and on the disk; its time of change is the time at which JRA-VAN provided it.  So the folder itself tells
what is there: a file provided after the time that is asked for need not be read again; one that comes though it was
provided before has been provided anew, and is.  How far a data spec has been recorded completely stands in a hidden
file beside it, which is only written after everything it speaks of.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import IO

import zstandard

from jvgate.errors import ArchiveError, SourceError
from jvgate.jvlink.request import Progress
from jvgate.sessions.simulated import JST

__all__ = ["Mark", "Recording", "exclusive", "is_safe_name"]

MARK_NAME = ".jvgate-record.json"
LOCK_NAME = ".jvgate-record.lock"
_VERSION = 1
_LONGEST_NAME_BYTES = 200
_ZSTD_LEVEL = 9
_FORBIDDEN = re.compile(r'[<>:"/\\|?*\x00-\x1f]|[ .]$|^[. ]')
_RESERVED = re.compile(r"(CON|PRN|AUX|NUL|COM[0-9]|LPT[0-9])(\.|$)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Mark:
    """How far a data spec has been recorded completely.

    last_file_timestamp: YYYYMMDDhhmmss.  option, records: how it was asked for; another way goes into another folder.
    """

    last_file_timestamp: str
    option: int
    records: tuple[str, ...]

    @staticmethod
    def read(folder: Path) -> Mark | None:
        """Return the mark of *folder*, None when there is none.  Raises ArchiveError for one that makes no sense."""
        path = folder / MARK_NAME
        try:
            fields = json.loads(path.read_text("utf-8"))
            if fields.pop("version") != _VERSION:
                raise ValueError("it is of another version")
            return Mark(fields["last_file_timestamp"], fields["option"], tuple(fields["records"]))
        except FileNotFoundError:
            return None
        except (ValueError, KeyError, TypeError, AttributeError, OSError) as exc:
            raise ArchiveError(str(path), f"it cannot be understood ({exc}); remove it to record anew") from exc

    def write(self, folder: Path) -> None:
        """Write the mark, whole or not at all."""
        text = json.dumps({"version": _VERSION, **asdict(self)}, indent=1)
        _replace(folder / MARK_NAME, text.encode())


class Recording:
    """Writes files into *folder*, a session's sink.  is_compressed: as `.zst`.

    only_name: of the one file there is, where it is not the source's.  added, added_bytes, records_added: of the files
    that are whole.  Raises OSError for what cannot be written, SourceError for a name that cannot be.
    """

    def __init__(self, folder: Path, *, is_compressed: bool = False, only_name: str = "") -> None:
        self.added: list[str] = []
        self.added_bytes = 0
        self.records_added = 0
        self.latest = Progress()
        self._folder = folder
        self._only_name = only_name
        self._suffix = ".zst" if is_compressed else ""
        self._name = ""
        self._provided = ""
        self._count = 0
        self._part: IO[bytes] | None = None
        folder.mkdir(parents=True, exist_ok=True)
        for left in folder.glob(".*.part"):
            left.unlink()

    def have(self, since: str) -> frozenset[str]:
        """Return the names of the files provided after *since* that are here already."""
        after = _epoch_s(since) if since else -1.0
        files = [path for path in self._folder.iterdir() if path.is_file() and not path.name.startswith(".")]
        return frozenset(path.name.removesuffix(".zst") for path in files if path.stat().st_mtime > after)

    def begin(self, name: str, provided: str) -> None:
        """Begin a file; the one before it is whole."""
        self.finish()
        name = self._only_name or name
        if not is_safe_name(name):
            raise SourceError(f"a file named {name[:80]!r} cannot be recorded")
        if name in self.added:
            raise SourceError(f"the source has two files named {name}: they cannot lie in one folder")
        self._name, self._provided, self._count = name, provided, 0
        self._part = self._part_path().open("wb")

    def records(self, batch: bytes | bytearray, count: int) -> None:
        """Write records of the file."""
        assert self._part is not None
        self._part.write(batch)
        self._count += count

    def progress(self, progress: Progress) -> None:
        """Keep how far the read has come."""
        self.latest = progress

    def finish(self) -> None:
        """Make the file that was begun last appear under its name: it is whole."""
        if self._part is None:
            return
        self._part.close()
        self._part = None
        part = self._part_path()
        size = part.stat().st_size
        if self._suffix:  # in one piece, so that the same records always give the same bytes
            part.write_bytes(zstandard.ZstdCompressor(level=_ZSTD_LEVEL).compress(part.read_bytes()))
        _settle(part)
        if self._provided:
            moment = _epoch_s(self._provided)
            os.utime(part, (moment, moment))
        part.replace(self._folder / (self._name + self._suffix))
        self._forget_twin()
        self.added.append(self._name)
        self.added_bytes += size
        self.records_added += self._count

    def discard(self) -> None:
        """Throw the file that is not whole away."""
        if self._part is not None:
            self._part.close()
            self._part = None
            self._part_path().unlink(missing_ok=True)

    def _part_path(self) -> Path:
        return self._folder / f".{self._name}.part"

    def _forget_twin(self) -> None:
        """Remove the same file in the other form: of both, the plain one would be read, however old."""
        twin = self._name if self._suffix else f"{self._name}.zst"
        (self._folder / twin).unlink(missing_ok=True)


@contextmanager
def exclusive(folder: Path) -> Iterator[None]:
    """Keep *folder* for this process; the system lets it go when the process ends, however it does.

    Raises ArchiveError when another one is recording there.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / LOCK_NAME
    with path.open("a+b") as file:
        try:
            _lock(file)
        except OSError as exc:
            raise ArchiveError(str(folder), "another `jvgate record` is writing there") from exc
        try:
            yield
        finally:
            with suppress(OSError):  # on Windows an open file stays; it is empty
                path.unlink()


def is_safe_name(name: str) -> bool:
    """Whether *name*, which came from the source, is a plain file name on every system."""
    is_plain = PurePosixPath(name).name == name == PureWindowsPath(name).name
    is_short = 0 < len(name.encode("utf-8", "replace")) <= _LONGEST_NAME_BYTES
    return is_plain and is_short and not _FORBIDDEN.search(name) and not _RESERVED.match(name)


def _lock(file: IO[bytes]) -> None:
    """Lock without waiting.  Raises OSError when somebody else has it."""
    if os.name == "nt":
        import msvcrt  # noqa: PLC0415

        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined,unused-ignore]
    else:
        import fcntl  # noqa: PLC0415

        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _replace(path: Path, data: bytes) -> None:
    part = path.with_name(f"{path.name}.part")
    part.write_bytes(data)
    _settle(part)
    part.replace(path)


def _settle(path: Path) -> None:
    """See to it that the file is on the disk before its name is."""
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def _epoch_s(stamp: str) -> float:
    """Return YYYYMMDDhhmmss, Japan Standard Time, as seconds since the epoch."""
    return datetime.strptime(stamp, "%Y%m%d%H%M%S").replace(tzinfo=JST).timestamp()
