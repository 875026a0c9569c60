"""Sessions that hang, crash and lie, in real processes: every request ends right, and nothing is left behind."""

import asyncio
import os
import signal
import sys
import threading
from collections import Counter
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from time import monotonic

import pytest

from jvgate.errors import SourceError
from jvgate.sessions.pool import Pool
from jvgate.sessions.sources.registry import parse_source
from jvgate.sessions.sources.source import Means
from jvgate.values import Query
from tests.raceday import archive, record
from tests.served.processes import children
from tests.specs import JRA
from tests.waiting import LIMIT_S, until

DAYS = [f"202611{day:02}" for day in range(1, 21)]
FAULTS = ("hang_open", "hang_read", "crash", "garbage", "error402", "downloading", "dialog")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """An archive of twenty days' real-time answers, each of a few dozen records that name their day."""
    place = tmp_path_factory.mktemp("archive")
    for day in DAYS:
        records = [
            record("SE", Year=2026, MonthDay=f"{day[4:6]}-{day[6:]}", Umaban=number % 18 + 1) for number in range(40)
        ]
        archive(place, *records, dataspec="0B12", name=f"{day}.jvd")
    return place


@asynccontextmanager
async def pool_of(url, *, sessions=4, hang_s=None, **limits):
    """hang_s: after how long JVOpen or JVGets hangs; None for the source's own, which no loaded machine reaches."""
    source = parse_source(str(url), Means(open_s=hang_s, read_s=hang_s))
    source = replace(source, limits=replace(source.limits, **limits))
    async with Pool(source, JRA, sessions=sessions, limit_bytes=1 << 26, queue_limit=10_000) as pool:
        yield pool


def open_files():
    return len(list(Path("/proc/self/fd").iterdir()))


def threads():
    """Those of this process, by name; the pools' own are named after their sessions."""
    return Counter(thread.name for thread in threading.enumerate())


def tell(record_property, **seen):
    """Put down what was seen: in the report of the tests, and on the screen with -s."""
    for name, value in seen.items():
        record_property(name, round(value, 3))
    print(seen)


def bodies(folder):
    return {day: (folder / "0B12" / f"{day}.jvd").read_bytes() for day in DAYS}


@pytest.mark.parametrize("count", [200, pytest.param(2000, marks=[pytest.mark.soak, pytest.mark.timeout(1800)])])
def test_with_one_in_a_hundred_of_every_fault_each_request_ends_right(folder, record_property, count):
    """Over 4 sessions: right answers, or our errors within the deadline; nothing is left behind.

    Recorded: how long it takes until every session is there again, which should be less than 5 s.
    """
    url = f"archive:{folder}?" + "&".join(f"fault={fault}:0.01" for fault in FAULTS)
    right, outcomes = bodies(folder), Counter()
    before_children, before_files, before_threads = children(), open_files(), threads()

    async def one(pool, number):
        day = DAYS[number % len(DAYS)]
        try:
            async with asyncio.timeout(LIMIT_S):
                dataset = await pool.read(Query("0B12", key=day))
        except SourceError as error:
            outcomes[type(error).__name__] += 1
        else:
            assert dataset.body == right[day]
            outcomes["right"] += 1

    async def scene():
        async with pool_of(url, hang_s=3.0) as pool:
            for batch in range(0, count, 100):
                await asyncio.gather(*(one(pool, number) for number in range(batch, batch + 100)))
            began = monotonic()
            await until(lambda: pool.idle == pool.size, pool.sessions)
            assert all(view.state == "idle" for view in pool.sessions())
            return pool.faults, monotonic() - began

    faults, back_s = asyncio.run(scene())
    tell(record_property, every_session_is_there_again_after_s=back_s, faults=faults, **outcomes)
    assert sum(outcomes.values()) == count
    assert outcomes["right"] > 0.95 * count
    assert faults > 0
    assert children() == before_children
    assert open_files() <= before_files + 1  # the loop's own, where one was kept
    asyncio.run(until(lambda: threads() <= before_threads, threads))  # they end by themselves, a moment later


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_alone_is_survived(folder, fault):
    async def scene():
        async with pool_of(f"archive:{folder}?fault={fault}:0.5", sessions=2, hang_s=1.0) as pool:
            reads = (pool.read(Query("0B12", key=day)) for day in DAYS[:8])
            return await asyncio.gather(*reads, return_exceptions=True)

    right = bodies(folder)
    for day, read in zip(DAYS, asyncio.run(scene()), strict=False):
        assert isinstance(read, SourceError) or read.body == right[day]


