"""A whole array of draws at once: splitmix64 on numpy, the same numbers on every machine."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["Numbers", "ripple"]

Numbers = NDArray[np.int64]
"""An array of whole numbers; 64 bits hold every product in this room."""

_GOLDEN, _FIRST, _SECOND = 0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB


def ripple(seed: int, count: int, *, height: int) -> Numbers:
    """Return *count* numbers from -height to +height.  seed: 64 bits, best from `rng.draw`."""
    state = np.arange(1, count + 1, dtype=np.uint64) * np.uint64(_GOLDEN) + np.uint64(seed & 0xFFFFFFFFFFFFFFFF)
    state = (state ^ (state >> np.uint64(30))) * np.uint64(_FIRST)
    state = (state ^ (state >> np.uint64(27))) * np.uint64(_SECOND)
    drawn = (state >> np.uint64(33)).astype(np.int64)
    return drawn % (2 * height + 1) - height
