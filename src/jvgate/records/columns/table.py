"""A batch of records of one layout -> a table, without a loop over records.

Theory of operation.  The records stand one behind the other, all of the same length, so that a field of all of them
is a view of every so-manyth byte.  Each member of the layout is compiled once into a reader of such views
(`column_members.py`): numbers by arithmetic on machine words (`column_digits.py`, `column_kinds.py`), codes by a
table, text by its different values (`column_text.py`).  A reader never guesses: what it does not understand makes
the whole record one that the record decoder reads, and its row is put in its place.  So both decoders say the same of
every record, damaged ones too.

The values are those of an answer in JSON, with these differences: a day is a date, a key that a record leaves out is
null, and `_errors` of a choice of fields tells of these fields and the groups they stand in alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from jvgate.records.columns.members import Members
from jvgate.records.columns.rows import Flags, Rows
from jvgate.records.columns.schema import arrow_schema
from jvgate.records.columns.single_records import batch_of, row_maker
from jvgate.records.decode import decoder
from jvgate.records.field_tree import field_tree
from jvgate.records.meanings import last_days, race_day
from jvgate.records.text import wrong_length
from jvgate.spec.layouts import Layout

__all__ = ["Columns", "columns_of"]

_MOST_KEPT = 256  # layouts and choices of fields, which anyone may make


@lru_cache(_MOST_KEPT)
def columns_of(layout: Layout, fields: tuple[str, ...] = ()) -> Columns:
    """Return the columns of *layout*, cut down to *fields* (dotted inside groups) where there are any."""
    return Columns(layout, fields)


class Columns:
    """Decodes batches of one layout.  schema: that of every batch, whatever is in it."""

    def __init__(self, layout: Layout, fields: tuple[str, ...] = ()) -> None:
        tree = field_tree(fields)
        self.schema = arrow_schema(layout, tree)
        self._layout = layout
        self._errors = self.schema.field(-1).type
        self._make_row = row_maker(layout.fields, tree)
        codes = {"DataKubun": tuple(layout.data_kubun)}
        self._eras = [
            (until, Members(layout.fields, tree, until=until, codes=codes)) for until in (*last_days(layout), "")
        ]

    def decode(self, raw: bytes | memoryview) -> pa.RecordBatch:
        """Return the records that stand in *raw*, one behind the other.

        Raises RecordError when *raw* does not end where a record ends.
        """
        length = self._layout.length
        if len(raw) % length:
            raise wrong_length(self._layout, bytes(raw[-(len(raw) % length) :]))
        rows = Rows(np.frombuffer(raw, np.uint8), 0, length, len(raw) // length, length)
        batch, bad = self._read(rows)
        return batch if bad is None else self._patched(batch, np.flatnonzero(bad), rows)

    def _read(self, rows: Rows) -> tuple[pa.RecordBatch, Flags | None]:
        """Return all rows, and which of them have to be read by the record decoder."""
        if len(self._eras) == 1:
            return self._batch(self._eras[0][1], rows)
        era = _era_of(rows, race_day(self._layout), [until for until, _ in self._eras])
        present = np.unique(era).tolist()
        if len(present) == 1:
            return self._batch(self._eras[present[0]][1], rows)
        places = [np.flatnonzero(era == number) for number in present]
        parts = [self._batch(self._eras[n][1], rows.chosen(at)) for n, at in zip(present, places, strict=True)]
        order = np.argsort(np.concatenate(places)) if places else np.empty(0, np.intp)
        if not parts:
            return self._batch(self._eras[0][1], rows)
        flags = np.concatenate([np.zeros(len(b), np.bool_) if bad is None else bad for b, bad in parts])[order]
        return pa.concat_batches([batch for batch, _ in parts]).take(pa.array(order)), flags if flags.any() else None

    def _batch(self, members: Members, rows: Rows) -> tuple[pa.RecordBatch, Flags | None]:
        arrays, notes = members.read(rows)
        arrays.append(pa.nulls(rows.count, self._errors))
        return pa.RecordBatch.from_arrays(arrays, schema=self.schema), notes.bad

    def _patched(self, batch: pa.RecordBatch, places: NDArray[np.intp], rows: Rows) -> pa.RecordBatch:
        """Return *batch* with the rows at *places* as the record decoder reads them."""
        read = decoder(self._layout)
        raws = (piece.tobytes() for piece in rows.pieces(0, rows.length)[places])
        patch = batch_of([self._make_row(read(raw)) for raw in raws], self.schema)
        order = np.arange(len(batch))
        order[places] = len(batch) + np.arange(len(places))
        return pa.concat_batches([batch, patch]).take(pa.array(order))


def _era_of(rows: Rows, day: slice, untils: Sequence[str]) -> NDArray[np.intp]:
    """Return for each record which of *untils* its race day falls under; the last one is open."""
    days = rows.words(day.stop, 8).byteswap()  # so that their order is that of the characters
    last = np.array([int.from_bytes(until.encode(), "big") for until in untils[:-1]], np.uint64)
    return np.searchsorted(last, days)
