"""Several server processes on one socket: all serve, purges reach all, the lost are replaced, all end together."""

import os
import re
import signal
import subprocess
import sys
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx2
import pytest

from tests.cache.redis_server import RedisServer
from tests.raceday import archive, race_day
from tests.served.processes import COMMAND, children, is_running, serving
from tests.waiting import LIMIT_S, wait_until

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="signals and /proc of Linux")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return archive(tmp_path_factory.mktemp("archive"), *race_day())


def workers(pid):
    """The server processes among the children of *pid*, in the order of their start."""
    return sorted(child for child in children(pid) if b"spawn_main" in command_of(child))


def command_of(pid):
    """What *pid* runs; nothing when it has ended by now."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return b""


def asked_of(client):
    """Ask over a new connection, and return which process answered and from where."""
    answer = httpx2.get(client.base_url.join("/api/v1/data/RACE"), params={"from_time": "20261101"}, timeout=LIMIT_S)
    prefix = re.match(r"[0-9a-f]+", answer.headers["x-request-id"])[0]
    return prefix, answer.headers["cache-status"]


def all_keep_it(client, count):
    """Ask until *count* processes have answered from memory; return them."""
    keepers = set()

    def is_kept():
        process, status = asked_of(client)
        keepers.update([process] if "; hit" in status else [])
        return len(keepers) == count

    wait_until(is_kept)
    return keepers


def test_all_serve_and_a_purge_asked_of_one_reaches_the_others(folder):
    with serving(f"archive:{folder}", "--workers", "3", "--sessions", "1", "--no-prefetch") as (_, client):
        keepers = all_keep_it(client, 3)
        client.delete("/api/v1/cache", params={"dataspec": "RACE"})
        emptied = set()

        def is_purged():
            process, status = asked_of(client)
            emptied.update([process] if "fwd=miss" in status else [])
            return emptied == keepers

        wait_until(is_purged)


def test_a_purge_that_does_not_reach_redis_keeps_the_others_from_what_lies_there(folder):
    options = ("--workers", "2", "--sessions", "1", "--no-prefetch", "--redis")
    with (
        RedisServer() as redis,
        serving(f"archive:{folder}", *options, redis.url) as (_, client),
        both(client.base_url) as (one, other),
    ):
        wait_until(lambda: is_listening(one) and is_listening(other))
        ask(one)
        wait_until(lambda: any(":RACE:20261101" in name for name in redis.names()))
        ask(other)
        redis.freeze()
        ask(one, from_time="20261102")  # finds out that Redis does not answer
        assert one.delete("/api/v1/cache", params={"dataspec": "RACE"}).json()["is_owed"]
        wait_until(lambda: 'jvgate_cache_bytes{tier="l1"} 0.0' in other.get("/metrics").text)
        redis.thaw()
        assert "fwd=miss" in ask(other).headers["cache-status"]


@contextmanager
def both(url):
    """Yield clients whose connections are kept by different processes."""
    clients = {}
    with ExitStack() as end:
        while len(clients) < 2:
            client = end.enter_context(httpx2.Client(base_url=url, timeout=LIMIT_S))
            clients[ask(client, from_time="20261103").headers["x-request-id"].partition("-")[0]] = client
        yield clients.values()


def ask(client, *, from_time="20261101"):
    return client.get("/api/v1/data/RACE", params={"from_time": from_time, "limit": 1})


def is_listening(client):
    return client.get("/readyz").json()["redis"]["is_listening"]


def test_a_lost_process_is_replaced_and_all_end_with_the_server(folder):
    with serving(f"archive:{folder}", "--workers", "2", "--sessions", "1") as (server, client):
        all_keep_it(client, 2)
        first, second = workers(server.pid)
        os.kill(first, signal.SIGKILL)
        wait_until(lambda: len(workers(server.pid)) == 2 and first not in workers(server.pid))
        all_keep_it(client, 2)
        ours = workers(server.pid)
        server.send_signal(signal.SIGTERM)
        assert server.wait(LIMIT_S) == 0
        assert second in ours
        assert not any(map(is_running, ours))


def test_all_end_when_who_started_them_is_killed(folder):
    with serving(f"archive:{folder}", "--workers", "2", "--sessions", "1") as (server, client):
        all_keep_it(client, 2)
        ours = workers(server.pid)
        server.kill()
        wait_until(lambda: not any(map(is_running, ours)))


def test_jvlink_takes_one_process_alone():
    command = [COMMAND, "serve", "--port", "0", "--source", "jvlink:", "--workers", "2"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT_S, check=False)
    assert (done.returncode, "JVGATE_WORKERS" in done.stderr) == (2, True)
