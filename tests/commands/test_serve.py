"""What `jvgate serve` does before it serves."""

from dataclasses import replace

import pytest

from jvgate.commands import serve
from jvgate.errors import SessionHung, WorkerFailed, WorkerLost
from jvgate.sessions.sources.source import Source
from jvgate.sessions.watchdog import CallLimits
from jvgate.settings import Settings
from jvgate.values import SourceClock
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
