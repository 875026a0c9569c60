"""The pool: one thread per session, a fair queue, cancelled and failed reads that cost nobody else anything.

What becomes of sessions that are lost, hang or will not start stands in `test_pool_cures.py`.
"""

import asyncio
import threading
from dataclasses import replace

import pytest

from jvgate.errors import DatasetTooLarge, JVLinkError, SettingsError, SourceBusy, SourceError
from jvgate.jvlink.request import Request
from jvgate.sessions.fair_queue import Priority, Turn
from jvgate.values import SourceFile
from tests.jvlink.sinks import Kept
from tests.sessions.gated import RACE, RECORDS, GatedShelf, Links, pool, reached, realtime


@pytest.fixture
def shelf():
    return GatedShelf()


@pytest.fixture
def links(shelf):
    return Links(shelf)


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


@pytest.mark.parametrize(("has_twins", "at_work"), [(True, 1), (False, 2)])
def test_only_a_read_that_has_twins_waits_for_them(links, shelf, has_twins, at_work):
    async def scene():
        async with pool(links, sessions=2) as lanes:
            shelf.gate("RACE")
            request = Request("RACE", "20261101000000", 1)
            reads = [
                asyncio.create_task(lanes.read_into(request, Kept(), has_twins=has_twins)),
                asyncio.create_task(lanes.read(RACE)),
            ]
            await reached(shelf, RACE)
            busy = lanes.busy
            shelf.gates["RACE"].set()
            await asyncio.gather(*reads)
            return busy

    assert asyncio.run(scene()) == at_work


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
            return error.value.place, "sessions are busy" in str(error.value)

    assert asyncio.run(scene()) == (2, True)


def test_a_session_that_is_free_for_other_data_only_does_not_lengthen_the_queue(links, shelf):
    async def scene():
        async with pool(links, sessions=2, queue_limit=1, is_single=True, max_sessions=2) as lanes:
            shelf.gate(realtime(1).key)
            tasks = [asyncio.create_task(lanes.read(realtime(day))) for day in (1, 2)]
            await reached(shelf, realtime(1))
            with pytest.raises(SourceBusy):
                await lanes.read(realtime(3))
            free = (await lanes.read(RACE)).body, lanes.idle
            shelf.gates[realtime(1).key].set()
            await asyncio.gather(*tasks)
            return free

    assert asyncio.run(scene()) == (b"".join(RECORDS), 1)


def test_a_queue_of_none_serves_who_need_not_wait(links):
    async def scene():
        async with pool(links, queue_limit=0) as lanes:
            return (await lanes.read(RACE)).body

    assert asyncio.run(scene())


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


@pytest.mark.parametrize("is_first", [True, False])
def test_a_wait_cancelled_in_the_moment_of_its_turn_passes_the_session_on(links, is_first):
    async def scene():
        async with pool(links) as lanes:
            ticket = asyncio.get_running_loop().create_future()
            lane = await lanes._lease(Turn(Priority.INTERACTIVE, "x", True, ticket))
            first, second = (asyncio.create_task(lanes.read(realtime(day))) for day in (1, 2))
            await asyncio.sleep(0)
            moment = [first.cancel, lambda: lanes._give_back(lane)]
            for happens in moment if is_first else reversed(moment):
                happens()
            await asyncio.gather(first, return_exceptions=True)
            return (await second).body, lanes.idle, lanes.waiting

    assert asyncio.run(scene()) == (b"".join(RECORDS), 1, 0)


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


def test_a_read_may_go_into_a_sink_on_the_sessions_thread(links):
    class Seeing(Kept):
        def begin(self, name, provided):
            super().begin(name, provided)
            links.made.append(threading.current_thread().name)

    async def scene():
        async with pool(links) as lanes:
            sink = Seeing()
            return await lanes.read_into(Request("RACE", "20261101000000", 1), sink), sink

    summary, sink = asyncio.run(scene())
    assert (sink.body, summary.records) == (b"".join(RECORDS), len(RECORDS))
    assert len(set(links.made)) == 1


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


def test_closing_what_was_never_used_or_is_closed_does_nothing(links):
    async def scene():
        async with pool(links, sessions=2) as lanes:
            await lanes.close()
            await lanes.close()
            with pytest.raises(SourceError, match="closed"):
                await lanes.warm()

    asyncio.run(scene())
    assert links.made == []


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


def test_a_batch_waits_for_four_interactive_reads_at_most(links, shelf):
    async def scene():
        async with pool(links) as lanes:
            shelf.gate(realtime(1).key)
            tasks = [asyncio.create_task(lanes.read(realtime(1)))]
            await reached(shelf, realtime(1))
            tasks += [asyncio.create_task(lanes.read(realtime(2), priority=Priority.BATCH))]
            tasks += [asyncio.create_task(lanes.read(realtime(day))) for day in range(3, 10)]
            await asyncio.sleep(0)
            shelf.gates[realtime(1).key].set()
            await asyncio.gather(*tasks)

    asyncio.run(scene())
    assert shelf.order == [realtime(day).key for day in (1, 3, 4, 5, 6, 2, 7, 8, 9)]


def test_other_records_of_the_same_data_are_a_twin_too(links, shelf):
    async def scene():
        async with pool(links, sessions=2) as lanes:
            shelf.gate("RACE")
            tasks = [asyncio.create_task(lanes.read(replace(RACE, records=kinds))) for kinds in ((), ("SE",))]
            await reached(shelf, RACE)
            state = lanes.waiting, lanes.busy
            shelf.gates["RACE"].set()
            return state, [len(dataset.body) for dataset in await asyncio.gather(*tasks)]

    assert asyncio.run(scene()) == ((1, 1), [len(b"".join(RECORDS)), len(b"".join(RECORDS[100:]))])


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


def test_what_was_read_last_can_still_be_seen(links):
    async def scene():
        async with pool(links) as lanes:
            await lanes.read(RACE)
            return lanes.sessions()[0].progress

    assert asyncio.run(scene()).records_read == len(RECORDS)


def test_a_session_of_one_kind_takes_nothing_else(links):
    async def scene():
        async with pool(links, sessions=2, is_single=True, max_sessions=2) as lanes:
            await asyncio.gather(*(lanes.read(RACE) for _ in range(3)), *(lanes.read(realtime(1)) for _ in range(2)))
            return [(view.takes, view.opens) for view in lanes.sessions()]

    assert asyncio.run(scene()) == [(("stored",), 3), (("realtime",), 2)]


def test_one_session_too_many_for_its_source_is_refused(links):
    with pytest.raises(SettingsError, match="1 to 2"):
        pool(links, sessions=3, is_single=True, max_sessions=2)
