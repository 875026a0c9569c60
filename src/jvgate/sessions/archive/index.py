"""The index of an archive: what is known of each file, as a value, and how it is made and brought up to date.

Theory of operation.  A new, removed or renamed file changes its folder's time; a file overwritten in place changes
nothing but itself.  So there are two ways to a current index.  `IndexBuilder.made` lists every folder and compares
every file's size and time.  `IndexBuilder.refreshed` compares the times of folders only, and the names in those that
changed; a known name keeps its facts.  Either way a file is opened only when nothing is known of it or it changed.
Names are bytes here, as the file system has them: they need not be UTF-8.  A file that cannot be examined never keeps
the others out of the index.
"""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from functools import lru_cache
from pathlib import Path

import msgspec

from jvgate.errors import ArchiveError, JVLinkError
from jvgate.sessions.archive.rawfile import (
    carried_key,
    known_types,
    load,
    looks_like_jvdata,
    provided_in_name,
    record_type,
    shown,
    split,
)
from jvgate.spec.jst import JST
from jvgate.spec.layouts import Layouts
from jvgate.spec.spec import Spec

__all__ = [
    "EMPTY",
    "NO_DATA",
    "RIGHT_FOLDER",
    "ArchiveSummary",
    "Index",
    "IndexBuilder",
    "IndexedFile",
    "IndexedFolder",
]

RIGHT_FOLDER = "A right one holds files of raw records, plain or as RACE/<file>, 0B12/<key>, each also as .zst"
NO_DATA = "it holds no JV-Data"
_FIRST_TOLD = 10
_HEAD_BYTES = 28  # type, DataKubun, date and race key lie within
_NEVER = -1  # differs from every time of change
_SETTLED_NS = 2_000_000_000  # FAT tells a folder's time to two seconds: a younger one may change without a trace
_CHECKPOINT_S = 5.0


