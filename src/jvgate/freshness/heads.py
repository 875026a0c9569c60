"""What the heads of a dataset's records say: types, DataKubun, days and races, without decoding anything.

Theory of operation.  A dataset's files hold one record type each, so its bytes are long runs of records of one length.
A run is found by its first record and grows while type and CR LF stand where the next record would have them, looked
at in blocks that double: a run costs a few microseconds however long it is.  Within a run the same field lies at a
constant distance, so all its values are one strided view of the bytes.

Where no known record stands, one line is taken: a known type whose trailing spaces were stripped still has its key;
anything else, and a line in which another record seems to begin, counts as unread, and who asks must then be careful:
an unread line may be about any race.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from jvgate.spec.layouts import Field, Layout, Layouts

__all__ = ["Heads", "Place", "Run", "Spans", "heads_of", "place_of", "spans_of"]

Spans = tuple[tuple[int, int], ...]
"""Offset in the record and length, one after another."""

_CRLF = b"\r\n"
_CRLF_WORD = int.from_bytes(_CRLF, "little")
_HEADER = re.compile(rb"[A-Z][A-Z0-9][0-9A-Z][0-9]{8}")
_NULS = re.compile(rb"\0*")
_LINE_FEED = 10
_PIECE = 1 << 20
_FIRST_BLOCK = 16
_FEW = 16  # records for which arrays cost more than they save
# So many lines of a stripped or foreign file are looked at one by one; the rest counts as unread.
_MOST_LINES = 65_536


@dataclass(frozen=True, slots=True)
class Place:
    """Where the records of a layout say what they are about, by their key: a day and, within it, a race.

    Both are empty where the key names none; race is what goes behind the day (course and race number).
    """

    day: Spans
    race: Spans

    @property
    def end(self) -> int:
        """The offset behind the last of both."""
        return max((offset + length for offset, length in self.day + self.race), default=0)


@dataclass(frozen=True, slots=True)
class Run:
    """Records of one layout, one after another.  stride: bytes from one to the next; length: of each, as it stands."""

    layout: Layout
    body: bytes
    start: int
    count: int
    stride: int
    length: int

    @property
    def record(self) -> str:
        """The record type."""
        return self.layout.record

    def column(self, offset: int, dtype: str) -> npt.NDArray[np.unsignedinteger]:
        """Return the bytes at *offset* of every record as numbers of *dtype*; a view, nothing is copied."""
        return np.ndarray((self.count,), dtype, self.body, self.start + offset, (self.stride,))

    def marks(self) -> bytes:
        """Return the DataKubun of every record."""
        return self.body[self.start + 2 : self.start + (self.count - 1) * self.stride + 3 : self.stride]

    def distinct(self, spans: Spans) -> set[bytes]:
        """Return the different values that stand at *spans*, put together.

        Equal neighbours are passed over first: files are sorted by race or day.
        """
        if self.count <= _FEW:
            starts = range(self.start, self.start + self.count * self.stride, self.stride)
            return {
                b"".join([self.body[at + offset : at + offset + length] for offset, length in spans]) for at in starts
            }
        changes = np.zeros(self.count, bool)
        changes[0] = True
        for offset, length in spans:
            column = self.column(offset, f"<u{length}")
            changes[1:] |= column[1:] != column[:-1]
        rows = np.hstack([self._letters(offset, length)[changes] for offset, length in spans])
        return set(rows.view(f"S{rows.shape[1]}").ravel().tolist())

    def _letters(self, offset: int, length: int) -> npt.NDArray[np.uint8]:
        return np.ndarray((self.count, length), "u1", self.body, self.start + offset, (self.stride, 1))


@dataclass(frozen=True, slots=True)
class Heads:
    """The runs of a dataset.  unread: the first two bytes of lines that are no known record, as text.

    is_clear: whether the runs are all there is; else other records may hide in unread lines or in damage.
    """

    runs: tuple[Run, ...]
    unread: frozenset[str]
    is_clear: bool


def heads_of(body: bytes, layouts: Layouts) -> Heads:
    """Return the runs of *body*, the raw records of a dataset."""
    runs: list[Run] = []
    unread: set[str] = set()
    at, lines = _after_nuls(body, 0), 0
    while at < len(body):
        run = _run(layouts, body, at)
        if run is None:
            lines += 1
            line_end = _line_end(body, at) if lines <= _MOST_LINES else len(body)
            run = _cut_record(layouts, body, at, line_end)
            if run is None:
                unread.add(body[at : at + 2].decode("ascii", "replace"))
                at = _after_nuls(body, line_end)
                continue
        runs.append(run)
        at = _after_nuls(body, run.start + (run.count - 1) * run.stride + run.length)
    # No record holds a line break but its last one: one more, and a damaged record has swallowed the next.
    is_clear = not unread and _line_breaks(body) <= sum(run.count for run in runs)
    return Heads(tuple(runs), frozenset(unread), is_clear)


@cache
def place_of(layout: Layout) -> Place:
    """Return where the key of *layout* names a day and a race."""
    keyed = {field.name: field for field in layout.fields if isinstance(field, Field) and field.path in layout.key}
    if {"Year", "MonthDay"} <= keyed.keys():
        day = _spans(keyed[name] for name in ("Year", "MonthDay"))
    else:
        day = _spans([field for field in keyed.values() if field.kind == "date"][:1])
    named = {"JyoCD", "RaceNum"} <= keyed.keys() and bool(day)
    return Place(day, _spans(keyed[name] for name in ("JyoCD", "RaceNum")) if named else ())


@cache
def spans_of(layout: Layout, name: str) -> Spans:
    """Return where the field called *name* stands, empty when *layout* has none (outside its groups)."""
    return _spans(field for field in layout.fields if isinstance(field, Field) and field.name == name)


def _spans(fields: Iterable[Field]) -> Spans:
    return tuple((field.offset, field.length) for field in fields)


@cache
def _known(layouts: Layouts, name: bytes) -> Sequence[Layout]:
    return layouts.generations(name.decode("ascii", "replace"))


def _line_breaks(body: bytes) -> int:
    """Return how many there are; several times faster than `bytes.count`, in pieces that fit the processor's cache."""
    letters = np.frombuffer(body, np.uint8)
    pieces = (letters[at : at + _PIECE] for at in range(0, len(letters), _PIECE))
    return sum(int(np.count_nonzero(piece == _LINE_FEED)) for piece in pieces)


