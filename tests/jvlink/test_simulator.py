"""What the simulator adds to the contract: downloads, latency, faults, files loaded late."""

import subprocess
import sys

import pytest

from jvgate.jvlink.simulator import Latency, Simulator
from tests.jvlink.memory_shelf import NOW, RULES, MemoryFile, MemoryShelf, Time, records

EVER = "20200101000000"


@pytest.fixture
def shelf():
    race = [
        MemoryFile("RA.jvd", "20261108120000", records("RA", 2)),
        MemoryFile("SE.jvd", "20261109120000", records("SE", 1)),
    ]
    return MemoryShelf({"RACE": race, "YSCH": [MemoryFile("YS.jvd", "20261110120000", records("YS", 1))]})


def simulator(shelf, fake=None, **latency):
    fake = fake or Time()
    link = Simulator(shelf, RULES, now=lambda: NOW, latency=Latency(**latency), sleep=fake.sleep, clock=fake.clock)
    link.JVInit("UNKNOWN")
    return link


def codes(link):
    found = [link.JVGets(b"", 110_000, "")[0]]
    while found[-1]:
        found.append(link.JVGets(b"", 110_000, "")[0])
    return found


def test_status_counts_finished_files_and_stays_at_the_last(shelf):
    fake = Time()
    link = simulator(shelf, fake, download_ms=100)
    assert link.JVOpen("RACE", EVER, 1, 0, 0, "") == (0, 2, 2, "20261109120000")
    counts = []
    for _ in range(4):
        counts.append(link.JVStatus())
        fake.sleep(0.1)
    assert counts == [0, 1, 2, 2]


def test_status_is_refused_when_nothing_is_downloaded(shelf):
    link = simulator(shelf)
    assert link.JVOpen("RACE", EVER, 1, 0, 0, "")[2] == 0
    assert link.JVStatus() == -203


def test_a_file_that_is_still_downloading_cannot_be_read(shelf):
    fake = Time()
    link = simulator(shelf, fake, download_ms=100)
    link.JVOpen("RACE", EVER, 1, 0, 0, "")
    assert link.JVGets(b"", 110_000, "")[0] == -3
    fake.sleep(0.1)
    assert [link.JVGets(b"", 110_000, "")[0] for _ in range(4)] == [17, 17, -1, -3]
    fake.sleep(0.1)
    assert codes(link) == [17, -1, 0]


def test_cancel_ends_the_download(shelf):
    link = simulator(shelf, download_ms=100)
    link.JVOpen("RACE", EVER, 1, 0, 0, "")
    link.JVCancel()
    assert link.JVStatus() == -203


def test_joined_data_specs_give_the_files_of_all(shelf):
    link = simulator(shelf)
    assert link.JVOpen("RACEYSCH", EVER, 1, 0, 0, "") == (0, 3, 0, "20261110120000")
    assert codes(link).count(-1) == 3


@pytest.mark.parametrize(("option", "setup"), [(1, False), (2, False), (3, True), (4, True)])
def test_only_setup_options_ask_the_shelf_for_setup_files(shelf, option, setup):
    simulator(shelf).JVOpen("RACE", EVER, option, 0, 0, "")
    assert shelf.setups == [setup]


def test_a_file_is_loaded_at_its_first_read_and_not_before(shelf):
    link = simulator(shelf)
    link.JVOpen("RACE", EVER, 1, 0, 0, "")
    ra, se = shelf.files["RACE"]
    assert (ra.reads, se.reads) == (0, 0)
    link.JVGets(b"", 110_000, "")
    assert (ra.reads, se.reads) == (1, 0)


def test_a_skipped_file_is_never_loaded(shelf):
    link = simulator(shelf)
    link.JVOpen("RACE", EVER, 1, 0, 0, "")
    link.JVSkip()
    assert codes(link) == [17, -1, 0]
    assert shelf.files["RACE"][0].reads == 0


@pytest.mark.parametrize("fault", [-402, -403])
def test_a_broken_file_is_told_by_the_read_with_its_name(shelf, fault):
    shelf.files["RACE"][1].fault = fault
    link = simulator(shelf)
    link.JVOpen("RACE", EVER, 1, 0, 0, "")
    answers = [link.JVGets(b"", 110_000, "") for _ in range(4)]
    assert [code for code, _, _ in answers] == [17, 17, -1, fault]
    assert answers[-1][2] == "SE.jvd"


def test_deleting_a_file_of_the_session_leaves_the_shelf_alone(shelf):
    link = simulator(shelf)
    link.JVOpen("RACE", EVER, 1, 0, 0, "")
    assert link.JVFiledelete("RA.jvd") == 0
    assert codes(link) == [17, 17, -1, 17, -1, 0]


def test_an_open_takes_its_latency_but_a_refused_one_does_not(shelf):
    fake = Time()
    link = simulator(shelf, fake, open_ms=20)
    link.JVOpen("NONE", EVER, 1, 0, 0, "")
    assert fake.at_s == 0
    link.JVOpen("RACE", EVER, 1, 0, 0, "")
    assert fake.at_s == pytest.approx(0.02)


def test_reads_take_their_latency_in_sum(shelf):
    fake = Time()
    shelf.files["RACE"][0].records = records("RA", 99)
    link = simulator(shelf, fake, read_us=50)
    link.JVOpen("RACE", EVER, 1, 0, 0, "")
    codes(link)
    link.JVClose()
    assert fake.at_s == pytest.approx(100 * 50e-6)


@pytest.mark.process
def test_the_room_runs_in_a_bare_python():
    script = "import sys, jvgate.jvlink.session, jvgate.jvlink.simulator; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.split()
    ours = {name for name in loaded if name.startswith("jvgate.")}
    assert all(name.startswith(("jvgate.jvlink", "jvgate.errors")) for name in ours)
    assert not {"asyncio", "threading", "zstandard", "numpy"} & set(loaded)
