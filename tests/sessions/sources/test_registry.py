"""The kinds of source: a URL or the settings name one of them, and anything else is refused."""

import subprocess
import sys
from datetime import UTC, datetime

import pytest

from jvgate.errors import SettingsError
from jvgate.sessions.sources import registry
from jvgate.sessions.sources.registry import parse_source, source_of
from jvgate.sessions.sources.source import Source, SourceKind
from jvgate.settings import Settings
from jvgate.spec.jst import JST
from jvgate.values import SourceClock

ARCHIVE = "archive:/data/jv"
AGENT = "agent://host:1"


@pytest.mark.parametrize("url", ["demo:", "demo:?seed=7&date=2026-11-18", ARCHIVE, "jvlink:", "nvlink:", AGENT])
def test_a_source_is_named_by_its_url_and_not_looked_at(url):
    assert parse_source(url).name == url


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


@pytest.mark.parametrize("url", ["demo:", ARCHIVE, "jvlink:", "nvlink:", AGENT])
def test_the_clock_without_a_date_is_real_and_japanese(url):
    read = parse_source(url).clock.now
    before, now, after = datetime.now(UTC), read().replace(tzinfo=JST), datetime.now(UTC)
    assert before <= now <= after


def test_a_new_kind_of_source_is_one_entry_in_the_table(monkeypatch):
    toy = SourceKind("toy:", "a toy", lambda url, means: Source(url, start=None, check=None, clock=SourceClock()))
    monkeypatch.setitem(registry._KINDS, toy.scheme, toy)
    assert source_of(Settings(source="toy:ball")).name == "toy:ball"
    with pytest.raises(SettingsError, match=r"toy: \(a toy\)"):
        parse_source("ball:")


@pytest.mark.parametrize(
    "use",
    [
        "import jvgate.sessions.sources.registry as o, jvgate.settings as s; o.source_of(s.Settings()).lanes(0)",
        "import jvgate.sessions.sources.registry as r; demo = r.parse_source('demo:'); demo.check(None); demo.clock",
    ],
)
@pytest.mark.process
def test_the_server_does_not_load_the_season(tmp_path, use):
    code = f"import sys; {use}; sys.exit(any(name.startswith('jvgate.season') for name in sys.modules))"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=tmp_path)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("", "demo: (a generated season), archive:DIR (a folder of raw JV-Data), jvlink: (JV-Link on this machine)"),
        ("", "nvlink: (NV-Link, local racing) or agent://HOST:PORT (another machine's `jvgate agent`)"),
        ("demo", "demo:"),
        ("http://example.com", "archive:DIR"),
    ],
)
def test_a_url_of_no_kind_says_which_there_are(url, said):
    with pytest.raises(SettingsError, match="JVGATE_SOURCE") as error:
        parse_source(url)
    assert said in str(error.value)
