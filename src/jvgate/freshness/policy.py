"""What the content of a dataset says of its life in the cache: how long it may be used, and what it is about."""

from __future__ import annotations

import random
from collections.abc import Callable
from threading import Lock

from jvgate.cache.entries import Judged
from jvgate.errors import JVLinkError, SourceError
from jvgate.freshness.changes import ChangeRate, family_of
from jvgate.freshness.lifetimes import Lifetimes
from jvgate.freshness.post_times import PostTimes
from jvgate.freshness.tags import tags_of
from jvgate.spec.spec import Spec
from jvgate.values import Dataset, Query, SourceClock

__all__ = ["Judge"]


class Judge:
    """Judges datasets by their content, and by what was learnt from those before: post times, how often they change.

    clock: that of the source.  All is reckoned in its seconds, and told in those of the wall clock, which clients and
    caches go by.  May be called from several threads.
    """

    def __init__(
        self, spec: Spec, lifetimes: Lifetimes, *, clock: SourceClock, dice: Callable[[], float] = random.random
    ) -> None:
        self.posts = PostTimes()
        self._spec = spec
        self._lifetimes = lifetimes
        self._clock = clock
        self._dice = dice
        self._changes = ChangeRate()
        self._lock = Lock()

    def judge(self, dataset: Dataset, before: Dataset | None) -> Judged:
        """Return the windows (wall seconds) and the tags of *dataset*, read just now.

        before: what the same query gave last.
        """
        now, tags = self._clock.epoch_s(), tags_of(dataset)
        with self._lock:
            self.posts.learn(dataset.scan, now=now)
            family = family_of(dataset.query)
            if before is not None:
                self._changes.observe(family, now, changed=before.body != dataset.body)
            windows = self._lifetimes.windows(
                dataset,
                now=now,
                posts=self.posts,
                change_every_s=self._changes.every_s(family, now),
                random=self._dice(),
            )
        fresh_s, stale_s, error_s = map(self._clock.wall_s, (windows.fresh_s, windows.stale_s, windows.error_s))
        return Judged(fresh_s, stale_s, error_s, tags)

    def after(self, query: Query) -> tuple[float, float]:
        """Return for how many wall seconds what is not fresh any more may be used: stale, and when the source fails."""
        figures = self._lifetimes.figures(query)
        return self._clock.wall_s(figures.stale), self._clock.wall_s(figures.error)

    def is_passing(self, error: SourceError) -> bool:
        """Return whether waiting may help against *error*, so that a stale answer is better than none meanwhile."""
        if isinstance(error, JVLinkError):
            known = self._spec.return_codes.get(error.code, error.method)
            return known is not None and known.retryable
        return error.retry_after_s is not None
