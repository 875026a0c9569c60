"""The faults of the simulator: each strikes where it is dialled, and only there."""

import random

import pytest

from jvgate.jvlink import faults
from jvgate.jvlink.faults import FAULTS, FaultySimulator, Outside
from tests.jvlink.memory_shelf import NOW, RULES, MemoryFile, MemoryShelf, Time, records

EVER = "20200101000000"
SE = records("SE", 40)


class Hangs(Exception):
    """It would hang now."""


@pytest.fixture
def fake(monkeypatch):
    """The time of the faults; a hang ends at once."""
    fake = Time()

    def sleep(seconds):
        raise Hangs

    monkeypatch.setattr(faults.time, "monotonic", fake.clock)
    monkeypatch.setattr(faults.time, "sleep", sleep)
    return fake


@pytest.fixture
def outside():
    return []


@pytest.fixture
def link(fake, outside):
    shelf = MemoryShelf({"RACE": [MemoryFile("SE.jvd", "20261109120000", SE)]}, {"20261115": SE})
    link = FaultySimulator(shelf, RULES, now=lambda: NOW)
    link.JVInit("UNKNOWN")
    link.world = Outside(lambda: outside.append("garbage"), lambda: outside.append("dialog"))
    return link


def dial(link, *, seed=1, **rates):
    link.dial(rates, link.world, random.Random(seed))


def opened(link):
    return link.JVOpen("RACE", EVER, 1, 0, 0, "")


def codes(link, count):
    return [link.JVGets(b"", 110_000, "")[0] for _ in range(count)]


def test_nothing_happens_at_a_rate_of_zero(link, outside):
    dial(link, **dict.fromkeys(FAULTS, 0.0))
    opened(link)
    assert codes(link, 42) == [17] * 40 + [-1, 0]
    assert outside == []


@pytest.mark.parametrize("fault", ["hang_open", "dialog"])
def test_some_strike_at_the_open_stored_or_in_real_time(link, outside, fault):
    dial(link, **{fault: 1.0})
    for start in (opened, lambda link: link.JVRTOpen("0B12", "20261115")):
        with pytest.raises(Hangs):
            start(link)
    assert outside == (["dialog"] * 2 if fault == "dialog" else [])


@pytest.mark.parametrize("seed", range(5))
def test_a_hang_strikes_at_one_of_the_first_reads(link, seed):
    dial(link, seed=seed, hang_read=1.0)
    opened(link)
    with pytest.raises(Hangs):
        codes(link, 16)


def test_garbage_is_said_once_an_open_and_the_read_goes_on(link, outside):
    dial(link, garbage=1.0)
    opened(link)
    assert (codes(link, 40), outside) == ([17] * 40, ["garbage"])


def test_an_emptied_file_stays_so_until_it_is_deleted(link):
    dial(link, error402=1.0)
    opened(link)
    found = codes(link, 20)
    first = found.index(-402)
    assert found == [17] * first + [-402] * (20 - first)
    dial(link)
    opened(link)
    assert codes(link, 1) == [-402]
    link.JVFiledelete("SE.jvd")
    opened(link)
    assert codes(link, 1) == [17]


def test_a_download_takes_a_while_and_loses_nothing(link, fake):
    dial(link, downloading=1.0)
    opened(link)
    found = codes(link, 20)
    first = found.index(-3)
    assert found == [17] * first + [-3] * (20 - first)
    fake.sleep(1.0)
    assert codes(link, 42 - first) == [17] * (40 - first) + [-1, 0]


def test_a_crash_kills_the_process(link, monkeypatch):
    killed = []
    monkeypatch.setattr(faults.os, "kill", lambda pid, number: killed.append(pid))
    dial(link, crash=1.0)
    opened(link)
    with pytest.raises(Hangs):
        codes(link, 16)
    assert killed == [faults.os.getpid()]
