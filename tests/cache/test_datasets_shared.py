"""Datasets of two processes with one tier behind them: who reads, who waits, and what will do for whom."""

import asyncio
from asyncio import Task
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from jvgate.cache import datasets
from jvgate.cache.datasets import Datasets, made_of
from jvgate.cache.memory import Memory, Store
from jvgate.errors import ReadCancelled, SourceBusy
from jvgate.freshness.tags import has_any
from jvgate.values import MISSING
from tests.cache.clocks import Clock, settled, without_threads
from tests.cache.shared_fake import Board, BoardTier
from tests.cache.test_datasets import ERROR_S, FRESH_S, STALE_S, Judge, Source, number
from tests.raceday import QUERY


class Node:
    """One process: its datasets, its way to the source, and its tier."""

    def __init__(self, board, clock):
        self.source = Source(clock)
        self.tier = BoardTier(board, clock=clock, on_purge=self.forget)
        self.datasets = Datasets(
            Memory(max_entries=100, max_bytes=1 << 20, clock=clock), self.source, judge=Judge(), shared=self.tier,
            monotonic=clock, most_waiters=100,
        )  # fmt: skip

    def forget(self, tags):
        self.datasets.purge(lambda found: has_any(found, tags))

    def get(self, **wanted):
        return self.datasets.get(QUERY, **wanted)


@asynccontextmanager
async def nodes():
    without_threads()
    board, clock = Board(), Clock()
    pair = [Node(board, clock) for _ in range(2)]
    try:
        yield *pair, clock
    finally:
        for node in pair:
            node.source.gate.set()
            await node.datasets.close()


def play(scene):
    async def on_stage():
        async with nodes() as (one, other, clock):
            return await scene(one, other, clock)

    return asyncio.run(on_stage())


def test_what_one_reads_the_other_finds():
    async def scene(one, other, clock):
        return [(await node.get()).how for node in (one, other, other)], other.source.reads.total()

    assert play(scene) == (["read", "shared", "memory"], 0)


def test_while_one_reads_the_other_waits():
    async def scene(one, other, clock):
        one.source.gate.clear()
        asking = [asyncio.create_task(node.get()) for node in (one, other)]
        await settled()
        one.source.gate.set()
        return [(await task).how for task in asking], other.source.reads.total()

    assert play(scene) == (["read", "shared"], 0)


def test_who_waits_for_something_better_than_what_lies_there_asks_redis_no_oftener():
    """What lies there is too old to be given and young enough to be kept for the case that the source fails."""

    async def scene(one, other, clock):
        await one.get()
        clock.now_s += FRESH_S + STALE_S
        one.source.gate.clear()
        asking = [asyncio.create_task(node.get()) for node in (one, other)]
        await settled()
        before = other.tier.counts["get", "hit"]
        await settled()
        asked = other.tier.counts["get", "hit"] - before
        one.source.gate.set()
        return asked, [(await task).how for task in asking], other.source.reads.total()

    assert play(scene) == (0, ["read", "shared"], 0)


def test_what_one_read_and_finds_there_again_is_nothing_newer_though_clocks_are_not_read_at_once():
    async def scene(one, other, clock):
        for node in (other, one):  # which finds it there, by its wall clock
            await node.get()
        answers = Store(one.datasets._memory)
        answers.put("an answer", replace(one.datasets.kept(QUERY), tags=frozenset({made_of(QUERY)})))
        one.datasets._wall = lambda: clock() - 2.4e-7
        clock.now_s += FRESH_S
        one.source.gate.clear()
        refreshing = asyncio.create_task(one.get(stale_ok=False, newer_than=one.datasets.kept(QUERY).read_at))
        await settled()
        kept = answers.last("an answer") is not MISSING
        one.source.gate.set()
        return kept, (await refreshing).how

    assert play(scene) == (True, "read")


def test_what_another_one_read_is_announced_where_it_is_found_and_only_once():
    async def scene(one, other, clock):
        heard = []
        other.datasets.landed.add(heard.append)
        got = [await node.get() for node in (one, other, other)]
        clock.now_s += FRESH_S
        await other.get()
        return [(each.dataset, each.is_read) for each in heard] == [(got[1].entry.value, False)]

    assert play(scene)


