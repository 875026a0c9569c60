"""numpy arrays -> Arrow arrays, whose memory they share: the buffers of Arrow's own layout, put together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from jvgate.records.columns.rows import Bytes, Flags

__all__ = ["Column", "Notes", "dictionary_array", "even_offsets", "list_array", "plain_array", "string_array"]

Places = Flags | NDArray[np.intp]


@dataclass(slots=True)
class Notes:
    """What is to be said of a column's values, object by object; None for nothing of any.

    nulls: there is no value.  marked, marks: a slug stands beside it, which one.  bad: the bytes break their kind.
    """

    count: int
    nulls: Flags | None = None
    marked: Flags | None = None
    marks: NDArray[np.int8] | None = field(default=None)
    bad: Flags | None = None

    def unset(self, where: Places) -> None:
        """Note that there is no value."""
        self.nulls = _flagged(self.nulls, where, self.count)

    def spoil(self, where: Places) -> None:
        """Note that the bytes break their kind."""
        self.bad = _flagged(self.bad, where, self.count)
        self.nulls = _flagged(self.nulls, where, self.count)

    def mark(self, where: Places, slug: int) -> None:
        """Note that the slug of that number stands beside the value."""
        self.marked = _flagged(self.marked, where, self.count)
        if self.marks is None:
            self.marks = np.zeros(self.count, np.int8)
        self.marks[where] = slug

    @property
    def empty(self) -> Flags | None:
        """Where nothing at all is said."""
        return self.nulls if self.nulls is None or self.marked is None else self.nulls & ~self.marked


@dataclass(frozen=True, slots=True)
class Column:
    """The values of a member in every object of a batch, and what is to be said of them."""

    array: pa.Array
    notes: Notes


def _flagged(flags: Flags | None, where: Places, count: int) -> Flags:
    if flags is None:
        if where.dtype == np.bool_:
            return where.astype(np.bool_)  # a copy
        flags = np.zeros(count, np.bool_)
    flags[where] = True
    return flags


def plain_array(kind: pa.DataType, values: NDArray[Any], nulls: Flags | None = None) -> pa.Array:
    """Return numbers or days."""
    return pa.Array.from_buffers(kind, len(values), [_validity(nulls), pa.py_buffer(values)])


def dictionary_array(kind: pa.DataType, places: NDArray[Any], words: pa.Array, nulls: Flags | None = None) -> pa.Array:
    """Return the words at *places*, kept as places; their type is that of the dictionary's index."""
    return pa.DictionaryArray.from_buffers(kind, len(places), [_validity(nulls), pa.py_buffer(places)], words)


def string_array(text: Bytes | bytes, offsets: NDArray[np.int32], nulls: Flags | None = None) -> pa.Array:
    """Return the strings that stand in *text* (UTF-8), each from its offset to the next."""
    buffers = [_validity(nulls), pa.py_buffer(offsets), pa.py_buffer(text)]
    return pa.Array.from_buffers(pa.string(), len(offsets) - 1, buffers)


def list_array(kind: pa.DataType, offsets: NDArray[np.int32], items: pa.Array) -> pa.Array:
    """Return lists of *items*, each from its offset to the next."""
    return pa.Array.from_buffers(kind, len(offsets) - 1, [None, pa.py_buffer(offsets)], children=[items])


def struct_array(kind: pa.DataType, members: Sequence[pa.Array], count: int, nulls: Flags | None) -> pa.Array:
    """Return objects of *members*."""
    return pa.Array.from_buffers(kind, count, [_validity(nulls)], children=list(members))


def even_offsets(count: int, step: int) -> NDArray[np.int32]:
    """Return the offsets of *count* pieces of *step* each."""
    return np.arange(0, (count + 1) * step, step, dtype=np.int32) if step else np.zeros(count + 1, np.int32)


def _validity(nulls: Flags | None) -> pa.Buffer | None:
    return None if nulls is None else pa.py_buffer(np.packbits(~nulls, bitorder="little"))
