"""The end of the server, wished for or not: answers are finished, workers end, nothing is left."""

import json
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import httpx2
import pytest

from tests.raceday import archive, race_day
from tests.served.processes import is_running, serving
from tests.waiting import LIMIT_S, wait_until

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="signals and /proc of Linux")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return archive(tmp_path_factory.mktemp("archive"), *race_day() * 20)


@pytest.fixture(scope="module")
def endless(tmp_path_factory):
    """More records than can be read while the server drains."""
    return archive(tmp_path_factory.mktemp("endless"), *race_day() * 2000)


def ask(client, number):
    """Ask for data that nobody has asked for yet."""
    return client.get("/api/v1/data/RACE", params={"from_time": f"20261101{number:06}"})


def workers(client):
    sessions = client.get("/api/v1/sessions").json()["sessions"]
    return [session["facts"]["pid"] for session in sessions if session["facts"]]


def reading(client):
    return [session["doing"] for session in client.get("/api/v1/sessions").json()["sessions"]].count("JVGets")


def test_sigterm_under_load_lets_running_answers_finish_and_ends_every_worker(folder):
    with (
        serving(f"archive:{folder}?read_us=5000", "--sessions", "3") as (server, client),
        ThreadPoolExecutor(3) as others,
    ):
        list(others.map(lambda number: ask(client, number), range(3)))  # now every session is there: they read at once
        answers = [others.submit(ask, client, number) for number in range(3, 6)]
        wait_until(lambda: reading(client) == 3)
        pids = workers(client)
        server.send_signal(signal.SIGTERM)
        assert server.wait(LIMIT_S) == 0
        assert [answer.result().status_code for answer in answers] == [200] * 3
    assert len(pids) == 3
    assert not any(map(is_running, pids))


def test_sigterm_ends_a_stream_that_would_go_on_so_that_it_shows(endless):
    with serving(f"archive:{endless}?read_us=5000", "--sessions", "2") as (server, client):
        asked = {"from_time": "20261101"}
        with (
            client.stream("GET", "/api/v1/stream/RACE", params=asked) as response,
            client.stream("GET", "/api/v1/stream/RACE", params=asked | {"format": "raw"}),  # takes nothing more
        ):
            lines = response.iter_lines()
            next(lines)
            pids = workers(client)
            server.send_signal(signal.SIGTERM)
            *_, last = whatever_comes(lines)
        assert server.wait(LIMIT_S) == 0
    assert json.loads(last)["error"]["type"] == "/problems/shutting-down"
    assert len(pids) == 2
    assert not any(map(is_running, pids))


def whatever_comes(lines):
    """What comes of a body that breaks off."""
    with pytest.raises(httpx2.RemoteProtocolError, match="incomplete"):
        yield from lines


def test_workers_end_by_themselves_when_the_server_is_killed(folder):
    with (
        serving(f"archive:{folder}?read_us=100000", "--sessions", "2") as (server, client),
        ThreadPoolExecutor(2) as others,
    ):
        for number in range(2):
            others.submit(ask, client, number)
        wait_until(lambda: reading(client) == 2)
        pids = workers(client)
        server.kill()
        wait_until(lambda: not any(map(is_running, pids)))
        assert len(pids) == 2


def test_a_worker_that_hangs_ends_with_the_server_too(folder):
    with (
        serving(f"archive:{folder}?fault=hang_read:1", "--sessions", "1") as (server, client),
        ThreadPoolExecutor(1) as other,
    ):
        other.submit(ask, client, 0)
        wait_until(lambda: reading(client) == 1)
        (pid,) = workers(client)
        server.kill()
        wait_until(lambda: not is_running(pid))


def test_a_request_survives_the_death_of_its_worker(folder):
    with serving(f"archive:{folder}?read_us=5000", "--sessions", "1") as (_, client), ThreadPoolExecutor(1) as other:
        answer = other.submit(ask, client, 0)
        wait_until(lambda: reading(client) == 1)
        subprocess.run(["kill", "-9", str(workers(client)[0])], check=True)
        assert answer.result().json()["meta"]["returned"] == 120
        assert client.get("/api/v1/sessions").json()["sessions"][0]["faults"] == 1
