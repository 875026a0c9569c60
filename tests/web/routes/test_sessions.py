"""`/api/v1/sessions`: who holds JV-Link, what each is at, and how to get rid of one."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.waiting import wait_until
from tests.web.test_bad_input import is_problem

SESSIONS = "/api/v1/sessions"


@pytest.fixture(scope="module")
def slow(serve, folder):
    """A server with one session, whose every open takes a moment."""
    return serve(f"archive:{folder}?date=2026-11-18&open_ms=200", sessions=1)


@pytest.fixture(scope="module")
def two(serve, folder):
    """A server with two sessions."""
    return serve(f"archive:{folder}?date=2026-11-18", sessions=2)


def sessions(client):
    return client.get(SESSIONS).json()["sessions"]


def only(client, state):
    """The one session there is, once it is in *state*."""
    return wait_until(lambda: (session := sessions(client)[0])["state"] == state and session)


def test_sessions_are_shown_with_what_there_is_to_know(two):
    response = two.get(SESSIONS)
    shown = response.json()
    assert (response.status_code, response.headers["cache-control"]) == (200, "no-store")
    assert (shown["source"][:8], shown["waiting"]) == ("archive:", 0)
    assert [session["id"] for session in shown["sessions"]] == [1, 2]
    assert {tuple(session["takes"]) for session in shown["sessions"]} == {("realtime", "stored")}


def test_one_session_is_made_ready_before_anybody_asks(two):
    first, second = wait_until(lambda: (shown := sessions(two))[0]["state"] == "idle" and shown)
    assert first["facts"]["pid"] > 1
    assert (second["state"], second["facts"]) == ("new", {})


def test_what_is_read_is_shown_while_it_is_read(slow):
    with ThreadPoolExecutor(1) as other:
        reading = other.submit(slow.data)
        assert only(slow, "busy")["job"] == "RACE:20261101000000:1"
        assert reading.result().status_code == 200
    shown = only(slow, "idle")
    assert (shown["job"], shown["doing"], shown["faults"]) == ("", "idle", 0)


def test_what_a_session_is_at_is_told_by_the_name_of_jvlinks_method(serve, folder):
    stuck = serve(f"archive:{folder}?date=2026-11-18&open_ms=60000", sessions=1)
    stuck.data(headers={"prefer": "respond-async"})
    shown = wait_until(lambda: (session := sessions(stuck)[0])["doing"] == "JVOpen" and session)
    assert shown["state"] == "busy"


def test_who_waits_for_a_session_is_counted(slow):
    with ThreadPoolExecutor(3) as others:
        reading = [others.submit(slow.data, from_time=day) for day in ("20261001", "20261002", "20261003")]
        wait_until(lambda: slow.get(SESSIONS).json()["waiting"] == 2)
        assert {read.result().status_code for read in reading} == {200}
    assert slow.get(SESSIONS).json()["waiting"] == 0


def test_a_deleted_session_comes_back_with_another_process(slow):
    before = only(slow, "idle")
    assert slow.delete(f"{SESSIONS}/1").status_code == 204
    assert slow.data(from_time="20261004").status_code == 200
    after = only(slow, "idle")
    assert after["facts"]["pid"] != before["facts"]["pid"]
    assert after["faults"] == before["faults"]


def test_a_read_survives_the_end_of_its_session(slow):
    before = only(slow, "idle")
    with ThreadPoolExecutor(1) as other:
        reading = other.submit(slow.data, from_time="20261005")
        only(slow, "busy")
        assert slow.delete(f"{SESSIONS}/1").status_code == 204
        response = reading.result()
    assert (response.status_code, response.json()["meta"]["total"]) == (200, 6)
    after = only(slow, "idle")
    assert after["facts"]["pid"] != before["facts"]["pid"]
    assert (after["faults"], "recycled" in after["last_fault"]) == (before["faults"] + 1, True)


@pytest.mark.parametrize("session", ["0", "3", "9999", "99999", "-1", "1.0", "x", "%00", "１", "٣", "a" * 5000])
def test_sessions_that_there_are_not_are_problems(two, session):
    document = is_problem(two.delete(f"{SESSIONS}/{session}"), 404, "unknown-session")
    assert document["allowed"] == "1 to 2"


def test_head_is_answered_as_get_is(two):
    head = two.head(SESSIONS)
    assert (head.status_code, head.content, head.headers["content-type"]) == (200, b"", "application/json")


@pytest.mark.parametrize(
    ("path", "allowed", "methods"),
    [
        (SESSIONS, "GET, HEAD", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"]),
        (f"{SESSIONS}/1", "DELETE", ["GET", "HEAD", "POST", "PUT", "PATCH", "OPTIONS"]),
    ],
)
def test_other_methods_are_problems_that_name_the_right_ones(two, path, allowed, methods):
    for method in methods:
        response = two.request(method, path)
        assert (response.status_code, response.headers["allow"]) == (405, allowed)
        assert method == "HEAD" or allowed in is_problem(response, 405, "method-not-allowed")["detail"]


@pytest.mark.parametrize("path", ["/nope", "/api/v1/nope/1", "/api/v1"])
def test_nothing_can_be_deleted_where_nothing_is(two, path):
    is_problem(two.delete(path), 404, "not-found")


def test_every_route_of_sessions_is_described(two):
    paths = two.get("/openapi.json").json()["paths"]
    described = {path: list(methods) for path, methods in paths.items() if path.startswith(SESSIONS)}
    assert described == {SESSIONS: ["get"], f"{SESSIONS}/{{session_id}}": ["delete"]}
