"""Records as an Arrow IPC stream.

What the dictionary of a code column lacks comes with the batch that has it, in a dictionary that replaces the one
before: readers take that, while not all of them take a dictionary's continuation.  The last batch has no rows, and the
facts as JSON in its own metadata, under `end`; then the stream's end mark follows.
"""

from __future__ import annotations

from collections.abc import Mapping

import orjson
import pyarrow as pa

from jvgate.render.table_batches import Batches, Outlet
from jvgate.spec.layouts import Layout

__all__ = ["ArrowWriter"]


class ArrowWriter:
    """Writes records of one type; every batch is sent as it is full."""

    def __init__(self, layout: Layout, fields: tuple[str, ...] = ()) -> None:
        self._batches = Batches(layout, fields)
        self._outlet = Outlet()
        self._stream = pa.ipc.new_stream(self._outlet, self._batches.schema)
        self._last = pa.RecordBatch.from_pylist([], schema=self._batches.schema)
        self._schema: bytes = self._batches.schema.serialize().to_pybytes()
        self._schema_sent = 0

    def begin(self) -> bytes:
        """Return the schema, which the stream itself would write with its first batch only."""
        self._schema_sent = len(self._schema)
        return self._schema

    def write(self, layout: Layout, raw: bytes, count: int) -> bytes:
        """Return the batches that are full."""
        for batch in self._batches.add(layout, raw, count):
            self._write(batch)
        return self._taken()

    @property
    def has_rest(self) -> bool:
        """Whether records wait."""
        return self._batches.has_rest

    def rest(self) -> bytes:
        """Return the batch of what waits."""
        for batch in self._batches.rest():
            self._write(batch)
        return self._taken()

    def end(self, facts: Mapping[str, object]) -> bytes:
        """Return the last batch with rows, the one with the facts, and the end mark."""
        rest = self.rest()
        self._stream.write_batch(self._last, custom_metadata={"end": orjson.dumps(dict(facts))})
        self._stream.close()
        return rest + self._taken()

    def _write(self, batch: pa.RecordBatch) -> None:
        self._stream.write_batch(batch)
        self._last = batch.slice(0, 0)  # with its dictionaries: others would be written again

    def _taken(self) -> bytes:
        data = self._outlet.taken()
        if data and self._schema_sent:
            data, self._schema_sent = data[self._schema_sent :], 0
        return data
