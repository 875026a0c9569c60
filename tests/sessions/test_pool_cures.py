"""What the pool does about sessions that are lost, hang, will not start, or are to be replaced."""

import asyncio
import threading

import pytest

from jvgate.errors import (
    ArchiveError,
    DatasetTooLarge,
    JVLinkError,
    NotOffered,
    QueryError,
    ReadCancelled,
    SessionHung,
    SessionTimeout,
    SourceError,
    WorkerFailed,
    WorkerLost,
)
from jvgate.jvlink.request import Progress, Request, Summary
from jvgate.sessions import resting
from jvgate.sessions.lane import Recycling
from jvgate.sessions.pool import Pool
from jvgate.sessions.sources.source import Source
from jvgate.sessions.watchdog import CallLimits
from jvgate.values import Backoff, Query, SourceClock
from tests.jvlink.sinks import Kept
from tests.sessions.scripted import LIMIT_S, Workers, hangs
from tests.specs import JRA
from tests.waiting import until

RACE = Query("RACE", from_time="20261101000000", option=1)
TODAY = Query("0B12", key="20261115")
NO_PYTHON = WorkerFailed("no such Python")


def pool(workers, *, sessions=1, **source):
    source = Source("test:", start=workers, check=lambda spec: None, clock=SourceClock(), **source)
    return Pool(source, JRA, sessions=sessions, limit_bytes=1 << 20, queue_limit=10)


def play(scene, workers, **given):
    """Run *scene* with a pool of *workers*, and return what it returns."""

    async def on_stage():
        async with asyncio.timeout(LIMIT_S), pool(workers, **given) as lanes:
            return await scene(lanes)

    return asyncio.run(on_stage())


@pytest.fixture
def long_rest(monkeypatch):
    """A session that failed twice in a row rests for longer than any test lasts."""
    monkeypatch.setattr(resting, "BACKOFF", Backoff(first_s=3600, most_s=3600))


@pytest.fixture
def no_rest(monkeypatch):
    monkeypatch.setattr(resting, "BACKOFF", Backoff(first_s=0, most_s=0))


@pytest.mark.parametrize("error", [WorkerLost("it died"), SessionHung("JVGets", limit_s=1)])
def test_a_read_whose_session_was_lost_is_begun_once_more(error):
    async def scene(lanes):
        return (await lanes.read(RACE)).body, lanes.faults, lanes.opens

    workers = Workers(error)
    assert play(scene, workers) == (b"", 1, {"RACE": 2})
    assert workers.alive == [False, False]  # the pool is closed


def test_nothing_of_the_lost_read_is_left_in_the_dataset():
    def torn(worker, sink, cancelled):
        sink.begin("RA.jvd", "20261108120000")
        sink.records(b"half", 1)
        sink.progress(Progress(records_read=1))
        raise WorkerLost("it died")

    def whole(worker, sink, cancelled):
        sink.begin("RA.jvd", "20261108120000")
        sink.records(b"all of it", 2)
        return Summary("20261108120000", 1, 9, 2)

    async def scene(lanes):
        return await lanes.read(RACE, on_progress=told.append)

    told = []
    dataset = play(scene, Workers(torn, whole))
    assert (dataset.body, len(dataset.files)) == (b"all of it", 1)
    assert told == [Progress(records_read=1)]


def test_and_not_again_after_that():
    async def scene(lanes):
        with pytest.raises(WorkerLost, match="two"):
            await lanes.read(RACE)
        return (await lanes.read(RACE)).body

    workers = Workers(WorkerLost("one"), WorkerLost("two"))
    assert play(scene, workers) == b""
    assert len(workers.made) == 3


