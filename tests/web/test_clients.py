"""Clients that leave: what nobody waits for is ended, and what somebody waits for is not."""

import socket
from contextlib import contextmanager

import pytest

from tests.waiting import wait_until
from tests.web.offering import offering

OPENS, REQUESTS = "jvgate_source_opens_total", "jvgate_requests_total"
RACES = "/api/v1/data/RACE?from_time=20261112"


@pytest.fixture(scope="module")
def slow(serve):
    """A server with one session that reads a record in a millisecond: a week of races takes seconds."""
    return serve("demo:?date=2026-11-18&read_us=1000", sessions=1)


@pytest.fixture
def left(slow):
    """How many clients have left since the test began."""
    before = slow.figure(REQUESTS, status="499")
    return lambda: slow.figure(REQUESTS, status="499") - before


@contextmanager
def asking(client, path):
    """A client that asks and leaves when the block ends, without an answer."""
    with socket.create_connection((client.base_url.host, client.base_url.port)) as leaving:
        leaving.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        yield


def session(client):
    return client.get("/api/v1/sessions").json()["sessions"][0]


def is_read(client):
    return session(client)["progress"]["records_read"] > 0 and session(client)["state"] == "busy"


def test_who_leaves_in_mid_read_frees_the_session(slow, left):
    with asking(slow, RACES):
        wait_until(lambda: is_read(slow))
        before = session(slow)
    after = wait_until(lambda: (now := session(slow))["state"] == "idle" and now)
    assert after["facts"]["pid"] == before["facts"]["pid"]
    assert after["faults"] == 0
    assert left() == 1


def test_who_leaves_in_mid_read_leaves_the_answer_to_the_others(slow, left):
    path, opened = f"{RACES}&record=HR", slow.figure(OPENS)
    with asking(slow, path):
        wait_until(lambda: is_read(slow))
        job = slow.get(path, headers={"prefer": "respond-async"}).headers["location"]
    wait_until(left)
    assert wait_until(lambda: (state := slow.get(job).json()["state"]) != "running" and state) == "done"
    assert slow.get(path).status_code == 200
    assert slow.figure(OPENS) - opened == 1


def test_who_leaves_the_queue_is_not_read_for(slow):
    with asking(slow, RACES):
        wait_until(lambda: is_read(slow))
        with asking(slow, "/api/v1/data/DIFN?from_time=20261112"):
            wait_until(lambda: slow.get("/api/v1/sessions").json()["waiting"] == 1)
        wait_until(lambda: slow.get("/api/v1/sessions").json()["waiting"] == 0)
    wait_until(lambda: session(slow)["state"] == "idle")
    assert slow.figure(OPENS, dataspec="DIFN") == 0


def test_the_session_of_who_left_serves_the_next(slow):
    with asking(slow, RACES):
        wait_until(lambda: is_read(slow))
    assert slow.get("/api/v1/data/YSCH?from_time=20261101&limit=1").status_code == 200


def test_a_call_that_cannot_be_interrupted_is_there_for_the_next_when_its_client_left(tmp_path):
    with offering(tmp_path) as (client, offer):
        offer.gate.clear()
        with asking(client, "/api/v1/courses/9999999905240011"):
            wait_until(lambda: offer.calls)
        wait_until(lambda: client.figure(REQUESTS, status="499"))
        offer.gate.set()
        assert client.get("/api/v1/courses/9999999905240011").json()["found"]
        assert len(offer.calls) == 1
