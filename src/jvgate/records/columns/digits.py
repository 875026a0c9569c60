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

from jvgate.records.columns.rows import WORD_BYTES, Flags, Rows, Words, word_type

__all__ = ["Digits", "read_digits", "same_digits"]

_SIZES = {1: 1, 2: 2, 3: 4, 4: 4}


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


@dataclass(frozen=True, slots=True)
class _Arithmetic:
    """The constants of words of one size.  steps: factor, shift and mask of each joining of neighbours."""

    zeros: np.unsignedinteger
    six: np.unsignedinteger
    high: np.unsignedinteger
    steps: tuple[tuple[np.unsignedinteger, np.unsignedinteger, np.unsignedinteger], ...]


def _arithmetic(size: int) -> _Arithmetic:
    kind = np.dtype(word_type(size)).type
    bits = 8 * size

    def every(byte: int) -> np.unsignedinteger:
        word: np.unsignedinteger = np.frombuffer(bytes([byte]) * size, kind)[0]
        return word

    def step(wide: int, weight: int) -> tuple[np.unsignedinteger, np.unsignedinteger, np.unsignedinteger]:
        lower_halves = sum(((1 << wide) - 1) << at for at in range(0, bits, 2 * wide))
        return kind((weight << wide) + 1), kind(wide), kind(lower_halves)

    steps = [step(wide, weight) for wide, weight in ((8, 10), (16, 100), (32, 10_000)) if wide < bits]
    return _Arithmetic(every(ord("0")), every(6), every(0xF0), tuple(steps))


_ARITHMETIC = {size: _arithmetic(size) for size in (1, 2, 4, 8)}


def _word(rows: Rows, end: int, width: int) -> Words:
    size = _SIZES.get(width, WORD_BYTES)
    found: Words = rows.words(end, size) ^ _ARITHMETIC[size].zeros
    if width < size:  # what stands in front belongs to another field
        found &= found.dtype.type((1 << 8 * size) - (1 << 8 * (size - width)))
    return found


def _odd(word: Words) -> Flags | None:
    """Return which words have a byte above 9; None for none."""
    constants = _ARITHMETIC[word.itemsize]
    over = word + constants.six
    over |= word
    if not np.bitwise_or.reduce(over) & constants.high:
        return None
    odd: Flags = (over & constants.high) != 0
    return odd


def _joined(word: Words) -> Words:
    """Return the number that each word's bytes spell."""
    steps = _ARITHMETIC[word.itemsize].steps
    found = word if steps else word.copy()
    for factor, shift, lower_halves in steps:
        found = found * factor
        found >>= shift
        found &= lower_halves
    return found
