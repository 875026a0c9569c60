"""`archive:DIR` URLs: the folder, what is read of it, and the process that plays it."""

import subprocess
import sys
from datetime import datetime

import pytest

from jvgate.errors import ArchiveError, SettingsError
from jvgate.jvlink.request import Request
from jvgate.sessions.holders import ThreadWorker
from jvgate.sessions.sources.archive import Archive, holding_of, parse_archive
from jvgate.sessions.sources.registry import parse_source
from jvgate.sessions.sources.simulated import Play
from tests.jvlink.sinks import Kept
from tests.specs import JRA

RECORD = b"RA7202611082026110805081111".ljust(1270) + b"\r\n"


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


def test_an_archive_is_read_through_jvlinks_interface(archive):
    assert read(f"archive:{archive}?read_us=1", Request("RACE", "20200101000000", 1)) == RECORD


def test_a_stretch_of_damage_longer_than_any_record_is_read(archive):
    damaged = RECORD + b"?" * 500_000 + b"\r\n"
    (archive / "all.bin").write_bytes(damaged)
    assert read(f"archive:{archive}", Request("RACE", "20200101000000", 1)) == damaged


@pytest.mark.parametrize(
    ("url", "parts"),
    [
        ("archive:/data/jv", Archive("/data/jv")),
        ("archive:C:\\data?date=2026-11-08", Archive("C:\\data", play=Play(date=datetime(2026, 11, 8, 12)))),
        ("archive:競馬 data?speed=2", Archive("競馬 data", play=Play(speed=2.0))),
        ("archive:/data/nv?provider=nv", Archive("/data/nv", "nv")),
    ],
)
def test_a_url_names_the_folder_and_the_play(url, parts):
    assert parse_archive(url) == parts


def test_an_archive_has_no_events_to_deliver(archive):
    holding = holding_of(parse_archive(f"archive:{archive}"), JRA, 0.0)
    assert (holding.one_type_per_file, holding.pump_s) == (False, None)


def test_an_archive_that_is_not_there_fails_the_check_and_not_the_url(tmp_path):
    source = parse_source(f"archive:{tmp_path / 'nowhere'}")
    with pytest.raises(ArchiveError):
        source.check(JRA)


@pytest.mark.process
def test_a_process_that_has_nobody_to_serve_ends_in_peace(archive):
    command = [sys.executable, "-m", "jvgate.sessions.sources.archive", f"archive:{archive}", "0.0"]
    done = subprocess.run(command, input=b"", capture_output=True, timeout=30, check=True)
    assert b"Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("archive:", "archive:DIR"),
        ("archive:/x?seed=1", "date, speed"),
    ],
)
def test_a_url_that_is_not_allowed_says_what_is(url, said):
    with pytest.raises(SettingsError, match="JVGATE_SOURCE") as error:
        parse_source(url)
    assert said in str(error.value)
