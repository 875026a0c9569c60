"""A session in a real process: killed, frozen, cancelled, or no worker at all; nothing of it is left behind."""

import errno
import os
import signal
import sys
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from jvgate.errors import ReadCancelled, WorkerFailed, WorkerLost
from jvgate.jvlink.request import Request
from jvgate.sessions.remote_session import start_process
from jvgate.sessions.sources.registry import parse_source
from jvgate.sessions.watchdog import CallLimits, verdict
from tests.jvlink.sinks import Kept
from tests.served.processes import children

pytestmark = pytest.mark.process

DEMO = "demo:?date=2026-11-18"
WEEK = Request("RACE", "20261111000000", 1)


def never():
    return False


def open_files():
    """What every open file of this process is."""
    found = {}
    for path in Path("/proc/self/fd").iterdir():
        with suppress(OSError):  # the folder's own
            found[path.name] = path.readlink()
    return found


@pytest.fixture
def leaves_nothing():
    """No file stays open and no process is left, not even a dead one."""
    if sys.platform != "linux":
        yield
        return
    before_children, before_files = children(), open_files()
    yield
    assert children() <= before_children
    assert open_files().items() <= before_files.items()


@pytest.fixture
def started(leaves_nothing):
    """Start a process, and close it at the end."""
    with ExitStack() as stack:

        def start(command):
            worker = start_process(command)
            stack.callback(worker.close)
            return worker

        yield start


@pytest.fixture
def demo(started):
    """A ready session of the demo, slow enough that no read ends by itself."""
    worker = started(parse_source(f"{DEMO}&read_us=20000").command)
    worker.open()
    return worker


def test_a_process_reads_the_demo(started):
    worker = started(parse_source(DEMO).command)
    worker.open()
    kept = Kept()
    summary = worker.read(Request("0B12", key="20261115"), kept, never)
    assert (summary.bytes, summary.records) == (len(kept.body), kept.body.count(b"\r\n"))
    assert summary.records > 0
    assert worker.facts["pid"] != os.getpid()


@pytest.mark.skipif(sys.platform != "linux", reason="limits of Linux")
def test_a_process_starts_where_its_user_may_have_no_larger_pipes(started, monkeypatch):
    def refuse(*request):
        refused.append(request)
        raise PermissionError(errno.EPERM, "Operation not permitted")

    refused = []
    monkeypatch.setattr("fcntl.fcntl", refuse)
    worker = started(parse_source(DEMO).command)
    worker.open()
    assert len(refused) == 1


class Doing(Kept):
    """A sink that does something when the first records come."""

    def __init__(self, do):
        super().__init__()
        self.do = do

    def records(self, batch, count):
        super().records(batch, count)
        if len(self.batches) == 1:
            self.do()


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_a_process_killed_in_mid_read_is_lost(demo):
    with pytest.raises(WorkerLost):
        demo.read(WEEK, Doing(lambda: os.kill(demo.facts["pid"], signal.SIGKILL)), never)
    with pytest.raises(WorkerLost):
        demo.read(WEEK, Kept(), never)
    demo.close()
    assert not demo.is_alive()


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_a_frozen_process_shows_no_sign_of_life_and_can_be_ended(demo):
    def freeze():
        os.kill(demo.facts["pid"], signal.SIGSTOP)
        limits = CallLimits()
        later = demo.activity.heard_at + limits.silent_s
        seen.append((demo.is_alive(), verdict(demo.activity, limits, now=later + 1)))
        demo.kill()

    seen = []
    with pytest.raises(WorkerLost):
        demo.read(WEEK, Doing(freeze), never)
    assert seen == [(True, ("JVGets (not a sign of life)", 10.0))]


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_closing_does_not_wait_for_ever_for_a_frozen_process(demo, monkeypatch):
    monkeypatch.setattr("jvgate.sessions.remote_session._END_S", 0.01)
    os.kill(demo.facts["pid"], signal.SIGSTOP)
    demo.close()
    assert not demo.is_alive()


def test_a_process_goes_on_after_a_cancelled_read(demo):
    stopped = []

    def stop():
        stopped.append(True)
        demo.nudge()

    with pytest.raises(ReadCancelled):
        demo.read(WEEK, Doing(stop), lambda: bool(stopped))
    assert demo.call("setup")["version"] == "0490"


def test_a_command_that_does_not_exist_is_told(leaves_nothing, tmp_path):
    with pytest.raises(WorkerFailed, match=r"python9 cannot be run: No such file"):
        start_process([str(tmp_path / "python9"), "-m", "jvgate"])


@pytest.mark.skipif(sys.platform == "win32", reason="there, such a file is something else")
def test_a_file_that_is_no_program_is_told(leaves_nothing, tmp_path):
    (tmp_path / "python").write_text("")
    with pytest.raises(WorkerFailed, match="cannot be run: Permission denied"):
        start_process([str(tmp_path / "python")])


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("", "ended before it was ready"),
        ("raise SystemExit(3)", "ended before it was ready"),
        ("print('Welcome to this wonderful library!')", "no message: b'Welcome to this wo"),
        ("print('hi')", "no message: b'hi"),
    ],
)
def test_a_process_that_is_no_worker_is_told(started, code, words):
    worker = started([sys.executable, "-S", "-c", code])
    with pytest.raises(WorkerFailed) as error:
        worker.open()
    assert words in error.value.why
