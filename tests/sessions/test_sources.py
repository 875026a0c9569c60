"""Source URLs: what they mean, and what is refused with a word on what is allowed."""

import sys
from datetime import UTC, datetime
from types import ModuleType

import pytest

from jvgate.errors import ArchiveError, SettingsError
from jvgate.jvlink.session import Session
from jvgate.sessions.sources import JST, parse_source

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


@pytest.mark.usefixtures("season")
@pytest.mark.parametrize(("url", "seed"), [("demo:", 1), ("demo:?seed=7", 7), ("demo:?seed=7&open_ms=0", 7)])
def test_the_demo_plays_the_season_of_its_seed(url, seed):
    source = parse_source(url)
    source.check()
    reading = Session(source.make_link()).read_realtime("0B12", "20261108")
    assert reading.body == f"RA{seed:09}{source.now():%Y%m%d}\r\n".encode()
    assert source.name == url


@pytest.mark.usefixtures("season")
def test_the_clock_stands_at_noon_of_the_date():
    source = parse_source("demo:?date=2026-11-08")
    assert source.now() == source.now() == datetime(2026, 11, 8, 12)


def test_the_clock_runs_at_its_speed(archive, monkeypatch):
    ticks = iter([100.0, 100.0, 110.0])
    monkeypatch.setattr("jvgate.sessions.sources.time.monotonic", lambda: next(ticks))
    source = parse_source(f"archive:{archive}?date=2026-11-08&speed=60")
    assert [source.now(), source.now()] == [datetime(2026, 11, 8, 12), datetime(2026, 11, 8, 12, 10)]


def test_the_clock_without_a_date_is_real_and_japanese(archive):
    read = parse_source(f"archive:{archive}").now
    before, now, after = datetime.now(UTC), read().replace(tzinfo=JST), datetime.now(UTC)
    assert before <= now <= after


def test_an_archive_is_read_through_jvlinks_interface(archive):
    source = parse_source(f"archive:{archive}?read_us=1")
    source.check()
    assert Session(source.make_link()).read_stored("RACE", "20200101000000", 1).body == RECORD


def test_every_link_is_new_and_all_share_one_shelf(archive):
    source = parse_source(f"archive:{archive}")
    one, two = source.make_link(), source.make_link()
    assert (one.JVInit("UNKNOWN"), two.JVOpen("RACE", "20200101000000", 1, 0, 0, "")[0]) == (0, -201)


def test_a_stretch_of_damage_longer_than_any_record_is_read(archive):
    (archive / "all.bin").write_bytes(RECORD + b"?" * 500_000 + b"\r\n")
    pool_size = parse_source(f"archive:{archive}").buffer_bytes
    assert pool_size > 500_000


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
        ("jvlink:", "this version has no source jvlink"),
        ("agent://host:1", "this version has no source agent"),
        ("archive:", "archive:DIR"),
        ("demo:somewhere", "demo:?seed"),
        ("demo:?colour=red", "seed, date, speed, open_ms, read_us, download_ms"),
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
