"""A folder of raw JV-Data, served as JRA-VAN's server would serve it.

Theory of operation.  A file under `<DATASPEC>/` belongs to that data spec, and for real-time data its name is the key;
under `<DATASPEC>/<key>/` it is one version of the answer to that key, named by the time at which it was read.  Every
other file is plain: it belongs to each data spec that delivers one of its record types.  The index (`shared_index.py`)
tells what lies where; a `_Shelved` arranges the files of one data spec, and is kept while their folders stay the same.
Links are not followed: nothing outside the folder is ever read, and a key is only compared with names, never made into
a path.
"""

from __future__ import annotations

import os
import re
import time
from bisect import bisect_right, insort
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache, cached_property
from operator import attrgetter
from pathlib import Path

import msgspec
import structlog
from msgspec.structs import replace

from jvgate.errors import ArchiveError, JVLinkError
from jvgate.sessions.archive.index import (
    EMPTY,
    NO_DATA,
    RIGHT_FOLDER,
    ArchiveSummary,
    Index,
    IndexedFile,
    IndexedFolder,
    joined,
)
from jvgate.sessions.archive.rawfile import (
    carried_key,
    known_types,
    load,
    provided_in_name,
    record_type,
    shown,
    split,
)
from jvgate.sessions.archive.shared_index import SharedIndex
from jvgate.spec.layouts import Layouts
from jvgate.spec.spec import Spec

__all__ = ["ArchiveFile", "ArchiveShelf"]

_FEW = 100
_KEY = re.compile(r"[0-9]{8}([0-9A-Z]{2}([0-9]{4})?[0-9]{2})?|[A-Z][A-Z0-9][0-9]{8}[0-9A-Z]{2}[0-9]{16}")

log: structlog.stdlib.BoundLogger = structlog.get_logger("jvgate.archive")


class ArchiveFile(msgspec.Struct, frozen=True, gc=False):
    """One file as the simulator reads it.

    spec: of the provider.  place: its path as the file system has it.  name: to be shown, without `.zst`.  dropped:
    record types that its data spec does not deliver.  key: in its short form, the one that the file answers; "" for
    none.
    """

    spec: Spec
    place: bytes
    name: str
    provided: str
    size: int
    dropped: frozenset[bytes]
    key: str = ""

    @property
    def path(self) -> Path:
        """Where it lies."""
        return Path(os.fsdecode(self.place))

    def read(self) -> list[bytes]:
        """Return the records, each with its CR LF.  Raises JVLinkError (-402, -403, -503)."""
        data = load(self.path)
        records, tail = split(data, self.spec.layouts)
        if tail and record_type(tail) not in self.dropped:
            at = len(data.rstrip(b"\0")) - len(tail)
            why = f"the record at byte {at} has no end (CR LF)"
            # JV-Link's code cannot say it.
            log.warning("a file of the archive is cut short", file=shown(str(self.path)), why=why)
            raise JVLinkError(-403, "JVGets", detail=f"{shown(self.path.name)}: {why}")
        return [record for record in records if record_type(record) not in self.dropped]


class ArchiveShelf:
    """The shelf of one folder; several threads may ask it.

    spec: of the provider whose data it holds.  clock: seconds since the epoch.
    """

    def __init__(self, folder: Path | str, spec: Spec, *, clock: Callable[[], float] = time.time) -> None:
        self._spec = spec
        self._folder = Path(folder).expanduser().absolute()
        self._index = SharedIndex(self._folder, spec, clock=clock)
        self._places = _Places.of(EMPTY, spec)
        self._shelved: dict[str, _Shelved] = {}

    def check(self) -> None:
        """Raise ArchiveError unless the folder is there and holds at least one file of JV-Data."""
        if not self.summary().files:
            raise ArchiveError(shown(str(self._folder)), f"{NO_DATA}. {RIGHT_FOLDER}")

    def summary(self) -> ArchiveSummary:
        """Return how many files there are, and which are passed over.  Raises ArchiveError when the folder is gone."""
        return self._index.summary()

    def renewed(self) -> AbstractContextManager[None]:
        """Keep the index of the folder young while the block runs."""
        return self._index.renewed()

    def stored(self, dataspec: str, *, now: datetime, setup: bool) -> Sequence[ArchiveFile]:
        """Return the files of one data spec, the oldest first.  setup: of no account, all is kept here.

        What lies in the folder has been provided: at the time in a file's name, else when it last changed,
        at the latest *now*.  Raises ArchiveError when the folder is gone or holds no JV-Data at all.
        """
        return self._ask(dataspec).provided_by(now.strftime("%Y%m%d%H%M%S"))

    def realtime(self, dataspec: str, key: str, *, now: datetime) -> Sequence[bytes] | None:
        """Return the records for *key*: the newest file of that name, or what other files hold for the key.

        Raises JVLinkError (-402, -403, -503), and ArchiveError when there is no JV-Data at all.
        """
        place = _place(key)
        answers = self._ask(dataspec, day=place[:8]).answers
        if (newest := answers.named.get(_short(key))) is not None:
            return newest.read() or None
        agreeing = [file for file in answers.by_day.get(place[:8], ()) if _agree(_place(file.key), place)]
        files = [*sorted(answers.loose + agreeing, key=_in_order), *answers.plain.get(place[:8], ())]
        return _about([record for file in files for record in file.read()], key, self._spec.layouts) or None

    def _ask(self, dataspec: str, *, day: str = "") -> _Shelved:
        """Return the files of *dataspec*; of answers to keys only those of *day* are sure to be up to date."""
        index = self._index.current(lambda index: self._placed(index).needed(dataspec, day))
        places = self._placed(index)
        if not places.has_data:
            raise ArchiveError(shown(str(self._folder)), f"{NO_DATA}. {RIGHT_FOLDER}")
        shelved = self._shelved.get(dataspec) or _Shelved(self._spec, os.fsencode(self._folder), dataspec)
        shelved = self._shelved[dataspec] = shelved.following(places)
        return shelved

    def _placed(self, index: Index) -> _Places:
        places = self._places
        if places.index is not index:
            places = self._places = _Places.of(index, self._spec)
        return places


