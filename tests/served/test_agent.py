"""The real agent and the real server: one request through both, whatever happens to the agent."""

import os
import re
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

import httpx2
import pytest

from tests.raceday import archive, race_day

COMMAND = Path(sys.executable).with_name("jvgate")
LIMIT_S = 60


@contextmanager
def running(*arguments, told, **environment):
    """Run a jvgate command until the block ends; yield the process and what its log tells by the pattern *told*."""
    with subprocess.Popen(
        [COMMAND, *map(str, arguments)], stderr=subprocess.PIPE, text=True, env={**os.environ, **environment}
    ) as process:
        try:
            found = next(found[1] for line in process.stderr if (found := re.search(told, line)))
            Thread(target=process.stderr.read, daemon=True).start()  # a full pipe would hold it up
            yield process, found
        finally:
            process.kill()


def agent(source, address="127.0.0.1:0", **environment):
    return running("agent", "--source", source, "--listen", address, told=r"address=(\S+)", **environment)


@contextmanager
def server(address, **environment):
    with (
        running("serve", "--port", "0", "--source", f"agent://{address}", told=r"url=(\S+)", **environment) as (_, url),
        httpx2.Client(base_url=url, timeout=LIMIT_S) as client,
    ):
        yield client


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return archive(tmp_path_factory.mktemp("archive"), *race_day())


def ask(client, number):
    return client.get("/api/v1/data/RACE", params={"from_time": f"20261101{number:06}"})


@pytest.mark.skipif(sys.platform != "linux", reason="signals")
def test_a_request_goes_through_both_and_survives_a_new_agent(folder):
    source = f"archive:{folder}"
    with (
        agent(source, JVGATE_AGENT_TOKEN="hush") as (first, address),
        server(address, JVGATE_AGENT_TOKEN="hush") as client,
    ):
        assert ask(client, 0).json()["meta"]["returned"] == 6
        first.send_signal(signal.SIGTERM)
        assert first.wait(LIMIT_S) == 0
        gone = ask(client, 1)
        assert (gone.status_code, gone.json()["type"]) == (503, "/problems/session-failed")
        assert "jvgate agent" in gone.json()["detail"]
        with agent(source, address, JVGATE_AGENT_TOKEN="hush"):
            answers = (ask(client, number) for number in range(2, 10_000))
            again = next(answer for answer in answers if answer.status_code == 200)
            assert again.json()["meta"]["returned"] == 6


@pytest.mark.skipif(sys.platform != "linux", reason="signals")
def test_a_worker_killed_behind_the_agent_costs_a_request_nothing_but_time(folder):
    with agent(f"archive:{folder}?read_us=20000") as (_, address), server(address) as client:
        assert ask(client, 0).status_code == 200
        os.kill(client.get("/api/v1/sessions").json()["sessions"][0]["facts"]["pid"], signal.SIGKILL)
        assert ask(client, 1).json()["meta"]["returned"] == 6


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--listen", "0.0.0.0:0"), "nothing protects the agent"),
        (("--listen", "here:there"), "HOST:PORT"),
        (("--listen", "127.0.0.1:99999"), "HOST:PORT"),
        (("--tls-key", "x.pem"), "--tls-cert"),
        (("--tls-cert", "/nowhere.pem"), "cannot be used"),
        (("--source", "agent://other:1"), "no other agent"),
        (("--source", "jvlink:", "--sessions", "3"), "1 to 2"),
    ],
)
def test_what_should_not_be_is_refused_in_clear_words(arguments, words):
    done = subprocess.run([COMMAND, "agent", *arguments], capture_output=True, text=True, timeout=LIMIT_S, check=False)
    assert (done.returncode, words in done.stderr, "Traceback" in done.stderr) == (2, True, False), done.stderr
