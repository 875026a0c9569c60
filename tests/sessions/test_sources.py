"""Source URLs: what they mean, and what is refused with a word on what is allowed."""

import subprocess
import sys
from datetime import UTC, datetime
from types import ModuleType

import pytest
from tests.jvlink.sinks import Kept

from jvgate.errors import ArchiveError, SettingsError
from jvgate.jvlink.request import Request
from jvgate.sessions.simulated import holding_of, parse_play
from jvgate.sessions.sources import JST, Means, com_command, parse_source
from jvgate.sessions.workers import ThreadWorker

RECORD = b"RA7202611082026110805081111".ljust(1270) + b"\r\n"


class FakeSeason:
    """What the demo plays, without a season."""

    def __init__(self, seed):
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
    kept, worker = Kept(), ThreadWorker(holding_of(parse_play(url), began=0.0))
    worker.open()
    worker.read(request, kept, lambda: False)
    worker.close()
    return kept.body


@pytest.mark.usefixtures("season")
@pytest.mark.parametrize(("url", "seed"), [("demo:", 1), ("demo:?seed=7", 7), ("demo:?seed=7&open_ms=0", 7)])
def test_the_demo_plays_the_season_of_its_seed(url, seed):
    source = parse_source(url)
    source.check()
    assert read(url, Request("0B12", key="20261108")) == f"RA{seed:09}{source.now():%Y%m%d}\r\n".encode()
    assert source.name == url


@pytest.mark.usefixtures("season")
def test_the_clock_stands_at_noon_of_the_date():
    source = parse_source("demo:?date=2026-11-08")
    assert source.now() == source.now() == datetime(2026, 11, 8, 12)


def test_the_clock_runs_at_its_speed_and_the_same_in_every_process(archive, monkeypatch):
    ticks = iter([100.0, 110.0, 110.0])
    monkeypatch.setattr("jvgate.sessions.simulated.time.time", lambda: next(ticks))
    play = parse_play(f"archive:{archive}?date=2026-11-08&speed=60")
    one, other = play.clock(100.0), play.clock(100.0)
    assert [one(), one(), other()] == [datetime(2026, 11, 8, 12), *[datetime(2026, 11, 8, 12, 10)] * 2]


def test_the_clock_without_a_date_is_real_and_japanese(archive):
    read = parse_source(f"archive:{archive}").now
    before, now, after = datetime.now(UTC), read().replace(tzinfo=JST), datetime.now(UTC)
    assert before <= now <= after


def test_an_archive_is_read_through_jvlinks_interface(archive):
    parse_source(f"archive:{archive}").check()
    assert read(f"archive:{archive}?read_us=1", Request("RACE", "20200101000000", 1)) == RECORD


def test_a_stretch_of_damage_longer_than_any_record_is_read(archive):
    damaged = RECORD + b"?" * 500_000 + b"\r\n"
    (archive / "all.bin").write_bytes(damaged)
    assert read(f"archive:{archive}", Request("RACE", "20200101000000", 1)) == damaged


def test_the_server_does_not_load_the_season(tmp_path):
    code = "import sys, jvgate.gateway as g, jvgate.settings as s; g.source_of(s.Settings()).lanes(0); "
    code += "sys.exit(any(name.startswith('jvgate.season') for name in sys.modules))"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=tmp_path)


def test_the_python_of_jvlink_may_be_another_one():
    means = Means(worker_python="py -3.12-32", press_dialogs=True)
    command = com_command("jvlink", means)
    assert command[:3] == ("py", "-3.12-32", "-c")
    assert command[4:] == ("jvlink", "--press-dialogs")
    assert "sys.path.append(" in command[3]  # behind its own packages, so that its own pywin32 is found first


def test_under_wine_the_package_is_found_on_the_drive_of_this_machine():
    assert "append('Z:/" in com_command("nvlink", Means(worker_python="wine python.exe"))[3]


def test_an_archive_that_is_not_there_fails_the_check_and_not_the_url(tmp_path):
    source = parse_source(f"archive:{tmp_path / 'nowhere'}")
    with pytest.raises(ArchiveError):
        source.check()


@pytest.mark.usefixtures("season")
@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("", "demo:"),
        ("demo", "demo:"),
        ("http://example.com", "archive:DIR"),
        ("jvlink:here", "takes nothing behind it"),
        ("nvlink:?x=1", "takes nothing behind it"),
        ("agent:", "agent://HOST:PORT"),
        ("agent://host:port", "agent://HOST:PORT"),
        ("agent://host:99999", "agent://HOST:PORT"),
        ("agent://host:1?colour=red", "no parameter 'colour'"),
        ("agent://host:1?tls=yes", "not allowed"),
        ("agent://host:1?ca=x", "go with tls=1"),
        ("agent://host:1?tls=1&tls=1", "twice"),
        ("agent://token@host:1", "agent://host:1"),
        ("demo:?fault=crash", "fault=crash is no fault"),
        ("demo:?fault=crash:2", "a rate from 0 to 1"),
        ("demo:?fault=flood:0.1", "hang_open"),
        ("demo:?fault=crash:0.1&fault=crash:0.2", "twice"),
        ("archive:", "archive:DIR"),
        ("demo:somewhere", "demo:?seed"),
        ("demo:?colour=red", "seed, date, speed, open_ms, read_us, download_ms, fault"),
        ("archive:/x?seed=1", "date, speed"),
        ("demo:?seed=1&seed=2", "twice"),
        ("demo:?seed=-1", "seed=-1"),
        ("demo:?seed=", "seed="),
        ("demo:?seed=１", "whole number"),
        ("demo:?open_ms=fast", "open_ms=fast"),
        ("demo:?open_ms=nan", "open_ms=nan"),
        ("demo:?read_us=-1", "a number from 0"),
        ("demo:?speed=1e9", "speed=1e9"),
        ("demo:?date=2026-02-30", "YYYY-MM-DD"),
        ("demo:?date=today", "YYYY-MM-DD"),
    ],
)
def test_a_url_that_is_not_allowed_says_what_is(url, said):
    with pytest.raises(SettingsError, match="JVGATE_SOURCE") as error:
        parse_source(url)
    assert said in str(error.value)
