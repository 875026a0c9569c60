"""The simulator beside reading: events by the source's clock, silks where the shelf draws them, nothing else."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest

from jvgate.errors import NotOffered
from jvgate.jvlink.simulator import Simulator
from jvgate.season.shelf import SeasonShelf
from tests.jvlink.memory_shelf import RULES, MemoryShelf
from tests.specs import JRA

NOON = datetime(2026, 11, 22, 12)
BITMAP = b"BM a picture"


@dataclass
class Clock:
    now: datetime = NOON

    def __call__(self):
        return self.now

    def pass_(self, minutes):
        self.now += timedelta(minutes=minutes)


@dataclass
class LivelyShelf(MemoryShelf):
    """An event a minute, and silks for one pattern."""

    asked: list = field(default_factory=list)

    def events(self, *, since, until):
        self.asked.append((since, until))
        minutes = range(1, 1 + (until - since) // timedelta(minutes=1))
        return [(since + timedelta(minutes=minute), "JVEvtPay", f"{minute:012}") for minute in minutes]

    def silks(self, pattern):
        return BITMAP if pattern == "赤" else None


@pytest.fixture
def clock():
    return Clock()


def simulator(shelf, clock, told):
    link = Simulator(shelf, RULES, now=clock)
    link.on_event = lambda name, parameter: told.append((name, parameter))
    assert link.JVInit("UNKNOWN") == 0
    return link


def test_watching_needs_init(clock):
    assert Simulator(MemoryShelf(), RULES, now=clock).JVWatchEvent() == -201


def test_events_are_told_by_pump_once_each_and_by_the_sources_clock(clock):
    told, shelf = [], LivelyShelf()
    link = simulator(shelf, clock, told)
    assert link.JVWatchEvent() == 0
    clock.pass_(minutes=2)
    assert told == []
    link.pump()
    link.pump()
    clock.pass_(minutes=1)
    link.pump()
    assert [parameter for _, parameter in told] == ["000000000001", "000000000002", "000000000001"]
    assert all(one[1] == other[0] for one, other in zip(shelf.asked, shelf.asked[1:], strict=False))


def test_what_happened_before_watching_or_after_it_is_not_told(clock):
    told = []
    link = simulator(LivelyShelf(), clock, told)
    clock.pass_(minutes=5)
    link.pump()
    assert link.JVWatchEvent() == 0
    assert link.JVWatchEventClose() == 0
    clock.pass_(minutes=5)
    link.pump()
    assert told == []


def test_an_archive_has_no_events(clock):
    told = []
    link = simulator(MemoryShelf(), clock, told)
    assert link.JVWatchEvent() == 0
    clock.pass_(minutes=60)
    link.pump()
    assert (told, link.JVWatchEventClose()) == ([], 0)


def test_watching_goes_on_while_something_is_open(clock):
    told = []
    link = simulator(LivelyShelf(), clock, told)
    link.JVWatchEvent()
    link.JVRTOpen("0B12", "20261122")
    clock.pass_(minutes=1)
    link.pump()
    link.JVClose()
    assert len(told) == 1


def test_an_afternoon_of_the_season_tells_pay_outs_and_weights(clock):
    told = []
    link = simulator(SeasonShelf(JRA.layouts), clock, told)
    link.JVWatchEvent()
    clock.pass_(minutes=240)
    link.pump()
    assert {name for name, _ in told} >= {"JVEvtPay", "JVEvtWeight"}


def test_silks_are_drawn_where_the_shelf_can(clock, tmp_path):
    link = simulator(LivelyShelf(), clock, [])
    assert link.JVFuku("赤", b"") == (0, BITMAP)
    assert link.JVFuku("?", b"")[0] == -1
    assert link.JVFukuFile("赤", str(tmp_path / "silks.bmp")) == 0
    assert (tmp_path / "silks.bmp").read_bytes() == BITMAP
    assert link.JVFukuFile("赤", str(tmp_path / "nowhere" / "silks.bmp")) == -118


@pytest.mark.parametrize(
    ("method", "arguments", "what"),
    [
        ("JVFuku", ("赤", b""), "silks"),
        ("JVFukuFile", ("赤", "x"), "silks"),
        ("JVCourseFile", ("9999999905240011", "", ""), "courses"),
        ("JVCourseFile2", ("9999999905240011", "x"), "courses"),
        ("JVMVCheck", ("202611220511",), "videos"),
        ("JVMVCheckWithType", ("00", "202611220511"), "videos"),
        ("JVMVPlay", ("202611220511",), "videos"),
        ("JVMVPlayWithType", ("00", "202611220511"), "videos"),
        ("JVMVOpen", ("11", "20261122"), "videos"),
        ("JVMVRead", ("", 21), "videos"),
    ],
)
def test_what_the_shelf_has_not_is_not_offered(clock, method, arguments, what):
    with pytest.raises(NotOffered, match=what):
        getattr(simulator(MemoryShelf(), clock, []), method)(*arguments)
