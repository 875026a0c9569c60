"""What `jvgate serve` does before it serves."""

import socket
from dataclasses import replace

import pytest

from jvgate.commands import serve
from jvgate.errors import SessionHung, WorkerFailed, WorkerLost
from jvgate.sessions.sources.source import Source
from jvgate.sessions.watchdog import CallLimits
from jvgate.settings import Settings
from jvgate.values import SourceClock
from tests.commands.command import USAGE, fails
from tests.sessions.scripted import LIMIT_S, Workers


class Listens(Exception):
    """It came as far as that."""


def _listen(host, port):
    raise Listens


def start(monkeypatch, workers):
    """Begin to serve a source that takes one server, up to the moment in which it would listen."""
    source = Source(
        "test:", start=workers, check=lambda spec: None, clock=SourceClock(), is_single=True,
        limits=CallLimits(start_s=0.01)
    )  # fmt: skip
    monkeypatch.setattr(serve, "source_of", lambda settings: source)
    monkeypatch.setattr(serve, "set_up_log", lambda log_format: None)
    monkeypatch.setattr(serve, "listen", _listen)
    serve.run(Settings(source="demo:"))


def test_a_jvlink_that_hangs_at_the_start_ends_it_and_names_the_dialog(monkeypatch):
    def blocked(worker):
        worker.activity = replace(worker.activity, dialog="JV-Link: 利用キーを入力してください [OK]")
        assert worker.killed.wait(LIMIT_S)
        raise WorkerLost("it was killed")

    workers = Workers(opens=(blocked,))
    with pytest.raises(SessionHung, match=r"first session does not start.*start.*dialog.*利用キーを入力してください"):
        start(monkeypatch, workers)
    assert workers.alive == [False]


def test_a_jvlink_that_is_not_there_ends_the_start(monkeypatch):
    with pytest.raises(WorkerFailed, match="no such Python"):
        start(monkeypatch, Workers(opens=(WorkerFailed("no such Python"),)))


def test_the_session_that_was_tried_is_ended_before_it_serves(monkeypatch):
    workers = Workers()
    with pytest.raises(Listens):
        start(monkeypatch, workers)
    assert workers.alive == [False]


@pytest.mark.process
def test_serve_names_a_port_that_is_taken(jvgate):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        fails(jvgate("serve", "--port", port), USAGE, str(port), "JVGATE_PORT", "0 for any free one")


@pytest.mark.process
@pytest.mark.parametrize(
    ("words", "environment", "said"),
    [
        (["--source", "tape:"], {}, ["JVGATE_SOURCE", "demo:", "archive:DIR"]),
        (["--source", "archive:"], {}, ["JVGATE_SOURCE", "archive:DIR"]),
        (["--source", "demo:?colour=red"], {}, ["colour", "seed, date"]),
        (["--port", "65536"], {}, ["JVGATE_PORT", "--port", "0 to 65535"]),
        (["--port", "http"], {}, ["--port", "integer"]),
        (["--log-format", "xml"], {}, ["JVGATE_LOG_FORMAT", "console or json"]),
        (["--host", "no.such.host.invalid"], {}, ["JVGATE_HOST", "127.0.0.1"]),
        ([], {"JVGATE_PORT": "http"}, ["JVGATE_PORT", "0 to 65535"]),
        ([], {"JVGATE_L1_BYTES": "1 GB"}, ["JVGATE_L1_BYTES", "integer"]),
        (["--prot", "8000"], {}, ["--prot"]),
    ],
)
def test_serve_names_a_wrong_setting_and_what_it_takes(jvgate, words, environment, said):
    fails(jvgate("serve", *words, **environment), USAGE, *said)


@pytest.mark.process
@pytest.mark.parametrize(
    ("toml", "said"), [("prot = 8000", ["jvgate.toml", "prot", "port"]), ("port = ", ["jvgate.toml"])]
)
def test_serve_names_what_is_wrong_in_the_file_of_settings(jvgate, tmp_path, toml, said):
    (tmp_path / "jvgate.toml").write_text(toml)
    fails(jvgate("serve"), USAGE, *said)


@pytest.mark.process
def test_a_setting_that_only_its_room_can_judge_ends_the_start_in_one_line_too(jvgate):
    done = jvgate("serve", "--port", "0", JVGATE_COMPRESSION_LEVELS='{"br": 99}')
    fails(done, USAGE, "JVGATE_COMPRESSION_LEVELS", "br has no level 99. Allowed: 0 to 11")
    assert len(done.stderr.splitlines()) == 1
