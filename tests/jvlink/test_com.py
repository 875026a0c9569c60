"""The COM object over a stand-in that is as strict as COM: apartments, shapes, events, and what is not there."""

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import datetime, timedelta

import pytest

from jvgate.errors import ComError, NotInstalled, NotOffered, SourceError
from jvgate.jvlink.com import EVENTS, JV_LINK, NV_LINK, Product, open_com
from jvgate.jvlink.com_process import com_holding
from jvgate.jvlink.request import Request
from jvgate.jvlink.session import Session
from jvgate.jvlink.simulator import Simulator
from jvgate.sessions.holders import ThreadWorker
from jvgate.spec.files import read_json
from tests.jvlink.memory_shelf import NOW, RULES, MemoryFile, MemoryShelf, records
from tests.jvlink.sinks import Kept
from tests.jvlink.standin import Machine, Pointer, com_error, installed

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
    assert made.behind.JVStatus() == -203
    with pytest.raises(ComError, match="was released"):
        link.JVStatus()


def test_an_error_that_is_kept_keeps_nothing_of_com(machine, monkeypatch):
    """Its traceback holds pywin32's frames, and with them the wrapper of the object: the stand-in looks for it."""

    def fail(self):
        raise com_error(0x80010108)

    monkeypatch.setattr(Simulator, "JVStatus", fail)
    with pytest.raises(ComError, match="lost its server") as error, open_com(JV_LINK) as link:
        link.JVStatus()
    assert error.value.__cause__ is not None
    assert machine.apartments == set()


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


@pytest.mark.parametrize("answer", [None, "0", (), (0, 0)])
def test_a_code_of_another_shape_is_no_success(link, monkeypatch, answer):
    monkeypatch.setattr(Simulator, "JVStatus", lambda self: answer)
    with pytest.raises(SourceError, match="unknown shape"):
        link.JVStatus()


def test_a_record_that_is_no_bytes_is_refused(link, monkeypatch):
    monkeypatch.setattr(Pointer, "_shaped", lambda self, name, result: (4, "text", "SE.jvd"))
    with pytest.raises(SourceError, match="JVGets gave str"):
        link.JVGets(b"", 110_000, "")


def test_a_jvgets_that_pywin32_cannot_call_gives_way_to_jvread_for_good(link, monkeypatch):
    calls = []

    def refuse(self, buff, size, filename):
        calls.append("JVGets")
        raise TypeError("no conversion")

    monkeypatch.setattr(Simulator, "JVGets", refuse)
    assert read(link) == b"".join(SE)
    assert calls == ["JVGets"]


def test_what_the_component_tells_of_its_exception_is_passed_on(link, monkeypatch):
    def fail(self):
        raise com_error(0x80020009, (0, "JVDTLab", "agent stopped", None, 0, 0x800706BA - (1 << 32)))

    monkeypatch.setattr(Simulator, "JVStatus", fail)
    with pytest.raises(ComError, match="restart the service") as error:
        link.JVStatus()
    assert error.value.hresult == 0x800706BA


@pytest.mark.parametrize("spelling", ["m_CurrentFileTimestamp", "m_CurrentFileTimeStamp"])
def test_the_time_stamp_is_known_by_both_its_spellings(machine, spelling):
    if spelling != "m_CurrentFileTimestamp":
        machine.lacks, machine.renamed = ("m_CurrentFileTimestamp",), {spelling: "m_CurrentFileTimestamp"}
    with open_com(JV_LINK) as link:
        link.JVInit("UNKNOWN")
        link.JVOpen("RACE", EVER, 1, 0, 0, "")
        link.JVGets(b"", 110_000, "")
        assert link.m_CurrentFileTimestamp == "20261109120000"


def test_a_component_without_the_settings_of_dialogs_is_used_as_it_is(machine):
    machine.lacks = ("ParentHWnd", "m_payflag", "JVSetPayFlag")
    with open_com(JV_LINK) as link:
        link.prepare_unattended()
        link.JVInit("UNKNOWN")
        assert read(link) == b"".join(SE)


def test_nothing_waits_for_a_person(machine, monkeypatch):
    flags = []
    monkeypatch.setattr(Simulator, "m_payflag", 0)
    monkeypatch.setattr(Simulator, "JVSetPayFlag", lambda self, payflag: flags.append(payflag) or 0)
    with open_com(JV_LINK) as link:
        link.JVInit("UNKNOWN")
        link.prepare_unattended()
    assert flags == [1]


def test_every_event_of_the_type_library_is_known():
    assert list(EVENTS) == [event["name"] for event in read_json("jra/events.json")["events"]]


class EventfulShelf(MemoryShelf):
    """A shelf on which every event happens once a second."""

    def events(self, *, since, until):
        return [(since, name, f"{number:012}") for number, name in enumerate(EVENTS)]


@pytest.fixture(params=[JV_LINK, NV_LINK], ids=lambda product: product.prefix)
def watcher(request):
    """A link on a machine where every event happens once a second, and what it told."""
    times = iter(datetime(2026, 11, 20, 12) + timedelta(seconds=at) for at in range(9))
    told = []
    machine = Machine(lambda: Simulator(EventfulShelf(), RULES, now=lambda: next(times)))
    with installed(machine), open_com(request.param) as link:
        link.on_event = lambda name, parameter: told.append((name, parameter))
        link.JVInit("UNKNOWN")
        yield link, told


ALL_TOLD = [(name, f"{number:012}") for number, name in enumerate(EVENTS)]


def test_events_come_while_messages_are_pumped_on_the_own_thread(watcher):
    link, told = watcher
    assert link.JVWatchEvent() == 0
    assert told == []
    link.pump()
    assert link.JVWatchEventClose() == 0
    assert told == ALL_TOLD


def test_whoever_watches_again_is_told_everything_once(watcher):
    link, told = watcher
    link.JVWatchEvent()
    link.JVWatchEventClose()
    link.JVWatchEvent()
    link.pump()
    assert told == ALL_TOLD


def test_after_the_end_nothing_is_told(watcher):
    link, told = watcher
    link.JVWatchEvent()
    link.JVWatchEventClose()
    link.pump()
    assert told == []


def test_who_goes_while_watching_leaves_nothing_behind(watcher):
    """The fixture's end asks for it: the stand-in refuses to leave an apartment with a sink still connected."""
    link, _ = watcher
    assert link.JVWatchEvent() == 0


def test_a_broken_cache_of_pywin32_is_told_in_words(link, monkeypatch):
    def fail(made, handler):
        raise AttributeError("module 'win32com.gen_py.2AB' has no attribute 'CLSIDToClassMap'")

    monkeypatch.setattr(link._client, "WithEvents", fail)
    with pytest.raises(SourceError, match="gen_py"):
        link.JVWatchEvent()


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