def test_five_hundred_who_give_up_in_mid_read_leave_every_session_free(folder, record_property):
    """Recorded: how long it takes at most until every session is free, which should be less than 1 s."""

    async def scene():
        free_s = []
        # A cancelled read that a loaded machine ends late is no fault: one that never ends breaks the wait below.
        async with pool_of(f"archive:{folder}?read_us=20000", sessions=4, cancel_s=LIMIT_S) as pool:
            for _ in range(5):
                reads = [asyncio.create_task(pool.read(Query("0B12", key=DAYS[at % 20]))) for at in range(100)]
                await until(
                    lambda: pool.busy == pool.size and all(view.doing == "JVGets" for view in pool.sessions()),
                    pool.sessions,
                )
                for read in reads:
                    read.cancel()
                began = monotonic()
                await until(lambda: pool.idle == pool.size and not pool.waiting, pool.sessions)
                free_s.append(monotonic() - began)
                await asyncio.gather(*reads, return_exceptions=True)
            return max(free_s), pool.faults, (await pool.read(Query("0B12", key=DAYS[0]))).body

    before_threads = threads()
    free_s, faults, body = asyncio.run(scene())
    tell(record_property, every_session_is_free_after_s=free_s)
    asyncio.run(until(lambda: threads() <= before_threads, threads))
    assert (faults, body) == (0, bodies(folder)[DAYS[0]])


def test_one_bad_worker_takes_no_other_along(folder):
    async def scene():
        async with pool_of(f"archive:{folder}?read_us=5000", sessions=3) as pool:
            killed = asyncio.Event()

            async def read_on(day):
                read = [await pool.read(Query("0B12", key=day))]
                while not killed.is_set():
                    read.append(await pool.read(Query("0B12", key=day)))
                return {dataset.body for dataset in read}

            reads = [asyncio.create_task(read_on(day)) for day in DAYS[:3]]
            await until(lambda: pool.sessions()[1].doing == "JVGets")
            os.kill(pool.sessions()[1].facts["pid"], signal.SIGKILL)
            killed.set()
            return await asyncio.gather(*reads), [view.faults for view in pool.sessions()]

    read, faults = asyncio.run(scene())
    assert read == [{bodies(folder)[day]} for day in DAYS[:3]]
    assert (faults[0], faults[2]) == (0, 0)


def test_a_worker_that_is_frozen_is_replaced(folder):
    async def scene():
        async with pool_of(f"archive:{folder}?read_us=5000", sessions=1, silent_s=5.0) as pool:
            read = asyncio.create_task(pool.read(Query("0B12", key=DAYS[0])))
            await until(lambda: pool.sessions()[0].doing == "JVGets")
            os.kill(pool.sessions()[0].facts["pid"], signal.SIGSTOP)
            return (await read).body, pool.faults

    assert asyncio.run(scene()) == (bodies(folder)[DAYS[0]], 1)


def test_an_idle_worker_that_died_costs_the_next_read_nothing_but_time(folder):
    async def scene():
        async with pool_of(f"archive:{folder}", sessions=1) as pool:
            await pool.read(Query("0B12", key=DAYS[0]))
            os.kill(pool.sessions()[0].facts["pid"], signal.SIGKILL)
            return (await pool.read(Query("0B12", key=DAYS[1]))).body

    assert asyncio.run(scene()) == bodies(folder)[DAYS[1]]


def test_an_idle_worker_that_died_is_replaced_before_anybody_asks(folder):
    async def scene():
        async with pool_of(f"archive:{folder}", sessions=1) as pool:
            await pool.warm()
            pid = pool.sessions()[0].facts["pid"]
            os.kill(pid, signal.SIGKILL)
            await until(lambda: pool.idle and pool.sessions()[0].facts.get("pid", pid) != pid, pool.sessions)
            return pool.faults, pool.sessions()[0].last_fault

    assert asyncio.run(scene()) == (1, "it ended while it was idle")


pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="signals and /proc of Linux")
