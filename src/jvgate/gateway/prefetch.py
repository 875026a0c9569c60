"""Reads what will be asked for before anybody asks, when the sessions have nothing better to do.

What is worth reading is planned by rules (`prefetch_plans.py`), and books are kept of it (`prefetch_queue.py`).  This
is the loop: it looks every second, more often where the source's clock runs faster, and at once after a dataset landed
that plans something.  A prefetch has the lowest priority in the pool and half of its sessions at most, and it is given
up when a client waits for its session.  When the source fails at anybody's read, there are none for a while.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from dataclasses import replace

import structlog
from cachetools import FIFOCache

from jvgate.cache.datasets import Datasets
from jvgate.cache.traffic import Traffic
from jvgate.errors import ReadCancelled, SourceError
from jvgate.freshness.lifetimes import Lifetimes
from jvgate.freshness.post_times import PostTimes, starts_in
from jvgate.gateway.prefetch_plans import Asked, Wish, after_answer, after_expiry, is_followed, near_post
from jvgate.gateway.prefetch_queue import Prefetches, PrefetchFigures
from jvgate.spec.jst import day_at
from jvgate.spec.spec import Spec
from jvgate.values import Dataset, Landed, Query, Question, SourceClock

__all__ = ["Prefetcher", "tick_s"]

TICK_S, LEAST_TICK_S = 1.0, 0.1
_HOTTEST = 20
_MOST_QUESTIONS = 4096

log: structlog.stdlib.BoundLogger = structlog.get_logger("jvgate.prefetch")


class Prefetcher:
    """Fills *datasets* ahead.  clock: that of the source, by which post times come near.

    sessions: of the pool.  Used with `async with`, in one event loop.
    """

    def __init__(
        self,
        datasets: Datasets,
        traffic: Traffic,
        spec: Spec,
        *,
        posts: PostTimes,
        lifetimes: Lifetimes,
        sessions: int,
        clock: SourceClock,
    ) -> None:
        self._datasets = datasets
        self._traffic = traffic
        self._spec = spec
        self._rules = spec.prefetch_rules
        self._posts = posts
        self._lifetimes = lifetimes
        self._clock = clock
        self._now = clock.epoch_s
        self._asked = Asked()
        self._prefetches = Prefetches()
        self._questions: FIFOCache[str, Question] = FIFOCache(_MOST_QUESTIONS)
        self._most_running = max(1, sessions // 2)
        self._running: set[asyncio.Task[None]] = set()
        self._planning: set[asyncio.Task[None]] = set()
        self._wake = asyncio.Event()
        self._loop: asyncio.Task[None] | None = None
        datasets.landed.add(self._landed)
        datasets.failed.add(self._failed)

    @property
    def figures(self) -> PrefetchFigures:
        """What came of the prefetches so far."""
        return self._prefetches.figures

    async def __aenter__(self) -> Prefetcher:
        self._loop = asyncio.create_task(self._run(), name="jvgate-prefetch")
        return self

    async def __aexit__(self, *_: object) -> None:
        tasks = [task for task in (self._loop, *self._running, *self._planning) if task is not None]
        self._loop = None
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def asked(self, question: Question) -> None:
        """Take note of what a client asks for, before it is got."""
        key = str(question)
        self._questions[key] = question
        for query in question.queries:
            self._asked.note(query, now=self._now())
            for known in _holders(query):
                self._prefetches.asked(str(known))

    def _landed(self, news: Landed) -> None:
        """Plan what follows a dataset; a client that waits for its answer does not wait for the plan."""
        if self._loop is not None and is_followed(news.query, self._rules):
            task = asyncio.create_task(
                self._follow(news.query, news.dataset), name=f"jvgate-prefetch-after-{news.query}"
            )
            self._planning.add(task)
            task.add_done_callback(self._planning.discard)

    async def _follow(self, query: Query, dataset: Dataset) -> None:
        now = self._now()
        starts = await asyncio.to_thread(starts_in, dataset.scan, since=day_at(now))
        self._add(after_answer(query, starts, self._rules, now=now, asked=self._asked))

    def _add(self, wishes: list[Wish]) -> None:
        if self._prefetches.add(wishes, now=time.monotonic(), is_fresh=self._is_fresh):
            self._wake.set()

    async def _run(self) -> None:
        """Look every second of the source, and whenever something was planned or has ended."""
        while True:
            self._wake.clear()
            try:
                self._tick()
            except Exception as exc:  # the boundary: what goes wrong with one plan does not end all others
                log.exception("what to prefetch could not be planned", error=repr(exc))
            while len(self._running) < self._most_running and (wish := self._prefetches.take(time.monotonic())):
                task = asyncio.create_task(self._read(wish), name=f"jvgate-prefetch-{wish.query}")
                self._running.add(task)
                task.add_done_callback(self._done)
            with suppress(TimeoutError):
                async with asyncio.timeout(tick_s(self._clock)):
                    await self._wake.wait()

    def _failed(self, error: SourceError) -> None:
        """Leave the source in peace: a read failed, whoever's."""
        self._prefetches.pause(time.monotonic())

    def _done(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        self._wake.set()
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("a prefetch went wrong", task=task.get_name(), error=repr(error), exc_info=error)

    def _tick(self) -> None:
        """Plan what time itself brings: post times, and ends of answers that are asked for often."""
        self._traffic.hotness.tick(time.monotonic())
        for key in self._prefetches.brought:
            if not self._datasets.is_fresh(key):
                self._prefetches.gone(key)
        wishes = near_post(self._posts, self._rules, now=self._now(), asked=self._asked)
        for key, hits_per_s in self._traffic.hotness.hottest(_HOTTEST):
            question = self._questions.get(key)
            for query in question.queries if question else ():
                life_s = self._clock.wall_s(self._lifetimes.figures(query).fresh)
                wishes += after_expiry(query, self._rules, hits_per_s=hits_per_s, life_s=life_s)
        self._add(wishes)

    async def _read(self, wish: Wish) -> None:
        query = wish.query
        try:
            await self._datasets.get(query, stale_ok=False, urgency="prefetch")
        except ReadCancelled:
            self._prefetches.yielded(query, now=time.monotonic())
        except SourceError as exc:
            self._prefetches.failed(query, now=time.monotonic())
            log.debug("a prefetch failed", query=str(query), why=str(exc))
        except BaseException:  # a fault of ours: its key must not be taken for what is being read, for ever
            self._prefetches.failed(query, now=time.monotonic())
            raise
        else:
            self._prefetches.landed(query)

    def _is_fresh(self, query: Query) -> bool:
        return any(self._datasets.is_fresh(str(known)) for known in _holders(query))


def tick_s(clock: SourceClock) -> float:
    """Return the wall seconds between two looks: a second of the source, within bounds."""
    return min(TICK_S, max(LEAST_TICK_S, clock.wall_s(TICK_S)))


def _holders(query: Query) -> tuple[Query, ...]:
    """Return the queries whose datasets hold all that *query* wants: itself, and the one that wants every record."""
    return (query, replace(query, records=())) if query.records else (query,)
