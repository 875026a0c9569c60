"""The loop of the prefetches: what an answer plans is read, shared with who asks, and counted."""

import asyncio
import time
from collections import Counter
from dataclasses import asdict
from datetime import datetime

import pytest
import structlog

from jvgate.cache.datasets import Datasets
from jvgate.cache.memory import Memory
from jvgate.cache.shared import NoTier
from jvgate.cache.traffic import Traffic
from jvgate.errors import JVLinkError, ReadCancelled, SourceBusy
from jvgate.freshness.lifetimes import Lifetimes
from jvgate.freshness.post_times import PostTimes
from jvgate.gateway import prefetch as prefetching
from jvgate.gateway.prefetch import Prefetcher
from jvgate.spec.jst import JST
from jvgate.values import Landed, Query, Question, Selection, SourceClock
from tests.cache.clocks import Clock, settled, without_threads
from tests.cache.test_datasets import FRESH_S, Judge
from tests.raceday import QUERY, RACE_KEY, dataset, record
from tests.specs import JRA
from tests.waiting import until

NOON = datetime(2026, 11, 15, 12, tzinfo=JST).timestamp()
RACES = dataset(record("RA", HassoTime="15:40"), query=QUERY)
CARD, ODDS = Query("0B15", key=RACE_KEY), Query("0B30", key=RACE_KEY)


class Source:
    """Reads wait at the gate, and fail with `error` where there is one."""

    def __init__(self):
        self.reads = Counter()
        self.urgencies = []
        self.hastened = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.error = None

    async def read(self, query, urgency):
        self.reads[query] += 1
        self.urgencies.append(urgency)
        await self.gate.wait()
        if self.error is not None:
            raise self.error
        return dataset(record("RA"), query=query)

    def hasten(self, query):
        self.hastened.append(query)

    def is_being_read(self, query):
        return True

    def is_nearly_read(self, query):
        return False


class Stage:
    """A prefetcher over a source."""

    def __init__(self, sessions, *, speed):
        self.source, self.clock, self.traffic = Source(), Clock(), Traffic()
        memory = Memory(max_entries=100, max_bytes=1 << 20, clock=self.clock)
        self.datasets = Datasets(
            memory, self.source, judge=Judge(), shared=NoTier(), monotonic=self.clock, most_waiters=100
        )
        self.prefetcher = Prefetcher(
            self.datasets,
            self.traffic,
            JRA,
            posts=PostTimes(),
            lifetimes=Lifetimes(JRA),
            sessions=sessions,
            clock=SourceClock(datetime.fromtimestamp(NOON, JST).replace(tzinfo=None), began=time.time(), speed=speed),
        )

    async def asks(self, query):
        """Do as the gateway does when a client asks."""
        self.prefetcher.asked(Question(query.dataspec, (query,), Selection()))
        return await self.datasets.get(query)

    def lands(self, query, read):
        """Do as the cache does when a dataset was read."""
        self.datasets.landed.tell(Landed(query, read, None, is_read=True))

    @property
    def figures(self):
        return {name: count for name, count in asdict(self.prefetcher.figures).items() if count}


@pytest.fixture
def play(monkeypatch):
    monkeypatch.setattr(prefetching, "TICK_S", 0.001)  # what comes by itself comes at once

    def play(scene, sessions=8, *, speed=0.0):
        async def on_stage():
            without_threads()
            stage = Stage(sessions, speed=speed)
            async with stage.prefetcher:
                shown = await scene(stage, stage.prefetcher)
            await stage.datasets.close()
            return shown

        return asyncio.run(on_stage())

    return play


async def brought(stage, count=2):
    await until(lambda: len(stage.prefetcher._prefetches.brought) == count)


def test_after_the_races_come_their_cards_and_odds(play):
    async def scene(stage, prefetcher):
        stage.lands(QUERY, RACES)
        await brought(stage)
        return stage.source.reads, stage.source.urgencies, [(await stage.asks(query)).how for query in (CARD, ODDS)]

    reads, urgencies, hows = play(scene)
    assert reads == {CARD: 1, ODDS: 1}
    assert urgencies == ["prefetch"] * 2
    assert hows == ["memory"] * 2


def test_what_came_of_them_is_counted(play):
    async def scene(stage, prefetcher):
        stage.lands(QUERY, RACES)
        await brought(stage)
        await stage.asks(CARD)
        stage.clock.now_s += FRESH_S
        await brought(stage, 0)
        return stage.figures

    assert play(scene) == {"issued": 2, "used": 1, "wasted": 1}


def test_who_wants_some_records_of_what_was_brought_makes_it_used(play):
    async def scene(stage, prefetcher):
        stage.lands(QUERY, RACES)
        await brought(stage)
        return (await stage.asks(Query("0B15", key=RACE_KEY, records=("RA",)))).how, stage.figures

    assert play(scene) == ("memory", {"issued": 2, "used": 1})


@pytest.mark.parametrize("wanted", [CARD, Query("0B15", key=RACE_KEY, records=("RA",))])
def test_a_client_joins_what_is_being_read_ahead(play, wanted):
    async def scene(stage, prefetcher):
        stage.source.gate.clear()
        stage.lands(QUERY, RACES)
        await until(lambda: stage.source.reads[CARD])
        asking = asyncio.create_task(stage.asks(wanted))
        await settled()
        stage.source.gate.set()
        got = await asking
        await brought(stage, 1)
        return got.joined, stage.source.hastened, stage.source.reads.total(), stage.figures

    assert play(scene) == (True, [CARD], 2, {"issued": 2, "used": 1})


