"""`demo:` URLs: the seed, the season that is played, and the process that loads it."""

import subprocess
import sys
from types import ModuleType

import pytest

from jvgate.errors import SettingsError
from jvgate.jvlink.request import Request
from jvgate.sessions.holders import ThreadWorker
from jvgate.sessions.sources.demo import Demo, holding_of, parse_demo
from jvgate.sessions.sources.registry import parse_source
from jvgate.sessions.sources.simulated import Play
from tests.jvlink.sinks import Kept
from tests.specs import JRA

TODAY = Request("0B12", key="20261118")


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


def read(url, request):
    """Return what a session on this thread reads from *url*."""
    kept, worker = Kept(), ThreadWorker(holding_of(parse_demo(url), JRA, began=0.0))
    worker.open()
    worker.read(request, kept, lambda: False)
    worker.close()
    return kept.body


@pytest.mark.usefixtures("season")
@pytest.mark.parametrize(("url", "seed"), [("demo:?", 1), ("demo:?seed=7&", 7), ("demo:?seed=7&open_ms=0&", 7)])
def test_the_demo_plays_the_season_of_its_seed(url, seed):
    assert read(f"{url}date=2026-11-18", TODAY) == f"RA{seed:09}20261118\r\n".encode()


@pytest.mark.parametrize(
    ("url", "demo"),
    [
        ("demo:", Demo()),
        ("demo:?", Demo()),
        ("demo:?seed=0", Demo(seed=0)),
        ("demo:?seed=999999999999999999", Demo(seed=999_999_999_999_999_999)),
        ("demo:?seed=2&speed=1e6", Demo(2, Play(speed=1_000_000.0))),
    ],
)
def test_a_url_names_the_seed_and_the_play(url, demo):
    assert parse_demo(url) == demo


@pytest.mark.usefixtures("season")
def test_the_demo_has_events_to_deliver_and_sorts_its_files_by_type():
    holding = holding_of(parse_demo("demo:"), JRA, 0.0)
    assert (holding.one_type_per_file, holding.pump_s is not None) == (True, True)


@pytest.mark.process
def test_the_season_is_loaded_where_it_is_played():
    code = "import sys; from jvgate.sessions.sources.demo import *; play = parse_demo('demo:'); "
    code += "from jvgate.spec.spec import load_spec; "
    code += "before = 'jvgate.season.shelf' in sys.modules; holding_of(play, load_spec('jra'), 0.0); "
    code += "sys.exit(before or 'jvgate.season.shelf' not in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("demo:somewhere", "demo:?seed"),
        ("demo:?colour=red", "seed, date, speed, open_ms, read_us, download_ms, fault"),
        ("demo:?seed=1&seed=2", "twice"),
        ("demo:?seed=-1", "seed=-1"),
        ("demo:?seed=", "seed="),
        ("demo:?seed=１", "whole number"),
    ],
)
def test_a_url_that_is_not_allowed_says_what_is(url, said):
    with pytest.raises(SettingsError, match="JVGATE_SOURCE") as error:
        parse_source(url)
    assert said in str(error.value)
