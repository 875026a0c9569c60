"""A session on the calling thread; what all workers share stands in `contracts/test_worker_contract.py`."""

from contextlib import contextmanager
from threading import get_ident

import pytest

from jvgate.errors import JVLinkError, NotOffered, ReadCancelled
from jvgate.jvlink.holding import Holding
from jvgate.jvlink.request import Request
from jvgate.jvlink.simulator import Simulator
from jvgate.sessions.holders import ThreadWorker
from tests.jvlink.memory_shelf import NOW, RULES, MemoryFile, MemoryShelf, records
from tests.jvlink.sinks import Kept

RACE = Request("RACE", "20261101000000", 1)
SHELF = MemoryShelf(files={"RACE": [MemoryFile("RA.jvd", "20261108120000", records("RA", 5))]})


class Stage:
    """Makes links, and keeps what happens to them."""

    def __init__(self):
        self.happened = []

    @contextmanager
    def make(self, channel):
        self.happened.append(("made", channel, get_ident()))
        yield Simulator(SHELF, RULES, now=lambda: NOW)
        self.happened.append(("released",))


@pytest.fixture
def stage():
    return Stage()


def never():
    return False


def test_the_link_is_made_when_it_opens_and_released_when_it_closes(stage):
    worker = ThreadWorker(Holding(stage.make))
    assert (stage.happened, worker.activity.doing) == ([], "start")
    worker.open()
    assert stage.happened == [("made", None, get_ident())]
    worker.close()
    assert stage.happened[1:] == [("released",)]


def test_it_is_prepared_after_jvinit_and_tells_its_facts(stage):
    seen = []
    holding = Holding(
        stage.make, prepare=lambda link: seen.append(link.JVStatus()), facts={"product": "JVDTLab.JVLink"}
    )
    worker = ThreadWorker(holding)
    worker.open()
    assert seen == [-203]  # nothing is open; before JVInit it would be -201
    assert worker.facts == {"product": "JVDTLab.JVLink"}


def test_an_id_that_jvlink_refuses_is_told(stage):
    worker = ThreadWorker(Holding(stage.make, sid=""))
    with pytest.raises(JVLinkError) as error:
        worker.open()
    assert (error.value.method, error.value.code) == ("JVInit", -101)
    worker.close()
    assert stage.happened[-1] == ("released",)


def test_what_it_is_at_is_seen_while_it_reads(stage):
    class Looking(Kept):
        def records(self, batch, count):
            super().records(batch, count)
            seen.append(worker.activity)

    seen = []
    worker = ThreadWorker(Holding(stage.make))
    worker.open()
    assert worker.activity.doing == "idle"
    worker.read(RACE, Looking(), never)
    assert {activity.doing for activity in seen} == {"JVGets"}
    assert all(activity.since == activity.heard_at > 0 for activity in seen)
    assert worker.activity.doing == "idle"


def test_it_is_idle_after_an_error_too(stage):
    worker = ThreadWorker(Holding(stage.make))
    worker.open()
    with pytest.raises(JVLinkError):
        worker.read(Request("RACE", "2026", 1), Kept(), never)
    assert (worker.activity.doing, worker.is_alive()) == ("idle", True)


def test_one_that_was_told_to_end_is_dead_and_stops_at_its_next_look(stage):
    worker = ThreadWorker(Holding(stage.make))
    worker.open()
    worker.kill()
    assert not worker.is_alive()
    with pytest.raises(ReadCancelled):
        worker.read(RACE, Kept(), never)


def test_a_nudge_changes_nothing_since_the_read_looks_by_itself(stage):
    worker = ThreadWorker(Holding(stage.make))
    worker.open()
    worker.nudge()
    assert worker.read(RACE, Kept(), never).records == 5


def test_errands_are_done_on_the_same_thread(stage):
    worker = ThreadWorker(Holding(stage.make))
    worker.open()
    assert worker.call("setup")["version"] == "0490"
    with pytest.raises(NotOffered):
        worker.call("course", "9999999905240011")
