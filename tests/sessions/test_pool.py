"""The pool: one thread per session, a fair queue, cancelled and failed reads that cost nobody else anything."""

import asyncio
import threading
import time
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from datetime import datetime

import pytest

from jvgate.errors import (
    DatasetTooLarge,
    JVLinkError,
    QueryError,
    SessionHung,
    SettingsError,
    SourceBusy,
    SourceError,
    WorkerFailed,
    WorkerLost,
)
from jvgate.jvlink.holding import Holding
from jvgate.jvlink.request import Request, Summary
from jvgate.jvlink.rules import DataspecRule
from jvgate.jvlink.simulator import Simulator
from jvgate.sessions.lane import Recycling
from jvgate.sessions.pool import Pool
from jvgate.sessions.sources import Source, parse_source
from jvgate.sessions.turns import Priority
from jvgate.sessions.watchdog import CallLimits
from jvgate.sessions.workers import Activity, ThreadWorker
from jvgate.values import Query, SourceFile

NOW = datetime(2026, 11, 9, 12)
RULES = {
    "RACE": DataspecRule(is_realtime=False, options=(1, 2, 3, 4)),
    "0B12": DataspecRule(is_realtime=True, key_forms=("YYYYMMDD",)),
}
RECORDS = [f"{kind}720261108{number:04}\r\n".encode() for kind in ("RA", "SE") for number in range(100)]
RACE = Query("RACE", from_time="20261101000000", option=1)
LIMIT_S = 10


@dataclass
class File:
    records: list[bytes]
    name: str = "RA.jvd"
    provided: str = "20261108120000"
    size: int = 1

    def read(self):
        return self.records


@dataclass
class GatedShelf:
    """A shelf whose real-time key `2026120N` holds the thread until gate N opens, and tells that it is there."""

    gates: dict[str, threading.Event] = field(default_factory=dict)
    reached: dict[str, threading.Event] = field(default_factory=dict)
    threads: set[str] = field(default_factory=set)
    order: list[str] = field(default_factory=list)
    faults: list[Exception] = field(default_factory=list)

    def gate(self, key):
        self.gates[key], self.reached[key] = threading.Event(), threading.Event()

    def stored(self, dataspec, *, now, setup):
        self.threads.add(threading.current_thread().name)
        if self.faults:
            raise self.faults.pop()
        return [File(RECORDS)]

    def realtime(self, dataspec, key, *, now):
        self.threads.add(threading.current_thread().name)
        self.order.append(key)
        if key in self.gates:
            self.reached[key].set()
            assert self.gates[key].wait(LIMIT_S)
        return RECORDS


class Links:
    """Makes links and keeps on which thread each was made."""

    def __init__(self, shelf):
        self.shelf = shelf
        self.made = []

    def __call__(self):
        self.made.append(threading.current_thread().name)
        return Simulator(self.shelf, RULES, now=lambda: NOW)


@pytest.fixture
def shelf():
    return GatedShelf()


@pytest.fixture
def links(shelf):
    return Links(shelf)


def pool(links, *, sessions=1, limit_bytes=1 << 20, queue_limit=10, start=None, **source):
    holding = Holding(lambda channel: nullcontext(links()), one_type_per_file=False)
    source = Source(
        "test:", start=start or (lambda: ThreadWorker(holding)), check=lambda: None, now=lambda: NOW, **source
    )
    return Pool(source, sessions=sessions, limit_bytes=limit_bytes, queue_limit=queue_limit)


def realtime(day):
    return Query("0B12", key=f"202612{day:02}")


async def reached(shelf, query):
    """Wait until a thread stands at the gate of *query*."""
    assert await asyncio.to_thread(shelf.reached[query.key].wait, LIMIT_S)


