"""A session as it is shown: its state follows from its lane and from what its pool knows."""

from time import monotonic

import pytest

from jvgate.jvlink.request import Request
from jvgate.sessions.lane import Lane, Recycling
from jvgate.sessions.session_status import view_of
from jvgate.sessions.watchdog import CallLimits
from tests.jvlink.sinks import Kept
from tests.sessions.scripted import Workers

RACE = Request("RACE", "20261101000000", 1)


def lane_of(*reads):
    return Lane(7, Workers(*reads), takes=frozenset({"stored", "realtime"}), limits=CallLimits(), recycling=Recycling())


def read(lane):
    lane.read(RACE, Kept(), lambda: False)
    return lane


def state_of(lane, *, is_idle=True, is_resting=False):
    return view_of(lane, is_idle=is_idle, is_resting=is_resting).state


def test_a_lane_is_new_until_its_first_read_and_idle_after_it():
    lane = lane_of()
    assert state_of(lane) == "new"
    assert state_of(read(lane)) == "idle"


def test_one_that_its_pool_has_taken_is_starting_until_it_has_a_job():
    assert state_of(lane_of(), is_idle=False) == "starting"


def test_it_is_busy_while_it_reads_and_shows_what():
    seen = []
    lane = lane_of(lambda worker, sink, cancelled: seen.append(view_of(lane, is_idle=False, is_resting=False)))
    read(lane)
    assert [(view.state, view.job) for view in seen] == [("busy", str(RACE))]
    assert view_of(lane, is_idle=True, is_resting=False).job == ""


def test_a_rest_outweighs_everything_else():
    assert state_of(lane_of(), is_resting=True) == "resting"
    assert state_of(read(lane_of()), is_idle=False, is_resting=True) == "resting"


def test_what_is_shown_of_a_session_is_sorted_and_copied():
    lane = read(lane_of())
    view = view_of(lane, is_idle=True, is_resting=False)
    assert (view.id, view.takes, view.opens, view.faults) == (7, ("realtime", "stored"), 1, 0)
    assert (view.facts, view.doing) == (lane.worker.facts, "idle")
    assert view.facts is not lane.worker.facts
    assert 0 <= view.for_s <= monotonic()


@pytest.mark.parametrize("name", ["doing", "dialog", "last_fault"])
def test_one_that_never_ran_has_nothing_to_show(name):
    view = view_of(lane_of(), is_idle=True, is_resting=False)
    assert (getattr(view, name), view.facts) == ("", {})
