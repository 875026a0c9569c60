"""Columns of ASCII digits -> numbers, by arithmetic on whole words.

Theory of operation.  A word holds up to eight digits, the first in its lowest byte.  XOR with "00000000" turns digits
into 0..9, and anything else into something above 9, which one addition and one mask find in all bytes at once.
Multiplying by 10 * 256 + 1 and shifting adds each pair of neighbours up (10a + b), and so on with 100 and 10,000:
three steps for eight digits.  Longer fields are two words.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from jvgate.records.column_rows import WORD_BYTES, Flags, Rows, Words

__all__ = ["Digits", "read_digits", "same_digits"]

_SIZES = {1: 1, 2: 2, 3: 4, 4: 4}
# For each step: neighbours of so many bits are joined, the first weighing so much more.
_STEPS = {2: ((8, 10),), 4: ((8, 10), (16, 100)), 8: ((8, 10), (16, 100), (32, 10_000))}


@dataclass(frozen=True, slots=True)
class Digits:
    """The characters of one field, each XORed with "0".

    low: the last eight of them or fewer.  high: those in front, where there are more.
    odd: which objects have something else than digits there; None for none of them.
    """

    low: Words
    high: Words | None
    odd: Flags | None

    def numbers(self) -> NDArray[np.integer]:
        """Return the numbers; 0 where there are none."""
        found = _joined(self.low)
        if self.high is not None:
            found = found.astype(np.int64) + _joined(self.high).astype(np.int64) * 10**WORD_BYTES
        if self.odd is not None:
            found[self.odd] = 0
        return found

    def at(self, places: NDArray[np.intp]) -> Digits:
        """Return the same of the objects at *places*."""
        return Digits(self.low[places], None if self.high is None else self.high[places], None)

    def same(self, other: Digits) -> Flags:
        """Return which objects have the one value that *other* holds."""
        hit: Flags = self.low == other.low[0]
        return hit if self.high is None or other.high is None else hit & (self.high == other.high[0])


def read_digits(rows: Rows, end: int, width: int) -> Digits:
    """Return the *width* digits that stand before byte *end* of each object; width: 1 to 16."""
    low = _word(rows, end, min(width, WORD_BYTES))
    if width <= WORD_BYTES:
        return Digits(low, None, _odd(low))
    high = _word(rows, end - WORD_BYTES, width - WORD_BYTES)
    odd, also = _odd(low), _odd(high)
    return Digits(low, high, odd if also is None else also if odd is None else odd | also)


def same_digits(raw: bytes) -> Digits:
    """Return the characters of one field as its column of one would hold them."""
    data = np.frombuffer(bytes(WORD_BYTES) + raw, np.uint8)
    return read_digits(Rows(data, WORD_BYTES, len(raw), 1, len(raw)), len(raw), len(raw))


def _word(rows: Rows, end: int, width: int) -> Words:
    size = _SIZES.get(width, WORD_BYTES)
    view = rows.words(end, size)
    found: Words = view ^ view.dtype.type(int.from_bytes(b"0" * size, "little"))
    if width < size:  # what stands in front belongs to another field
        found &= found.dtype.type((1 << 8 * size) - (1 << 8 * (size - width)))
    return found


def _odd(word: Words) -> Flags | None:
    """Return which words have a byte above 9; None for none."""
    kind, size = word.dtype.type, word.itemsize
    high = kind(int.from_bytes(b"\xf0" * size, "little"))
    over = word + kind(int.from_bytes(b"\x06" * size, "little"))
    over |= word
    if not np.bitwise_or.reduce(over) & high:
        return None
    odd: Flags = (over & high) != 0
    return odd


def _joined(word: Words) -> Words:
    """Return the number that each word's bytes spell."""
    kind = word.dtype.type
    found = word.copy() if word.itemsize == 1 else word
    for bits, weight in _STEPS.get(word.itemsize, ()):
        found = found * kind((weight << bits) + 1)
        found >>= kind(bits)
        found &= kind(_every_other(bits, word.itemsize * 8))
    return found


def _every_other(bits: int, of: int) -> int:
    """Return a mask of the lower halves of pairs of *bits*, in a word of *of* bits."""
    return sum(((1 << bits) - 1) << at for at in range(0, of, 2 * bits))