def test_a_query_gives_its_whole_dataset(links):
    async def scene():
        async with pool(links) as lanes:
            return await lanes.read(RACE), await lanes.read(replace(RACE, records=("SE",)))

    whole, some = asyncio.run(scene())
    assert whole.body == b"".join(RECORDS)
    assert whole.files == (SourceFile("RA.jvd", "20261108120000", 0),)
    assert (whole.query, whole.last_file_timestamp) == (RACE, "20261108120000")
    assert some.body == b"".join(RECORDS[100:])
    assert min(whole.wait_s, whole.open_s, whole.read_s) >= 0


def test_an_empty_answer_is_a_dataset(links):
    async def scene():
        async with pool(links) as lanes:
            return await lanes.read(replace(RACE, from_time="20261109000000"))

    assert asyncio.run(scene()).body == b""


def test_a_session_is_made_at_first_use_and_stays_on_its_thread(links, shelf):
    async def scene():
        async with pool(links, sessions=3) as lanes:
            assert links.made == []
            for _ in range(4):
                await lanes.read(RACE)

    asyncio.run(scene())
    assert len(links.made) == 1
    assert shelf.threads == set(links.made)


def test_as_many_reads_run_at_once_as_there_are_sessions(links, shelf):
    queries = [realtime(day) for day in (1, 2, 3)]

    async def scene():
        async with pool(links, sessions=3) as lanes:
            for query in queries:
                shelf.gate(query.key)
            tasks = [asyncio.create_task(lanes.read(query)) for query in queries]
            for query in queries:
                await reached(shelf, query)
            counts = lanes.busy, lanes.idle
            for gate in shelf.gates.values():
                gate.set()
            await asyncio.gather(*tasks)
            return counts, (lanes.busy, lanes.idle)

    assert asyncio.run(scene()) == ((3, 0), (0, 3))
    assert len(set(links.made)) == 3


def test_who_waits_longest_is_served_first(links, shelf):
    async def scene():
        async with pool(links) as lanes:
            shelf.gate(realtime(1).key)
            tasks = [asyncio.create_task(lanes.read(realtime(day))) for day in (1, 2, 3, 4)]
            await reached(shelf, realtime(1))
            assert lanes.waiting == 3
            shelf.gates[realtime(1).key].set()
            await asyncio.gather(*tasks)

    asyncio.run(scene())
    assert shelf.order == [realtime(day).key for day in (1, 2, 3, 4)]


def test_a_full_queue_refuses_at_once(links, shelf):
    async def scene():
        async with pool(links, queue_limit=1) as lanes:
            shelf.gate(realtime(1).key)
            tasks = [asyncio.create_task(lanes.read(realtime(day))) for day in (1, 2)]
            await reached(shelf, realtime(1))
            with pytest.raises(SourceBusy) as error:
                await lanes.read(realtime(3))
            shelf.gates[realtime(1).key].set()
            await asyncio.gather(*tasks)
            return error.value.place

    assert asyncio.run(scene()) == 2


def test_a_cancelled_wait_leaves_the_queue(links, shelf):
    async def scene():
        async with pool(links) as lanes:
            shelf.gate(realtime(1).key)
            tasks = [asyncio.create_task(lanes.read(realtime(day))) for day in (1, 2, 3)]
            await reached(shelf, realtime(1))
            tasks[1].cancel()
            shelf.gates[realtime(1).key].set()
            return await asyncio.gather(*tasks, return_exceptions=True)

    _, cancelled, last = asyncio.run(scene())
    assert isinstance(cancelled, asyncio.CancelledError)
    assert last.body == b"".join(RECORDS)
    assert realtime(2).key not in shelf.order


def test_a_wait_cancelled_in_the_moment_of_its_turn_passes_the_session_on(links, shelf):
    async def scene():
        async with pool(links) as lanes:
            lane = await lanes._lease(Priority.INTERACTIVE, "x", is_realtime=True)
            waiting = asyncio.create_task(lanes.read(realtime(1)))
            await asyncio.sleep(0)
            lanes._give_back(lane)
            waiting.cancel()
            await asyncio.gather(waiting, return_exceptions=True)
            return lanes.idle

    assert asyncio.run(scene()) == 1


