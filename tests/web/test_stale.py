"""What is given though it is not fresh says so: in `Cache-Status`, by its age, and in what it allows others."""

import time
from dataclasses import replace
from math import inf

import pytest

from jvgate.errors import SourceBusy
from jvgate.question.parsing import parse_question
from tests.raceday import archive, race_day
from tests.specs import JRA


@pytest.fixture
def web(serve, folder):
    return serve(f"archive:{folder}?date=2026-11-18", prefetch=False)


def get_old(web, **windows):
    """Have all that is kept be as old as an hour; windows: for how many seconds it may still be used so."""
    memory, now = web.edge.gateway._memory, time.monotonic()
    until = {f"{name}_until": now + seconds for name, seconds in windows.items()}
    for slot in memory._order:
        aged = {"read_at": now - 3600, "fresh_until": now - 60, "stale_until": now - 60, "refresh_at": inf}
        slot.entry = replace(slot.entry, **aged | until)


def fail(web):
    """Have the source be one that failed a moment ago."""
    (query,) = parse_question("RACE", {"from_time": ["20261101"]}, JRA, formats=("json",)).queries
    web.edge.gateway._datasets.refreshes.note(str(query), SourceBusy(1))


def status(answer):
    """The answer's Cache-Status, without how long it is stale by now."""
    assert answer.status_code == 200
    return answer.headers["cache-status"].partition("; ttl=-")[0]


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_what_is_stale_says_so_and_is_made_anew_behind_the_answer(web, method):
    fresh = web.data()
    get_old(web, stale=60)
    stale = web.data(method=method)
    assert status(stale) == "jvgate; hit; detail=stale"
    assert int(stale.headers["age"]) >= 3600
    assert (stale.headers["etag"], "warning" in stale.headers) == (fresh.headers["etag"], False)


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_what_is_given_because_the_source_fails_says_so(web, method):
    web.data()
    get_old(web, error=60)
    fail(web)
    answers = [web.data(method=method), web.data(limit=1, method=method)]  # as it was, and made of what is kept
    assert [status(answer) for answer in answers] == ["jvgate; fwd=stale; detail=source-failed"] * 2


def test_while_the_archive_is_away_the_last_answer_is_given(serve, tmp_path):
    here, away = tmp_path / "here", tmp_path / "away"
    archive(here, *race_day())
    web = serve(f"archive:{here}?date=2026-11-18", prefetch=False)
    fresh = web.data()
    get_old(web, error=600)
    here.rename(away)
    answer = web.data()
    assert status(answer) == "jvgate; fwd=stale; detail=source-failed"
    assert answer.headers["etag"] == fresh.headers["etag"]
    away.rename(here)


def test_when_the_source_does_not_fail_nothing_so_old_is_given(web):
    web.data()
    get_old(web, error=60)
    assert "fwd=miss" in web.data().headers["cache-status"]