class IndexedFile(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """The facts of one file.  changed_ns: its time of change; -1: examine it again, it could not be opened.

    provided: YYYYMMDDhhmmss, JST, of its name, else its time of change.  types, days (YYYYMMDD): of the records of a
    plain file.  is_data: whether it is served.  problem: why it is passed over or cannot be read, else "".
    """

    size: int
    changed_ns: int
    provided: str
    types: tuple[bytes, ...] = ()
    days: tuple[str, ...] = ()
    is_data: bool = True
    problem: str = ""


class IndexedFolder(msgspec.Struct, frozen=True, array_like=True):
    """The files and folders of one folder by name.  changed_ns: -1 when it changed too shortly before it was listed."""

    changed_ns: int
    files: dict[bytes, IndexedFile]
    folders: tuple[bytes, ...] = ()
    problem: str = ""

    def serves(self, name: bytes) -> bool:
        """Whether *name* is a file of JV-Data to be served; of a file and its `.zst` the file is."""
        return self.files[name].is_data and not _twin(name, self.files)

    def served(self) -> Iterator[bytes]:
        """Yield the names of the files to be served."""
        return filter(self.serves, self.files)

    def problems(self) -> Iterator[tuple[bytes, str]]:
        """Yield the names of files that are passed over or cannot be read, and why; "" is the folder itself."""
        if self.problem:
            yield b"", self.problem
        for name, file in self.files.items():
            if file.problem or _twin(name, self.files):
                yield name, file.problem or "the same file stands beside it without .zst"


class ArchiveSummary(msgspec.Struct, frozen=True):
    """The index in short.  files: of JV-Data.  passed_over: number of the others; first: some of them, and why.

    sample: the path of one file of JV-Data, relative to the archive, b"" when there is none.
    """

    files: int
    passed_over: int
    first: tuple[tuple[str, str], ...]
    sample: bytes


class Index(msgspec.Struct, frozen=True):
    """The folders of an archive by their paths, relative to it, with slashes; b"" is the archive itself."""

    folders: dict[bytes, IndexedFolder]

    def has_files(self) -> bool:
        """Whether there is any file, of JV-Data or not."""
        return any(folder.files for folder in self.folders.values())

    def summary(self) -> ArchiveSummary:
        """Count the files, and those that are passed over."""
        files, sample, problems = 0, b"", []
        for path, folder in sorted(self.folders.items()):
            for name in folder.served():
                files, sample = files + 1, sample or joined(path, name)
            problems += [(shown(os.fsdecode(joined(path, name))), why) for name, why in folder.problems()]
        return ArchiveSummary(files, len(problems), tuple(sorted(problems)[:_FIRST_TOLD]), sample)


EMPTY = Index({})


def joined(folder: bytes, name: bytes) -> bytes:
    """Return the path of *name* in *folder*, relative to the archive."""
    return folder + b"/" + name if folder and name else folder or name


class IndexBuilder:
    """Makes indexes of the archive at *root*.

    spec: of the provider; a file in a folder named like one of its data specs belongs to that data spec.
    clock: seconds since the epoch.  checkpoint: takes an unfinished index from time to time, as far as it has come.
    """

    def __init__(
        self,
        root: Path,
        spec: Spec,
        *,
        clock: Callable[[], float] = time.time,
        checkpoint: Callable[[Index], object] = lambda index: None,
    ) -> None:
        self._root = os.fsencode(root)
        self._spec = spec
        self._types = known_types(spec.layouts)
        self._clock = clock
        self._checkpoint = checkpoint
        self._saved_at = 0.0

    def made(self, known: Index = EMPTY) -> Index:
        """Return the index, made anew: files whose size and time stand in *known* are not opened again.

        Raises ArchiveError when the archive's folder cannot be listed.
        """
        self._saved_at = self._clock()
        folders: dict[bytes, IndexedFolder] = {}
        self._enter(b"", known, folders, is_deep=True)
        return Index(folders)

    def refreshed(self, index: Index, paths: Iterable[bytes]) -> Index:
        """Return *index* with those folders among *paths* listed again that changed; the same one when none did.

        Raises ArchiveError when the archive's folder cannot be listed.
        """
        self._saved_at = self._clock()
        changed: dict[bytes, IndexedFolder] = {}
        gone: set[bytes] = set()
        for path in paths:
            before = index.folders[path]
            if path in gone or self._changed_ns(path) == before.changed_ns:
                continue
            self._enter(path, index, changed, is_deep=False)
            for name in set(before.folders) - set(changed[path].folders):
                gone |= _below(index, joined(path, name))
        changed = {
            path: folder
            for path, folder in changed.items()
            if path not in gone and index.folders.get(path) is not folder
        }
        if not changed and not gone:
            return index
        kept = {path: folder for path, folder in index.folders.items() if path not in gone}
        return Index(kept | changed)

    def _enter(self, path: bytes, known: Index, found: dict[bytes, IndexedFolder], *, is_deep: bool) -> None:
        """Put the folder at *path* into *found*, and the folders in it that are not known."""
        waiting = [path]
        while waiting:
            path = waiting.pop()
            found[path] = folder = self._listed(path, known, found, is_deep=is_deep)
            below = [joined(path, name) for name in folder.folders]
            waiting += below if is_deep else [item for item in below if item not in known.folders]

    def _listed(self, path: bytes, known: Index, found: dict[bytes, IndexedFolder], *, is_deep: bool) -> IndexedFolder:
        """List one folder; return the known one where nothing differs."""
        changed_ns = self._changed_ns(path)
        if self._clock() * 1e9 - changed_ns < _SETTLED_NS:
            changed_ns = _NEVER
        try:
            listed = os.listdir(self._full(path))  # noqa: PTH208  (paths are bytes here)
        except OSError as exc:
            if not path:
                raise _unusable(self._root, exc) from exc
            return IndexedFolder(_NEVER, {}, problem=f"it cannot be listed: {exc.strerror}")
        before = known.folders.get(path, _NOTHING)
        names, files, folders = set(listed), dict[bytes, IndexedFile](), list[bytes]()
        if not is_deep:  # known names keep their facts, so that a new file among many costs little
            files = dict(before.files)
            for name in before.files.keys() - names:
                del files[name]
            folders = [name for name in before.folders if name in names]
            names = names - files.keys() - set(folders)
        for name in sorted(name for name in names if not name.startswith(b".")):
            facts = self._facts(path, name, before.files.get(name))
            if facts is None:
                folders.append(name)
            elif facts is not _GONE:
                files[name] = facts
            self._save(known, found, path, files)
        folder = IndexedFolder(changed_ns, files, tuple(folders))
        return before if before == folder else folder

    def _facts(self, path: bytes, name: bytes, known: IndexedFile | None) -> IndexedFile | None:
        """Return the facts of one file, the known ones where size and time are the same; None for a folder."""
        full = self._full(joined(path, name))
        try:
            status = os.stat(full, follow_symlinks=False)  # noqa: PTH116  (paths are bytes here)
            if stat.S_ISDIR(status.st_mode):
                return None
            if known is not None and (known.size, known.changed_ns) == (status.st_size, status.st_mtime_ns):
                return known
            text = os.fsdecode(name)
            provided = provided_in_name(text) or _stamp(status.st_mtime_ns)
            facts = IndexedFile(status.st_size, status.st_mtime_ns, provided)
            if not stat.S_ISREG(status.st_mode):
                what = "a link is not followed" if stat.S_ISLNK(status.st_mode) else "it is no regular file"
                return msgspec.structs.replace(facts, is_data=False, problem=what)
            is_plain = not self._spec.is_dataspec(os.fsdecode(path.partition(b"/")[0]))
            return self._examined(Path(os.fsdecode(full)), facts, known, is_plain=is_plain)
        except FileNotFoundError:
            return _GONE
        except Exception as exc:  # noqa: BLE001  (whatever is odd about one file, the others have to be served)
            why = exc.strerror if isinstance(exc, OSError) else repr(exc)
            return IndexedFile(0, _NEVER, "", is_data=False, problem=f"it cannot be examined: {why}")

    def _examined(self, path: Path, facts: IndexedFile, known: IndexedFile | None, *, is_plain: bool) -> IndexedFile:
        """Return *facts* with what the file holds."""
        type_in_name = os.fsencode(path.name)[:2]
        if not facts.size:  # an empty file counts by its place, or by JV-Link's way to begin a name with the type
            is_data = not is_plain or type_in_name in self._types
            return msgspec.structs.replace(
                facts, types=(type_in_name,), is_data=is_data, problem="" if is_data else NO_DATA
            )
        try:
            if not looks_like_jvdata(path):
                return msgspec.structs.replace(facts, is_data=False, problem=NO_DATA)
            if not is_plain:
                return facts
            types, days = _content(path, self._spec.layouts)
            return msgspec.structs.replace(facts, types=types, days=days)
        except (OSError, JVLinkError) as exc:
            is_closed = isinstance(exc, OSError) or isinstance(exc.__cause__, OSError)
            why = exc.detail if isinstance(exc, JVLinkError) else f"it cannot be opened: {exc.strerror}"
            # It still counts where it is known to belong, so that a read that needs it fails and tells why.
            types, days = (known.types, known.days) if known is not None else ((), ())
            if not types and type_in_name in self._types:
                types = (type_in_name,)
            return msgspec.structs.replace(
                facts,
                changed_ns=_NEVER if is_closed else facts.changed_ns,
                types=types,
                days=days,
                is_data=bool(types) or not is_plain,
                problem=why,
            )

    def _save(
        self, known: Index, found: dict[bytes, IndexedFolder], path: bytes, files: dict[bytes, IndexedFile]
    ) -> None:
        """Hand over what is known so far, if that has not been done for a while: the process may be ended."""
        if self._clock() - self._saved_at < _CHECKPOINT_S:
            return
        before = known.folders.get(path, _NOTHING)
        unfinished = IndexedFolder(_NEVER, before.files | files, before.folders)
        self._checkpoint(Index(known.folders | found | {path: unfinished}))
        self._saved_at = self._clock()

    def _changed_ns(self, path: bytes) -> int:
        try:
            return os.stat(self._full(path)).st_mtime_ns  # noqa: PTH116
        except OSError as exc:
            if not path:
                raise _unusable(self._root, exc) from exc
            return _NEVER - 1  # gone: it differs from every known time

    def _full(self, path: bytes) -> bytes:
        return self._root + b"/" + path if path else self._root


_NOTHING = IndexedFolder(_NEVER, {})
_GONE = IndexedFile(0, _NEVER, "", is_data=False)
"""Stands for a file that went away between the listing and the look at it."""


def _twin(name: bytes, files: dict[bytes, IndexedFile]) -> bool:
    return name.endswith(b".zst") and name.removesuffix(b".zst") in files


def _below(index: Index, path: bytes) -> set[bytes]:
    """Return the paths of a folder and of all folders in it."""
    return {item for item in index.folders if item == path or item.startswith(path + b"/")}


def _content(path: Path, layouts: Layouts) -> tuple[tuple[bytes, ...], tuple[str, ...]]:
    """Read a plain file through once; return the types of its records and the days of those that carry a key.

    Raises JVLinkError.
    """
    records, tail = split(load(path), layouts)
    heads = {record[:_HEAD_BYTES] for record in records}  # many records share one
    days = {key[:8] for head in heads if (key := carried_key(head, layouts)) is not None}
    if tail:
        heads.add(tail)
    return tuple(sorted(set(map(record_type, heads)))), tuple(sorted(days))


def _stamp(changed_ns: int) -> str:
    return _stamp_of_second(changed_ns // 1_000_000_000)


@lru_cache(maxsize=1 << 12)
def _stamp_of_second(epoch_s: int) -> str:
    return datetime.fromtimestamp(epoch_s, JST).strftime("%Y%m%d%H%M%S")


def _unusable(root: bytes, exc: OSError) -> ArchiveError:
    why = "there is no such folder" if isinstance(exc, FileNotFoundError) else exc.strerror
    return ArchiveError(shown(os.fsdecode(root)), f"{why}. {RIGHT_FOLDER}")
