"""Datasets: fresh from memory, stale where that is better than none, read once for all who wait."""

import asyncio
from collections import Counter
from dataclasses import replace

import pytest

from jvgate.cache.datasets import Datasets, made_of
from jvgate.cache.entries import Judged
from jvgate.cache.memory import Memory, Store
from jvgate.cache.shared import NoTier
from jvgate.errors import JVLinkError, ReadCancelled, SourceBusy
from jvgate.freshness import policy
from jvgate.freshness.lifetimes import Lifetimes
from jvgate.values import MISSING, Landed, Query
from tests.cache.clocks import STOPPED, Clock, settled, without_threads
from tests.raceday import QUERY, dataset, record
from tests.specs import JRA

FRESH_S, STALE_S, ERROR_S = 100.0, 20.0, 500.0
SOME = Query(QUERY.dataspec, QUERY.from_time, option=1, records=("RA",))
OTHER = Query("0B12", key="20261115")


class Source:
    """Gives the number of the read in its record; waits at the gate; fails with the `error` of when it began."""

    def __init__(self, clock):
        self._clock = clock
        self.reads = Counter()
        self.hastened = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.error = None
        self.nearly = False
        self.has_session = True
        self.urgencies = []
        self.cancelled = 0

    async def read(self, query, urgency):
        self.reads[query] += 1
        self.urgencies.append(urgency)
        number, error = self.reads[query], self.error
        try:
            await self.gate.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        if error is not None:
            raise error
        return dataset(record("RA", RaceNum=number), query=query, read_at=self._clock())

    def hasten(self, query):
        self.hastened.append(query)

    def is_being_read(self, query):
        return self.has_session

    def is_nearly_read(self, query):
        return self.nearly


freshness = policy.Judge(JRA, Lifetimes(JRA), clock=STOPPED)


class Judge:
    """Judges every dataset the same."""

    def judge(self, dataset, before):
        return Judged(FRESH_S, STALE_S, ERROR_S, frozenset({dataset.query.dataspec}))

    def after(self, query):
        return STALE_S, ERROR_S

    def is_passing(self, error):
        return freshness.is_passing(error)


def number(got):
    """Which read gave it."""
    return int(got.entry.value.body[25:27])


def play(scene, **settings):
    async def on_stage():
        without_threads()
        clock = Clock()
        source = Source(clock)
        memory = Memory(max_entries=100, max_bytes=1 << 20, clock=clock)
        parts = {"judge": Judge(), "shared": NoTier(), "monotonic": clock, "most_waiters": 100}
        made = Datasets(memory, source, **parts | settings)
        try:
            return await scene(made, source, clock)
        finally:
            source.gate.set()
            await made.close()

    return asyncio.run(on_stage())


def test_it_is_read_once_and_then_comes_from_memory():
    async def scene(datasets, source, clock):
        got = [await datasets.get(QUERY) for _ in range(3)]
        return [(each.how, number(each)) for each in got], source.urgencies

    assert play(scene) == ([("read", 1), ("memory", 1), ("memory", 1)], ["now"])


def test_a_wider_dataset_answers_a_narrower_query():
    async def scene(datasets, source, clock):
        await datasets.get(QUERY)
        return (await datasets.get(SOME)).how

    assert play(scene) == "memory"


def test_a_stale_one_is_given_at_once_while_it_is_refreshed_by_one_read():
    async def scene(datasets, source, clock):
        await datasets.get(QUERY)
        clock.now_s += FRESH_S
        source.gate.clear()
        stale = [await datasets.get(QUERY) for _ in range(3)]
        source.gate.set()
        await settled()
        return [(each.how, number(each)) for each in (*stale, await datasets.get(QUERY))], source.urgencies

    shown, urgencies = play(scene)
    assert shown == [("stale", 1)] * 3 + [("memory", 2)]
    assert urgencies == ["now", "refresh"]


def test_beyond_its_window_a_stale_one_is_read_before_it_is_given():
    async def scene(datasets, source, clock):
        await datasets.get(QUERY)
        clock.now_s += FRESH_S + STALE_S
        got = await datasets.get(QUERY)
        return got.how, number(got)

    assert play(scene) == ("read", 2)