@pytest.mark.parametrize(
    ("error", "sessions_used"),
    [
        (JVLinkError(-303, "JVOpen"), 1),
        (JVLinkError(-203, "JVOpen"), 2),
        (DatasetTooLarge("RACE", limit_bytes=1), 1),
        (ArchiveError("/data", "gone"), 1),
        (NotOffered("silks"), 1),
        (ReadCancelled("RACE"), 1),
        (SessionTimeout("the download", limit_s=60), 2),
        (SourceError("JV-Link contradicts itself"), 2),
        (MemoryError("out of it"), 2),
    ],
)
def test_other_errors_go_to_who_asked_and_in_doubt_cost_the_session(error, sessions_used):
    async def scene(lanes):
        with pytest.raises(type(error)) as raised:
            await lanes.read(RACE)
        opens = dict(lanes.opens)
        await lanes.read(TODAY)
        return raised.value is error, opens

    workers = Workers(error)
    assert play(scene, workers) == (True, {"RACE": 1})
    assert len(workers.made) == sessions_used


def test_what_a_sink_has_got_is_not_read_again():
    async def scene(lanes):
        with pytest.raises(WorkerLost):
            await lanes.read_into(Request("RACE", "20261101000000", 1), Kept())
        return lanes.opens

    assert play(scene, Workers(WorkerLost("it died"))) == {"RACE": 1}


def test_an_errand_whose_session_was_lost_is_done_once_more_and_no_more():
    async def scene(lanes):
        done = await lanes.call("silks", "赤")
        with pytest.raises(WorkerLost, match="three"):
            await lanes.call("silks", "赤")
        return done

    workers = Workers(WorkerLost("one"), None, WorkerLost("two"), WorkerLost("three"))
    assert play(scene, workers) == {"errand": "silks", "arguments": ("赤",)}


@pytest.mark.usefixtures("long_rest")
def test_workers_that_will_not_start_are_told_at_once_after_a_while_and_not_tried_again_and_again():
    async def scene(lanes):
        for _ in range(20):
            with pytest.raises(WorkerFailed, match="no such Python"):
                await lanes.read(RACE)
        return lanes.sessions()[0].state, lanes.resting, lanes.busy

    workers = Workers(opens=(NO_PYTHON,) * 100)
    assert play(scene, workers) == ("resting", 1, 0)
    assert len(workers.made) == 2


def test_workers_that_open_well_and_die_in_every_read_rest_longer_and_longer(monkeypatch):
    failures = []
    monkeypatch.setattr(resting, "rest_s", lambda count: failures.append(count) or 0.0)

    async def scene(lanes):
        for _ in range(3):
            with pytest.raises(WorkerLost):
                await lanes.read(RACE)

    play(scene, Workers(*[WorkerLost("it died")] * 6))
    assert failures == [1, 2, 3, 4, 5, 6]


@pytest.mark.usefixtures("long_rest")
def test_a_read_that_comes_to_its_end_makes_up_for_the_losses_before():
    async def scene(lanes):
        for _ in range(5):
            await lanes.read(RACE)
        return lanes.faults

    assert play(scene, Workers(*[WorkerLost("it died"), None] * 5)) == 5


@pytest.mark.usefixtures("long_rest")
def test_a_worker_that_is_ended_for_who_gave_up_costs_no_rest():
    async def scene(lanes):
        for count in range(3):
            read = asyncio.create_task(lanes.read(RACE))
            await until(lambda: lanes.sessions()[0].doing == "JVGets")
            read.cancel()
            await until(lambda count=count: lanes.faults > count)
        return (await lanes.read(TODAY)).body, lanes.faults

    assert play(scene, Workers(hangs, hangs, hangs), limits=CallLimits(cancel_s=0.01)) == (b"", 3)


@pytest.mark.usefixtures("long_rest")
def test_who_waits_already_is_told_as_well():
    async def scene(lanes):
        reads = [lanes.read(Query("0B12", key=f"202611{day}")) for day in range(10, 15)]
        return await asyncio.gather(*reads, return_exceptions=True), lanes.waiting

    told, waiting = play(scene, Workers(opens=(NO_PYTHON,) * 100))
    assert [type(error) for error in told] == [WorkerFailed] * 5
    assert waiting == 0


