"""Codes and text, a column at a time.

Codes are few: a table tells for every pair of bytes which code of the dictionary it is.  What the code table does not
know is found when it comes and put behind the rest, in the dictionary of that batch.

Text repeats itself: of each column only the different values are decoded, all of them in one call.  They are joined
by line feeds, which no second byte of a character can be, and cut apart again by what is UTF-8 then.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from jvgate.records.column_arrays import Column, Notes, dictionary_array, string_array
from jvgate.records.column_rows import Bytes, Flags, Rows
from jvgate.records.column_types import marks_of, value_type
from jvgate.spec.codes import code_tables
from jvgate.spec.layouts import Field

__all__ = ["CodeReader", "TextReader", "known_codes"]

_PRINTABLE = range(0x20, 0x7F)
_UNKNOWN, _NULL = -1, -2
_FEED = 0x0A
PADDING = " \u3000"


def known_codes(field: Field, more: tuple[str, ...]) -> tuple[str, ...]:
    """Return the codes that the field may hold, sorted.  more: those that its layout lists."""
    if field.fixed is not None:
        return (field.fixed.decode("ascii"),)
    codes = {*more, *field.values, *(code_tables()[field.code_table].rows if field.code_table else ())}
    fitting = (code for code in codes if len(code) == field.length and _is_code(code.encode()))
    return tuple(sorted(code for code in fitting if code.encode() not in field.unset))


class CodeReader:
    """Reads a code of one or two characters; longer ones by all their different values."""

    def __init__(self, field: Field, offset: int, known: tuple[str, ...]) -> None:
        self._offset, self._length = offset, field.length
        self._known, self._words = known, pa.array(known, pa.string())
        self._unset = field.unset
        self._kind = value_type(field)
        self._index = self._kind.index_type.to_pandas_dtype()
        self._places = self._table() if field.length <= 2 else None

    def read(self, rows: Rows) -> Column:
        notes = Notes(rows.count)
        if self._places is not None:
            raw = rows.words(self._offset + self._length, self._length)
            found = self._places[raw]
            if rows.count == 0 or found.min() >= 0:
                return Column(dictionary_array(self._kind, found, self._words), notes)
            values, inverse = np.unique(raw, return_inverse=True)
        else:
            values, inverse = _distinct(rows, self._offset, self._length)
        return self._read_values(values.view(np.uint8).reshape(-1, self._length), inverse, notes)

    def _table(self) -> NDArray[np.integer]:
        table = np.full(1 << 8 * self._length, _UNKNOWN, self._index)
        for raw in self._unset:
            table[int.from_bytes(raw, "little")] = _NULL
        for place, code in enumerate(self._known):
            table[int.from_bytes(code.encode(), "little")] = place
        return table

    def _read_values(self, values: Bytes, inverse: NDArray[np.intp], notes: Notes) -> Column:
        """Return the codes, of which *values* are all that there are and *inverse* tells which one each is."""
        raws = [value.tobytes() for value in values]
        new = sorted(raw.decode() for raw in raws if _is_code(raw) and raw not in self._unset)
        words = [*self._known, *(code for code in new if code not in self._known)]
        place = {word.encode(): number for number, word in enumerate(words)}
        found = np.array([_NULL if raw in self._unset else place.get(raw, _UNKNOWN) for raw in raws], self._index)
        places = found[inverse]
        for what, note in ((_NULL, notes.unset), (_UNKNOWN, notes.spoil)):
            if (found == what).any():
                note(places == what)
        dictionary = self._words if len(words) == len(self._known) else pa.array(words, pa.string())
        return Column(dictionary_array(self._kind, np.maximum(places, 0), dictionary, notes.nulls), notes)


class TextReader:
    """Reads a text."""

    def __init__(self, field: Field, special: Mapping[bytes, str], offset: int) -> None:
        self._offset, self._length = offset, field.length
        self._special = [(raw, marks_of(field).index(slug)) for raw, slug in sorted(special.items())]

    def read(self, rows: Rows) -> Column:
        notes = Notes(rows.count)
        values, inverse = _distinct(rows, self._offset, self._length)
        texts, bad = _decoded(values.view(np.uint8).reshape(-1, self._length))
        if bad is not None:
            notes.spoil(bad[inverse])
        for raw, slug in self._special:
            hit = rows.equal(raw, self._offset)
            if hit is not None:
                notes.unset(hit)
                notes.mark(hit, slug)
        return Column(self._array(texts, inverse, notes), notes)

    def _array(self, texts: pa.Array, inverse: NDArray[np.integer], notes: Notes) -> pa.Array:
        empty = texts.is_null().to_numpy(zero_copy_only=False)
        if empty.any():
            notes.unset(empty[inverse])
        if self._special and notes.nulls is not None:
            return texts.take(pa.array(inverse, mask=notes.nulls))
        return texts.take(pa.array(inverse))


def _is_code(raw: bytes) -> bool:
    return all(byte in _PRINTABLE for byte in raw)


def _distinct(rows: Rows, offset: int, length: int) -> tuple[Bytes, NDArray[np.int32]]:
    """Return all different values of a field, in the order of their coming, and for each object which one it has."""
    raw = pa.py_buffer(rows.copied(offset, length))
    encoded = pa.Array.from_buffers(pa.binary(length), rows.count, [None, raw]).dictionary_encode()
    values = encoded.dictionary
    data = np.frombuffer(values.buffers()[1], np.uint8, len(values) * length) if len(values) else np.empty(0, np.uint8)
    return data, encoded.indices.to_numpy()


def _decoded(values: Bytes) -> tuple[pa.Array, Flags | None]:
    """Return the text of each row of *values*, null where there is none, and which rows are no Shift_JIS."""
    count, length = values.shape
    lines = np.empty((count, length + 1), np.uint8)
    lines[:, :length] = values
    lines[:, length] = _FEED
    bad = None
    try:
        joined = lines.tobytes().decode("cp932")
    except UnicodeDecodeError:
        bad = np.array([not _is_text(line) for line in values])
        lines[bad, :length] = 0x20
        joined = lines.tobytes().decode("cp932")
    text = np.frombuffer(joined.encode(), np.uint8)
    ends = np.flatnonzero(text == _FEED)
    if len(ends) != count:  # a line feed within
        broken = (values == _FEED).any(axis=1)
        texts, also = _decoded(np.where(broken[:, None], np.uint8(0x20), values))
        return texts, broken if also is None else broken | also
    return _trimmed(text, ends), bad


def _is_text(raw: Bytes) -> bool:
    try:
        raw.tobytes().decode("cp932")
    except UnicodeDecodeError:
        return False
    return True


def _trimmed(text: Bytes, ends: NDArray[np.intp]) -> pa.Array:
    """Return the lines of *text* without the padding behind them; null where nothing is left."""
    offsets = np.zeros(len(ends) + 1, np.int32)
    offsets[1:] = ends + 1
    lines = pc.utf8_rtrim(string_array(text, offsets), characters=f"{PADDING}\n")
    sizes = pc.binary_length(lines).to_numpy()
    empty = sizes == 0
    if not empty.any():
        return lines
    _, offsets_buffer, data = lines.buffers()
    return string_array(data, np.frombuffer(offsets_buffer, np.int32, len(ends) + 1), empty)
