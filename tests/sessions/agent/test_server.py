"""The agent and its servers: who may come in, what is told to those who may not, and what survives."""

import os
import signal
import socket
import ssl
import subprocess
from contextlib import contextmanager
from datetime import timedelta

import pytest

from jvgate.errors import SourceBusy, WorkerFailed, WorkerLost
from jvgate.jvlink.request import Request
from jvgate.jvlink.wire import HEAD, MAGIC, SUM, VERSION, Channel, Kind
from jvgate.sessions.sources.registry import parse_source
from jvgate.sessions.sources.source import Means
from tests.jvlink.sinks import Kept
from tests.raceday import archive, race_day
from tests.sessions.agents import running_agent

pytestmark = pytest.mark.process

LIMIT_S = 30
RACE = Request("RACE", "20261101000000", 1)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return archive(tmp_path_factory.mktemp("archive"), *race_day())


def read(url, **means):
    """Read the race through one session of the agent at *url*."""
    worker = parse_source(url, Means(**means)).start()
    try:
        worker.open()
        kept = Kept()
        worker.read(RACE, kept, lambda: False)
        return kept.body
    finally:
        worker.close()


def whole(folder):
    return b"".join(race_day())


def test_a_session_comes_over_tcp(folder):
    with running_agent(f"archive:{folder}") as url:
        assert read(url) == whole(folder)


def test_who_knows_the_token_comes_in_and_nobody_else(folder):
    with running_agent(f"archive:{folder}", token="open sesame") as url:
        assert read(url, agent_token="open sesame") == whole(folder)
        for wrong in ("", "open barley"):
            with pytest.raises(WorkerFailed, match="does not accept the token") as error:
                read(url, agent_token=wrong)
            assert "sesame" not in str(error.value)
        assert read(url, agent_token="open sesame") == whole(folder)


@pytest.mark.parametrize("query", ["date=2026-11-18&speed=60", "date=2026-11-18", "speed=2"])
def test_a_server_has_the_clock_of_the_source_behind_the_agent(query):
    own = parse_source(f"demo:?{query}").clock
    with running_agent(f"demo:?{query}") as url:
        source = parse_source(url)
        assert source.clock.is_real
        source.start().close()
        assert source.clock.speed == own.speed
        assert abs(source.clock.now() - own.now()) < timedelta(seconds=LIMIT_S * max(1.0, own.speed))


def test_an_agent_that_does_not_know_the_token_is_not_trusted(folder):
    with running_agent(f"archive:{folder}") as url, pytest.raises(WorkerFailed, match="may not be ours"):
        read(url, agent_token="mine")


def test_an_agent_with_data_of_another_provider_says_what_to_write(folder):
    with running_agent(f"archive:{folder}?provider=nv") as url:
        with pytest.raises(WorkerFailed, match="add provider=nv to its URL"):
            read(url)
        assert read(f"{url}?provider=nv") == whole(folder)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A certificate for 127.0.0.1, which signs itself: (certificate, key)."""
    folder = tmp_path_factory.mktemp("tls")
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=agent",
               "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", folder / "key.pem", "-out",
               folder / "cert.pem"]  # fmt: skip
    subprocess.run(command, check=True, capture_output=True)
    return folder / "cert.pem", folder / "key.pem"


def test_tls_hides_everything_and_proves_who_the_agent_is(folder, certificate):
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*certificate)
    with running_agent(f"archive:{folder}", tls=context, token="t") as url:
        assert read(f"{url}?tls=1&ca={certificate[0]}", agent_token="t") == whole(folder)
        with pytest.raises(WorkerFailed, match="no TLS"):
            read(f"{url}?tls=1", agent_token="t")  # nobody vouches for it
        with pytest.raises(WorkerFailed):
            read(url, agent_token="t")
        assert read(f"{url}?tls=1&ca={certificate[0]}", agent_token="t") == whole(folder)


def test_one_session_too_many_is_told(folder):
    with running_agent(f"archive:{folder}", sessions=1) as url:
        first = parse_source(url).start()
        first.open()
        with pytest.raises(SourceBusy) as error:
            read(url)
        assert (error.value.place, "sessions of the agent" in str(error.value)) == (2, True)
        first.close()


def address(url):
    host, _, port = url.removeprefix("agent://").rpartition(":")
    return host, int(port)


@contextmanager
def connected(url):
    with (
        socket.create_connection(address(url), LIMIT_S) as connection,
        connection.makefile("rb") as reader,
        connection.makefile("wb") as writer,
    ):
        yield connection, Channel(reader, writer)


def frame(kind=Kind.HELLO, *, version=VERSION, length=2):
    head = HEAD.pack(MAGIC, version, kind.value, 0, 0, length)
    return head + SUM.pack(0) + b"{}"


@pytest.mark.parametrize(
    ("sent", "told"),
    [
        (b"GET / HTTP/1.1\r\n\r\n and some more", "no message"),
        (frame(version=9), "version 9"),
        (frame(length=1 << 30), "1073741824 bytes"),
        (frame(length=5000), "4096 are allowed"),
        (frame(), "damaged"),
    ],
    ids=["garbage", "another version", "oversized", "too long for a greeting", "a wrong checksum"],
)
def test_nonsense_is_answered_in_words_and_the_agent_lives_on(folder, sent, told):
    with running_agent(f"archive:{folder}") as url:
        with connected(url) as (connection, channel):
            assert channel.receive().kind is Kind.HELLO
            connection.sendall(sent)
            answer = channel.receive()
            assert answer.kind is Kind.ERROR
            assert told in answer.fields()["why"]
            assert channel.receive() is None
        assert read(url) == whole(folder)


def test_who_says_nothing_is_not_waited_for_for_ever(folder, monkeypatch):
    monkeypatch.setattr("jvgate.sessions.agent.server.HELLO_LIMIT_S", 0.1)
    with running_agent(f"archive:{folder}", sessions=1) as url:
        with connected(url) as (_, channel):
            assert channel.receive().kind is Kind.HELLO
            assert channel.receive().kind is Kind.ERROR
        assert read(url) == whole(folder)


def test_a_worker_that_dies_behind_the_agent_is_lost_like_ones_own(folder):
    with running_agent(f"archive:{folder}?read_us=100000") as url:
        worker = parse_source(url).start()
        worker.open()

        class Deadly(Kept):
            def begin(self, name, provided):
                super().begin(name, provided)
                os.kill(worker.facts["pid"], signal.SIGKILL)

        with pytest.raises(WorkerLost):
            worker.read(RACE, Deadly(), lambda: False)
        worker.close()


def test_a_worker_ends_when_its_server_hangs_up(folder):
    with running_agent(f"archive:{folder}") as url:
        worker = parse_source(url).start()
        worker.open()
        pid = worker.facts["pid"]
        worker.kill()
        worker.close()
    with pytest.raises(ProcessLookupError):  # the agent has waited for it
        os.kill(pid, 0)
