"""Several server processes on one socket: all serve, purges reach all, the lost are replaced, all end together."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import httpx2
import pytest

from tests.raceday import archive, race_day
from tests.served.test_shutdown import COMMAND, LIMIT_S, is_running, serving, until

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="signals and /proc of Linux")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return archive(tmp_path_factory.mktemp("archive"), *race_day())


def children(pid):
    """The server processes among the children of *pid*."""
    found = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [child for child in map(int, found) if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes()]


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

    until(is_kept, "every process keeps it")
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

        until(is_purged, "every process reads anew")


def test_a_lost_process_is_replaced_and_all_end_with_the_server(folder):
    with serving(f"archive:{folder}", "--workers", "2", "--sessions", "1") as (server, client):
        all_keep_it(client, 2)
        first, second = children(server.pid)
        os.kill(first, signal.SIGKILL)
        until(lambda: len(children(server.pid)) == 2 and first not in children(server.pid), "another one is there")
        all_keep_it(client, 2)
        ours = children(server.pid)
        server.send_signal(signal.SIGTERM)
        assert server.wait(LIMIT_S) == 0
        assert second in ours
        assert not any(map(is_running, ours))


def test_all_end_when_who_started_them_is_killed(folder):
    with serving(f"archive:{folder}", "--workers", "2", "--sessions", "1") as (server, client):
        all_keep_it(client, 2)
        ours = children(server.pid)
        server.kill()
        until(lambda: not any(map(is_running, ours)), "the processes end")


def test_jvlink_takes_one_process_alone():
    command = [COMMAND, "serve", "--port", "0", "--source", "jvlink:", "--workers", "2"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT_S, check=False)
    assert (done.returncode, "JVGATE_WORKERS" in done.stderr) == (2, True)
