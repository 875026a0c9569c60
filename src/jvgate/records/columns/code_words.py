"""Codes, a column at a time.

Codes are few: a table tells for every one or two bytes which code of the dictionary they are.  What the code table of
the specification does not know is found when it comes, and stands behind the rest in the dictionary of that batch.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from jvgate.records.columns.arrays import Column, Notes, dictionary_array
from jvgate.records.columns.rows import Rows
from jvgate.records.columns.schema import value_type
from jvgate.records.columns.texts import distinct
from jvgate.spec.layouts import Field

__all__ = ["CodeReader", "known_codes"]

_PRINTABLE = range(0x20, 0x7F)
_UNKNOWN, _NULL = -2, -1


def known_codes(field: Field, more: tuple[str, ...]) -> tuple[str, ...]:
    """Return the codes that the field may hold, sorted.  more: those that its layout lists."""
    if field.fixed is not None:
        return (field.fixed.decode("ascii"),)
    fitting = (code for code in field.codes.union(more) if len(code) == field.length and _is_code(code.encode()))
    return tuple(sorted(code for code in fitting if code.encode() not in field.unset))


class CodeReader:
    """Reads a code: every short one has its place in a table, longer ones are first numbered by their values."""

    def __init__(self, field: Field, offset: int, known: tuple[str, ...]) -> None:
        self._offset, self._length = offset, field.length
        self._kind = value_type(field)
        self._index = self._kind.index_type.to_pandas_dtype()
        self._words = pa.array(known, pa.string())
        self._known = _places(known, field.unset)
        self._table = _table(known, field.unset, field.length) if field.length <= 2 else None

    def read(self, rows: Rows) -> Column:
        if self._table is None:
            values, numbers = distinct(rows, self._offset, self._length)
            found, words = self._found([value.tobytes() for value in values])
            return self._column(found[numbers], words)
        raw = rows.words(self._offset + self._length, self._length)
        places = self._table.take(raw)
        if not rows.count or places.min() > _UNKNOWN:
            return self._column(places, self._words)
        unknown = np.flatnonzero(np.bincount(raw[places == _UNKNOWN]))
        table = self._table.copy()
        table[unknown], words = self._found([number.to_bytes(self._length, "little") for number in unknown.tolist()])
        return self._column(table.take(raw), words)

    def _found(self, raws: Sequence[bytes]) -> tuple[NDArray[np.integer], pa.Array]:
        """Return the places of *raws* in a dictionary that holds the new ones among them too, and the dictionary."""
        new = sorted(raw for raw in raws if raw not in self._known and _is_code(raw))
        places = self._known | {raw: len(self._words) + number for number, raw in enumerate(new)}
        words = (
            pa.array([*self._words.to_pylist(), *(raw.decode() for raw in new)], pa.string()) if new else self._words
        )
        return np.array([places.get(raw, _UNKNOWN) for raw in raws], self._index), words

    def _column(self, places: NDArray[np.integer], words: pa.Array) -> Column:
        notes = Notes(len(places))
        lowest = places.min() if len(places) else 0
        if lowest == _UNKNOWN:
            notes.spoil(places == _UNKNOWN)
        if lowest < 0:
            notes.unset(places < 0)
            places = np.maximum(places, 0)
        return Column(dictionary_array(self._kind, places, words, notes.nulls), notes)


def _places(known: tuple[str, ...], unset: frozenset[bytes]) -> dict[bytes, int]:
    return {code.encode(): place for place, code in enumerate(known)} | dict.fromkeys(unset, _NULL)


@cache  # many fields share a code table, and so do all choices of fields
def _table(known: tuple[str, ...], unset: frozenset[bytes], length: int) -> NDArray[np.integer]:
    """Return for all that can stand in one or two bytes its place in the dictionary."""
    table: NDArray[np.integer] = np.full(1 << 8 * length, _UNKNOWN, f"i{length}")
    for raw, place in _places(known, unset).items():
        table[int.from_bytes(raw, "little")] = place
    return table


def _is_code(raw: bytes) -> bool:
    return all(byte in _PRINTABLE for byte in raw)
