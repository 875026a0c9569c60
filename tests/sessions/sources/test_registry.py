"""Source URLs: which source they name, what holds its sessions, and what is refused with a word on what is allowed."""

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from jvgate.errors import ArchiveError, NotInstalled, SettingsError
from jvgate.sessions.lane import Recycling
from jvgate.sessions.sources.registry import (
    BOTH,
    REALTIME,
    STORED,
    Means,
    com_command,
    parse_source,
    python_command,
)
from jvgate.sessions.sources.simulated import parse_play
from jvgate.sessions.watchdog import CallLimits
from jvgate.spec.jst import JST
from tests.specs import JRA

ARCHIVE = "archive:/data/jv"
AGENT = "agent://host:1"
ONE_EACH = [{STORED}, {REALTIME}]


@pytest.mark.parametrize("url", ["demo:", "demo:?seed=7&date=2026-11-18", ARCHIVE, "jvlink:", "nvlink:", AGENT])
def test_a_source_is_named_by_its_url_and_not_looked_at(url):
    assert parse_source(url).name == url


@pytest.mark.parametrize(
    ("url", "sessions", "takes"),
    [
        ("demo:", 0, [BOTH] * 5),
        ("demo:", 64, [BOTH] * 64),
        (ARCHIVE, 3, [BOTH] * 3),
        ("jvlink:", 0, [BOTH]),
        ("jvlink:", 1, [BOTH]),
        ("jvlink:", 2, ONE_EACH),
        ("nvlink:", 2, ONE_EACH),
        (AGENT, 0, [BOTH]),
        (AGENT, 4, [BOTH] * 4),
        (f"{AGENT}?lanes=split", 0, ONE_EACH),
        (f"{AGENT}?lanes=split", 1, [BOTH]),
    ],
)
def test_a_source_has_so_many_sessions_for_this_and_that(url, sessions, takes):
    assert parse_source(url).lanes(sessions) == takes


@pytest.mark.parametrize(
    ("url", "sessions", "allowed"),
    [
        ("demo:", 65, "1 to 64"),
        ("jvlink:", 3, "1 to 2"),
        ("nvlink:", 9, "1 to 2"),
        (f"{AGENT}?lanes=split", 3, "1 to 2"),
    ],
)
def test_more_sessions_than_a_source_takes_are_refused(url, sessions, allowed):
    with pytest.raises(SettingsError, match="JVGATE_SESSIONS") as error:
        parse_source(url).lanes(sessions)
    assert error.value.allowed == allowed


@pytest.mark.parametrize(
    ("url", "open_s", "read_s"),
    [
        ("demo:", 5, 5),
        ("demo:?open_ms=10000", 25, 5),
        ("demo:?read_us=1000000", 5, 7),
        (ARCHIVE, 30, 30),
        (f"{ARCHIVE}?open_ms=1000", 32, 30),
        ("jvlink:", 60, 30),
        (AGENT, 60, 30),
    ],
)
def test_the_limits_of_calls_are_those_of_the_source(url, open_s, read_s):
    limits = parse_source(url).limits
    assert (limits.open_s, limits.read_s) == (open_s, read_s)


@pytest.mark.parametrize("url", ["demo:", ARCHIVE, "jvlink:", AGENT])
def test_the_settings_have_the_last_word_on_limits_and_recycling(url):
    recycling = Recycling(opens=3)
    source = parse_source(url, Means(open_s=1.5, setup_s=2.5, read_s=3.5, recycling=recycling))
    assert (source.limits.open_s, source.limits.setup_s, source.limits.read_s) == (1.5, 2.5, 3.5)
    assert source.limits.silent_s == CallLimits().silent_s
    assert source.recycling is recycling


def test_a_worker_process_is_told_when_the_server_began(monkeypatch):
    monkeypatch.setattr("time.time", lambda: now[0])
    now = [1_795_000_000.123456789]
    source = parse_source("demo:?date=2026-11-08&speed=60")
    url, began = source.command[-2:]
    now[0] += 600
    assert source.clock.now() == parse_play(url).clock(float(began)).now() == datetime(2026, 11, 8, 22)