@pytest.mark.parametrize("error", [JVLinkError(-504, "JVOpen"), SourceBusy(3)])
def test_when_the_source_fails_the_last_one_is_given_and_the_source_is_left_alone(error):
    async def scene(datasets, source, clock):
        await datasets.get(QUERY)
        clock.now_s += FRESH_S + STALE_S
        source.error = error
        got = [await datasets.get(QUERY) for _ in range(3)]
        source.error = None
        clock.now_s += 1.0
        got.append(await datasets.get(QUERY))
        await settled()
        return [(each.how, number(each)) for each in (*got, await datasets.get(QUERY))], source.urgencies

    assert play(scene) == ([("fallback", 1)] * 4 + [("memory", 3)], ["now", "now", "refresh"])


def test_nobody_waits_for_a_source_that_failed_and_hangs_now():
    async def scene(datasets, source, clock):
        await datasets.get(QUERY)
        clock.now_s += FRESH_S + STALE_S
        source.error = SourceBusy(1)
        await datasets.get(QUERY)
        source.gate.clear()
        hows = []
        for _ in range(3):
            clock.now_s += 60.0
            hows.append((await datasets.get(QUERY)).how)
            await settled()
        source.gate.set()
        await settled()
        clock.now_s += ERROR_S
        with pytest.raises(SourceBusy):
            await datasets.get(QUERY)
        return hows, source.urgencies

    assert play(scene) == (["fallback"] * 3, ["now", "now", "refresh", "now"])


@pytest.mark.parametrize(("error", "after_s"), [(JVLinkError(-301, "JVOpen"), FRESH_S + STALE_S),
                                                (SourceBusy(1), FRESH_S + ERROR_S)])  # fmt: skip
def test_an_error_that_will_not_pass_or_comes_after_the_last_window_is_told(error, after_s):
    async def scene(datasets, source, clock):
        await datasets.get(QUERY)
        clock.now_s += after_s
        source.error = error
        with pytest.raises(type(error)):
            await datasets.get(QUERY)

    play(scene)


def test_who_wants_something_newer_gets_it_or_the_error_and_the_kept_one_stays():
    async def scene(datasets, source, clock):
        await datasets.get(QUERY)
        clock.now_s += 10.0
        newer = await datasets.get(QUERY, newer_than=clock.now_s - 5.0)
        clock.now_s += 10.0
        source.error = SourceBusy(1)
        with pytest.raises(SourceBusy):
            await datasets.get(QUERY, newer_than=clock.now_s - 5.0)
        return newer.how, number(newer), number(await datasets.get(QUERY))

    assert play(scene) == ("read", 2, 2)


def test_who_insists_on_something_newer_does_not_make_do_with_a_flight_that_gives_the_last_one():
    async def scene(datasets, source, clock):
        await datasets.get(QUERY)
        clock.now_s += FRESH_S + STALE_S
        source.gate.clear()
        source.error = SourceBusy(1)
        easy = asyncio.create_task(datasets.get(QUERY))
        strict = asyncio.create_task(datasets.get(QUERY, newer_than=clock.now_s - 5.0))
        await settled()
        source.gate.set()
        return (await easy).how, await asyncio.gather(strict, return_exceptions=True)

    how, (error,) = play(scene)
    assert (how, type(error)) == ("fallback", SourceBusy)


def test_however_many_ask_it_is_read_once_and_one_too_many_is_refused():
    async def scene(datasets, source, clock):
        source.gate.clear()
        asking = [asyncio.create_task(datasets.get(QUERY)) for _ in range(11)]
        await settled()
        source.gate.set()
        return await asyncio.gather(*asking, return_exceptions=True), source.reads[QUERY]

    *answered, refused = play(scene, most_waiters=10)[0]
    assert [(each.how, each.joined) for each in answered] == [("read", False)] + [("read", True)] * 9
    assert isinstance(refused, SourceBusy)
    assert (refused.place, "JVGATE_WAITERS" in str(refused)) == (11, True)