@dataclass(frozen=True, slots=True)
class _Places:
    """The folders of an index by what they are for.

    plain: of files that belong to no data spec by their place.  own: by data spec; keyed: of those, the folders that
    hold the versions of answers, by data spec and day of their keys.
    """

    spec: Spec
    index: Index
    has_data: bool
    plain: Sequence[bytes]
    own: defaultdict[str, list[bytes]]
    keyed: defaultdict[str, defaultdict[str, list[bytes]]]

    @classmethod
    def of(cls, index: Index, spec: Spec) -> _Places:
        has_data = any(True for folder in index.folders.values() for _ in folder.served())
        places = cls(spec, index, has_data, plain := [], defaultdict(list), defaultdict(lambda: defaultdict(list)))
        for path in sorted(index.folders):
            dataspec, *below = os.fsdecode(path).split("/")
            if not spec.is_dataspec(dataspec):
                plain.append(path)
            elif below and _KEY.fullmatch(below[0]):
                places.keyed[dataspec][_place(below[0])[:8]].append(path)
            else:
                places.own[dataspec].append(path)
        return places

    def needed(self, dataspec: str, day: str) -> Iterator[bytes]:
        """Yield the folders that have to be up to date for a question to *dataspec*, about *day* or ("") any."""
        yield from self.plain
        yield from self.own[dataspec]
        for keyed, paths in self.keyed[dataspec].items():
            if day in ("", keyed):
                yield from paths

    def folders(self, dataspec: str) -> dict[bytes, IndexedFolder]:
        """Return every folder whose files may belong to *dataspec*, by its path; the plain ones come last."""
        own = [*self.own[dataspec], *(path for paths in self.keyed[dataspec].values() for path in paths)]
        return {path: self.index.folders[path] for path in [*sorted(own), *self.plain]}