def test_what_is_stale_there_is_given_and_read_anew_behind_it():
    async def scene(one, other, clock):
        await one.get()
        clock.now_s += FRESH_S
        found = await other.get()
        await settled()
        return found.how, other.source.urgencies, (await other.get()).how

    assert play(scene) == ("stale", ["refresh"], "memory")


def test_who_takes_nothing_stale_does_not_make_do_with_what_others_are_given():
    async def scene(one, other, clock):
        await one.get()
        clock.now_s += FRESH_S
        other.tier.gate.clear()
        easy, strict = (asyncio.create_task(other.get(stale_ok=stale_ok)) for stale_ok in (True, False))
        await settled()
        other.tier.gate.set()
        return (await easy).how, (await strict).entry.read_at == clock.now_s, other.source.urgencies

    assert play(scene) == ("stale", True, ["now"])  # the refresh, which the strict one joined before its read began


def test_who_wants_something_newer_does_not_make_do_with_what_lies_there():
    async def scene(one, other, clock):
        await one.get()
        clock.now_s += 10.0
        return (await other.get(newer_than=clock.now_s - 5.0)).how, (await other.get()).how

    assert play(scene) == ("read", "memory")


def test_what_lies_there_is_given_when_the_source_fails():
    async def scene(one, other, clock):
        await one.get()
        clock.now_s += FRESH_S + STALE_S
        other.source.error = SourceBusy(1)
        given = (await other.get()).how
        clock.now_s += ERROR_S
        with pytest.raises(SourceBusy):
            await other.get()
        return given

    assert play(scene) == "fallback"


def test_a_purge_is_for_both_and_what_the_other_reads_meanwhile_is_kept_nowhere():
    async def scene(one, other, clock):
        await one.get()
        clock.now_s += 1.0
        other.source.gate.clear()
        reading = asyncio.create_task(other.get(newer_than=clock.now_s - 0.5))
        await settled()
        one.forget(["RACE"])
        await one.tier.purge("RACE")
        clock.now_s += 1.0
        after = asyncio.create_task(other.get())
        await settled()
        other.source.gate.set()
        numbers = number(await reading), number(await after)
        return numbers, [node.datasets.kept(QUERY) is MISSING for node in (one, other)], (await one.get()).how

    assert play(scene) == ((1, 2), [True, False], "shared")


@pytest.mark.parametrize("urgency", ["prefetch", "refresh"])
@pytest.mark.parametrize("has_session", [False, True])
def test_who_reads_for_nobody_keeps_no_other_waiting_while_it_has_no_session(monkeypatch, urgency, has_session):
    monkeypatch.setattr(datasets, "PATIENCE_S", 0.0)

    async def scene(one, other, clock):
        one.source.gate.clear()
        one.source.has_session = has_session
        queued = asyncio.create_task(one.get(urgency=urgency))
        await settled()
        asking = asyncio.create_task(other.get())
        await settled()
        is_given = asking.done()
        one.source.gate.set()
        await queued
        return is_given, (await asking).how

    assert play(scene) == ((False, "shared") if has_session else (True, "read"))


def test_a_lease_is_kept_for_a_client_who_joined_what_waits_for_a_session(monkeypatch):
    monkeypatch.setattr(datasets, "PATIENCE_S", 0.0)

    async def scene(one, other, clock):
        one.source.gate.clear()
        one.source.has_session = False
        asking = [asyncio.create_task(one.get(urgency=urgency)) for urgency in ("prefetch", "now")]
        await settled()
        asking.append(asyncio.create_task(other.get()))
        await settled()
        one.source.gate.set()
        return [(await task).how for task in asking]

    assert play(scene) == ["read", "read", "shared"]


def test_who_joins_a_prefetch_that_is_still_on_its_way_to_the_source_has_it_read_at_once():
    async def scene(one, other, clock):
        other.source.gate.clear()
        other.source.error = ReadCancelled("a prefetch")
        for node in (other, one):  # the second one waits for what the first one reads
            asyncio.create_task(node.get(urgency="prefetch")).add_done_callback(Task.exception)
            await settled()
        asking = asyncio.create_task(one.get())
        await settled()
        other.source.gate.set()
        return (await asking).how, one.source.urgencies

    assert play(scene) == ("read", ["now"])
