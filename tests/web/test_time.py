"""Lifetimes over HTTP: by the clock of the source, and in seconds of the wall clock; a suspend counts."""

import re
import time

import pytest

from jvgate.cache.clock import lifetime_clock
from jvgate.gateway import opening


def windows(answer):
    return {name: int(seconds) for name, seconds in re.findall(r"([a-z-]+)=(\d+)", answer.headers["cache-control"])}


@pytest.fixture
def ages(serve, folder):
    """Return the windows of one answer, by the speed of the source."""

    def ask(speed):
        web = serve(f"archive:{folder}?date=2026-11-18&speed={speed}", prefetch=False)
        return windows(web.data())

    return ask


def test_what_http_carries_is_divided_by_the_speed_of_the_source(ages):
    real, fast = ages(1), ages(60)
    assert fast.keys() == real.keys()
    for name, seconds in real.items():
        assert fast[name] == pytest.approx(seconds / 60, rel=0.1, abs=1), name


def test_the_demo_ages_as_fast_as_its_clock_runs(serve):
    web = serve("demo:?date=2026-11-18&speed=60", prefetch=False, lifetimes={"0B12": {"empty": 60, "fresh": 60}})
    answer = web.data("0B12", key="20261119")
    assert windows(answer)["max-age"] == 1


def test_an_answer_expires_while_the_machine_is_suspended(serve, folder, monkeypatch):
    slept_s = [0.0]
    clock = lifetime_clock(wall=lambda: time.time() + slept_s[0])
    monkeypatch.setattr(opening, "lifetime_clock", lambda: clock)
    web = serve(f"archive:{folder}?date=2026-11-18", prefetch=False)
    web.data()
    hit = web.data()
    slept_s[0] = 400 * 86400.0
    woken = web.data()
    assert [answer.headers["cache-status"].split(";")[1].strip() for answer in (hit, woken)] == ["hit", "fwd=miss"]
    assert int(woken.headers["age"]) < 60


def test_a_picture_ages_as_fast_as_the_clock_of_the_source_runs(serve):
    web = serve("demo:?date=2026-11-18&speed=60")
    answer = web.get("/api/v1/silks", params={"pattern": "水色，赤山形一本輪，水色袖"})
    assert windows(answer) == {"max-age": 86400 // 60}
