"""Sessions that hang, crash and lie, in real processes: every request ends right, and nothing is left behind."""

import asyncio
import os
import signal
import sys
from collections import Counter
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from tests.raceday import archive, record

from jvgate.errors import SourceError
from jvgate.sessions.pool import Pool
from jvgate.sessions.sources import Means, parse_source
from jvgate.values import Query

LIMIT_S = 90
DEADLINE_S = 30.0
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
async def pool_of(url, *, sessions=4, **limits):
    source = parse_source(str(url), Means(open_s=1.0, read_s=1.0))
    source = replace(source, limits=replace(source.limits, **limits))
    async with Pool(source, sessions=sessions, limit_bytes=1 << 26, queue_limit=10_000) as pool:
        yield pool


def children():
    """The processes that this one has started and that live, by number (Linux)."""
    pids = Path(f"/proc/{os.getpid()}/task").glob("*/children")
    return {pid for path in pids for pid in path.read_text().split()}


def open_files():
    return len(list(Path("/proc/self/fd").iterdir()))


async def until(condition):
    """Look again and again until *condition* holds."""
    async with asyncio.timeout(LIMIT_S):
        while not condition():  # noqa: ASYNC110  (what is waited for happens in other processes)
            await asyncio.sleep(0)


def bodies(folder):
    return {day: (folder / "0B12" / f"{day}.jvd").read_bytes() for day in DAYS}


def test_with_one_in_a_hundred_of_every_fault_each_request_ends_right(folder):
    """2,000 requests over 4 sessions: right answers, or our errors within the deadline; nothing is left behind."""
    url = f"archive:{folder}?" + "&".join(f"fault={fault}:0.01" for fault in FAULTS)
    right, outcomes = bodies(folder), Counter()
    before_children, before_files = children(), open_files()

    async def one(pool, number):
        day = DAYS[number % len(DAYS)]
        try:
            async with asyncio.timeout(DEADLINE_S):
                dataset = await pool.read(Query("0B12", key=day))
        except SourceError as error:
            outcomes[type(error).__name__] += 1
        else:
            assert dataset.body == right[day]
            outcomes["right"] += 1

    async def scene():
        async with pool_of(url) as pool:
            for batch in range(0, 2000, 100):
                await asyncio.gather(*(one(pool, number) for number in range(batch, batch + 100)))
            await until(lambda: pool.idle == pool.size)
            assert all(view.state == "idle" for view in pool.sessions())
            return pool.faults

    faults = asyncio.run(scene())
    assert sum(outcomes.values()) == 2000
    assert outcomes["right"] > 1900
    assert faults > 0
    assert children() == before_children
    assert open_files() <= before_files + 1  # the loop's own, where one was kept


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_alone_is_survived(folder, fault):
    async def scene():
        async with pool_of(f"archive:{folder}?fault={fault}:0.5", sessions=2) as pool:
            reads = (pool.read(Query("0B12", key=day)) for day in DAYS[:8])
            return await asyncio.gather(*reads, return_exceptions=True)

    right = bodies(folder)
    for day, read in zip(DAYS, asyncio.run(scene()), strict=False):
        assert isinstance(read, SourceError) or read.body == right[day]


def test_five_hundred_who_give_up_in_mid_read_leave_every_session_free(folder):
    async def scene():
        async with pool_of(f"archive:{folder}?read_us=20000", sessions=4) as pool:
            for _ in range(5):
                reads = [asyncio.create_task(pool.read(Query("0B12", key=DAYS[at % 20]))) for at in range(100)]
                await until(lambda: pool.busy == pool.size and all(view.doing == "JVGets" for view in pool.sessions()))
                for read in reads:
                    read.cancel()
                await asyncio.gather(*reads, return_exceptions=True)
                await until(lambda: pool.idle == pool.size and not pool.waiting)
            return pool.faults, (await pool.read(Query("0B12", key=DAYS[0]))).body

    faults, body = asyncio.run(scene())
    assert (faults, body) == (0, bodies(folder)[DAYS[0]])


def test_one_bad_worker_takes_no_other_along(folder):
    async def scene():
        async with pool_of(f"archive:{folder}?read_us=20000", sessions=3) as pool:
            reads = [asyncio.create_task(pool.read(Query("0B12", key=day))) for day in DAYS[:3]]
            await until(lambda: all(view.doing == "JVGets" for view in pool.sessions()))
            os.kill(pool.sessions()[1].facts["pid"], signal.SIGKILL)
            datasets = await asyncio.gather(*reads)
            return [dataset.body for dataset in datasets], [view.faults for view in pool.sessions()]

    read, faults = asyncio.run(scene())
    assert read == [bodies(folder)[day] for day in DAYS[:3]]
    assert faults == [0, 1, 0]


def test_a_worker_that_is_frozen_is_replaced(folder):
    async def scene():
        async with pool_of(f"archive:{folder}?read_us=5000", sessions=1, silent_s=1.5) as pool:
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


pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="signals and /proc of Linux")
