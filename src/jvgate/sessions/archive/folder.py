"""A folder of raw JV-Data, served as JRA-VAN's server would serve it.

Theory of operation.  A file under `<DATASPEC>/` belongs to that data spec, and for real-time data its name is
the key.  Every other file is plain: it belongs to each data spec that delivers one of its record types, which
is found by reading it once.  The folder is listed at every open, so that new files appear; what was learnt of
a file is kept until its size or time of change differs.  Links are not followed: nothing outside the folder is
ever read, and a key is only compared with names, never made into a path.  Of a file and its `.zst` the file counts.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache, partial
from pathlib import Path
from threading import Lock
from typing import TypeVar

import structlog

from jvgate.errors import ArchiveError, JVLinkError
from jvgate.sessions.archive.rawfile import (
    carried_key,
    known_types,
    load,
    looks_like_jvdata,
    provided_in_name,
    record_type,
    split,
)
from jvgate.spec.jst import JST
from jvgate.spec.layouts import Layouts
from jvgate.spec.spec import Spec

__all__ = ["ArchiveFile", "ArchiveShelf"]

_RIGHT_FOLDER = "A right one holds files of raw records, plain or as RACE/<file>, 0B12/<key>, each also as .zst"
MAX_LEARNT = 100_000  # files; beyond it those that are gone are forgotten
_HEAD_BYTES = 28  # type, DataKubun, date and race key lie within
_KEY = re.compile(r"[0-9]{8}([0-9A-Z]{2}([0-9]{4})?[0-9]{2})?|[A-Z][A-Z0-9][0-9]{8}[0-9A-Z]{2}[0-9]{16}")
T = TypeVar("T")

log: structlog.stdlib.BoundLogger = structlog.get_logger("jvgate.archive")


@dataclass(frozen=True, slots=True)
class _Listed:
    """One file of the folder as the listing shows it."""

    path: Path
    size: int
    changed_ns: int

    @property
    def name(self) -> str:
        return self.path.name.removesuffix(".zst")

    @property
    def stem(self) -> str:
        return self.name.partition(".")[0]

    @property
    def changed(self) -> str:
        return datetime.fromtimestamp(self.changed_ns / 1e9, JST).strftime("%Y%m%d%H%M%S")


@dataclass(frozen=True, slots=True)
class _Content:
    """What a plain file holds.  days: of its records that carry a key, YYYYMMDD."""

    types: frozenset[bytes]
    days: frozenset[str]


@dataclass(frozen=True, slots=True)
class ArchiveFile:
    """One file as the simulator reads it.  dropped: record types that its data spec does not deliver."""

    spec: Spec

    path: Path
    name: str
    provided: str
    size: int
    dropped: frozenset[bytes]

    def read(self) -> list[bytes]:
        """Return the records, each with its CR LF.  Raises JVLinkError (-402, -403, -503)."""
        data = load(self.path)
        records, tail = split(data, self.spec.layouts)
        if tail and record_type(tail) not in self.dropped:
            at = len(data.rstrip(b"\0")) - len(tail)
            why = f"the record at byte {at} has no end (CR LF)"
            log.warning("a file of the archive is cut short", file=str(self.path), why=why)  # JV-Link's code cannot say
            raise JVLinkError(-403, "JVGets", detail=f"{self.path.name}: {why}")
        return [record for record in records if record_type(record) not in self.dropped]


class ArchiveShelf:
    """The shelf of one folder; several threads may ask it.  spec: of the provider whose data it holds."""

    def __init__(self, folder: Path | str, spec: Spec) -> None:
        self._spec = spec
        self._folder = Path(folder).expanduser().absolute()
        self._lock = Lock()
        self._is_jvdata: dict[Path, tuple[_Listed, bool]] = {}
        self._contents: dict[Path, tuple[_Listed, _Content | None]] = {}
        self._skipped: set[str] = set()

    @property
    def skipped(self) -> tuple[str, ...]:
        """Files seen so far that are no JV-Data, relative to the folder, sorted."""
        with self._lock:
            return tuple(sorted(self._skipped))

    def check(self) -> None:
        """Raise ArchiveError unless the folder is there and holds at least one file of JV-Data."""
        with self._lock:
            if next(self._files(self._folder), None) is None:
                raise ArchiveError(str(self._folder), f"it holds no JV-Data. {_RIGHT_FOLDER}")

    def stored(self, dataspec: str, *, now: datetime, setup: bool) -> list[ArchiveFile]:
        """Return the files of one data spec, the oldest first.  setup: of no account, all is kept here.

        What lies in the folder has been provided: at the time in a file's name, else when it last changed,
        at the latest *now*.  Raises ArchiveError when the folder is gone or holds no JV-Data at all.
        """
        today = now.strftime("%Y%m%d%H%M%S")
        with self._lock:
            found = [*self._own(dataspec), *(file for file in self._plain() if self._holds(file, dataspec))]
        if not found:
            self.check()
        files = [_as_file(file, dataspec, self._spec, latest=today) for file in found]
        return sorted(files, key=lambda file: (file.provided, file.name))

    def realtime(self, dataspec: str, key: str, *, now: datetime) -> Sequence[bytes] | None:
        """Return the records for *key*: the file of that name, or what other files hold for the key.

        Raises JVLinkError (-402, -403, -503), and ArchiveError when there is no JV-Data at all.
        """
        place = _place(key)
        with self._lock:
            own = list(self._own(dataspec))
            plain = [file for file in self._plain() if self._holds(file, dataspec, day=place[:8])]
        if not own and not plain:
            self.check()
        named = [file for file in own if _short(file.stem) == _short(key)]
        if named:
            newest = max(named, key=lambda file: file.changed_ns)
            return _as_file(newest, dataspec, self._spec).read() or None
        others = [file for file in own if not _KEY.fullmatch(file.stem) or _agree(_place(file.stem), place)]
        records = [record for file in others + plain for record in _as_file(file, dataspec, self._spec).read()]
        return _about(records, key, self._spec.layouts) or None

    def _own(self, dataspec: str) -> Iterator[_Listed]:
        """Yield the files under `<DATASPEC>/`."""
        folder = self._folder / dataspec
        if folder.is_dir() and not folder.is_symlink():
            yield from self._files(folder)

    def _plain(self) -> Iterator[_Listed]:
        """Yield the files that lie under no data spec."""
        return self._files(self._folder, enters=lambda name: self._spec.dataspec(name) is None)

    def _files(self, folder: Path, enters: Callable[[str], bool] = lambda name: True) -> Iterator[_Listed]:
        """Yield the files of JV-Data under *folder*, by name.  enters: which folders right below it to enter."""
        entries = _scan(folder)
        names = {entry.name for entry in entries}
        for entry in entries:
            is_twin = entry.name.endswith(".zst") and entry.name.removesuffix(".zst") in names
            if entry.name.startswith(".") or entry.is_symlink() or is_twin:
                self._skip(entry)
            elif entry.is_file():
                try:
                    file = _listed(entry)
                except OSError:  # gone since the listing
                    continue
                if _recall(self._is_jvdata, file, self._looks_right):
                    yield file
                else:
                    self._skip(entry)
            elif enters(entry.name):
                try:
                    yield from self._files(Path(entry.path))
                except ArchiveError:  # a folder that may not be listed, such as lost+found
                    self._skip(entry)

    def _skip(self, entry: os.DirEntry[str]) -> None:
        self._skipped.add(os.path.relpath(entry.path, self._folder))

    def _looks_right(self, file: _Listed) -> bool:
        if not file.size:  # an empty file counts by its place, or by JV-Link's way to begin a name with the type
            folder = file.path.relative_to(self._folder).parts[0]
            return self._spec.dataspec(folder) is not None or _type_in_name(file) in known_types(self._spec.layouts)
        try:
            return looks_like_jvdata(file.path)
        except OSError:
            return True  # its read will say why

    def _holds(self, file: _Listed, dataspec: str, *, day: str = "") -> bool:
        """Whether a plain file has records for *dataspec* (of that *day*), or none that any data spec knows."""
        content = _recall(self._contents, file, partial(_content, layouts=self._spec.layouts))
        if content is None:  # it cannot be read, and the read will say why
            return True
        if not content.types & known_types(self._spec.layouts):
            return not day
        return bool(content.types & _delivered(self._spec, dataspec)) and (not day or day in content.days)


def _forget_gone(known: dict[Path, tuple[_Listed, T]]) -> None:
    """Keep what was learnt bounded: when there is much of it, let go of files that are not there any more."""
    if len(known) > MAX_LEARNT:
        for path in [path for path in known if not path.exists()]:
            del known[path]


def _recall(known: dict[Path, tuple[_Listed, T]], file: _Listed, learn: Callable[[_Listed], T]) -> T:
    """Return what is *known* of the file, learnt anew when it changed."""
    kept = known.get(file.path)
    if kept is None or kept[0] != file:
        _forget_gone(known)
        kept = known[file.path] = (file, learn(file))
    return kept[1]


def _scan(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return sorted(entries, key=lambda entry: entry.name)
    except FileNotFoundError as exc:
        raise ArchiveError(str(folder), f"there is no such folder. {_RIGHT_FOLDER}") from exc
    except OSError as exc:
        raise ArchiveError(str(folder), f"{exc.strerror}. {_RIGHT_FOLDER}") from exc


def _listed(entry: os.DirEntry[str]) -> _Listed:
    status = entry.stat(follow_symlinks=False)
    return _Listed(Path(entry.path), status.st_size, status.st_mtime_ns)


def _as_file(file: _Listed, dataspec: str, spec: Spec, *, latest: str = "9" * 14) -> ArchiveFile:
    provided = provided_in_name(file.name) or min(file.changed, latest)
    dropped = known_types(spec.layouts) - _delivered(spec, dataspec)
    return ArchiveFile(spec, file.path, file.name, provided, file.size, dropped)


@cache
def _delivered(spec: Spec, dataspec: str) -> frozenset[bytes]:
    found = spec.dataspec(dataspec)
    return frozenset(name.encode() for name in (found.record_types if found is not None else ()))


def _type_in_name(file: _Listed) -> bytes:
    return os.fsencode(file.name)[:2]


def _content(file: _Listed, layouts: Layouts) -> _Content | None:
    """Read a plain file through once; None when it cannot be read."""
    if not file.size:
        return _Content(frozenset([_type_in_name(file)]), frozenset())
    try:
        records, tail = split(load(file.path), layouts)
    except JVLinkError:
        return None
    heads = {record[:_HEAD_BYTES] for record in records}  # many records share one
    days = {key[:8] for head in heads if (key := carried_key(head, layouts)) is not None}
    if tail:
        heads.add(tail)
    return _Content(frozenset(map(record_type, heads)), frozenset(days))


def _about(records: list[bytes], key: str, layouts: Layouts) -> list[bytes]:
    """Return the records for *key*; those of unknown types come along when there are any others."""
    place, event = _place(key), key[:2].encode() if len(key) == 28 else b""
    known = known_types(layouts)
    about = [
        record
        for record in records
        if record_type(record) not in known
        or (event in (b"", record_type(record)) and _agree(carried_key(record, layouts) or "-", place))
    ]
    return about if any(record_type(record) in known for record in about) else []


def _short(key: str) -> str:
    """Return a race key without meeting and day, `YYYYMMDDJJRR`: that is enough to name a race."""
    return key[:10] + key[14:] if len(key) == 16 else key


def _place(key: str) -> str:
    """Return the day or race that *key* means, an event's too."""
    return key[2:14] if len(key) == 28 else _short(key)


def _agree(one: str, other: str) -> bool:
    """Whether a day, course or race lies within the other."""
    return one.startswith(other) or other.startswith(one)
