"""Servers in processes of their own: started on a free port, asked until they answer, ended."""

from __future__ import annotations

import http.client
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.weekend import SOURCE_DATE

__all__ = ["Reply", "Server", "app", "free_port", "jvgate", "running"]

HOST = "127.0.0.1"
START_LIMIT_S = 30.0
END_LIMIT_S = 15.0
POLL_S = 0.002
ROOT = Path(__file__).parents[1]


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer.  headers: by lower-case name."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Server:
    """A running server.  first_answer_s: from the start of its process to the end of its first answer."""

    pid: int
    port: int
    first_answer_s: float

    def get(self, path: str, *, timeout_s: float = 30.0) -> Reply:
        """Return the answer to one request on a connection of its own.  Raises RuntimeError unless it is a 200."""
        reply = _get(self.port, path, timeout_s)
        if reply.status != 200:
            raise RuntimeError(f"{path} was answered {reply.status}: {reply.body[:200]!r}")
        return reply

    def resident_mb(self) -> float:
        """Return the memory that the process holds now (Linux), MB of a million bytes."""
        pages = int(Path(f"/proc/{self.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 1e6

    def cpu_s(self) -> float:
        """Return the processor time that the process has used so far (Linux)."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def jvgate(*, latency: str = "", source: str = "", settings: Sequence[str] = ()) -> list[str]:
    """Return the command of jvgate's own server, on the season unless told; the port is added by `running`."""
    command = shutil.which("jvgate", path=str(Path(sys.executable).parent))
    assert command is not None, "jvgate is not installed beside this Python"
    return [command, "serve", "--source", source or f"demo:?date={SOURCE_DATE}{latency}", *settings, "--port"]


def app(name: str, *arguments: str) -> list[str]:
    """Return the command of a reference server of `apps.py`."""
    return [sys.executable, "-m", "benchmarks.apps", name, *arguments]


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.create_server((HOST, 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


@contextmanager
def running(command: Sequence[str], *, first: str = "/healthz", core: int | None = None) -> Iterator[Server]:
    """Start *command* with a free port behind it, ask for *first* until it answers, end it afterwards.

    core: the processor it runs on, where that can be chosen.
    """
    port = free_port()
    with tempfile.TemporaryFile() as log:
        began = time.perf_counter()
        with _pinned(core):
            process = subprocess.Popen([*command, str(port)], cwd=ROOT, stdout=log, stderr=log)
        try:
            yield Server(process.pid, port, _wait(process, port, first) - began)
        except RuntimeError as exc:
            log.seek(0)
            raise RuntimeError(f"{exc}: {log.read().decode(errors='replace')[-2000:]}") from exc
        finally:
            _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(timeout=END_LIMIT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@contextmanager
def _pinned(core: int | None) -> Iterator[None]:
    """Let what is started inside run on *core* only."""
    if core is None or not hasattr(os, "sched_setaffinity"):
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def _wait(process: subprocess.Popen[bytes], port: int, first: str) -> float:
    """Return the moment of the first answer to *first*."""
    limit = time.perf_counter() + START_LIMIT_S
    while time.perf_counter() < limit and process.poll() is None:
        try:
            reply = _get(port, first, START_LIMIT_S)
        except OSError:
            time.sleep(POLL_S)
            continue
        if reply.status != 200:
            raise RuntimeError(f"{first} was answered {reply.status}")
        return time.perf_counter()
    raise RuntimeError(f"no answer to {first}; exit status {process.poll()}")


def _get(port: int, path: str, timeout_s: float) -> Reply:
    connection = http.client.HTTPConnection(HOST, port, timeout=timeout_s)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        return Reply(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read())
    finally:
        connection.close()
