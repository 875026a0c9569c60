"""Records as a Parquet file (zstd), written to its end without ever going back.

Theory of operation.  Batches gather until they make a row group; a thread of the writer's own encodes and compresses
it, which Arrow does without holding the interpreter, while the next group is being decoded.  One group at most is on
its way, so memory is bounded by two of them.  Row groups begin where the records say, so the file is always the same.
Smallest and largest values are kept of the key fields, by which readers pass over row groups; of others they cost more
than they save.  The facts stand as JSON in the footer's metadata, under `end`.
"""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from jvgate.render.tables.batches import Outlet, TableWriter
from jvgate.spec.layouts import Layout
from jvgate.spec.spec import Spec
from jvgate.values import Question

__all__ = ["ParquetFileWriter"]

_GROUP_BYTES = 1 << 24  # of decoded values; the last group has nothing to be encoded beside, so it should be small
_BUFFER_BYTES = 1 << 22
_PAGE_VALUES = 1 << 14  # encoded at once: Arrow's own thousand costs a tenth more


class ParquetFileWriter(TableWriter):
    """Writes row groups in a thread of its own."""

    def __init__(self, question: Question, spec: Spec) -> None:
        super().__init__(question, spec)
        self._outlet = Outlet()
        # Buffered, or the writing thread would wait for the interpreter with every page.
        self._sink = pa.BufferedOutputStream(pa.PythonFile(self._outlet, mode="w"), _BUFFER_BYTES)
        keys = _key_columns(self._batches.layout, self._batches.schema)
        self._file = pq.ParquetWriter(
            self._sink,
            self._batches.schema,
            compression="zstd",
            write_statistics=keys or False,
            write_batch_size=_PAGE_VALUES,
        )
        self._group: list[pa.RecordBatch] = []
        self._group_bytes = 0
        self._thread = ThreadPoolExecutor(1, "jvgate-parquet")
        self._written: Future[None] | None = None

    def begin(self) -> bytes:
        """Return the mark of the format."""
        return self._outlet.taken()

    def end(self, facts: Mapping[str, object]) -> bytes:
        """Return the last row groups and the footer."""
        ready = self.rest()
        self._send_group()
        self._wait()
        self._thread.shutdown()
        self._file.add_key_value_metadata({"end": orjson.dumps(dict(facts)).decode()})
        self._file.close()
        self._sink.flush()
        return ready + self._taken()

    def _add(self, batch: pa.RecordBatch) -> None:
        self._group.append(batch)
        self._group_bytes += batch.nbytes
        if self._group_bytes >= _GROUP_BYTES:
            self._send_group()

    def _taken(self) -> bytes:
        return self._outlet.taken()

    def _send_group(self) -> None:
        if not self._group:
            return
        table = pa.Table.from_batches(self._group)
        self._group, self._group_bytes = [], 0
        self._wait()
        self._written = self._thread.submit(self._write_group, table)

    def _write_group(self, table: pa.Table) -> None:
        self._file.write_table(table, row_group_size=max(len(table), 1))
        self._sink.flush()

    def _wait(self) -> None:
        if self._written is not None:
            self._written.result()


def _key_columns(layout: Layout, schema: pa.Schema) -> list[str]:
    """Return the columns of the record's key."""
    keys = [field.key for field in layout.fields if field.path in layout.key]
    return [key for key in keys if key in schema.names]
