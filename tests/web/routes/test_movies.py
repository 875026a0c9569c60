"""`/api/v1/movies`: which videos there are."""

import pytest

from tests.web.offering import LOCKED, WORKOUTS, offering
from tests.web.test_bad_input import is_problem

MOVIES = "/api/v1/movies"


@pytest.fixture(scope="module")
def offered(tmp_path_factory):
    """A server on a JV-Link that has videos, and what that was asked for."""
    with offering(tmp_path_factory.mktemp("movies")) as served:
        yield served


@pytest.mark.parametrize(
    ("key", "available", "lifetime"),
    [
        ("202611150511", True, "max-age=3600"),
        ("2026111505050411", True, "max-age=3600"),
        ("202611150510", False, "max-age=60"),
        ("202611150509", False, "max-age=60"),
    ],
    ids=["public", "public, long key", "not public", "no such race"],
)
def test_whether_a_race_has_a_video(offered, key, available, lifetime):
    client, _ = offered
    response = client.get(f"{MOVIES}/00/{key}")
    assert response.json() == {"type": "00", "key": key, "available": available}
    assert response.headers["cache-control"] == lifetime


@pytest.mark.parametrize(
    ("movie_type", "key", "keys"), [("11", "20261111", WORKOUTS), ("12", "202611112023100001", [])]
)
def test_workout_videos_are_listed(offered, movie_type, key, keys):
    client, _ = offered
    response = client.get(f"{MOVIES}/{movie_type}?key={key}")
    assert response.json() == {"type": movie_type, "key": key, "keys": keys}


def test_an_answer_is_kept_and_told_by_its_tag(offered):
    client, offer = offered
    first, second = (client.get(f"{MOVIES}/03/202611150511") for _ in range(2))
    assert second.headers["cache-status"].startswith("jvgate; hit")
    assert offer.calls.count(("JVMVCheckWithType", "03", "202611150511")) == 1
    known = client.get(f"{MOVIES}/03/202611150511", headers={"if-none-match": first.headers["etag"]})
    assert (known.status_code, known.content) == (304, b"")


def test_a_missing_right_is_a_problem_of_jvlink_with_what_to_do(offered):
    client, _ = offered
    response = client.get(f"{MOVIES}/11?key={LOCKED}")
    assert response.headers["content-type"] == "application/problem+json"
    jvlink = response.json()["jvlink"]
    assert (jvlink["method"], jvlink["code"]) == ("JVMVOpen", -304)
    assert jvlink["action"]


def test_the_session_is_free_for_data_after_a_list(offered):
    client, _ = offered
    client.get(f"{MOVIES}/11?key=20261112")
    assert client.get(f"{MOVIES}/01/202611150511").status_code == 200


@pytest.mark.parametrize("url", [f"{MOVIES}/00/202611150511", f"{MOVIES}/11?key=20261111"])
def test_a_source_without_videos_says_so(web, url):
    assert "videos" in is_problem(web.get(url), 501, "not-offered")["detail"]