class _Shelved:
    """The files of one data spec, arranged for questions; what stays the same is taken over from *before*."""

    def __init__(
        self, spec: Spec, root: bytes, dataspec: str, places: _Places | None = None, before: _Shelved | None = None
    ) -> None:
        self._spec = spec
        self._root = root
        self._dataspec = dataspec
        self._places = places
        self._folders = places.folders(dataspec) if places else {}
        self._added: list[ArchiveFile] = []
        self._has_lost = before is None or not before._folders.keys() <= self._folders.keys()
        self._files = {path: self._arranged(path, before) for path in self._folders}
        self._sorted: list[ArchiveFile] | None = self._grown(before._sorted if before else None)
        self._clipped: tuple[str, Sequence[ArchiveFile]] = ("", ())

    def following(self, places: _Places) -> _Shelved:
        """Return the same for *places*; itself where no folder of the data spec differs."""
        if places is self._places:
            return self
        folders = places.folders(self._dataspec)
        if folders.keys() == self._folders.keys() and all(self._folders[path] is folders[path] for path in folders):
            self._places = places
            return self
        return _Shelved(self._spec, self._root, self._dataspec, places, before=self)

    def provided_by(self, latest: str) -> Sequence[ArchiveFile]:
        """Return the files, the oldest first; one whose name tells no time was provided by *latest*."""
        files = self.files
        at = bisect_right(files, latest, key=_provided)
        if at == len(files):
            return files
        if self._clipped[0] != latest:
            later = [file if provided_in_name(file.name) else replace(file, provided=latest) for file in files[at:]]
            self._clipped = latest, [*files[:at], *sorted(later, key=_provided_and_name)]
        return self._clipped[1]

    @property
    def files(self) -> Sequence[ArchiveFile]:
        """All files, the oldest first."""
        if self._sorted is None:
            files = (file for files in self._files.values() for file in files.values())
            self._sorted = sorted(files, key=_provided_and_name)
        return self._sorted

    @cached_property
    def answers(self) -> _Answers:
        """The files by the keys that they answer."""
        answers = _Answers()
        newest: dict[str, tuple[str, int]] = {}
        for path, files in self._files.items():
            facts = self._folders[path].files
            for name, file in files.items():
                if self._is_plain(path):
                    for day in facts[name].days:
                        answers.plain[day].append(file)
                elif not file.key:
                    answers.loose.append(file)
                elif (moment := (file.provided, facts[name].changed_ns)) > newest.get(file.key, ("", 0)):
                    newest[file.key] = moment
                    answers.named[file.key] = file
        for key, file in answers.named.items():
            answers.by_day[_place(key)[:8]].append(file)
        return answers

    def _arranged(self, path: bytes, before: _Shelved | None) -> dict[bytes, ArchiveFile]:
        """Return the files of one folder that belong to the data spec; a new one among many costs little."""
        folder, earlier = self._folders[path], before._folders.get(path) if before else None
        if before is None or earlier is None:
            earlier, files = IndexedFolder(0, {}), dict[bytes, ArchiveFile]()
        elif earlier is folder:
            return before._files[path]
        else:
            files = dict(before._files[path])
        known = earlier.files
        different = {name for name, facts in folder.files.items() if known.get(name) is not facts}
        different |= known.keys() - folder.files.keys()
        for name in different | {name + b".zst" for name in different}:  # which is served only without the other
            if files.pop(name, None) is not None:
                self._has_lost = True
            facts = folder.files.get(name)
            if facts is not None and folder.serves(name) and self._holds(facts, is_plain=self._is_plain(path)):
                files[name] = self._file(path, name, facts)
                self._added.append(files[name])
        return files

    def _holds(self, facts: IndexedFile, *, is_plain: bool) -> bool:
        """Whether a file belongs to the data spec; a plain one without any known type belongs to every one."""
        delivered, known = _delivered(self._spec, self._dataspec), known_types(self._spec.layouts)
        return not is_plain or not delivered.isdisjoint(facts.types) or known.isdisjoint(facts.types)

    def _is_plain(self, path: bytes) -> bool:
        return not self._spec.is_dataspec(os.fsdecode(path.partition(b"/")[0]))

    def _grown(self, files: list[ArchiveFile] | None) -> list[ArchiveFile] | None:
        """Return sorted *files* with those added that are new; None where all have to be sorted."""
        if files is None or self._has_lost or len(self._added) > _FEW:
            return None
        files = files.copy()
        for file in self._added:
            insort(files, file, key=_provided_and_name)
        return files

    def _file(self, path: bytes, name: bytes, facts: IndexedFile) -> ArchiveFile:
        text = shown(os.fsdecode(name)).removesuffix(".zst")
        key = _short(_key_of(path, text.partition(".")[0]))
        place = self._root + b"/" + joined(path, name)
        dropped = _dropped(self._spec, self._dataspec)
        return ArchiveFile(self._spec, place, text, facts.provided, facts.size, dropped, key)


@dataclass(frozen=True, slots=True)
class _Answers:
    """Real-time answers.  named: the newest file of each key in its short form; by_day: those by the days of keys.

    loose: files of the data spec that are named by no key.  plain: plain files by the days of their records.
    """

    named: dict[str, ArchiveFile] = field(default_factory=dict)
    by_day: defaultdict[str, list[ArchiveFile]] = field(default_factory=lambda: defaultdict(list))
    loose: list[ArchiveFile] = field(default_factory=list)
    plain: defaultdict[str, list[ArchiveFile]] = field(default_factory=lambda: defaultdict(list))


_provided = attrgetter("provided")
_provided_and_name = attrgetter("provided", "name")


def _in_order(file: ArchiveFile) -> list[bytes]:
    return file.place.split(b"/")


def _key_of(folder: bytes, stem: str) -> str:
    """Return the key that a file answers: its name, or that of its folder where it is a version; "" for none."""
    if _KEY.fullmatch(stem):
        return stem
    _, *below = os.fsdecode(folder).split("/")
    is_version = len(below) == 1 and provided_in_name(stem) == stem
    return below[0] if is_version and _KEY.fullmatch(below[0]) else ""


@cache
def _delivered(spec: Spec, dataspec: str) -> frozenset[bytes]:
    found = spec.dataspec(dataspec)
    return frozenset(name.encode() for name in (found.record_types if found is not None else ()))


@cache
def _dropped(spec: Spec, dataspec: str) -> frozenset[bytes]:
    return known_types(spec.layouts) - _delivered(spec, dataspec)


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
