"""What framing finds in a stream of bytes: runs of records of one layout, records by themselves, damage.

Nothing is copied: a run or a record refers to the bytes in which it stands.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from jvgate.spec.layouts import Layout
from jvgate.spec.places import Spans

__all__ = ["CRLF", "FEW", "Damage", "Framed", "RawRecord", "RecordRun"]

CRLF = b"\r\n"
FEW = 16  # records for which arrays cost more than they save
_WORDS = (1, 2, 4, 8)


@dataclass(frozen=True, slots=True)
class RawRecord:
    """One record by itself.  layout: None for an unknown type or length.

    body, start, size: where its bytes stand.  offset: from the start of its file or stream.  padded: number of bytes to
    put back at its end.
    """

    body: bytes
    start: int
    size: int
    layout: Layout | None
    offset: int
    padded: int = 0

    @classmethod
    def of(cls, raw: bytes, layout: Layout | None, *, offset: int = 0) -> RawRecord:
        """Return the record whose bytes are *raw*."""
        return cls(raw, 0, len(raw), layout, offset)

    @property
    def raw(self) -> bytes:
        """Its bytes, with those that were put back at its end."""
        found = self.as_it_came()
        return found[: -len(CRLF)] + b" " * self.padded + CRLF if self.padded else found

    @property
    def head(self) -> bytes:
        """Its record type."""
        return self.body[self.start : self.start + 2]

    def as_it_came(self) -> bytes:
        """Return its bytes without those that were put back."""
        return self.body[self.start : self.start + self.size]


@dataclass(frozen=True, slots=True)
class Damage:
    """Bytes that belong to no record.

    offset: from the start of the stream.  length: how many were lost.  head: the first two of them.
    """

    offset: int
    length: int
    why: str
    head: bytes


@dataclass(frozen=True, slots=True)
class RecordRun:
    """Records of one layout, one after another: *count* of them, each whole and of its exact length.

    body, start: where the first one stands.  stride: bytes from one to the next.  offset: of the first one from the
    start of its file or stream.
    """

    body: bytes
    start: int
    layout: Layout
    count: int
    stride: int
    offset: int

    @classmethod
    def of(cls, raw: bytes, layout: Layout, *, offset: int = 0) -> RecordRun:
        """Return the run whose records follow each other in *raw* without anything between."""
        return cls(raw, 0, layout, len(raw) // layout.length, layout.length, offset)

    @property
    def raw(self) -> bytes:
        """Their bytes, without what stands between them."""
        length = self.layout.length
        if self.stride == length:
            return self.body[self.start : self.start + self.count * length]
        return np.ascontiguousarray(self._matrix(0, length)).tobytes()

    @property
    def head(self) -> bytes:
        """Their record type."""
        return self.body[self.start : self.start + 2]

    @property
    def end(self) -> int:
        """The place in *body* behind the last one."""
        return self.start + (self.count - 1) * self.stride + self.layout.length

    def goes_on_with(self, other: RecordRun) -> bool:
        """Whether *other* is the next part of the same run."""
        is_alike = self.layout is other.layout and (self.stride == other.stride or other.count == 1)
        return is_alike and self.start + self.count * self.stride == other.start

    def records(self) -> Iterator[RawRecord]:
        """Yield them one by one."""
        length = self.layout.length
        for number in range(self.count):
            at = number * self.stride
            yield RawRecord(self.body, self.start + at, length, self.layout, self.offset + at)

    def part(self, first: int, last: int) -> RecordRun:
        """Return the records from number *first* to before *last*."""
        at = first * self.stride
        return replace(self, start=self.start + at, count=last - first, offset=self.offset + at)

    def chosen(self, wanted: NDArray[np.bool_]) -> RecordRun | None:
        """Return the records for which *wanted* is true, None where there is none."""
        if wanted.all():
            return self
        rows = self._matrix(0, self.layout.length)[wanted]
        return RecordRun.of(rows.tobytes(), self.layout, offset=self.offset) if len(rows) else None

    def marks(self) -> bytes:
        """Return the DataKubun of every record."""
        return self.body[self.start + 2 : self.start + (self.count - 1) * self.stride + 3 : self.stride]

    def cells(self, offset: int, length: int, numbers: Iterable[int] | None = None) -> list[bytes]:
        """Return the *length* bytes at *offset* of every record, or of those with the given *numbers*."""
        body, first, stride = self.body, self.start + offset, self.stride
        starts = (first + number * stride for number in (range(self.count) if numbers is None else numbers))
        return [body[at : at + length] for at in starts]

    def changes(self, spans: Spans) -> NDArray[np.bool_]:
        """Return for every record whether the bytes at *spans* differ from those of the record before it."""
        changed = np.zeros(self.count, np.bool_)
        changed[0] = True
        for offset, length in spans:
            if length in _WORDS:
                words = np.ndarray((self.count,), f"<u{length}", self.body, self.start + offset, (self.stride,))
                changed[1:] |= words[1:] != words[:-1]
            else:
                cells = self._matrix(offset, length)
                changed[1:] |= (cells[1:] != cells[:-1]).any(axis=1)
        return changed

    def distinct(self, spans: Spans) -> set[bytes]:
        """Return the different values that stand at *spans*, put together.

        Equal neighbours are passed over first: files are sorted by race or day.
        """
        if self.count <= FEW:
            columns = [self.cells(offset, length) for offset, length in spans]
            return set(map(b"".join, zip(*columns, strict=True)))
        changed = self.changes(spans)
        rows = np.hstack([self._matrix(offset, length)[changed] for offset, length in spans])
        return set(rows.view(f"S{rows.shape[1]}").ravel().tolist())

    def _matrix(self, offset: int, length: int) -> NDArray[np.uint8]:
        """Return the *length* bytes at *offset*, a row a record; a view, nothing is copied."""
        return np.ndarray((self.count, length), np.uint8, self.body, self.start + offset, (self.stride, 1))


Framed = RecordRun | RawRecord | Damage