def test_the_last_one_who_leaves_ends_the_read_unless_it_is_nearly_done():
    async def leave(datasets, source):
        source.gate.clear()
        asking = [asyncio.create_task(datasets.get(QUERY)) for _ in range(2)]
        await settled()
        for task in asking:
            task.cancel()
            await settled()
        source.gate.set()
        await settled()

    async def scene(datasets, source, clock):
        await leave(datasets, source)
        before = source.cancelled, datasets.kept(QUERY) is MISSING
        source.nearly = True
        await leave(datasets, source)
        return before, (source.cancelled, datasets.kept(QUERY) is MISSING)

    assert play(scene) == ((1, True), (1, False))


def test_what_was_made_of_a_dataset_goes_when_there_is_a_newer_one():
    async def scene(datasets, source, clock):
        answers = Store(datasets._memory)
        for query in (QUERY, OTHER):
            got = await datasets.get(query)
            answers.put(f"an answer of {query}", replace(got.entry, tags=frozenset({made_of(query)})))
        old = datasets.kept(QUERY)
        clock.now_s += 10.0
        newer = await datasets.get(QUERY, newer_than=clock.now_s - 5.0)
        kept = [answers.last(f"an answer of {query}") is not MISSING for query in (QUERY, OTHER)]
        return kept, datasets.has_newer(QUERY, old), datasets.has_newer(QUERY, newer.entry)

    assert play(scene) == ([False, True], True, False)


def test_who_joins_a_prefetch_hastens_it():
    async def scene(datasets, source, clock):
        source.gate.clear()
        early_one = asyncio.create_task(datasets.get(OTHER, urgency="prefetch"))
        await settled()
        late = asyncio.create_task(datasets.get(OTHER))
        await settled()
        source.gate.set()
        return (await late).joined, (await early_one).joined, source.hastened

    assert play(scene) == (True, False, [OTHER])


def test_who_joins_a_prefetch_that_is_given_up_in_that_moment_has_it_read():
    async def scene(datasets, source, clock):
        source.gate.clear()
        source.error = ReadCancelled("a prefetch")
        prefetch = asyncio.create_task(datasets.get(OTHER, urgency="prefetch"))
        await settled()
        source.error = None
        wanted = asyncio.create_task(datasets.get(OTHER))
        await settled()
        source.gate.set()
        await asyncio.gather(prefetch, return_exceptions=True)
        return (await wanted).how, type(prefetch.exception())

    assert play(scene) == ("read", ReadCancelled)


def test_a_purge_drops_what_is_kept_and_keeps_nothing_that_was_on_its_way():
    async def scene(datasets, source, clock):
        await datasets.get(QUERY)
        await datasets.get(OTHER)
        source.gate.clear()
        on_its_way = asyncio.create_task(datasets.get(QUERY, newer_than=clock.now_s))
        await settled()
        dropped = datasets.purge(lambda tags: "RACE" in tags)
        after = asyncio.create_task(datasets.get(QUERY))
        await settled()
        source.gate.set()
        asked_before, asked_after = await on_its_way, await after
        return dropped, number(asked_before), number(asked_after), datasets.kept(OTHER) is MISSING, source.reads[QUERY]

    assert play(scene) == (1, 2, 3, False, 3)


def test_every_dataset_that_was_read_is_announced_with_the_one_before_it():
    heard = []

    async def scene(datasets, source, clock):
        first = await datasets.get(QUERY)
        await datasets.get(QUERY)
        clock.now_s += 10.0
        second = await datasets.get(QUERY, newer_than=clock.now_s - 5.0)
        return [each.entry.value for each in (first, second)]

    first, second = play(scene, landed=[heard.append])
    assert heard == [Landed(QUERY, first, None, is_read=True), Landed(QUERY, second, first, is_read=True)]


def test_a_listener_that_raises_does_not_break_the_read():
    def fails(landed):
        raise ValueError(landed)

    async def scene(datasets, source, clock):
        return (await datasets.get(QUERY)).how

    assert play(scene, landed=[fails]) == "read"


def test_a_failure_that_may_pass_is_announced():
    heard = []

    async def scene(datasets, source, clock):
        source.error = SourceBusy(1)
        with pytest.raises(SourceBusy):
            await datasets.get(QUERY)
        return source.error

    error = play(scene, failed=[heard.append])
    assert heard == [error]
