"""A recording that is killed again and again and resumed is, byte for byte, the one made in one go."""

import random
import subprocess
import sys
from pathlib import Path

import pytest

from jvgate.sessions.archive.archive_id import FILE_NAME
from tests.raceday import archive, record
from tests.waiting import LIMIT_S, wait_until

COMMAND = Path(sys.executable).with_name("jvgate")


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """An archive of thirty files."""
    place = tmp_path_factory.mktemp("source")
    for number in range(30):
        name = f"SEVM20261116{20261116000000 + number}.jvd"
        archive(place, *[record("SE", Umaban=at % 18 + 1, RaceNum=number % 12 + 1) for at in range(40)], name=name)
    return place


def run(folder, source, *arguments):
    command = [COMMAND, "record", "RACE", "-o", folder, "--source", source, *arguments]
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True)


def finished(process):
    told = process.communicate(timeout=LIMIT_S)[1]
    assert process.returncode == 0, told
    return told


def contents(folder):
    """Every file with its bytes and its time of change; the mark's own time is the clock's, the id each archive's."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path != folder / FILE_NAME)
    times = {path: 0.0 if path.name.startswith(".") else path.stat().st_mtime for path in files}
    return [(path.relative_to(folder), path.read_bytes(), times[path]) for path in files]


def kill_at(process, folder, files):
    """Kill the recording when it has written so many files, unless it has ended before."""
    wait_until(lambda: len(list(folder.glob("RACE/*.jvd*"))) >= files or process.poll() is not None)
    process.kill()
    process.communicate()


@pytest.mark.parametrize(("arguments", "times"), [((), 10), (("--zstd",), 3)], ids=["plain", "zstd"])
def test_many_times_killed_and_resumed_equals_in_one_go(source, tmp_path, arguments, times):
    whole, pieces, chance = tmp_path / "whole", tmp_path / "pieces", random.Random(1)
    start = ("--from", "20261101", *arguments)
    finished(run(whole, f"archive:{source}", *start))
    kills = sorted(chance.randrange(30) for _ in range(times))
    for files in kills:
        kill_at(run(pieces, f"archive:{source}?read_us=500", *start), pieces, files)
    assert "there already" in finished(run(pieces, f"archive:{source}", *start))
    assert contents(pieces) == contents(whole)
    assert len(list(whole.glob("RACE/*.jvd*"))) == 30


def test_a_source_that_fails_now_and_then_is_recorded_whole(source, tmp_path):
    whole, hard = tmp_path / "whole", tmp_path / "hard"
    finished(run(whole, f"archive:{source}", "--from", "20261101"))
    process = run(
        hard, f"archive:{source}?fault=crash:0.3&fault=garbage:0.2&fault=downloading:0.3", "--from", "20261101"
    )
    process.communicate(timeout=LIMIT_S)
    finished(run(hard, f"archive:{source}", "--from", "20261101"))
    assert contents(hard) == contents(whole)
