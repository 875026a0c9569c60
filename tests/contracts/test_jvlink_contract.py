"""What every object with JV-Link's interface does: the simulator, and the COM object over a stand-in for COM."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from jvgate.jvlink.com import JV_LINK, open_com
from jvgate.jvlink.interface import JVLink
from jvgate.jvlink.rules import DataspecRule
from jvgate.jvlink.simulator import Simulator
from jvgate.sessions.archive.folder import ArchiveShelf
from tests.jvlink.standin import Machine, installed
from tests.specs import JRA

EVER = "20200101000000"
DAY = "20261108"
NOW = datetime(2026, 11, 9, 12)
RULES = {
    "RACE": DataspecRule(is_realtime=False, options=(1, 2, 3, 4)),
    "TOKU": DataspecRule(is_realtime=False, options=(1, 2, 3, 4), end_allowed=False),
    "TCVN": DataspecRule(is_realtime=False, options=(2,)),
    "0B12": DataspecRule(is_realtime=True, key_forms=("YYYYMMDD", "YYYYMMDDJJRR", "YYYYMMDDJJKKHHRR")),
    "0B31": DataspecRule(is_realtime=True, key_forms=("YYYYMMDDJJRR", "YYYYMMDDJJKKHHRR")),
}


def record(kind: str, race: str, length: int) -> bytes:
    """Return a record with its head and race key at their places, spaces behind."""
    return f"{kind}720261108{race}".encode().ljust(length - 2) + b"\r\n"


RA = [record("RA", f"20261108050811{number:02}", 1272) for number in (1, 2)]
SE = [record("SE", "2026110805081101", 555)]
FILES = {"RASW20261107.20261107120000.jvd": RA, "SESW20261108.20261108120000.jvd": SE}


@dataclass
class MemoryFile:
    name: str
    provided: str
    records: Sequence[bytes]
    size: int = 4096

    def read(self) -> Sequence[bytes]:
        return self.records


@dataclass
class MemoryShelf:
    files: list[MemoryFile] = field(
        default_factory=lambda: [MemoryFile(name, name.split(".")[1], records) for name, records in FILES.items()]
    )

    def stored(self, dataspec: str, *, now: datetime, setup: bool) -> Sequence[MemoryFile]:
        return self.files if dataspec == "RACE" else []

    def realtime(self, dataspec: str, key: str, *, now: datetime) -> Sequence[bytes] | None:
        return RA if (dataspec, key) == ("0B12", DAY) else None


def archive_of(folder: Path) -> ArchiveShelf:
    stored = {f"RACE/{name}": records for name, records in FILES.items()}
    for name, records in {**stored, f"0B12/{DAY}": RA}.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(b"".join(records))
    return ArchiveShelf(folder, JRA)


# How the COM object's machine differs, by the name of the case.
MACHINES: dict[str, dict[str, Any]] = {
    "com": {},
    "com without JVGets": {"lacks": ("JVGets",)},
    "com without JVGets, cp1252": {"lacks": ("JVGets",), "widen": "cp1252"},
}


@pytest.fixture(params=["memory", "archive", *MACHINES])
def new_link(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[], JVLink]]:
    """Make an object that is not initialised yet and holds FILES for RACE and RA for 0B12 on DAY."""
    shelf = archive_of(tmp_path) if request.param == "archive" else MemoryShelf()

    def simulator() -> Simulator:
        return Simulator(shelf, RULES, now=lambda: NOW)

    if request.param not in MACHINES:
        yield simulator
        return
    with ExitStack() as end:
        end.enter_context(installed(Machine(simulator, **MACHINES[request.param])))
        yield lambda: end.enter_context(open_com(JV_LINK))


@pytest.fixture
def link(new_link: Callable[[], JVLink]) -> JVLink:
    made = new_link()
    assert made.JVInit("UNKNOWN") == 0
    return made


def read_all(link: JVLink) -> list[tuple[int, str]]:
    """Read to the end -> (code, file name) of every read."""
    answers = []
    while not answers or answers[-1][0]:
        code, _, name = link.JVGets(b"", 110_000, "")
        answers.append((code, name))
    return answers


@pytest.mark.parametrize(("sid", "code"), [("", -101), ("x" * 65, -102), (" x", -103), ("x" * 64, 0), ("UNKNOWN", 0)])
def test_init_checks_the_software_id(new_link, sid, code):
    assert new_link().JVInit(sid) == code


def test_nothing_works_before_init(new_link):
    link = new_link()
    assert link.JVOpen("RACE", EVER, 1, 0, 0, "")[0] == -201
    assert link.JVRTOpen("0B12", DAY) == -201
    assert link.JVGets(b"", 110_000, "")[0] == -201
    assert link.JVStatus() == -201
    assert link.JVFiledelete("x") == -201


def test_reading_and_status_without_an_open_are_refused(link):
    assert link.JVGets(b"", 110_000, "")[0] == -203
    assert link.JVRead("", 110_000, "")[0] == -203
    assert link.JVStatus() == -203


def test_open_tells_files_and_the_newest_time(link):
    code, files, downloads, newest = link.JVOpen("RACE", EVER, 1, 0, 0, "")
    assert (code, files, newest) == (0, 2, "20261108120000")
    assert 0 <= downloads <= files


def test_a_second_open_is_refused_until_close(link):
    link.JVOpen("RACE", EVER, 1, 0, 0, "")
    assert link.JVOpen("RACE", EVER, 1, 0, 0, "")[0] == -202
    assert link.JVRTOpen("0B12", DAY) == -202
    assert link.JVClose() == 0
    assert link.JVRTOpen("0B12", DAY) == 0


def test_close_is_due_after_an_open_that_found_nothing(link):
    assert link.JVOpen("RACE", "20261108120000", 1, 0, 0, "") == (-1, 0, 0, "")
    assert link.JVGets(b"", 110_000, "")[0] == -203
    assert link.JVOpen("RACE", EVER, 1, 0, 0, "")[0] == -202
    link.JVClose()
    assert link.JVOpen("RACE", EVER, 1, 0, 0, "")[0] == 0


def test_close_does_no_harm_at_any_time(new_link):
    link = new_link()
    assert link.JVClose() == link.JVClose() == 0


def test_every_file_ends_with_minus_one_and_the_last_one_then_with_zero(link):
    link.JVOpen("RACE", EVER, 1, 0, 0, "")
    ra, se = FILES
    assert read_all(link) == [(1272, ra), (1272, ra), (-1, ra), (555, se), (-1, se), (0, "")]
    assert link.JVGets(b"", 110_000, "")[0] == 0


def test_real_time_data_is_one_file(link):
    assert link.JVRTOpen("0B12", DAY) == 0
    assert [code for code, _ in read_all(link)] == [1272, 1272, -1, 0]


def test_gets_gives_the_bytes_and_read_the_same_as_text(link):
    link.JVOpen("RACE", EVER, 1, 0, 0, "")
    code, buff, name = link.JVGets(b"", 110_000, "")
    assert bytes(buff)[:code] == RA[0]
    code, text, size, same_name = link.JVRead("", 110_000, "")
    assert text.encode("latin-1") == RA[1]
    assert (code, size, same_name) == (1272, 110_000, name)


def test_a_buffer_too_small_cuts_the_record_and_ends_in_nul(link):
    link.JVOpen("RACE", EVER, 1, 0, 0, "")
    code, buff, _ = link.JVGets(b"", 100, "")
    assert bytes(buff)[:code] == RA[0][:99] + b"\0"
    assert bytes(link.JVGets(b"", 110_000, "")[1])[:1272] == RA[1]


def test_the_file_time_stands_from_the_first_record_to_the_end_of_the_file(link):
    link.JVOpen("RACE", EVER, 1, 0, 0, "")
    times = []
    for _ in range(4):
        link.JVGets(b"", 110_000, "")
        times.append(link.m_CurrentFileTimestamp)
    assert times == ["20261107120000"] * 3 + ["20261108120000"]


def test_sizes_are_known_while_open(link):
    link.JVOpen("RACE", EVER, 1, 0, 0, "")
    assert link.m_TotalReadFilesize >= 1
    link.JVGets(b"", 110_000, "")
    assert link.m_CurrentReadFilesize > 0


def test_skip_right_after_open_drops_the_first_file_however_often_it_is_called(link):
    link.JVOpen("RACE", EVER, 1, 0, 0, "")
    link.JVSkip()
    link.JVSkip()
    assert [code for code, _ in read_all(link)] == [555, -1, 0]


def test_skip_within_a_file_goes_on_with_the_next_one(link):
    link.JVOpen("RACE", EVER, 1, 0, 0, "")
    link.JVGets(b"", 110_000, "")
    link.JVSkip()
    assert link.JVGets(b"", 110_000, "")[0] == 555


def test_skip_right_after_a_file_end_drops_the_next_file(link):
    link.JVOpen("RACE", EVER, 1, 0, 0, "")
    for _ in range(3):
        link.JVGets(b"", 110_000, "")
    link.JVSkip()
    assert link.JVGets(b"", 110_000, "")[0] == 0


def test_reads_fail_after_cancel_until_close(link):
    link.JVOpen("RACE", EVER, 1, 0, 0, "")
    link.JVCancel()
    assert link.JVGets(b"", 110_000, "")[0] == -203
    assert link.JVOpen("RACE", EVER, 1, 0, 0, "")[0] == -202
    link.JVClose()
    assert link.JVOpen("RACE", EVER, 1, 0, 0, "")[0] == 0


@pytest.mark.parametrize(
    ("dataspec", "fromtime", "option", "code"),
    [
        ("", EVER, 1, -111),
        ("RAC", EVER, 1, -111),
        ("RACETOK", EVER, 1, -111),
        ("RACERACE", EVER, 1, -111),
        ("race", EVER, 1, -111),
        ("O1O2", EVER, 1, -111),
        ("0B12", EVER, 1, -111),
        ("RACETOKU", EVER, 1, 0),
        ("RACE", "", 1, -112),
        ("RACE", "20261101", 1, -112),
        ("RACE", "20261301000000", 1, -112),
        ("RACE", "20261101240000", 1, -112),
        ("RACE", "２０２６1101000000", 1, -112),
        ("RACE", f"{EVER}-", 1, -113),
        ("RACE", f"{EVER}-20260230000000", 1, -113),
        ("RACE", f"{EVER}-20191231235959", 1, -113),
        ("RACE", f"{EVER}-20261107120000", 1, 0),
        ("RACE", EVER, 0, -115),
        ("RACE", EVER, 5, -115),
        ("TCVN", EVER, 1, -116),
        ("RACETCVN", EVER, 1, -116),
        ("TOKU", f"{EVER}-20261107120000", 1, -1),
    ],
)
def test_open_answers_to_bad_arguments(link, dataspec, fromtime, option, code):
    assert link.JVOpen(dataspec, fromtime, option, 0, 0, "")[0] == code
    assert link.JVClose() == 0


@pytest.mark.parametrize(
    ("dataspec", "key", "code"),
    [
        ("RACE", DAY, -111),
        ("0B12RACE", DAY, -111),
        ("0B99", DAY, -111),
        ("0B12", "", -114),
        ("0B12", "20261399", -114),
        ("0B12", "2026110", -114),
        ("0B31", DAY, -114),
        ("0B31", "202611080x11", -114),
        ("0B31", "20261108G011", -1),
        ("0B31", "2026110805081101", -1),
        ("0B12", "20250101", -1),
        ("0B12", DAY, 0),
    ],
)
def test_real_time_open_answers_to_bad_arguments(link, dataspec, key, code):
    assert link.JVRTOpen(dataspec, key) == code
    assert link.JVClose() == 0


def test_deleting_a_file_that_is_not_there_says_so(link):
    assert link.JVFiledelete("nowhere.jvd") in (-1, -503)
