"""Records as an Arrow IPC stream.

What the dictionary of a code column lacks comes with the batch that has it, in a dictionary that replaces the one
before: readers take that, while not all of them take a dictionary's continuation.  The last batch has no rows, and the
facts as JSON in its own metadata, under `end`; then the stream's end mark follows.
"""

from __future__ import annotations

from collections.abc import Mapping

import orjson
import pyarrow as pa

from jvgate.render.tables.batches import Outlet, TableWriter
from jvgate.spec.spec import Spec
from jvgate.values import Question

__all__ = ["ArrowWriter"]


class ArrowWriter(TableWriter):
    """Writes every batch as soon as it is full."""

    def __init__(self, question: Question, spec: Spec, *, is_stream: bool = False) -> None:
        super().__init__(question, spec, is_stream=is_stream)
        schema = self._batches.schema
        self._outlet = Outlet()
        self._stream = pa.ipc.new_stream(self._outlet, schema)
        self._last = pa.RecordBatch.from_pylist([], schema=schema)
        self._schema: bytes = schema.serialize().to_pybytes()
        self._schema_sent = 0

    def begin(self) -> bytes:
        """Return the schema, which the stream itself would write with its first batch only."""
        self._schema_sent = len(self._schema)
        return self._schema

    def end(self, facts: Mapping[str, object]) -> bytes:
        """Return the last batch with rows, the one with the facts, and the end mark."""
        rest = self.rest()
        self._stream.write_batch(self._last, custom_metadata={"end": orjson.dumps(dict(facts))})
        self._stream.close()
        return rest + self._taken()

    def _add(self, batch: pa.RecordBatch) -> None:
        self._stream.write_batch(batch)
        self._last = batch.slice(0, 0)  # with its dictionaries: others would be written again

    def _taken(self) -> bytes:
        data = self._outlet.taken()
        if data and self._schema_sent:
            data, self._schema_sent = data[self._schema_sent :], 0
        return data
