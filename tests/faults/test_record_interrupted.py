"""A recording that is killed again and again and resumed is, byte for byte, the one made in one go."""

import random
import subprocess
import sys
from pathlib import Path

import httpx2
import pytest

from jvgate.settings import Settings
from tests.raceday import archive, record
from tests.waiting import LIMIT_S, wait_until
from tests.web.conftest import running

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
    """Every file with its bytes and its time of change; the mark's own time is the clock's."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
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


def test_without_a_from_time_it_goes_on_from_where_it_came_to(source, tmp_path):
    finished(run(tmp_path / "two", f"archive:{source}", "--from", "20261101", "--to", "20261116000010"))
    told = finished(run(tmp_path / "two", f"archive:{source}"))
    assert "19 files recorded" in told
    finished(run(tmp_path / "one", f"archive:{source}", "--from", "20261101"))
    assert contents(tmp_path / "two") == contents(tmp_path / "one")


def test_the_recorded_folder_serves_what_the_source_serves(source, tmp_path):
    finished(run(tmp_path, f"archive:{source}", "--from", "20261101"))
    answers = []
    for place in (source, tmp_path):
        with running(Settings(source=f"archive:{place}")) as client:
            answer: httpx2.Response = client.data()
            answers.append(answer.content)
    assert answers[0] == answers[1]


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        ((), 3, "Allowed: --from"),
        (("--from", "20261399"), 2, "no time"),
        (("--from", "20261101", "--key", "20261101"), 2, "key"),
        (("--from", "20261101", "--source", "archive:/nowhere"), 3, "no such folder"),
    ],
)
def test_bad_input_is_told_in_clear_words(source, tmp_path, arguments, status, words):
    process = run(tmp_path / "out", f"archive:{source}", *arguments)
    told = process.communicate(timeout=LIMIT_S)[1]
    assert (process.returncode, words in told, "Traceback" in told) == (status, True, False), told


def test_a_folder_that_is_a_file_is_told(source, tmp_path):
    (tmp_path / "file").touch()
    process = run(tmp_path / "file", f"archive:{source}", "--from", "20261101")
    told = process.communicate(timeout=LIMIT_S)[1]
    assert (process.returncode, "cannot write" in told) == (2, True)


def test_an_archive_is_not_recorded_into_itself(source):
    process = run(source / "deeper", f"archive:{source}", "--from", "20261101")
    told = process.communicate(timeout=LIMIT_S)[1]
    assert (process.returncode, "lie in one another" in told) == (2, True), told


def test_other_ways_to_record_do_not_mix_in_one_folder(source, tmp_path):
    finished(run(tmp_path, f"archive:{source}", "--from", "20261101", "--record", "SE"))
    for arguments in (("--record", "RA"), ("--option", "4"), ("--source", "demo:")):
        process = run(tmp_path, f"archive:{source}", "--from", "20261101", *arguments)
        told = process.communicate(timeout=LIMIT_S)[1]
        assert (process.returncode, "would mix" in told) == (3, True), told


def test_a_set_up_goes_on_week_by_week(source, tmp_path):
    finished(run(tmp_path, f"archive:{source}", "--from", "20261101", "--option", "4"))
    assert "0 files recorded" in finished(run(tmp_path, f"archive:{source}"))
    process = run(tmp_path, f"archive:{source}", "--from", "20261101")
    told = process.communicate(timeout=LIMIT_S)[1]
    assert (process.returncode, "by a set-up" in told) == (3, True), told


def test_two_files_of_one_name_are_told_before_anything_is_read(tmp_path):
    for place in ("one", "two"):
        archive(tmp_path / "source" / place, record("SE"), name="SEVM2026111620261116000000.jvd")
    process = run(tmp_path / "out", f"archive:{tmp_path / 'source'}", "--from", "20261101")
    told = process.communicate(timeout=LIMIT_S)[1]
    assert (process.returncode, "have one name" in told) == (3, True), told