def test_a_cancelled_read_stops_and_its_session_goes_on(links, shelf):
    async def scene():
        async with pool(links) as lanes:
            shelf.gate(realtime(1).key)
            task = asyncio.create_task(lanes.read(realtime(1)))
            await reached(shelf, realtime(1))
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            assert (task.cancelled(), lanes.busy) == (True, 1)
            shelf.gates[realtime(1).key].set()
            return await lanes.read(RACE)

    assert asyncio.run(scene()).body == b"".join(RECORDS)
    assert len(links.made) == 1


def test_an_error_of_jvlink_is_counted_and_keeps_the_session(links):
    async def scene():
        async with pool(links) as lanes:
            with pytest.raises(JVLinkError):
                await lanes.read(replace(RACE, option=9))
            await lanes.read(RACE)
            return lanes.errors, lanes.opens

    assert asyncio.run(scene()) == ({-115: 1}, {"RACE": 2})
    assert len(links.made) == 1


def test_a_dataset_over_the_limit_is_refused(links):
    async def scene():
        async with pool(links, limit_bytes=100) as lanes:
            with pytest.raises(DatasetTooLarge):
                await lanes.read(RACE)
            return lanes.idle

    assert asyncio.run(scene()) == 1


def test_an_unexpected_error_has_the_session_made_anew(links, shelf):
    shelf.faults.append(MemoryError("out of it"))

    async def scene():
        async with pool(links) as lanes:
            with pytest.raises(MemoryError):
                await lanes.read(RACE)
            return await lanes.read(RACE)

    assert asyncio.run(scene()).body
    assert len(links.made) == 2
    assert len(set(links.made)) == 1


def test_closing_stops_what_runs_and_refuses_what_waits(links, shelf):
    async def scene():
        lanes = pool(links)
        shelf.gate(realtime(1).key)
        tasks = [asyncio.create_task(lanes.read(realtime(day))) for day in (1, 2)]
        await reached(shelf, realtime(1))
        closing = asyncio.create_task(lanes.close())
        await asyncio.sleep(0)
        shelf.gates[realtime(1).key].set()
        await closing
        with pytest.raises(SourceError, match="closed"):
            await lanes.read(RACE)
        return await asyncio.gather(*tasks, return_exceptions=True)

    running, waiting = asyncio.run(scene())
    assert "cancelled" in str(running)
    assert "closed" in str(waiting)


def test_closing_waits_no_longer_than_its_limit_for_a_stuck_read(links, shelf):
    async def scene():
        lanes = pool(links)
        shelf.gate(realtime(1).key)
        task = asyncio.create_task(lanes.read(realtime(1)))
        await reached(shelf, realtime(1))
        await lanes.close(drain_s=0.01)
        stuck = not task.done()
        shelf.gates[realtime(1).key].set()
        await asyncio.gather(task, return_exceptions=True)
        return stuck

    assert asyncio.run(scene())


def test_progress_is_told_while_reading(links):
    steps = []

    async def scene():
        async with pool(links) as lanes:
            await lanes.read(RACE, on_progress=steps.append)

    asyncio.run(scene())
    assert steps[-1].bytes_read == len(b"".join(RECORDS))


def test_interactive_reads_go_before_batches_and_prefetches(links, shelf):
    wanted = {2: Priority.PREFETCH, 3: Priority.BATCH, 4: Priority.INTERACTIVE, 5: Priority.INTERACTIVE}

    async def scene():
        async with pool(links) as lanes:
            shelf.gate(realtime(1).key)
            tasks = [asyncio.create_task(lanes.read(realtime(1)))]
            await reached(shelf, realtime(1))
            tasks += [asyncio.create_task(lanes.read(realtime(day), priority=wanted[day])) for day in wanted]
            await asyncio.sleep(0)
            shelf.gates[realtime(1).key].set()
            await asyncio.gather(*tasks)

    asyncio.run(scene())
    assert shelf.order == [realtime(day).key for day in (1, 4, 5, 3, 2)]