@pytest.mark.usefixtures("long_rest")
def test_an_error_that_is_told_often_does_not_grow():
    def depth(error):
        frames, trace = 0, error.__traceback__
        while trace:
            frames, trace = frames + 1, trace.tb_next
        return frames

    async def scene(lanes):
        depths = []
        for _ in range(20):
            with pytest.raises(WorkerFailed) as error:
                await lanes.read(RACE)
            depths.append(depth(error.value))
        return depths

    depths = play(scene, Workers(opens=(NO_PYTHON,) * 100))
    assert depths[-1] == depths[-10]


@pytest.mark.usefixtures("no_rest")
def test_once_they_start_again_reads_are_served_again():
    async def scene(lanes):
        for _ in range(3):
            with pytest.raises(WorkerFailed):
                await lanes.read(RACE)
        await until(lambda: lanes.idle == 1)
        return (await lanes.read(RACE)).body, lanes.sessions()[0].state

    workers = Workers(opens=(NO_PYTHON,) * 5)
    assert play(scene, workers) == (b"", "idle")
    assert len(workers.made) == 6


@pytest.mark.usefixtures("long_rest")
def test_as_long_as_one_session_starts_nobody_is_turned_away():
    async def scene(lanes):
        with pytest.raises(WorkerFailed):
            await lanes.read(RACE)
        await until(lambda: lanes.resting and len(workers.made) == 2)
        await asyncio.gather(*(lanes.read(query) for query in (RACE, TODAY, RACE)))
        return sorted(view.state for view in lanes.sessions())

    workers = Workers(opens=(NO_PYTHON,) * 2)
    assert play(scene, workers, sessions=2) == ["idle", "resting"]


def test_a_session_is_replaced_after_so_many_opens():
    async def scene(lanes):
        for _ in range(7):
            await lanes.read(RACE)
        await until(lambda: lanes.idle)
        return workers.alive, lanes.faults

    workers = Workers()
    assert play(scene, workers, recycling=Recycling(opens=3)) == ([False, False, True], 0)


def test_what_was_read_is_handed_out_before_a_worn_session_ends():
    handed_out = threading.Event()

    def ends_slowly(worker):
        assert handed_out.wait(LIMIT_S)

    async def scene(lanes):
        bodies = [(await lanes.read(RACE)).body]
        handed_out.set()
        return [*bodies, (await lanes.read(RACE)).body]

    workers = Workers(closes=(ends_slowly,))
    assert play(scene, workers, recycling=Recycling(opens=1)) == [b"", b""]
    assert len(workers.made) == 2


def test_a_worn_session_that_does_not_end_well_costs_nobody_an_answer():
    async def scene(lanes):
        return [(await lanes.read(RACE)).body for _ in range(2)]

    assert play(scene, Workers(closes=(OSError("no end"),)), recycling=Recycling(opens=1)) == [b"", b""]


def test_an_idle_session_is_recycled_without_a_fault():
    async def scene(lanes):
        await lanes.read(RACE)
        lanes.recycle(1)
        state = lanes.sessions()[0].state
        await lanes.read(RACE)
        return state, workers.alive, lanes.faults

    workers = Workers()
    assert play(scene, workers) == ("starting", [False, True], 0)


def test_a_busy_session_is_ended_and_what_it_read_is_begun_anew():
    async def scene(lanes):
        read = asyncio.create_task(lanes.read(RACE))
        await until(lambda: lanes.sessions()[0].doing == "JVGets")
        lanes.recycle(1)
        return (await read).body, lanes.sessions()[0].last_fault

    assert play(scene, Workers(hangs)) == (b"", "the session was lost: it was recycled on request")


@pytest.mark.usefixtures("long_rest")
def test_a_resting_session_is_not_ended_and_its_error_stays_what_it_was():
    async def scene(lanes):
        with pytest.raises(WorkerFailed):
            await lanes.read(RACE)
        await until(lambda: lanes.resting and len(workers.made) == 2)
        lanes.recycle(1)
        lanes._rests._timers[lanes._lanes[0]].cancel()
        lanes._rests._end(lanes._lanes[0], lanes._revive)  # its rest is over
        with pytest.raises(WorkerFailed, match="no such Python"):
            await lanes.read(RACE)

    workers = Workers(opens=(NO_PYTHON,) * 4)
    play(scene, workers)


