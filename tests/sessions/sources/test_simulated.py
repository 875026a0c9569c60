"""What the simulator plays for `demo:` and `archive:DIR`: its parameters, its clock, its faults, its process."""

import io
import subprocess
import sys
from datetime import datetime
from types import ModuleType

import pytest

from jvgate.errors import JVLinkError
from jvgate.jvlink.faults import FAULTS, FaultySimulator
from jvgate.jvlink.request import Request
from jvgate.jvlink.simulator import Latency, Simulator
from jvgate.jvlink.wire import Channel, Kind
from jvgate.sessions.holders import ThreadWorker
from jvgate.sessions.sources.simulated import Play, holding_of, parse_play
from tests.jvlink.sinks import Kept
from tests.specs import JRA

RECORD = b"RA7202611082026110805081111".ljust(1270) + b"\r\n"
TODAY = Request("0B12", key="20261118")
EVER = Request("RACE", "20200101000000", 1)


class FakeSeason:
    """What the demo plays, without a season."""

    def __init__(self, layouts, seed):
        self.seed = seed

    def stored(self, dataspec, *, now, setup):
        return []

    def realtime(self, dataspec, key, *, now):
        return [f"RA{self.seed:09}{now:%Y%m%d}\r\n".encode()]


@pytest.fixture
def season(monkeypatch):
    module = ModuleType("jvgate.season.shelf")
    module.SeasonShelf = FakeSeason
    monkeypatch.setitem(sys.modules, "jvgate.season.shelf", module)


@pytest.fixture
def archive(tmp_path):
    (tmp_path / "all.bin").write_bytes(RECORD)
    return tmp_path


def read(url, request):
    """What a session on this thread reads from *url*."""
    kept, worker = Kept(), ThreadWorker(holding_of(parse_play(url), JRA, began=0.0))
    worker.open()
    worker.read(request, kept, lambda: False)
    worker.close()
    return kept.body


@pytest.mark.usefixtures("season")
@pytest.mark.parametrize(("url", "seed"), [("demo:?", 1), ("demo:?seed=7&", 7), ("demo:?seed=7&open_ms=0&", 7)])
def test_the_demo_plays_the_season_of_its_seed(url, seed):
    assert read(f"{url}date=2026-11-18", TODAY) == f"RA{seed:09}20261118\r\n".encode()


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
    one, other = parse_play(url).clock(0.0), parse_play(url).clock(0.0)
    assert [one.now(), one.now(), other.now()] == [start, later, later]


def test_an_archive_is_read_through_jvlinks_interface(archive):
    assert read(f"archive:{archive}?read_us=1", Request("RACE", "20200101000000", 1)) == RECORD


def test_a_stretch_of_damage_longer_than_any_record_is_read(archive):
    damaged = RECORD + b"?" * 500_000 + b"\r\n"
    (archive / "all.bin").write_bytes(damaged)
    assert read(f"archive:{archive}", Request("RACE", "20200101000000", 1)) == damaged


@pytest.mark.parametrize(
    ("url", "play"),
    [
        ("demo:", Play()),
        ("demo:?", Play()),
        ("demo:?seed=0", Play(seed=0)),
        ("demo:?seed=999999999999999999", Play(seed=999_999_999_999_999_999)),
        ("demo:?date=2026-02-28", Play(date=datetime(2026, 2, 28, 12))),
        ("demo:?speed=1e6", Play(speed=1_000_000.0)),
        ("demo:?open_ms=1.5&read_us=2&download_ms=3", Play(latency=Latency(1.5, 2, 3))),
        ("demo:?fault=crash:0.5&fault=garbage:1", Play(faults={"crash": 0.5, "garbage": 1.0})),
        ("archive:/data/jv", Play(place="/data/jv")),
        ("archive:C:\\data?date=2026-11-08", Play(place="C:\\data", date=datetime(2026, 11, 8, 12))),
        ("archive:競馬 data?speed=2", Play(place="競馬 data", speed=2.0)),
    ],
)
def test_a_url_says_what_is_played(url, play):
    assert parse_play(url) == play
    assert play.is_demo == url.startswith("demo:")


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_has_a_name_of_its_own(archive, fault):
    with holding_of(parse_play(f"archive:{archive}?fault={fault}:0.5"), JRA, 0.0).make(None) as link:
        assert isinstance(link, FaultySimulator)
        assert link._rates == {fault: 0.5}


def test_without_faults_there_are_no_dice(archive):
    with holding_of(parse_play(f"archive:{archive}"), JRA, 0.0).make(None) as link:
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
    play = parse_play(f"archive:{archive}?fault=garbage:1")
    with holding_of(play, JRA, 0.0).make(Channel(io.BytesIO(), wire)) as link:
        link._outside.garble()
        link._outside.dialog()
    garbage, _, dialog = wire.getvalue().partition(b"jv")
    frame = Channel(io.BytesIO(b"jv" + dialog), io.BytesIO()).receive()
    assert garbage
    assert (frame.kind, frame.fields()["title"]) == (Kind.DIALOG, "JV-Link")


@pytest.mark.process
def test_the_season_is_loaded_where_it_is_played():
    code = "import sys; from jvgate.sessions.sources.simulated import *; play = parse_play('demo:'); "
    code += "from jvgate.spec.spec import load_spec; "
    code += "before = 'jvgate.season.shelf' in sys.modules; holding_of(play, load_spec('jra'), 0.0); "
    code += "sys.exit(before or 'jvgate.season.shelf' not in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.usefixtures("season")
def test_only_the_demo_has_events_to_deliver(archive):
    demo, stored = (holding_of(parse_play(url), JRA, 0.0) for url in ("demo:", f"archive:{archive}"))
    assert (demo.one_type_per_file, demo.pump_s is not None) == (True, True)
    assert (stored.one_type_per_file, stored.pump_s) == (False, None)


@pytest.mark.process
def test_a_process_that_has_nobody_to_serve_ends_in_peace(archive):
    command = [sys.executable, "-m", "jvgate.sessions.sources.simulated", f"archive:{archive}", "0.0"]
    done = subprocess.run(command, input=b"", capture_output=True, timeout=30, check=True)
    assert b"Traceback" not in done.stderr
