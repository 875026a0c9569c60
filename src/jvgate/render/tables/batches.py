"""The base of all table writers, which cuts records into batches of a fixed size.

How many records a writer gets at once does not change the bytes that it writes altogether, unless a client that waits
gets the records that wait for a full batch.  Older generations of a record type go into the same table: they have the
same columns, only their fields were narrower.
"""

from __future__ import annotations

import io
from abc import abstractmethod
from collections import deque
from collections.abc import Iterator
from typing import Any

import pyarrow as pa

from jvgate.errors import QueryError
from jvgate.records.columns.table import Columns, columns_of
from jvgate.records.runs import RawRecord
from jvgate.records.text import wrong_length
from jvgate.render.formats.format import record_types
from jvgate.render.formats.writers import RecordWriter
from jvgate.spec.layouts import Layout
from jvgate.spec.spec import Spec
from jvgate.values import Question

__all__ = ["Batches", "Outlet", "TableWriter"]

# Measured: fewer rows pay for the calls that each column takes, more leave the processor's cache.
_BATCH_BYTES = 1 << 21
_MOST_ROWS = 8192


class TableWriter(RecordWriter):
    """A table of one record type.  It has no place for records of unknown layout, and shows damage in its columns.

    is_stream: a client waits for the records, however few they are.
    """

    def __init__(self, question: Question, spec: Spec, *, is_stream: bool = False) -> None:
        (record,) = record_types(question, spec)
        self._batches = Batches(spec.layouts.current(record), question.selection.fields)
        self._is_stream = is_stream

    def write(self, layout: Layout, raw: bytes, count: int) -> bytes:
        """Return the bytes of the batches that are full."""
        for batch in self._batches.add(layout, raw, count):
            self._add(batch)
        return self._taken()

    def write_single(self, frame: RawRecord) -> bytes:
        """Return the bytes of the batch that is full."""
        return self.write(frame.layout, frame.raw, 1) if frame.layout is not None else b""

    @property
    def has_rest(self) -> bool:
        """Whether records wait for more to fill a batch while a client waits for them."""
        return self._is_stream and self._batches.has_rest

    def rest(self) -> bytes:
        """Write the records that wait."""
        for batch in self._batches.rest():
            self._add(batch)
        return self._taken()

    @abstractmethod
    def _add(self, batch: pa.RecordBatch) -> None:
        """Write a batch."""

    @abstractmethod
    def _taken(self) -> bytes:
        """Return the bytes that are ready, once."""


class Batches:
    """Decodes records of one type, of any generation, in batches that depend on the records alone.

    layout: the current one of the type.
    """

    def __init__(self, layout: Layout, fields: tuple[str, ...]) -> None:
        self._fields = fields
        self.layout = layout
        self.schema = columns_of(self.layout, fields).schema
        self._of = self.layout
        self._pending = b""

    def add(self, layout: Layout, raw: bytes, count: int) -> Iterator[pa.RecordBatch]:
        """Yield the batches that *count* records of *layout* fill; what is left waits."""
        if layout.record != self.layout.record:
            raise QueryError(
                "one-record-needed",
                "A table holds records of one type.",
                parameter="record",
                value=layout.record,
                allowed=f"one record type, here {self.layout.record}",
            )
        if len(raw) != count * layout.length:
            raise wrong_length(layout, raw)
        if layout is not self._of:
            yield from self.rest()
            self._of = layout
        size = layout.length * min(max(_BATCH_BYTES // layout.length, 1), _MOST_ROWS)
        data = memoryview(raw)
        if self._pending:
            missing = size - len(self._pending)
            self._pending += data[:missing]
            if len(self._pending) < size:
                return
            yield from self.rest()
            data = data[missing:]
        whole = len(data) - len(data) % size
        for at in range(0, whole, size):
            yield self._decoded(data[at : at + size])
        self._pending = bytes(data[whole:])

    @property
    def has_rest(self) -> bool:
        """Whether records wait for more to fill a batch."""
        return bool(self._pending)

    def rest(self) -> Iterator[pa.RecordBatch]:
        """Yield the batch that waits, if there is one."""
        if self._pending:
            raw, self._pending = self._pending, b""
            yield self._decoded(raw)

    def _decoded(self, raw: bytes | memoryview) -> pa.RecordBatch:
        columns: Columns = columns_of(self._of, self._fields)
        batch = columns.decode(raw)
        return batch if self._of is self.layout else pa.RecordBatch.from_arrays(batch.columns, schema=self.schema)


class Outlet(io.RawIOBase):
    """A file to write to whose bytes are taken away as they come; one thread may write while another takes."""

    def __init__(self) -> None:
        super().__init__()
        self._pieces: deque[bytes] = deque()
        self._at = 0

    def writable(self) -> bool:
        """Return that it is."""
        return True

    def write(self, data: Any, /) -> int:
        """Take *data* over."""
        piece = bytes(data)
        self._pieces.append(piece)
        self._at += len(piece)
        return len(piece)

    def tell(self) -> int:
        """Return how many bytes were written."""
        return self._at

    def taken(self) -> bytes:
        """Return what was written since the last time."""
        return b"".join([self._pieces.popleft() for _ in range(len(self._pieces))])
