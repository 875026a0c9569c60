"""Codes and text, a column at a time.

Codes are few: a table tells for every pair of bytes which code of the dictionary it is.  What the code table does not
know is found when it comes and put behind the rest, in the dictionary of that batch.

Text repeats itself: of each column only the different values are decoded, all of them in one call.  They are joined
by line feeds, which no second byte of a character can be, and cut apart again by what is UTF-8 then.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

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
_FEED, _SPACE = np.uint8(0x0A), np.uint8(0x20)
PADDING = " \u3000"


def known_codes(field: Field, more: tuple[str, ...]) -> tuple[str, ...]:
    """Return the codes that the field may hold, sorted.  more: those that its layout lists."""
    if field.fixed is not None:
        return (field.fixed.decode("ascii"),)
    codes = {*more, *field.values, *(code_tables()[field.code_table].rows if field.code_table else ())}
    fitting = (code for code in codes if len(code) == field.length and _is_code(code.encode()))
    return tuple(sorted(code for code in fitting if code.encode() not in field.unset))


class CodeReader:
    """Reads a code: every short one has its place in a table, longer ones are first numbered by their values."""

    def __init__(self, field: Field, offset: int, known: tuple[str, ...]) -> None:
        self._offset, self._length = offset, field.length
        self._kind = value_type(field)
        self._index = self._kind.index_type.to_pandas_dtype()
        self._words = pa.array(known, pa.string())
        self._known = {code.encode(): place for place, code in enumerate(known)} | dict.fromkeys(field.unset, _NULL)
        self._table = self._short_table() if field.length <= 2 else None

    def read(self, rows: Rows) -> Column:
        if self._table is None:
            values, numbers = _distinct(rows, self._offset, self._length)
            found, words = self._found([value.tobytes() for value in values])
            return self._column(found[numbers], words)
        raw = rows.words(self._offset + self._length, self._length)
        places = self._table[raw]
        unknown = np.flatnonzero(np.bincount(raw[places == _UNKNOWN])) if (places < 0).any() else places[:0]
        if not len(unknown):
            return self._column(places, self._words)
        table = self._table.copy()
        table[unknown], words = self._found([number.to_bytes(self._length, "little") for number in unknown.tolist()])
        return self._column(table[raw], words)

    def _short_table(self) -> NDArray[np.integer]:
        table = np.full(1 << 8 * self._length, _UNKNOWN, self._index)
        for raw, place in self._known.items():
            table[int.from_bytes(raw, "little")] = place
        return table

    def _found(self, raws: Sequence[bytes]) -> tuple[NDArray[np.integer], pa.Array]:
        """Return the places of *raws* in a dictionary that holds the new ones among them too, and the dictionary."""
        new = sorted(raw for raw in raws if raw not in self._known and _is_code(raw))
        places = self._known | {raw: len(self._words) + number for number, raw in enumerate(new)}
        words = pa.array([*self._words.to_pylist(), *(raw.decode() for raw in new)], pa.string()) if new else self._words
        return np.array([places.get(raw, _UNKNOWN) for raw in raws], self._index), words

    def _column(self, places: NDArray[np.integer], words: pa.Array) -> Column:
        notes = Notes(len(places))
        if len(places) and places.min() < 0:
            for what, note in ((_NULL, notes.unset), (_UNKNOWN, notes.spoil)):
                if (hit := places == what).any():
                    note(hit)
            places = np.maximum(places, 0)
        return Column(dictionary_array(self._kind, places, words, notes.nulls), notes)


class TextReader:
    """Reads a text."""

    def __init__(self, field: Field, special: Mapping[bytes, str], offset: int) -> None:
        self._offset, self._length = offset, field.length
        self._special = [(raw, marks_of(field).index(slug)) for raw, slug in sorted(special.items())]

    def read(self, rows: Rows) -> Column:
        notes = Notes(rows.count)
        values, inverse = _distinct(rows, self._offset, self._length)
        texts, bad = _decoded(values)
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
    """Return all different values of a field, a row each in the order of their coming, and which one each object has."""
    raw = pa.py_buffer(rows.copied(offset, length))
    encoded = pa.Array.from_buffers(pa.binary(length), rows.count, [None, raw]).dictionary_encode()
    count = len(encoded.dictionary)
    data = np.frombuffer(encoded.dictionary.buffers()[1], np.uint8, count * length) if count else np.empty(0, np.uint8)
    return data.reshape(count, length), encoded.indices.to_numpy()


def _decoded(values: Bytes) -> tuple[pa.Array, Flags | None]:
    """Return the text of each row of *values*, null where there is none, and which rows are no Shift_JIS."""
    lines = np.full((len(values), values.shape[1] + 1), _FEED, np.uint8)
    lines[:, :-1] = values
    try:
        joined = lines.tobytes().decode("cp932")
    except UnicodeDecodeError:
        return _without(np.array([not _is_text(value) for value in values]), values)
    text = np.frombuffer(joined.encode(), np.uint8)
    ends = np.flatnonzero(text == _FEED)
    if len(ends) != len(values):  # a line feed within
        return _without((values == _FEED).any(axis=1), values)
    return _trimmed(text, ends), None


def _without(bad: Flags, values: Bytes) -> tuple[pa.Array, Flags]:
    """Return the text of *values* but for the rows that are *bad*, and what was found bad."""
    texts, more = _decoded(np.where(bad[:, None], _SPACE, values))
    return texts, bad if more is None else bad | more


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
