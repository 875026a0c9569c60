"""The parts that the simulated sources share: clock, faults, limits and parameters."""

import io
import subprocess
import sys
from datetime import datetime

import pytest

from jvgate.errors import JVLinkError, SettingsError
from jvgate.jvlink.faults import FAULTS, FaultySimulator
from jvgate.jvlink.request import Request
from jvgate.jvlink.simulator import Latency, Simulator
from jvgate.jvlink.wire import Channel, Kind
from jvgate.sessions.holders import ThreadWorker
from jvgate.sessions.sources.archive import holding_of, parse_archive
from jvgate.sessions.sources.demo import parse_demo
from jvgate.sessions.sources.registry import parse_source
from jvgate.sessions.sources.simulated import Play, parse_play
from tests.jvlink.sinks import Kept
from tests.specs import JRA

RECORD = b"RA7202611082026110805081111".ljust(1270) + b"\r\n"
EVER = Request("RACE", "20200101000000", 1)


@pytest.fixture
def archive(tmp_path):
    (tmp_path / "all.bin").write_bytes(RECORD)
    return tmp_path


def read(url, request):
    """Return what a session on this thread reads from *url*."""
    kept, worker = Kept(), ThreadWorker(holding_of(parse_archive(url), JRA, began=0.0))
    worker.open()
    worker.read(request, kept, lambda: False)
    worker.close()
    return kept.body


@pytest.mark.parametrize(
    ("query", "play"),
    [
        ("", Play()),
        ("date=2026-02-28", Play(date=datetime(2026, 2, 28, 12))),
        ("speed=1e6", Play(speed=1_000_000.0)),
        ("open_ms=1.5&read_us=2&download_ms=3", Play(latency=Latency(1.5, 2, 3))),
        ("fault=crash:0.5&fault=garbage:1", Play(faults={"crash": 0.5, "garbage": 1.0})),
    ],
)
def test_a_query_says_how_the_source_is_played(query, play):
    assert parse_play(query, own="seed")[1] == play


@pytest.mark.parametrize(
    ("url", "start", "later"),
    [
        ("demo:?date=2026-11-08", datetime(2026, 11, 8, 12), datetime(2026, 11, 8, 12)),
        ("demo:?date=2026-11-08&speed=60", datetime(2026, 11, 8, 12), datetime(2026, 11, 8, 12, 10)),
        ("demo:?date=2026-11-08&speed=0", datetime(2026, 11, 8, 12), datetime(2026, 11, 8, 12)),
        ("demo:?speed=0.5", datetime(1970, 1, 1, 9), datetime(1970, 1, 1, 9, 0, 5)),
        ("demo:", datetime(1970, 1, 1, 9), datetime(1970, 1, 1, 9, 0, 10)),
    ],
)
def test_the_clock_begins_at_noon_of_its_date_and_runs_at_its_speed(monkeypatch, url, start, later):
    ticks = iter([0.0, 10.0, 10.0])
    monkeypatch.setattr("time.time", lambda: next(ticks))
    one, other = parse_demo(url).play.clock(0.0), parse_demo(url).play.clock(0.0)
    assert [one.now(), one.now(), other.now()] == [start, later, later]


def test_a_worker_process_is_told_when_the_server_began(monkeypatch):
    monkeypatch.setattr("time.time", lambda: now[0])
    now = [1_795_000_000.123456789]
    source = parse_source("demo:?date=2026-11-08&speed=60")
    url, began = source.command[-2:]
    now[0] += 600
    assert source.clock.now() == parse_demo(url).play.clock(float(began)).now() == datetime(2026, 11, 8, 22)


@pytest.mark.process
def test_the_clocks_of_two_processes_agree():
    source = parse_source("demo:?date=2026-11-08&speed=1000")
    code = "import sys; from jvgate.sessions.sources.demo import parse_demo; "
    code += "print(parse_demo(sys.argv[1]).play.clock(float(sys.argv[2])).now())"
    before = source.clock.now()
    told = subprocess.check_output([sys.executable, "-c", code, *source.command[-2:]], text=True)
    assert before < datetime.fromisoformat(told.strip()) < source.clock.now()


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_has_a_name_of_its_own(archive, fault):
    with holding_of(parse_archive(f"archive:{archive}?fault={fault}:0.5"), JRA, 0.0).make(None) as link:
        assert isinstance(link, FaultySimulator)
        assert link._rates == {fault: 0.5}


def test_without_faults_there_are_no_dice(archive):
    with holding_of(parse_archive(f"archive:{archive}"), JRA, 0.0).make(None) as link:
        assert type(link) is Simulator


def test_a_fault_at_a_rate_of_one_always_happens(archive):
    (archive / "all.bin").write_bytes(RECORD * 20)  # it strikes at one of the first reads
    with pytest.raises(JVLinkError) as error:
        read(f"archive:{archive}?fault=error402:1", EVER)
    assert (error.value.code, error.value.method) == (-402, "JVGets")


@pytest.mark.parametrize("fault", ["garbage:1", "error402:0", "downloading:1"])
def test_a_fault_that_a_thread_survives_changes_no_byte(archive, fault):
    assert read(f"archive:{archive}?fault={fault}", EVER) == RECORD


def test_garbage_goes_over_the_sessions_own_channel(archive):
    wire = io.BytesIO()
    parts = parse_archive(f"archive:{archive}?fault=garbage:1")
    with holding_of(parts, JRA, 0.0).make(Channel(io.BytesIO(), wire)) as link:
        link._outside.garble()
        link._outside.dialog()
    garbage, _, dialog = wire.getvalue().partition(b"jv")
    frame = Channel(io.BytesIO(b"jv" + dialog), io.BytesIO()).receive()
    assert garbage
    assert (frame.kind, frame.fields()["title"]) == (Kind.DIALOG, "JV-Link")


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("demo:?fault=crash", "fault=crash is no fault"),
        ("demo:?fault=crash:2", "a rate from 0 to 1"),
        ("demo:?fault=flood:0.1", "hang_open"),
        ("demo:?fault=crash:0.1&fault=crash:0.2", "twice"),
        ("demo:?open_ms=fast", "open_ms=fast"),
        ("demo:?open_ms=nan", "open_ms=nan"),
        ("demo:?read_us=-1", "a number from 0"),
        ("demo:?speed=1e9", "speed=1e9"),
        ("demo:?date=2026-02-30", "YYYY-MM-DD"),
        ("demo:?date=today", "YYYY-MM-DD"),
    ],
)
def test_a_parameter_that_is_not_allowed_says_what_is(url, said):
    with pytest.raises(SettingsError, match="JVGATE_SOURCE") as error:
        parse_source(url)
    assert said in str(error.value)