def test_a_session_that_there_is_not_cannot_be_recycled():
    async def scene(lanes):
        with pytest.raises(QueryError, match="no session 7") as error:
            lanes.recycle(7)
        return error.value.allowed

    assert play(scene, Workers(), sessions=2) == "1 to 2"


def test_a_session_is_made_ready_before_anybody_asks():
    async def scene(lanes):
        await lanes.warm()
        return lanes.idle, lanes.sessions()[0].state, lanes.sessions()[0].facts

    assert play(scene, Workers()) == (1, "idle", {"number": 1})


def test_one_that_cannot_be_made_ready_is_told_and_tried_again_by_the_next_read():
    async def scene(lanes):
        with pytest.raises(WorkerFailed):
            await lanes.warm()
        return (await lanes.read(RACE)).body

    assert play(scene, Workers(opens=(NO_PYTHON,))) == b""


def test_a_session_that_is_being_made_ready_is_seen_to_start():
    go = threading.Event()

    async def scene(lanes):
        warming = asyncio.create_task(lanes.warm())
        await until(lambda: lanes.sessions()[0].state == "starting")
        go.set()
        await warming
        return lanes.sessions()[0].state

    workers = Workers(opens=(lambda worker: go.wait(LIMIT_S),))
    assert play(scene, workers) == "idle"


def test_a_worker_that_hangs_is_ended_and_its_read_begun_once_more():
    async def scene(lanes):
        await lanes.read(RACE)
        return lanes.sessions()[0].faults, lanes.sessions()[0].last_fault

    fault = "JVGets: no progress within 0.01 s"
    assert play(scene, Workers(hangs), limits=CallLimits(read_s=0.01)) == (1, fault)


def test_a_worker_that_hangs_while_it_starts_is_ended_too():
    async def scene(lanes):
        return (await lanes.read(RACE)).body, lanes.sessions()[0].last_fault

    workers = Workers(opens=(lambda worker: worker.hang("start"),))
    assert play(scene, workers, limits=CallLimits(start_s=0.01)) == (b"", "start: no progress within 0.01 s")


def test_a_read_that_does_not_heed_its_cancellation_costs_its_worker():
    async def scene(lanes):
        task = asyncio.create_task(lanes.read(RACE))
        await until(lambda: lanes.sessions()[0].doing == "JVGets")
        task.cancel()
        return (await lanes.read(TODAY)).body, lanes.faults

    workers = Workers(hangs)
    assert play(scene, workers, limits=CallLimits(cancel_s=0.01)) == (b"", 1)
    assert workers.made[0].nudges == 1


def test_closing_ends_a_read_that_is_stuck():
    async def scene(lanes):
        read = asyncio.create_task(lanes.read(RACE))
        await until(lambda: lanes.sessions()[0].doing == "JVGets")
        await lanes.close(drain_s=0.01)
        return (await asyncio.gather(read, return_exceptions=True))[0]

    workers = Workers(hangs)
    assert "closed" in str(play(scene, workers))
    assert workers.alive == [False]


@pytest.mark.usefixtures("long_rest")
def test_closing_does_not_wait_for_a_rest_to_end():
    async def scene(lanes):
        for _ in range(2):
            with pytest.raises(WorkerFailed):
                await lanes.read(RACE)
        assert lanes.resting == 1

    workers = Workers(opens=(NO_PYTHON,) * 9)
    play(scene, workers)
    assert len(workers.made) == 2


def test_closing_ends_a_session_that_is_still_starting():
    async def scene(lanes):
        read = asyncio.create_task(lanes.read(RACE))
        await until(lambda: lanes.sessions()[0].doing == "start")
        await lanes.close(drain_s=0.01)
        return (await asyncio.gather(read, return_exceptions=True))[0]

    workers = Workers(opens=(lambda worker: worker.hang("start"),))
    assert isinstance(play(scene, workers), SourceError)
    assert workers.alive == [False]
