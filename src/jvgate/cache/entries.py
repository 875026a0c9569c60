"""A dataset as memory keeps it, and as Redis does.

Memory's moments are those of `lifetime_clock`; Redis, which other machines read too, has those of its own clock, the
dataset's own `read_at` too.  `ahead_s` is how far the second is ahead of the first.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from math import log

from jvgate.cache.shared import Packed
from jvgate.values import Dataset, Entry

__all__ = ["ENTRY_OVERHEAD_BYTES", "Judged", "early", "entry_of", "packed_of", "unpacked"]

# An entry weighs a little more than its bytes: the objects around them.
ENTRY_OVERHEAD_BYTES = 1024


@dataclass(frozen=True, slots=True)
class Judged:
    """What a dataset's content says.  tags: what it is about.

    For how many seconds it may be used: after its read as it is (fresh), after that while it is being refreshed
    (stale), or while the source fails (error).
    """

    fresh_s: float
    stale_s: float
    error_s: float
    tags: frozenset[str]


def entry_of(dataset: Dataset, judged: Judged, *, read_at: float, cost_s: float) -> Entry[Dataset]:
    """Return what was read at *read_at* as memory keeps it.  cost_s: what reading it took."""
    fresh_until = read_at + judged.fresh_s
    return Entry(
        dataset,
        read_at=read_at,
        fresh_until=fresh_until,
        weight=_weight(dataset),
        stale_until=fresh_until + judged.stale_s,
        error_until=fresh_until + judged.error_s,
        refresh_at=early(fresh_until, cost_s=cost_s, lifetime_s=judged.fresh_s),
        tags=judged.tags,
    )


def packed_of(entry: Entry[Dataset], *, stamp: int, ahead_s: float) -> Packed:
    """Return *entry* as Redis keeps it.  stamp: the last purge that was known when its read began."""
    return Packed(
        replace(entry.value, read_at=entry.read_at + ahead_s),
        fresh_until=entry.fresh_until + ahead_s,
        stale_until=entry.kept_until + ahead_s,
        tags=tuple(sorted(entry.tags)),
        stamp=stamp,
    )


def unpacked(packed: Packed, *, now: float, ahead_s: float, after: tuple[float, float]) -> Entry[Dataset]:
    """Return what Redis had as memory keeps it.  Whoever read it refreshes it early; here it gets stale first.

    after: for how many seconds it may be used when it is not fresh any more: stale, and when the source fails.
    Like where it was read, it is never stale for longer than it was fresh, and of use for as long when the source
    fails.  What was read in the future, as far as a clock may say so, was read now at the latest.
    """
    ahead_s += max(0.0, packed.dataset.read_at - ahead_s - now)
    fresh_until, kept_until = packed.fresh_until - ahead_s, packed.stale_until - ahead_s
    stale_s = min(after[0], packed.fresh_until - packed.dataset.read_at)
    return Entry(
        packed.dataset,
        read_at=packed.dataset.read_at - ahead_s,
        fresh_until=fresh_until,
        weight=_weight(packed.dataset),
        stale_until=min(fresh_until + stale_s, kept_until),
        error_until=min(fresh_until + max(after[1], stale_s), kept_until),
        tags=frozenset(packed.tags),
    )


def _weight(dataset: Dataset) -> int:
    return len(dataset.body) + dataset.scan.bytes + ENTRY_OVERHEAD_BYTES


def early(fresh_until: float, *, cost_s: float, lifetime_s: float, dice: Callable[[], float] = random.random) -> float:
    """Return from when on a hit has a refresh begin, so that what is asked for often is never seen to get old.

    cost_s: what a read takes.  The lead over its end is random, in proportion to that, so that several servers do not
    come at once, and a tenth of the lifetime at most.  Source: Vattani, Chierichetti, Lowenstein, Optimal Probabilistic
    Cache Stampede Prevention (VLDB 2015), with one throw for each entry instead of one for each hit.
    """
    return fresh_until - min(cost_s * (1 - log(1 - dice())), lifetime_s / 10)
