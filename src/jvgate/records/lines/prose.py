"""The texts of a batch: the bytes of all text fields -> JSON in UTF-8, in one go.

Theory of operation.  The padding is found by comparing bytes in pairs, so that only what is said is decoded: the
cells, each with the quote that ends it and a line break, are one string for cp932, for the escapes and for UTF-8,
and are split again at the line breaks.  A pair of padding that was really half a character leaves the other half
behind, which cp932 refuses.  What is refused, and the few things that this way cannot do (control characters, quotes,
other padding), is done cell by cell.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import orjson
from numpy.typing import NDArray

from jvgate.records.kinds import loader
from jvgate.records.lines.sheet import Prose
from jvgate.records.lines.wordlist import ONE_BYTE

__all__ = ["Passages"]

_Bytes = NDArray[np.uint8]
_Flags = NDArray[np.bool_]
_Ends = NDArray[np.intp]
_Texts = NDArray[np.object_]
_WIDE, _WIDE_TRAIL, _SPACE = 0x81, 0x40, 0x20
_PAIRS = 127  # of the longest text whose pairs are numbered by one byte
_BREAK = ord("\n")


class Passages:
    """The text fields of a layout, all of an even length."""

    def __init__(self, prose: Sequence[Prose]) -> None:
        self._prose = prose
        places = [range(one.at, one.at + one.field.length, 2) for one in prose]
        self._pairs = np.array([at for pairs in places for at in pairs], np.intp)
        step = np.uint8 if all(len(pairs) <= _PAIRS for pairs in places) else np.uint16
        self._steps = np.array([n for pairs in places for n in range(1, len(pairs) + 1)], step)[:, None]
        self._firsts = np.cumsum([0, *map(len, places)])[:-1]
        self._at = np.array([one.at for one in prose], np.intp)[:, None]
        self._end_size = np.array([len(one.end) for one in prose], np.intp)[:, None]
        longest = max(len(one.end) for one in prose)
        ends = np.frombuffer(b"".join(one.end.rjust(longest) for one in prose), np.uint8).reshape(-1, longest)
        self._end_bytes = [(distance, ends[:, -distance, None]) for distance in range(1, longest + 1)]

    def read(self, rows: _Bytes, columns: _Bytes) -> tuple[_Texts, _Flags, list[int]]:
        """Return the texts, a row a field, where there is any, and the records with text that cannot be read.

        rows: the bytes of the batch, a row a record; columns: the same, a row an offset.  A text ends with what
        stands behind it; what is not set is empty.  They are in ONE_BYTE.
        """
        starts = self._at + np.arange(len(rows)) * rows.shape[1]
        ends = self._ends(rows, columns, starts)
        if ends is not None and (texts := _split(self._said(rows, starts, ends), ends)) is not None:
            return texts, ends > 0, []
        return self._one_by_one(rows)

    def _ends(self, rows: _Bytes, columns: _Bytes, starts: _Ends) -> _Ends | None:
        """Return how many bytes of each text are no padding; None where that is not plain to see."""
        first, second = columns[self._pairs], columns[self._pairs + 1]
        is_said = ~(((first == _WIDE) & (second == _WIDE_TRAIL)) | ((first == _SPACE) & (second == _SPACE)))
        ends = np.maximum.reduceat(self._steps * is_said, self._firsts, axis=0).astype(np.intp) * 2
        data = rows.ravel()
        last = data.take(starts + ends - 1, mode="clip")
        is_single = (last == _SPACE) & (ends > 0)  # behind an odd number of characters
        if is_single.any():
            ends -= is_single
            last = data.take(starts + ends - 1, mode="clip")
        is_unsure = (last == _SPACE) | ((last == _WIDE_TRAIL) & (data.take(starts + ends - 2, mode="clip") == _WIDE))
        return None if (is_unsure & (ends > 0)).any() else ends

    def _said(self, rows: _Bytes, starts: _Ends, ends: _Ends) -> _Bytes:
        """Return the characters of all texts, each with what stands behind it and a line break."""
        is_set = ends > 0
        sizes = ends + is_set * self._end_size + 1
        after = np.cumsum(sizes).reshape(sizes.shape)
        places = np.repeat((starts + sizes - after).ravel(), sizes.ravel())
        places += np.arange(len(places))
        said = rows.ravel().take(places, mode="clip")  # what is taken from behind a text is written over
        said[after.ravel() - 1] = _BREAK
        for distance, byte in self._end_bytes:
            has_byte = is_set & (self._end_size >= distance)
            said[after[has_byte] - 1 - distance] = np.broadcast_to(byte, is_set.shape)[has_byte]
        return said

    def _one_by_one(self, rows: _Bytes) -> tuple[_Texts, _Flags, list[int]]:
        texts = np.full((len(self._prose), len(rows)), "", np.object_)
        odd: set[int] = set()
        for row, one in enumerate(self._prose):
            load = loader(one.field, {})
            for record, raw in enumerate(rows[:, one.at : one.at + one.field.length]):
                try:
                    said = load(raw.tobytes())
                except ValueError:
                    odd.add(record)
                else:
                    text = orjson.dumps(said)[1:-1] + one.end if said is not None else b""
                    texts[row, record] = text.decode(ONE_BYTE)
        return texts, texts != "", sorted(odd)


def _split(said: _Bytes, ends: _Ends) -> _Texts | None:
    """Return the texts of *said*; None when they have to be read one by one."""
    if int(np.count_nonzero(said < _SPACE)) != ends.size:  # control characters besides our line breaks
        return None
    try:
        text = said.tobytes().decode("cp932")
    except UnicodeDecodeError:
        return None
    if text.count('"') != np.count_nonzero(ends):
        return None
    if "\\" in text:
        text = text.replace("\\", "\\\\")
    return np.array(text.encode().decode(ONE_BYTE).split("\n")[:-1], np.object_).reshape(ends.shape)