def test_nothing_is_read_ahead_of_what_a_client_asks_for_itself(play):
    async def scene(stage, prefetcher):
        stage.source.gate.clear()
        stage.lands(QUERY, RACES)
        await until(lambda: stage.source.reads[CARD])  # of one session: the odds are still queued
        asking = asyncio.create_task(stage.asks(ODDS))
        await settled()
        stage.source.gate.set()
        await asking
        await brought(stage, 1)
        return stage.source.reads, stage.figures

    assert play(scene, sessions=1) == ({CARD: 1, ODDS: 1}, {"issued": 1, "overtaken": 1})


def test_an_error_of_the_source_ends_it_for_a_while(play):
    async def scene(stage, prefetcher):
        stage.source.error = SourceBusy(1)
        stage.lands(QUERY, RACES)
        await until(lambda: prefetcher.figures.failed)
        stage.source.error = None
        await settled()
        return stage.source.reads, stage.figures

    assert play(scene, sessions=1) == ({CARD: 1}, {"issued": 1, "failed": 1})


def test_an_error_that_a_client_gets_ends_it_for_a_while_too(play):
    async def scene(stage, prefetcher):
        stage.source.error = SourceBusy(1)
        with pytest.raises(SourceBusy):
            await stage.asks(QUERY)
        stage.source.error = None
        stage.lands(QUERY, RACES)
        await settled()
        return stage.source.reads, len(prefetcher._prefetches), stage.figures

    assert play(scene) == ({QUERY: 1}, 2, {})


@pytest.mark.parametrize("error", [JVLinkError(-301, "JVOpen"), ReadCancelled("a read")])
def test_an_error_that_says_nothing_of_the_source_ends_nothing(play, error):
    async def scene(stage, prefetcher):
        stage.source.error = error
        with pytest.raises(type(error)):
            await stage.asks(QUERY)
        stage.source.error = None
        stage.lands(QUERY, RACES)
        await brought(stage)

    play(scene)


def test_a_plan_that_goes_wrong_is_told_and_ends_nothing(play, monkeypatch):
    def fails(posts, rules, **known):
        failures.append(1)
        raise RuntimeError("dictionary changed size during iteration")

    async def scene(stage, prefetcher):
        monkeypatch.setattr(prefetching, "near_post", fails)
        await until(lambda: failures)
        stage.lands(QUERY, RACES)
        await brought(stage)
        return stage.figures

    failures = []
    with structlog.testing.capture_logs() as logs:
        assert play(scene) == {"issued": 2}
    assert "dictionary changed" in logs[0]["error"]


def test_a_read_that_goes_wrong_in_a_way_of_its_own_is_told_and_not_running_for_ever(play):
    async def scene(stage, prefetcher):
        stage.source.error = RuntimeError("a fault of ours")
        stage.lands(QUERY, RACES)
        await until(lambda: prefetcher.figures.failed)
        return len(prefetcher._prefetches._running), stage.figures

    with structlog.testing.capture_logs() as logs:
        assert play(scene, sessions=1) == (0, {"issued": 1, "failed": 1})
    assert "a fault of ours" in logs[0]["error"]


def test_what_was_given_up_for_a_client_is_the_next_one_again(play):
    async def scene(stage, prefetcher):
        stage.source.error = ReadCancelled("a prefetch")
        stage.source.gate.clear()
        stage.lands(QUERY, RACES)
        await until(lambda: stage.source.reads[CARD])
        stage.source.gate.set()
        await until(lambda: prefetcher.figures.yielded)
        stage.source.error = None
        await brought(stage)
        return stage.source.reads[ODDS], prefetcher.figures.failed

    assert play(scene, sessions=1) == (1, 0)


def test_what_was_brought_and_has_expired_is_brought_again(play):
    async def scene(stage, prefetcher):
        stage.lands(QUERY, RACES)
        await brought(stage)
        stage.clock.now_s += FRESH_S
        await brought(stage, 0)
        stage.lands(QUERY, RACES)
        await brought(stage)
        return stage.figures

    assert play(scene) == {"issued": 4, "wasted": 2}


def test_what_nothing_follows_is_not_looked_into(play, monkeypatch):
    monkeypatch.setattr(prefetching, "starts_in", lambda scan, since: pytest.fail("its records were looked at"))

    async def scene(stage, prefetcher):
        await stage.asks(CARD)
        await settled()
        return stage.figures

    assert play(scene) == {}


def test_the_end_does_not_wait_for_what_is_being_read(play):
    async def scene(stage, prefetcher):
        stage.source.gate.clear()
        stage.lands(QUERY, RACES)
        await until(lambda: stage.source.reads)

    play(scene)


@pytest.mark.parametrize(("speed", "is_hot"), [(0.0, True), (1.0, True), (60.0, False)])
def test_what_ages_faster_is_hot_only_when_it_is_asked_for_more_often(play, speed, is_hot):
    """Hits are counted by the wall clock, and so must be the life in which they come."""
    question = Question(CARD.dataspec, (CARD,), Selection())

    async def scene(stage, prefetcher):
        prefetcher.asked(question)
        for _ in range(30):
            stage.traffic.hotness.hit(str(question))
        prefetcher._tick()
        return CARD in {wish.query for wish, _ in prefetcher._prefetches._queued.values()}

    assert play(scene, speed=speed) is is_hot


@pytest.mark.parametrize(("speed", "tick_s"), [(0.0, 1.0), (0.5, 1.0), (1.0, 1.0), (4.0, 0.25), (3600.0, 0.1)])
def test_it_looks_about_every_second_of_the_source(speed, tick_s):
    assert prefetching.tick_s(SourceClock(datetime(2026, 11, 15, 12), speed=speed)) == tick_s