def test_the_same_data_is_never_read_by_two_sessions_at_once(links, shelf):
    async def scene():
        async with pool(links, sessions=2) as lanes:
            shelf.gate(realtime(1).key)
            tasks = [asyncio.create_task(lanes.read(realtime(day))) for day in (1, 1, 2)]
            await reached(shelf, realtime(1))
            await tasks[2]
            state = lanes.waiting, lanes.busy
            shelf.gates[realtime(1).key].set()
            await asyncio.gather(*tasks)
            return state

    assert asyncio.run(scene()) == (1, 1)


@dataclass
class Scripted:
    """A worker that does what its script says, one entry an open: an error to raise, or nothing."""

    script: list
    facts: dict = field(default_factory=dict)
    activity: Activity = field(default_factory=Activity)
    alive: bool = True

    def open(self):
        self.activity = Activity("idle")
        if self.script and isinstance(self.script[0], WorkerFailed):
            raise self.script.pop(0)

    def read(self, request, sink, cancelled):
        if self.script and (error := self.script.pop(0)):
            raise error
        return Summary()

    def call(self, errand, *arguments):
        return {"errand": errand, "arguments": arguments}

    def nudge(self):
        pass

    def kill(self):
        self.alive = False

    def is_alive(self):
        return self.alive

    def close(self):
        self.alive = False


def scripted(*script, **given):
    """A pool whose workers share one script, and the workers that it has made."""
    shared, made = list(script), []
    return pool(None, start=lambda: made.append(Scripted(shared)) or made[-1], **given), made


@pytest.mark.parametrize("error", [WorkerLost("it died"), SessionHung("JVGets", limit_s=1)])
def test_a_read_whose_worker_was_lost_is_begun_once_more(error):
    async def scene():
        lanes, made = scripted(error)
        async with lanes:
            return (await lanes.read(RACE)).body, len(made), lanes.faults, lanes.opens

    assert asyncio.run(scene()) == (b"", 2, 1, {"RACE": 2})


def test_and_not_again_after_that():
    async def scene():
        lanes, made = scripted(WorkerLost("one"), WorkerLost("two"))
        async with lanes:
            with pytest.raises(WorkerLost, match="two"):
                await lanes.read(RACE)
            return (await lanes.read(RACE)).body, len(made)

    assert asyncio.run(scene()) == (b"", 3)


def test_a_worker_that_is_lost_in_the_midst_of_a_sink_is_not_tried_again():
    async def scene():
        lanes, _ = scripted(WorkerLost("it died"))
        async with lanes:
            with pytest.raises(WorkerLost):
                await lanes.read_into(Request("RACE", "20261101000000", 1), None)

    asyncio.run(scene())


def test_workers_that_will_not_start_are_told_at_once_after_a_while_and_tried_less_often(monkeypatch):
    async def scene():
        lanes, made = scripted(*[WorkerFailed("no such Python")] * 100)
        async with lanes:
            errors = []
            for _ in range(20):
                with pytest.raises(WorkerFailed) as error:
                    await lanes.read(RACE)
                errors.append(error.value.why)
            return set(errors), len(made) < 20, lanes.sessions()[0].state

    errors, is_bounded, state = asyncio.run(scene())
    assert (errors, is_bounded, state) == ({"no such Python"}, True, "resting")


def test_a_session_is_replaced_after_so_many_opens():
    async def scene():
        lanes, made = scripted(recycling=Recycling(opens=3))
        async with lanes:
            for _ in range(7):
                await lanes.read(RACE)
            return len(made), [worker.alive for worker in made], lanes.faults

    assert asyncio.run(scene()) == (3, [False, False, True], 0)


def test_an_idle_session_is_recycled_and_a_busy_one_is_ended():
    async def scene():
        lanes, made = scripted()
        async with lanes:
            await lanes.read(RACE)
            lanes.recycle(1)
            await lanes.read(RACE)
            with pytest.raises(QueryError, match="no session 7"):
                lanes.recycle(7)
            return [worker.alive for worker in made]

    assert asyncio.run(scene()) == [False, True]


