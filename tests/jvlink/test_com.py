"""The COM object over a stand-in that is as strict as COM: apartments, shapes, events, and what is not there."""

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import datetime, timedelta

import pytest
from memory_shelf import NOW, RULES, MemoryFile, MemoryShelf, records
from sinks import Kept
from standin import Machine, installed

from jvgate.errors import ComError, NotInstalled, NotOffered, SourceError
from jvgate.jvlink.com import EVENTS, JV_LINK, NV_LINK, Product, open_com
from jvgate.jvlink.com_worker import com_holding
from jvgate.jvlink.request import Request
from jvgate.jvlink.session import Session
from jvgate.jvlink.simulator import Simulator
from jvgate.sessions.workers import ThreadWorker
from jvgate.spec.files import read_json

EVER = "20200101000000"
SE = records("SE", 3)


def simulator():
    return Simulator(MemoryShelf({"RACE": [MemoryFile("SE.jvd", "20261109120000", SE)]}), RULES, now=lambda: NOW)


@pytest.fixture
def machine():
    with installed(Machine(simulator)) as machine:
        yield machine


@pytest.fixture
def link(machine):
    with open_com(JV_LINK) as link:
        assert link.JVInit("UNKNOWN") == 0
        yield link


def read(link):
    kept = Kept()
    Session(link).read(Request("RACE", EVER, 1), kept)
    return kept.body


def test_a_session_reads_through_it(link):
    assert read(link) == b"".join(SE)


@pytest.mark.parametrize("widen", ["latin-1", "cp1252", "cp932"])
def test_a_jvlink_without_jvgets_is_read_by_jvread(widen):
    with installed(Machine(simulator, widen=widen, lacks=("JVGets",))), open_com(JV_LINK) as link:
        assert read(link) == b"".join(SE)


def test_nvlink_is_the_same_under_other_names(machine):
    with open_com(NV_LINK) as link:
        assert read(link) == b"".join(SE)
        assert link.m_JVLinkVersion == "0490"
        with pytest.raises(NotOffered, match="videos"):
            link.JVMVCheck("202611080511")


def test_another_thread_may_not_touch_it(link):
    with ThreadPoolExecutor(1) as other, pytest.raises(ComError, match="another thread") as error:
        other.submit(link.JVStatus).result()
    assert (error.value.hresult, error.value.method) == (0x8001010E, "JVStatus")


def test_each_thread_has_an_apartment_of_its_own(machine):
    def alone():
        with open_com(JV_LINK) as link:
            return read(link)

    with ThreadPoolExecutor(1) as other:
        assert alone() == other.submit(alone).result() == b"".join(SE)


def test_it_is_closed_and_let_go_before_com_is(machine):
    with open_com(JV_LINK) as link:
        link.JVInit("UNKNOWN")
        link.JVOpen("RACE", EVER, 1, 0, 0, "")
        (made,) = machine.objects
    assert machine.apartments == set()
    assert vars(made)["_behind"].JVStatus() == -203
    with pytest.raises(ComError):
        link.JVStatus()


def test_a_class_that_is_not_registered_is_told_with_this_pythons_bits(machine):
    with (
        pytest.raises(NotInstalled, match=r"not registered.*\((32|64) bits\)"),
        open_com(Product("Nobody.Knows", "JV")),
    ):
        pass
    assert machine.apartments == set()


def test_without_pywin32_it_says_so():
    with pytest.raises(NotInstalled, match=r"Windows|pywin32"), open_com(JV_LINK):
        pass


@pytest.mark.parametrize("answer", [None, "text", (), (1, 2), ("0", 1, 2, "x"), (0, 1, 2, 3, 4, 5)])
def test_an_answer_of_another_shape_is_refused(link, machine, monkeypatch, answer):
    monkeypatch.setattr(Simulator, "JVOpen", lambda self, a, b, c, d, e, f: answer)
    with pytest.raises(SourceError, match="unknown shape"):
        link.JVOpen("RACE", EVER, 1, 0, 0, "")


def test_a_bare_code_is_taken_where_a_tuple_was_due(link, monkeypatch):
    monkeypatch.setattr(Simulator, "JVOpen", lambda self, a, b, c, d, e, f: -303)
    assert link.JVOpen("RACE", EVER, 1, 0, 0, "") == (-303, 0, 0, "")


def test_the_other_spelling_of_the_time_stamp_is_known(link, machine, monkeypatch):
    machine.lacks = ("m_CurrentFileTimestamp",)
    assert link.m_CurrentFileTimestamp == ""


def test_nothing_waits_for_a_person(machine, monkeypatch):
    flags = []
    monkeypatch.setattr(Simulator, "m_payflag", 0)
    monkeypatch.setattr(Simulator, "JVSetPayFlag", lambda self, payflag: flags.append(payflag) or 0)
    with open_com(JV_LINK) as link:
        link.JVInit("UNKNOWN")
        link.prepare_unattended()
    assert flags == [1]


def test_every_event_of_the_type_library_is_known():
    assert list(EVENTS) == [event["name"] for event in read_json("events.json")["events"]]


class EventfulShelf(MemoryShelf):
    """A shelf on which every event happens once a second."""

    def events(self, *, since, until):
        return [(since, name, f"{number:012}") for number, name in enumerate(EVENTS)]


def test_events_come_while_messages_are_pumped_on_the_own_thread():
    times = iter(datetime(2026, 11, 20, 12) + timedelta(seconds=at) for at in range(9))
    told = []
    with (
        installed(Machine(lambda: Simulator(EventfulShelf(), RULES, now=lambda: next(times)))),
        open_com(JV_LINK) as link,
    ):
        link.on_event = lambda name, parameter: told.append((name, parameter))
        link.JVInit("UNKNOWN")
        assert link.JVWatchEvent() == 0
        assert told == []
        link.pump()
        assert link.JVWatchEventClose() == 0
    assert told == [(name, f"{number:012}") for number, name in enumerate(EVENTS)]


def test_every_method_can_be_called(link):
    """Each goes through to the object behind, with as many arguments as the type library says."""
    for name in ("JVFuku", "JVFukuFile", "JVCourseFile", "JVCourseFile2", "JVMVCheck", "JVMVCheckWithType", "JVMVPlay",
                 "JVMVPlayWithType", "JVMVOpen"):  # fmt: skip
        arguments = {"JVMVCheck": 1, "JVMVPlay": 1, "JVCourseFile": 3}.get(name, 2)
        with pytest.raises(NotOffered):
            getattr(link, name)(*["x"] * arguments)
    assert (
        link.JVSetUIProperties()
        == link.JVSetServiceKey("k")
        == link.JVSetSaveFlag(1)
        == link.JVSetSavePath("p")
        == -100
    )
    assert (link.m_saveflag, link.m_savepath, link.m_payflag, link.JVCancel()) == (0, "", 1, None)


def test_the_worker_of_jvlink_holds_it(machine):
    kept, worker = Kept(), ThreadWorker(com_holding(JV_LINK))
    with ExitStack() as end:
        end.callback(worker.close)
        worker.open()
        worker.read(Request("RACE", EVER, 1), kept, lambda: False)
        assert worker.call("setup")["version"] == "0490"
    assert kept.body == b"".join(SE)
    assert machine.apartments == set()
    assert threading.get_ident() not in machine.apartments
