"""The prefetches of one server: a bounded queue without twins, pauses when the source errs, and what came of each.

A prefetch is queued, then running, then brought: its entry is in the cache and nobody has asked for it yet.  Who asks
makes it used; when the entry goes before that, it was wasted, and what was wasted again and again is not read any more
until somebody asks.  Who asks for what is only queued takes it out: the client's own read is on its way.  Keys are the
queries' texts; moments are seconds of any one clock.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from cachetools import FIFOCache

from jvgate.gateway.prefetch_plans import Wish
from jvgate.values import Backoff, Query

__all__ = ["PrefetchFigures", "PrefetchLimits", "Prefetches"]


_BACKOFF = Backoff(first_s=5.0, most_s=300.0)


@dataclass(slots=True)
class PrefetchFigures:
    """Counts since the start.

    issued: reads begun.  used, wasted: of what they brought.  failed: reads that gave nothing.
    yielded: given up for a client's read.  overtaken: asked for by a client while queued.
    refused: the queue was full.  outdated: queued too long.  unwanted: wasted too often before.
    """

    issued: int = 0
    used: int = 0
    wasted: int = 0
    failed: int = 0
    yielded: int = 0
    overtaken: int = 0
    refused: int = 0
    outdated: int = 0
    unwanted: int = 0


@dataclass(frozen=True, slots=True)
class PrefetchLimits:
    """How far prefetching goes.

    queued: wishes.  followed: keys whose use is watched.  keep_s: how long a wish may queue.
    wasted: how often in a row a key may be read for nobody.
    backoff: after errors of the source.
    """

    queued: int = 256
    followed: int = 4096
    keep_s: float = 120.0
    wasted: int = 2
    backoff: Backoff = _BACKOFF


@dataclass(slots=True)
class _Running:
    wish: Wish
    is_asked: bool = False


class Prefetches:
    """What is queued, running and brought."""

    def __init__(self, limits: PrefetchLimits | None = None) -> None:
        self.figures = PrefetchFigures()
        self._limits = limits or PrefetchLimits()
        self._queued: OrderedDict[str, tuple[Wish, float]] = OrderedDict()
        self._running: dict[str, _Running] = {}
        self._brought: OrderedDict[str, None] = OrderedDict()
        self._wasted: FIFOCache[str, int] = FIFOCache(self._limits.followed)  # in a row
        self._errors = 0
        self._paused_until = float("-inf")

    def __len__(self) -> int:
        """How many are queued."""
        return len(self._queued)

    @property
    def brought(self) -> tuple[str, ...]:
        """The keys of what was brought and nobody has asked for yet."""
        return tuple(self._brought)

    def add(
        self, wishes: Iterable[Wish], *, now: float, is_fresh: Callable[[Query], bool] = lambda query: False
    ) -> int:
        """Queue *wishes* that are neither fresh nor on their way already; return how many were taken."""
        taken = 0
        for wish in wishes:
            key = str(wish.query)
            if key in self._queued or key in self._running or key in self._brought or is_fresh(wish.query):
                continue
            if self._wasted.get(key, 0) >= self._limits.wasted:
                self.figures.unwanted += 1
            elif len(self._queued) >= self._limits.queued:
                self.figures.refused += 1
            else:
                self._queued[key] = (wish, now)
                taken += 1
        return taken

    def take(self, now: float) -> Wish | None:
        """Return the next wish to read, now running; None when there is none or the source is left in peace."""
        if self.is_paused(now):
            return None
        while self._queued:
            key, (wish, added_at) = self._queued.popitem(last=False)
            if now - added_at <= self._limits.keep_s:
                self._running[key] = _Running(wish)
                self.figures.issued += 1
                return wish
            self.figures.outdated += 1
        return None

    def landed(self, query: Query) -> None:
        """Note that the read of *query* ended well and its entry is in the cache."""
        self._errors = 0
        running = self._running.pop(str(query), None)
        if running is None:
            return
        if running.is_asked:
            self.figures.used += 1
            return
        self._brought[str(query)] = None
        if len(self._brought) > self._limits.followed:
            self.gone(next(iter(self._brought)))

    def yielded(self, query: Query, *, now: float) -> None:
        """Note that the read of *query* was given up for a client's; it is the next one again, unless that was it."""
        running = self._running.pop(str(query), None)
        if running is None:
            return
        self.figures.yielded += 1
        if not running.is_asked and len(self._queued) < self._limits.queued:
            self._queued[str(query)] = (running.wish, now)
            self._queued.move_to_end(str(query), last=False)

    def failed(self, query: Query, *, now: float) -> None:
        """Note that the source failed at *query*: nothing is taken for a while."""
        if self._running.pop(str(query), None) is not None:
            self.figures.failed += 1
        self.pause(now)

    def pause(self, now: float) -> None:
        """Note that the source failed, at anybody's read: the longer it goes on, the longer it is left in peace."""
        if self.is_paused(now):  # errors of reads that were begun before the pause say nothing new
            return
        self._errors += 1
        self._paused_until = now + self._limits.backoff.pause_s(self._errors)

    def is_paused(self, now: float) -> bool:
        """Whether the source is left in peace."""
        return now < self._paused_until

    def asked(self, key: str) -> bool:
        """Note that a client asks for *key*; return whether a prefetch had brought it."""
        self._wasted.pop(key, None)
        if key in self._brought:
            del self._brought[key]
            self.figures.used += 1
            return True
        if self._queued.pop(key, None) is not None:
            self.figures.overtaken += 1
        elif key in self._running:
            self._running[key].is_asked = True
        return False

    def gone(self, key: str) -> None:
        """Note that the entry of *key* expired, was evicted or purged."""
        if key not in self._brought:
            return
        del self._brought[key]
        self.figures.wasted += 1
        self._wasted[key] = self._wasted.get(key, 0) + 1