@pytest.mark.process
def test_the_clocks_of_two_processes_agree():
    source = parse_source("demo:?date=2026-11-08&speed=1000")
    code = "import sys; from jvgate.sessions.sources.simulated import parse_play as play; "
    code += "print(play(sys.argv[1]).clock(float(sys.argv[2])).now())"
    before = source.clock.now()
    told = subprocess.check_output([sys.executable, "-c", code, *source.command[-2:]], text=True)
    assert before < datetime.fromisoformat(told.strip()) < source.clock.now()


@pytest.mark.parametrize("url", ["demo:", ARCHIVE, "jvlink:", "nvlink:", AGENT])
def test_the_clock_without_a_date_is_real_and_japanese(url):
    read = parse_source(url).clock.now
    before, now, after = datetime.now(UTC), read().replace(tzinfo=JST), datetime.now(UTC)
    assert before <= now <= after


@pytest.mark.parametrize(
    "use",
    [
        "import jvgate.sessions.source_setting as o, jvgate.settings as s; o.source_of(s.Settings()).lanes(0)",
        "import jvgate.sessions.sources.registry as r; demo = r.parse_source('demo:'); demo.check(None); demo.clock",
    ],
)
@pytest.mark.process
def test_the_server_does_not_load_the_season(tmp_path, use):
    code = f"import sys; {use}; sys.exit(any(name.startswith('jvgate.season') for name in sys.modules))"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=tmp_path)


def test_jvlink_is_loaded_by_this_python_unless_another_is_named():
    assert com_command("jvlink", Means())[:2] == (sys.executable, "-c")


def test_the_python_of_jvlink_may_be_another_one():
    means = Means(worker_python="py -3.12-32", press_dialogs=True)
    command = com_command("jvlink", means)
    assert command[:3] == ("py", "-3.12-32", "-c")
    assert command[4:] == ("jvlink", "--press-dialogs")
    assert "sys.path.append(" in command[3]  # behind its own packages, so that its own pywin32 is found first


@pytest.mark.parametrize("python", ["wine python.exe", "wine64 python.exe", "/opt/wine/bin/wine 'C:/my py/python.exe'"])
def test_under_wine_the_package_is_found_on_the_drive_of_this_machine(python):
    assert "append('Z:/" in com_command("nvlink", Means(worker_python=python))[3]


@pytest.mark.parametrize(
    ("platform", "python", "words"),
    [
        ("linux", "'/opt/my py/python' -X utf8", ("/opt/my py/python", "-X", "utf8")),
        ("win32", r'"C:\Program Files\Python\python.exe" -E', (r"C:\Program Files\Python\python.exe", "-E")),
        ("win32", r"C:\py\python.exe", (r"C:\py\python.exe",)),
    ],
)
def test_a_path_with_spaces_stands_in_quotes(monkeypatch, platform, python, words):
    monkeypatch.setattr(sys, "platform", platform)
    assert com_command("jvlink", Means(worker_python=python))[: len(words)] == words


@pytest.mark.parametrize("is_windows", [True, False])
@pytest.mark.parametrize("python", ['"C:/Program Files/python.exe', "'/opt/my py/python", 'py "-3'])
def test_a_quote_that_is_not_closed_is_told_in_clear_words(python, is_windows):
    with pytest.raises(SettingsError, match=r"JVGATE_WORKER_PYTHON .*not closed") as error:
        python_command(python, is_windows=is_windows)
    assert "in quotes" in error.value.allowed


@pytest.mark.process
def test_the_package_comes_last_on_the_path_of_the_other_python():
    python, _, code, _ = com_command("jvlink", Means())
    shown = code.partition("; from jvgate")[0] + "; print(sys.path[-1])"
    told = subprocess.check_output([python, "-S", "-c", shown], text=True).strip()
    assert (Path(told) / "jvgate" / "errors.py").is_file()


@pytest.mark.skipif(sys.platform == "win32", reason="there JV-Link may be installed")
@pytest.mark.process
def test_the_worker_of_jvlink_runs_in_a_bare_python_and_says_what_is_missing():
    worker = parse_source("jvlink:", Means(worker_python=f"{sys.executable} -S")).start()
    with pytest.raises(NotInstalled, match="pythoncom"):
        worker.open()
    worker.close()


def test_an_archive_that_is_not_there_fails_the_check_and_not_the_url(tmp_path):
    source = parse_source(f"archive:{tmp_path / 'nowhere'}")
    with pytest.raises(ArchiveError):
        source.check(JRA)


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