@cache
def _hidden(layouts: Layouts) -> re.Pattern[bytes]:
    """Return what the head of a record of a known type looks like where no record is expected."""
    names = "|".join(layouts.types).encode()
    return re.compile(rb"(?:" + names + rb")[0-9A-Z](?:19|20)[0-9]{2}[01][0-9][0-3][0-9]")


def _after_nuls(body: bytes, at: int) -> int:
    """Return where the next record begins: JVGets puts a NUL behind each, and some archives kept it."""
    found = _NULS.match(body, at)
    return found.end() if found else at


def _run(layouts: Layouts, body: bytes, at: int) -> Run | None:
    """Return the run that begins at *at*, None when no record of a known length stands there."""
    for layout in _known(layouts, body[at : at + 2]):
        end = at + layout.length
        if body[end - 2 : end] != _CRLF or _HEADER.match(body, at) is None:
            continue
        next_at = _after_nuls(body, end)
        if next_at == len(body) or _HEADER.match(body, next_at) is not None:
            stride = next_at - at
            return Run(layout, body, at, _count(body, at, stride, layout.length), stride, layout.length)
    return None


def _count(body: bytes, at: int, stride: int, length: int) -> int:
    """Return how many records of the same type follow each other from *at* on, *stride* bytes apart."""
    most = (len(body) - at - length) // stride + 1
    known, block = 1, _FIRST_BLOCK
    while known < most and body.startswith(body[at : at + 2], at + known * stride):
        size = min(block, most - known)
        start = at + known * stride
        names = np.ndarray((size,), "<u2", body, start, (stride,))
        ends = np.ndarray((size,), "<u2", body, start + length - 2, (stride,))
        fits = (names == names[0]) & (ends == _CRLF_WORD)
        if not fits.all():
            return known + int(fits.argmin())
        known, block = known + size, block * 2
    return known


def _line_end(body: bytes, at: int) -> int:
    found = body.find(_CRLF, at)
    return found + 2 if found >= 0 else len(body)


def _cut_record(layouts: Layouts, body: bytes, at: int, end: int) -> Run | None:
    """Return the line as a record of its type whose end was stripped, None when it cannot be that."""
    known = _known(layouts, body[at : at + 2])
    # A cut record does not tell its generation, so all must agree on what its key says.
    if len({place_of(layout) for layout in known}) != 1 or _HEADER.match(body, at) is None:
        return None
    longest = max(layout.length for layout in known)
    if (
        end - at > longest
        or end - at < place_of(known[0]).end + 2
        or _hidden(layouts).search(body, at + 11, end) is not None
    ):
        return None
    return Run(known[0], body, at, 1, end - at, end - at)
