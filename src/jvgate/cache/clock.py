"""The clock that lifetimes are counted by: it also counts the time that the machine was suspended."""

from __future__ import annotations

import time
from collections.abc import Callable

__all__ = ["lifetime_clock"]

# How far the wall clock may move against the monotonic one before that is taken for a suspend or for a clock that was
# set.  Slewing (NTP) and the coarse steps of either clock stay below it, so that they never add up.
_TOLERANCE_S = 0.5
# Two readings further apart than this say nothing about each other: the thread was interrupted between them.
_APART_S = 0.05
_MOST_TRIES = 10


def lifetime_clock(
    monotonic: Callable[[], float] = time.monotonic, wall: Callable[[], float] = time.time
) -> Callable[[], float]:
    """Return a clock, in seconds, that never goes back and runs at least as far as either of its two clocks.

    On most systems the monotonic clock stands still while the machine is suspended; the wall clock does not, but may
    be set.  Whenever it has got ahead of the monotonic clock, this clock goes forward by the difference: an entry that
    lived through a suspend has aged, and a wall clock that was set forward costs a read.  A wall clock that was set
    back changes nothing.  For one thread.  A function and not an object, since every hit of the cache calls it.
    """
    added_s = 0.0  # what this clock is ahead of the monotonic one
    difference_s = wall() - monotonic()  # as it was when the clocks were compared last
    least_s, most_s = difference_s - _TOLERANCE_S, difference_s + _TOLERANCE_S

    def now() -> float:
        reading = monotonic()
        if least_s < wall() - reading < most_s:
            return reading + added_s
        return compared()

    def compared() -> float:
        nonlocal added_s, difference_s, least_s, most_s
        for _ in range(_MOST_TRIES):
            before, told, after = monotonic(), wall(), monotonic()
            if after - before < _APART_S:
                break
        moved_s = told - after - difference_s
        if abs(moved_s) >= _TOLERANCE_S:
            added_s += max(0.0, moved_s)
            difference_s += moved_s
            least_s, most_s = difference_s - _TOLERANCE_S, difference_s + _TOLERANCE_S
        return after + added_s

    return now
