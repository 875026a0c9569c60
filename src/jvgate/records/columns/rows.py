"""Objects of one shape that stand in memory at equal distances: the records of a batch, the slots of a group.

Nothing here loops over objects.  A field of all of them is one strided view; a run of up to eight bytes is read as one
machine word that ends where the field ends, so that one instruction handles all digits of a number (see
`column_digits.py`).  Such a word may begin before its object: the memory has a few bytes to spare in front.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["WORD_BYTES", "Bytes", "Flags", "Rows", "Words", "word_type"]

Bytes = NDArray[np.uint8]
Flags = NDArray[np.bool_]
Words = NDArray[Any]  # unsigned, of one, two, four or eight bytes

WORD_BYTES = 8


@dataclass(frozen=True, slots=True)
class Rows:
    """*count* objects of *length* bytes; the first starts at byte *start* of *data*, each next one *stride* further."""

    data: Bytes
    start: int
    stride: int
    count: int
    length: int

    def words(self, end: int, size: int) -> Words:
        """Return a view of the *size* (1, 2, 4 or 8) bytes of each object before its byte *end*."""
        return self._view(word_type(size), end - size)

    def pieces(self, offset: int, length: int) -> NDArray[np.void]:
        """Return a view of the *length* bytes of each object from its byte *offset*."""
        return self._view(f"V{length}", offset)

    def _view(self, dtype: str, offset: int) -> NDArray[Any]:
        if not self.count:  # numpy looks for the first object even where there is none
            return np.empty(0, dtype)
        return np.ndarray((self.count,), dtype, self.data, self.start + offset, (self.stride,))

    def copied(self, offset: int, length: int) -> Bytes:
        """Return the same bytes one behind the other."""
        return self.pieces(offset, length).copy().view(np.uint8)

    def parts(self, offset: int, length: int, repeat: int) -> Rows:
        """Return the *repeat* objects of *length* bytes that each object has from its byte *offset*."""
        return _packed(self.pieces(offset, length * repeat), length)

    def chosen(self, places: NDArray[np.intp]) -> Rows:
        """Return the objects at *places*."""
        return _packed(self.pieces(0, self.length)[places], self.length)

    def equal(self, pattern: bytes, offset: int = 0) -> Flags | None:
        """Return which objects hold *pattern* from their byte *offset*; None for none."""
        hit: Flags | None = None
        for at, size in _cover(len(pattern)):
            word = np.frombuffer(pattern, word_type(size), 1, at)[0]
            same = self.words(offset + at + size, size) == word
            hit = same if hit is None else hit & same
            if not hit.any():
                return None
        return hit


def _cover(length: int) -> list[tuple[int, int]]:
    """Return where words begin that together cover *length* bytes, and their sizes; they may overlap."""
    if length >= WORD_BYTES:
        return [(at, WORD_BYTES) for at in (*range(0, length - WORD_BYTES, WORD_BYTES), length - WORD_BYTES)]
    sizes = [size for size in (4, 2, 1) if length & size]
    return [(sum(sizes[:n]), size) for n, size in enumerate(sizes)]


def _packed(pieces: NDArray[np.void], length: int) -> Rows:
    """Return the objects in *pieces* as rows of their own, with room for a word in front."""
    size = pieces.size * pieces.itemsize
    data = np.empty(WORD_BYTES + size, np.uint8)
    data[:WORD_BYTES] = 0
    data[WORD_BYTES:].view(pieces.dtype)[:] = pieces
    return Rows(data, WORD_BYTES, length, size // length, length)


def word_type(size: int) -> str:
    """Return the dtype of an unsigned word of *size* bytes, the first byte lowest."""
    return f"<u{size}"
