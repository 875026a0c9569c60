"""Text, a column at a time.

Theory of operation.  Text repeats itself, so of each column only the different values are decoded.  Where all of them
are ASCII, they are UTF-8 already.  Nearly all others are made of characters of two bytes: a table that knows every
pair of bytes which Python's own cp932 knows turns all of them into UTF-16 at once.  What mixes both kinds, or is
damaged, goes through that codec: joined by line feeds, which no second byte of a character can be, decoded in one call
and cut apart again.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from itertools import product

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from jvgate.records.columns.arrays import Column, Notes, even_offsets, string_array
from jvgate.records.columns.rows import Bytes, Flags, Rows
from jvgate.records.columns.schema import marks_of
from jvgate.records.kinds import PADDING
from jvgate.spec.layouts import Field

__all__ = ["TextReader", "distinct", "texts_of"]

_Codes = NDArray[np.uint16]  # UTF-16, a row a text

_FEED, _SPACE = np.uint8(0x0A), np.uint8(0x20)
# Not characters: no character is written so, and the two spaces that may fill up a text of two bytes a character.
_NONE, _TWO_SPACES = 0xFFFF, 0xFFFE
_WIDE_SPACE = ord(PADDING[1])
_FEW = 8
_THREE_BYTES = 0x800  # from here on a character has three bytes in UTF-8; one of two bytes has two or three


class TextReader:
    """Reads a text."""

    def __init__(self, field: Field, special: Mapping[bytes, str], offset: int) -> None:
        self._offset, self._length = offset, field.length
        self._special = [(raw, marks_of(field).index(slug)) for raw, slug in sorted(special.items())]

    def read(self, rows: Rows) -> Column:
        notes = Notes(rows.count)
        values, numbers = distinct(rows, self._offset, self._length)
        texts, bad = texts_of(values)
        if bad is not None:
            notes.spoil(bad[numbers])
        if texts.null_count:
            notes.unset(texts.is_null().to_numpy(zero_copy_only=False)[numbers])
        for raw, slug in self._special:
            if (hit := rows.equal(raw, self._offset)) is not None:
                notes.unset(hit)
                notes.mark(hit, slug)
        return Column(texts.take(pa.array(numbers, mask=notes.nulls if self._special else None)), notes)


def distinct(rows: Rows, offset: int, length: int) -> tuple[Bytes, NDArray[np.int32]]:
    """Return all different values of a field, a row each as they come first, and which one each object has."""
    raw = pa.py_buffer(rows.copied(offset, length))
    encoded = pa.Array.from_buffers(pa.binary(length), rows.count, [None, raw]).dictionary_encode()
    count = len(encoded.dictionary)
    data = np.frombuffer(encoded.dictionary.buffers()[1], np.uint8, count * length) if count else np.empty(0, np.uint8)
    return data.reshape(count, length), encoded.indices.to_numpy()


def texts_of(values: Bytes) -> tuple[pa.Array, Flags | None]:
    """Return the text of each row of *values*, null where there is none, and which rows are no Shift_JIS."""
    if len(values) <= _FEW:
        return _one_by_one(values)
    if values.max() < 0x80:
        offsets = even_offsets(len(values), values.shape[1])
        return _with_nulls(pc.ascii_rtrim(string_array(values, offsets), characters=" ")), None
    if values.shape[1] % 2:
        return _by_codec(values)
    codes = _pair_table()[values.view("<u2")]
    fits = _are_pairs(codes)
    if fits is None:
        return _strings(codes), None
    rest, bad = _by_codec(values[~fits])
    order = np.argsort(np.concatenate([np.flatnonzero(fits), np.flatnonzero(~fits)]))
    if bad is not None:
        bad = np.concatenate([np.zeros(len(values) - len(bad), np.bool_), bad])[order]
    return pa.concat_arrays([_strings(codes[fits]), rest]).take(pa.array(order)), bad


def _one_by_one(values: Bytes) -> tuple[pa.Array, Flags | None]:
    """Return the same of a handful, for which the calls would cost more than they save."""
    texts: list[str | None] = []
    bad = np.zeros(len(values), np.bool_)
    for number, value in enumerate(values):
        try:
            texts.append(value.tobytes().decode("cp932").rstrip(PADDING) or None)
        except UnicodeDecodeError:
            texts.append(None)
            bad[number] = True
    return pa.array(texts, pa.string()), bad if bad.any() else None


def _are_pairs(codes: _Codes) -> Flags | None:
    """Return which texts hold nothing but characters of two bytes, and padding behind them; None for all."""
    if codes.max() < _TWO_SPACES:
        return None
    fits: Flags = (codes != _NONE).all(axis=1)
    width = codes.shape[1]
    doubled = np.flatnonzero(codes.reshape(-1) == _TWO_SPACES)
    inside = doubled % width < _lengths(codes)[doubled // width]
    fits[doubled[inside] // width] = False
    return None if fits.all() else fits


def _lengths(codes: _Codes) -> NDArray[np.intp]:
    """Return how many characters each text has without the padding behind it."""
    count, width = codes.shape
    said = np.flatnonzero(((codes != _WIDE_SPACE) & (codes != _TWO_SPACES)).reshape(-1))
    before = np.searchsorted(said, np.arange(1, count + 1) * width)  # how many of them stand before each end
    last = np.concatenate([[-1], said])[before]
    lengths: NDArray[np.intp] = np.maximum(last + 1 - np.arange(count) * width, 0)
    return lengths


def _strings(codes: _Codes) -> pa.Array:
    """Return texts of characters of two bytes as Arrow's strings; null where nothing is left."""
    lengths = _lengths(codes)
    kept = codes[np.arange(codes.shape[1]) < lengths[:, None]]
    ends = np.cumsum(lengths)
    offsets = np.zeros(len(codes) + 1, np.int32)
    if not kept.size or kept.min() >= _THREE_BYTES:
        offsets[1:] = 3 * ends
    else:
        offsets[1:] = np.concatenate([[0], np.cumsum(2 + (kept >= _THREE_BYTES))])[ends]
    empty = lengths == 0
    text = kept.astype("<u2").tobytes().decode("utf-16-le").encode()
    return string_array(text, offsets, empty if empty.any() else None)


def _by_codec(values: Bytes) -> tuple[pa.Array, Flags | None]:
    """Return the texts of *values* by the codec itself, and which of them it does not take."""
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
    """Return the texts of *values* but for the rows that are *bad*, and what was found bad."""
    texts, more = _by_codec(np.where(bad[:, None], _SPACE, values))
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
    return _with_nulls(pc.utf8_rtrim(string_array(text, offsets), characters=f"{PADDING}\n"))


def _with_nulls(texts: pa.Array) -> pa.Array:
    """Return *texts*, null instead of empty."""
    empty = pc.binary_length(texts).to_numpy() == 0
    if not empty.any():
        return texts
    _, offsets, data = texts.buffers()
    return string_array(data, np.frombuffer(offsets, np.int32, len(texts) + 1), empty)


@cache
def _pair_table() -> _Codes:
    """Return for each two bytes (the first one lowest) the character that they are."""
    table = np.full(1 << 16, _NONE, np.uint16)
    for pair in product((*range(0x81, 0xA0), *range(0xE0, 0xFD)), range(0x40, 0xFD)):
        try:
            table[int.from_bytes(pair, "little")] = ord(bytes(pair).decode("cp932"))
        except UnicodeDecodeError:
            continue
    table[0x2020] = _TWO_SPACES
    return table
