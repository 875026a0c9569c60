"""Prefetches in the pool: only where nobody waits, given up for whoever does, kept for whoever wants the same."""

import asyncio
import threading

import pytest

from jvgate.errors import ReadCancelled, WorkerLost
from jvgate.sessions.fair_queue import Priority
from jvgate.sessions.pool import Pool
from jvgate.sessions.sources.source import Source
from jvgate.sessions.watchdog import CallLimits
from jvgate.values import SourceClock
from tests.sessions.gated import LIMIT_S, RECORDS, GatedShelf, Links, pool, reached, realtime
from tests.sessions.scripted import Workers, hangs
from tests.specs import JRA


@pytest.fixture
def shelf():
    return GatedShelf()


def begin(lanes, day, priority=Priority.PREFETCH):
    return asyncio.create_task(lanes.read(realtime(day), priority=priority))


async def end(*tasks):
    async with asyncio.timeout(LIMIT_S):
        return await asyncio.gather(*tasks, return_exceptions=True)


@pytest.mark.parametrize("priority", [Priority.INTERACTIVE, Priority.BATCH])
def test_a_prefetch_gives_its_session_up_for_whoever_waits(shelf, priority):
    async def scene():
        async with pool(Links(shelf)) as lanes:
            shelf.gate(realtime(1).key)
            prefetch = begin(lanes, 1)
            await reached(shelf, realtime(1))
            wanted = begin(lanes, 2, priority)
            await asyncio.sleep(0)
            shelf.gates[realtime(1).key].set()
            return await end(prefetch, wanted)

    given_up, dataset = asyncio.run(scene())
    assert isinstance(given_up, ReadCancelled)
    assert dataset.body == b"".join(RECORDS)


def test_a_hastened_prefetch_whose_session_is_lost_is_begun_again_before_batches():
    class Dying(GatedShelf):
        def realtime(self, dataspec, key, *, now):
            records = super().realtime(dataspec, key, now=now)
            if self.faults:
                raise self.faults.pop()
            return records

    async def scene():
        async with pool(Links(shelf)) as lanes:
            shelf.gate(realtime(1).key)
            prefetch = begin(lanes, 1)
            await reached(shelf, realtime(1))
            batches = [begin(lanes, day, Priority.BATCH) for day in (2, 3)]
            lanes.hasten(realtime(1))
            await asyncio.sleep(0)
            shelf.gates[realtime(1).key].set()
            await end(prefetch, *batches)

    shelf = Dying(faults=[WorkerLost("it died")])
    asyncio.run(scene())
    assert shelf.order == [realtime(day).key for day in (1, 1, 2, 3)]


def test_a_prefetch_that_does_not_heed_that_costs_its_worker_and_is_not_begun_again():
    async def scene():
        source = Source(
            "test:", start=workers, check=lambda spec: None, clock=SourceClock(), limits=CallLimits(cancel_s=0.01)
        )  # fmt: skip
        async with Pool(source, JRA, sessions=1, limit_bytes=1 << 20, queue_limit=10) as lanes:
            prefetch = begin(lanes, 1)
            assert await asyncio.to_thread(at_work.wait, LIMIT_S)
            wanted = begin(lanes, 2, Priority.INTERACTIVE)
            return [*await end(prefetch, wanted), lanes.opens, lanes.faults]

    def stuck(worker, sink, cancelled):
        at_work.set()
        hangs(worker, sink, cancelled)

    at_work, workers = threading.Event(), Workers(stuck)
    given_up, dataset, opens, faults = asyncio.run(scene())
    assert (type(given_up), dataset.body, opens, faults) == (ReadCancelled, b"", {"0B12": 2}, 1)


def test_a_prefetch_gives_nothing_up_for_another_one_or_where_a_session_is_free(shelf):
    async def scene():
        async with pool(Links(shelf), sessions=2) as lanes:
            shelf.gate(realtime(1).key)
            prefetch = begin(lanes, 1)
            await reached(shelf, realtime(1))
            others = begin(lanes, 3, Priority.INTERACTIVE), begin(lanes, 2)
            read = await end(*others)
            shelf.gates[realtime(1).key].set()
            return [*await end(prefetch), *read]

    assert [dataset.body for dataset in asyncio.run(scene())] == [b"".join(RECORDS)] * 3


def test_one_who_waits_costs_one_prefetch(shelf):
    async def scene():
        async with pool(Links(shelf), sessions=2) as lanes:
            for day in (1, 2):
                shelf.gate(realtime(day).key)
            prefetches = [begin(lanes, day) for day in (1, 2)]
            for day in (1, 2):
                await reached(shelf, realtime(day))
            wanted = begin(lanes, 3, Priority.INTERACTIVE)
            await asyncio.sleep(0)
            for gate in shelf.gates.values():
                gate.set()
            return await end(wanted, *prefetches)

    _, *prefetches = asyncio.run(scene())
    assert [isinstance(read, ReadCancelled) for read in prefetches].count(True) == 1


def test_a_running_prefetch_that_somebody_wants_by_now_is_not_given_up(shelf):
    async def scene():
        async with pool(Links(shelf)) as lanes:
            shelf.gate(realtime(1).key)
            prefetch = begin(lanes, 1)
            await reached(shelf, realtime(1))
            lanes.hasten(realtime(1))
            other = begin(lanes, 2, Priority.INTERACTIVE)
            await asyncio.sleep(0)
            shelf.gates[realtime(1).key].set()
            return await end(prefetch, other)

    assert [dataset.body for dataset in asyncio.run(scene())] == [b"".join(RECORDS)] * 2


def test_a_waiting_prefetch_that_somebody_wants_by_now_comes_before_batches(shelf):
    async def scene():
        async with pool(Links(shelf)) as lanes:
            shelf.gate(realtime(1).key)
            first = begin(lanes, 1, Priority.INTERACTIVE)
            await reached(shelf, realtime(1))
            others = [begin(lanes, 2), begin(lanes, 3, Priority.BATCH), begin(lanes, 4)]
            await asyncio.sleep(0)
            lanes.hasten(realtime(4))
            shelf.gates[realtime(1).key].set()
            await end(first, *others)

    asyncio.run(scene())
    assert shelf.order == [realtime(day).key for day in (1, 4, 3, 2)]