def test_sessions_can_be_looked_at(links, shelf):
    async def scene():
        async with pool(links, sessions=2) as lanes:
            shelf.gate(realtime(1).key)
            new = [view.state for view in lanes.sessions()]
            task = asyncio.create_task(lanes.read(realtime(1)))
            await reached(shelf, realtime(1))
            busy = lanes.sessions()[0]
            shelf.gates[realtime(1).key].set()
            await task
            return new, busy, lanes.sessions()[0]

    new, busy, idle = asyncio.run(scene())
    assert new == ["new", "new"]
    assert (busy.state, busy.job, busy.doing) == ("busy", "0B12:20261201", "JVRTOpen")
    assert (idle.state, idle.job, idle.opens, idle.takes) == ("idle", "", 1, ("realtime", "stored"))


def test_an_errand_takes_a_session():
    async def scene():
        lanes, _ = scripted()
        async with lanes:
            return await lanes.call("silks", "赤")

    assert asyncio.run(scene()) == {"errand": "silks", "arguments": ("赤",)}


def test_a_session_is_made_ready_before_anybody_asks():
    async def scene():
        lanes, made = scripted()
        async with lanes:
            await lanes.warm()
            return len(made), lanes.idle, lanes.sessions()[0].state

    assert asyncio.run(scene()) == (1, 1, "idle")


@pytest.mark.parametrize(
    ("sessions", "takes"),
    [(0, [("realtime", "stored")]), (1, [("realtime", "stored")]), (2, [("stored",), ("realtime",)])],
)
def test_jvlink_has_one_session_or_one_for_each_kind_of_data(sessions, takes):
    lanes = Pool(parse_source("jvlink:"), sessions=sessions, limit_bytes=1, queue_limit=1)
    assert [view.takes for view in lanes.sessions()] == takes


def test_jvlink_has_no_third_session():
    with pytest.raises(SettingsError, match="1 to 2"):
        Pool(parse_source("jvlink:"), sessions=3, limit_bytes=1, queue_limit=1)


def test_a_session_of_one_kind_takes_nothing_else():
    async def scene():
        lanes, made = scripted(sessions=2, is_single=True, max_sessions=2)
        async with lanes:
            await asyncio.gather(*(lanes.read(RACE) for _ in range(3)), *(lanes.read(realtime(1)) for _ in range(2)))
            return len(made), [view.opens for view in lanes.sessions()]

    assert asyncio.run(scene()) == (2, [3, 2])


class Stuck(Scripted):
    """A worker whose read hangs until it is killed."""

    def open(self):
        super().open()
        self.killed = threading.Event()

    def read(self, request, sink, cancelled):
        if not self.script:
            return Summary()
        self.script.pop()
        now = time.monotonic()
        self.activity = Activity("JVGets", now, now)
        assert self.killed.wait(LIMIT_S)
        raise WorkerLost("it was killed")

    def kill(self):
        super().kill()
        self.killed.set()


def test_a_worker_that_hangs_is_ended_and_its_read_begun_once_more():
    script = ["hang"]

    async def scene():
        async with pool(None, start=lambda: Stuck(script), limits=CallLimits(read_s=0.01)) as lanes:
            await lanes.read(RACE)
            return lanes.sessions()[0]

    view = asyncio.run(scene())
    assert (view.faults, view.last_fault) == (1, "JVGets: no progress within 0.01 s")


def test_a_read_that_does_not_heed_its_cancellation_costs_its_worker():
    script = ["hang"]

    async def scene():
        async with pool(None, start=lambda: Stuck(script), limits=CallLimits(cancel_s=0.01)) as lanes:
            task = asyncio.create_task(lanes.read(RACE))
            async with asyncio.timeout(LIMIT_S):
                while lanes.sessions()[0].doing != "JVGets":  # noqa: ASYNC110  (it happens on a thread)
                    await asyncio.sleep(0)
            task.cancel()
            return (await lanes.read(realtime(1))).body, lanes.faults

    assert asyncio.run(scene()) == (b"", 1)
