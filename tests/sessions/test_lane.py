"""A lane: when its worker is kept, replaced or ended, and what is told of that.  All on the calling thread."""

from time import monotonic

import pytest

from jvgate.errors import (
    DatasetTooLarge,
    JVLinkError,
    ReadCancelled,
    SessionHung,
    SourceError,
    WorkerFailed,
    WorkerLost,
)
from jvgate.jvlink.request import Progress, Request, Summary
from jvgate.sessions.holders import Activity
from jvgate.sessions.lane import Lane, Recycling
from jvgate.sessions.watchdog import CallLimits
from tests.jvlink.sinks import Kept
from tests.sessions.scripted import Scripted, Workers

RACE = Request("RACE", "20261101000000", 1)
LATE = 1e9


def lane_of(workers, **recycling):
    return Lane(1, workers, takes=frozenset({"stored"}), limits=CallLimits(), recycling=Recycling(**recycling))


def read(lane, *, sink=None, cancelled=lambda: False):
    """Read, and let go of a worker that is worn by that, as the pool does."""
    summary = lane.read(RACE, sink or Kept(), cancelled)
    if lane.is_worn:
        lane.release()
    return summary


def of_bytes(size):
    """A read of so many bytes."""

    def step(worker, sink, cancelled):
        sink.progress(Progress(bytes_read=size))
        return Summary(bytes=size)

    return step


def stuck(do):
    """A read that stands in JVGets while the event loop does *do*, and fails where that has killed its worker."""

    def step(worker, sink, cancelled):
        worker.activity = Activity("JVGets", 0.0, LATE)
        do(worker)
        if worker.killed.is_set():
            raise WorkerLost("the pipe broke")

    return step


def test_a_worker_is_made_by_the_first_read_and_kept():
    lane = lane_of(workers := Workers())
    assert (workers.made, lane.activity) == ([], None)
    assert [read(lane) for _ in range(3)] == [Summary()] * 3
    assert (len(workers.made), lane.opens, lane.faults, lane.is_open) == (1, 3, 0, True)
    assert (lane.job, lane.activity.doing) == ("", "idle")


@pytest.mark.parametrize(("limit", "made"), [(1, 5), (2, 3), (5, 1), (6, 1)])
def test_a_worker_is_replaced_after_so_many_opens(limit, made):
    lane = lane_of(workers := Workers(), opens=limit)
    for _ in range(5):
        read(lane)
    assert (len(workers.made), lane.faults) == (made, 0)
    assert sum(workers.alive) == (lane.worker is not None)


def test_a_worker_is_replaced_after_so_many_bytes():
    lane = lane_of(workers := Workers(*[of_bytes(40)] * 6), bytes=100)
    for _ in range(6):
        read(lane)
    assert len(workers.made) == 2
    assert workers.alive == [False, False]


def test_errands_count_as_opens():
    lane = lane_of(workers := Workers(), opens=2)
    lane.call("silks", ("赤",))
    assert not lane.is_worn
    assert lane.call("silks", ("赤",)) == {"errand": "silks", "arguments": ("赤",)}
    assert (lane.is_worn, len(workers.made)) == (True, 1)


def test_a_worker_that_died_while_idle_is_replaced_without_a_word():
    lane = lane_of(workers := Workers())
    read(lane)
    workers.made[0].kill()
    assert read(lane) == Summary()
    assert (len(workers.made), lane.faults) == (2, 0)


@pytest.mark.parametrize(
    "error",
    [JVLinkError(-303, "JVOpen"), DatasetTooLarge("RACE", limit_bytes=1), ReadCancelled("RACE")],
)
def test_a_clean_end_keeps_the_worker(error):
    lane = lane_of(workers := Workers(error))
    with pytest.raises(type(error)):
        read(lane)
    assert (workers.alive, lane.faults, lane.is_open) == ([True], 0, True)


@pytest.mark.parametrize("code", [-201, -202, -203, -401])
def test_a_code_that_leaves_the_session_in_doubt_ends_the_worker(code):
    lane = lane_of(workers := Workers(JVLinkError(code, "JVOpen")))
    with pytest.raises(JVLinkError):
        read(lane)
    assert (workers.alive, lane.faults, lane.fault) == ([False], 1, f"JVOpen returned {code}")


def test_a_surprise_ends_the_worker_and_goes_through_as_it_is():
    lane = lane_of(workers := Workers(KeyError("what?")))
    with pytest.raises(KeyError):
        read(lane)
    assert (workers.alive, lane.faults) == ([False], 1)


@pytest.mark.parametrize("error", [WorkerFailed("no such Python"), JVLinkError(-211, "JVInit")])
def test_a_worker_that_did_not_open_is_never_read_through(error):
    lane = lane_of(workers := Workers(opens=(error,)))
    with pytest.raises(type(error)):
        read(lane)
    assert (workers.alive, lane.is_open, lane.faults) == ([False], False, 1)
    assert read(lane) == Summary()
    assert len(workers.made) == 2


