"""Numbers from tags: the same seed and tags give the same integers on every machine and every Python."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from hashlib import blake2b
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

__all__ = ["Dice", "Numbers", "draw", "ripple", "shuffled"]

Numbers = NDArray[np.int64]
"""An array of whole numbers; 64 bits hold every product of the season."""

_MASK = (1 << 64) - 1
_GOLDEN, _FIRST, _SECOND = 0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB
_KEY = 0xD6E8FEB86659FD93
T = TypeVar("T")


def _mix(value: int) -> int:
    """Return the output function of splitmix64: every input bit reaches every output bit."""
    value = ((value ^ (value >> 30)) * _FIRST) & _MASK
    value = ((value ^ (value >> 27)) * _SECOND) & _MASK
    return value ^ (value >> 31)


@lru_cache(maxsize=1024)
def _start(seed: int, word: str) -> int:
    """Return the state from which draws for a purpose start, so that different purposes do not meet."""
    return _mix((seed + _GOLDEN) & _MASK) ^ int.from_bytes(
        blake2b(word.encode("utf-8"), digest_size=8).digest(), "little"
    )


def draw(seed: int, word: str, *keys: int) -> int:
    """Return 64 bits that depend on the seed, the purpose *word* and all *keys* (in order, any sign)."""
    state = _start(seed, word)
    for key in keys:
        state = (state + _GOLDEN + key * _KEY) & _MASK
        state = ((state ^ (state >> 30)) * _FIRST) & _MASK
        state = ((state ^ (state >> 27)) * _SECOND) & _MASK
        state ^= state >> 31
    return state


class Dice:
    """A stream of draws that starts from the seed, a purpose and keys."""

    __slots__ = ("_state",)

    def __init__(self, seed: int, word: str, *keys: int) -> None:
        self._state = draw(seed, word, *keys)

    def bits(self) -> int:
        """Return the next 64 bits."""
        self._state = (self._state + _GOLDEN) & _MASK
        return _mix(self._state)

    def below(self, bound: int) -> int:
        """Return an integer from 0 to bound - 1."""
        return self.bits() % bound

    def between(self, low: int, high: int) -> int:
        """Return an integer from *low* to *high*, both included."""
        return low + self.bits() % (high - low + 1)

    def chance(self, per_mille: int) -> bool:
        """Return True about *per_mille* times in a thousand."""
        return self.bits() % 1000 < per_mille

    def bell(self, spread: int) -> int:
        """Return an integer around 0, within ±2 *spread*, most often near 0: the sum of four even draws."""
        bits = self.bits()
        parts = (bits & 0xFFFF) + (bits >> 16 & 0xFFFF) + (bits >> 32 & 0xFFFF) + (bits >> 48)
        return (parts - 131070) * spread // 65536

    def choice(self, items: Sequence[T]) -> T:
        """Return one of *items*."""
        return items[self.bits() % len(items)]


def shuffled(count: int, seed: int, word: str, *keys: int) -> tuple[int, ...]:
    """Return 0 … count - 1 in an order that depends on the seed, the purpose and the keys; count: at most 20."""
    lot, order = draw(seed, word, *keys), list(range(count))
    for last in range(count - 1, 0, -1):
        lot, at = divmod(lot, last + 1)
        order[last], order[at] = order[at], order[last]
    return tuple(order)


def ripple(seed: int, count: int, *, height: int) -> Numbers:
    """Return *count* numbers from -height to +height.  seed: 64 bits, best from `draw`."""
    # splitmix64 on a whole array: the same numbers on every machine.
    state = np.arange(1, count + 1, dtype=np.uint64) * np.uint64(_GOLDEN) + np.uint64(seed & _MASK)
    state = (state ^ (state >> np.uint64(30))) * np.uint64(_FIRST)
    state = (state ^ (state >> np.uint64(27))) * np.uint64(_SECOND)
    drawn = (state >> np.uint64(33)).astype(np.int64)
    return drawn % (2 * height + 1) - height