def test_a_read_that_was_given_up_while_the_worker_started_is_not_begun():
    lane = lane_of(workers := Workers(SourceError("it was begun")))
    with pytest.raises(ReadCancelled):
        read(lane, cancelled=lambda: True)
    assert (workers.alive, lane.opens) == ([True], 1)


def test_a_worker_that_the_watchdog_ended_is_told_as_hung():
    lane = lane_of(workers := Workers(stuck(lambda worker: lane.watch(LATE))))
    with pytest.raises(SessionHung) as error:
        read(lane)
    assert (error.value.what, error.value.limit_s) == ("JVGets", 30.0)
    assert (workers.alive, lane.fault) == ([False], "JVGets: no progress within 30 s")


def test_a_worker_that_was_ended_on_request_is_told_as_lost_for_that_reason():
    lane = lane_of(Workers(stuck(lambda worker: lane.end("it was recycled on request"))))
    with pytest.raises(WorkerLost, match="it was recycled on request") as error:
        read(lane)
    assert "the pipe broke" in str(error.value.__cause__)


@pytest.mark.parametrize(
    "nonsense", [lambda lane: lane.end("of before"), lambda lane: lane.watch(LATE)], ids=["ended", "watched"]
)
def test_what_was_said_while_nothing_ran_does_not_colour_the_next_error(nonsense):
    lane = lane_of(Workers(SourceError("its own"), SourceError("its own")))
    for _ in range(2):
        nonsense(lane)
        with pytest.raises(SourceError, match="its own"):
            read(lane)


def test_an_idle_worker_is_never_found_hanging():
    lane = lane_of(workers := Workers())
    lane.warm()
    lane.watch(LATE)
    assert workers.alive == [True]


def test_the_sink_may_take_as_long_as_it_likes():
    class Slow(Kept):
        def begin(self, name, provided):
            super().begin(name, provided)
            self.look("begin")

        def records(self, batch, count):
            super().records(batch, count)
            self.look("records")

        def look(self, method):
            seen.append((method, lane.is_handing))
            lane.watch(LATE)

    def step(worker, sink, cancelled):
        worker.activity = Activity("JVGets", 0.0, 0.0)
        sink.begin("RA.jvd", "")
        sink.records(b"RA\r\n", 1)
        seen.append(("after", lane.is_handing))

    seen = []
    lane = lane_of(workers := Workers(step))
    read(lane, sink=Slow())
    assert seen == [("begin", True), ("records", True), ("after", False)]
    assert workers.alive == [True]


def test_a_session_that_waited_for_its_sink_is_not_blamed_for_it():
    def step(worker, sink, cancelled):
        sink.begin("RA.jvd", "")
        worker.activity = Activity("JVGets", 0.0, 0.0)  # as it was heard before the sink took so long
        sink.records(b"RA\r\n", 1)
        lane.watch(monotonic())

    lane = lane_of(workers := Workers(step))
    read(lane)
    assert workers.alive == [True]


def test_the_sink_has_its_turn_no_more_when_it_has_failed():
    class Full(Kept):
        def begin(self, name, provided):
            raise SourceError("no room")

    lane = lane_of(Workers(lambda worker, sink, cancelled: sink.begin("RA.jvd", "")))
    with pytest.raises(SourceError, match="no room"):
        read(lane, sink=Full())
    assert not lane.is_handing


def test_what_runs_can_be_seen_from_outside():
    def look(worker):
        seen.append((lane.job, lane.progress.records_read, lane.activity.doing))

    def step(worker, sink, cancelled):
        sink.progress(Progress(records_read=7))
        return stuck(look)(worker, sink, cancelled)

    seen, sink = [], Kept()
    lane = lane_of(Workers(step))
    read(lane, sink=sink)
    assert seen == [("RACE:20261101000000:1", 7, "JVGets")]
    assert sink.told == [Progress(records_read=7)]


def test_a_cancellation_is_passed_on_and_belongs_to_its_read_alone():
    def nudged(worker):
        lane.nudge()
        seen.append((worker.nudges, lane.cancelled_at is not None))

    seen = []
    lane = lane_of(Workers(stuck(nudged), stuck(lambda worker: seen.append(lane.cancelled_at))))
    read(lane)
    lane.nudge()  # too late
    read(lane)
    assert seen == [(1, True), None]


def test_a_release_lets_go_of_the_worker_and_may_come_twice():
    lane = lane_of(workers := Workers())
    lane.warm()
    lane.release()
    lane.release()
    assert (workers.alive, lane.worker, lane.is_open, lane.faults) == ([False], None, False, 0)


def test_a_worker_that_cannot_even_be_started_leaves_none():
    def start():
        raise WorkerFailed("python9 cannot be run")

    lane = lane_of(start)
    with pytest.raises(WorkerFailed):
        lane.warm()
    assert (lane.worker, lane.faults) == (None, 1)


def test_a_lane_is_driven_on_a_thread_that_is_named_after_it():
    lane = lane_of(Workers())
    worker = lane.thread.submit(lambda: (lane.warm(), lane.worker)[1]).result(timeout=30)
    assert isinstance(worker, Scripted)
    assert lane.thread._thread.name == "jvgate-session-1"
    lane.thread.stop()
