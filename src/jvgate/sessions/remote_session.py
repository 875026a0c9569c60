"""A session at the other end of a channel: a worker process on its pipes, or whatever else speaks `jvlink/wire.py`."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from base64 import b64decode
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, replace
from typing import Any, NamedTuple, Protocol

import structlog

from jvgate.errors import WorkerFailed, WorkerLost
from jvgate.jvlink.request import Progress, Request, Sink, Summary
from jvgate.jvlink.wire import Channel, Frame, Kind, error_of
from jvgate.listeners import Listener, Listeners
from jvgate.sessions.holders import Activity, Cancelled
from jvgate.sessions.idle_listener import IdleListener

if sys.platform == "linux":
    import fcntl

__all__ = ["Lifeline", "RemoteWorker", "SessionEvent", "spawn", "start_process"]

_END_S = 1.0
_PIPE_BYTES = 1 << 20
_BUFFER_BYTES = 1 << 16

log: structlog.stdlib.BoundLogger = structlog.get_logger("jvgate.sessions")


class Lifeline(Protocol):
    """What keeps the other end of a channel alive."""

    def sever(self) -> None:
        """Cut it at once; whoever waits on the channel is told.  From any thread."""

    def is_alive(self) -> bool:
        """Whether it still holds."""

    def settle(self) -> None:
        """Let it end, wait for that a little, and end it otherwise; whoever waits on the channel is told."""


class SessionEvent(NamedTuple):
    """An event of JV-Link, as the session heard it: `JVEvtPay` and the others, and its parameter."""

    name: str
    parameter: str


class RemoteWorker:
    """A session at the other end of *channel*; what it says while it has no job is heard at once.

    what: how errors call it.  on_event: told of JV-Link's events, on the thread that receives.
    """

    def __init__(
        self,
        channel: Channel,
        lifeline: Lifeline,
        *,
        what: str,
        on_event: Sequence[Listener[SessionEvent]] = (),
    ) -> None:
        self.facts: Mapping[str, Any] = {}
        now = time.monotonic()
        self.activity = Activity("start", now, now)
        self._channel = channel
        self._lifeline = lifeline
        self._what = what
        self._events = Listeners[SessionEvent]("an event of JV-Link", *on_event)
        self._idle = IdleListener(channel, self._is_unasked, self._end_idle)
        self._job = 0
        self._cancelled: Cancelled | None = None
        self._lock = threading.Lock()
        self._noting = threading.Lock()  # a dialog may come while a job begins
        self._cpu = (now, 0.0)

    def open(self) -> None:
        """Wait for READY."""
        try:
            frame = self._next(0)
        except WorkerLost as exc:
            raise WorkerFailed(f"{self._what} ended before it was ready ({exc.why})") from exc
        if frame.kind is Kind.ERROR:
            raise error_of(frame.fields())
        if frame.kind is not Kind.READY:
            raise WorkerFailed(f"{self._what} answered {frame.kind.name} instead of READY")
        self.facts = frame.fields()
        self._note("idle")
        self._idle.resume()

    def read(self, request: Request, sink: Sink, cancelled: Cancelled) -> Summary:
        """Ask for the read and hand on what comes."""
        fields = asdict(request) | {"unwanted": sorted(request.unwanted), "have": sorted(request.have)}
        job = self._begin(Kind.READ, fields, cancelled)
        given_bytes = given_records = 0
        try:
            while True:
                frame = self._next(job)
                if frame.kind is Kind.RECORDS:
                    given_bytes, given_records = given_bytes + len(frame.payload), given_records + frame.count
                    self._note("JVGets")
                    sink.records(frame.payload, frame.count)
                elif frame.kind is Kind.FILE:
                    self._note("JVGets")
                    sink.begin(*_only(frame.fields(), ("name", "provided")).values())
                elif frame.kind is Kind.PROGRESS:
                    sink.progress(Progress(**_only(frame.fields(), Progress.__slots__)))
                elif frame.kind is Kind.END:
                    return _whole(frame, given_bytes, given_records)
                else:
                    self._fail(frame)
        finally:
            self._finish()

    def call(self, errand: str, *arguments: str) -> dict[str, Any]:
        """Send the errand and wait for its result."""
        job = self._begin(Kind.CALL, {"errand": errand, "arguments": arguments}, None)
        try:
            frame = self._next(job)
            if frame.kind is not Kind.RESULT:
                self._fail(frame)
            return _result(frame.fields())
        finally:
            self._finish()

    def nudge(self) -> None:
        """Pass on that the running read is cancelled."""
        with self._lock, suppress(WorkerLost):  # it is gone: the read ends anyway
            if self._cancelled is not None and self._cancelled():
                self._channel.send(Kind.CANCEL, self._job)

    def kill(self) -> None:
        """Cut the lifeline."""
        self._lifeline.sever()

    def is_alive(self) -> bool:
        """Whether the lifeline holds."""
        return self._lifeline.is_alive()

    def close(self) -> None:
        """Tell the other end to end, and wait for that a little."""
        with suppress(WorkerLost):
            self._channel.send(Kind.QUIT)
        if self._idle.is_receiving:  # a file that another thread reads from cannot be closed before its end
            self._lifeline.settle()
            self._idle.join(_END_S)
            self._channel.close()
        else:
            self._channel.close()
            self._lifeline.settle()

    def _begin(self, kind: Kind, fields: dict[str, Any], cancelled: Cancelled | None) -> int:
        with self._lock:
            self._job += 1
            self._cancelled = cancelled
            self._channel.send(kind, self._job, fields)
        self._note("start")
        self.nudge()  # it may have been cancelled before there was anything to cancel
        return self._job

    def _finish(self) -> None:
        with self._lock:
            self._cancelled = None
        self._note("idle")
        self._idle.resume()

    def _next(self, job: int) -> Frame:
        """Return the next frame of *job*; what belongs to no job is dealt with here.  Raises WorkerLost."""
        while True:
            frame = self._idle.take_over() if self._idle.is_receiving else self._channel.receive()
            if frame is None:
                raise WorkerLost(f"{self._what} ended")
            if self._is_unasked(frame):
                continue
            if frame.job == job or (frame.kind is Kind.ERROR and frame.job == 0):
                return frame
            raise WorkerLost(f"{self._what} sent {frame.kind.name} of job {frame.job} during job {job}")

    def _is_unasked(self, frame: Frame) -> bool:
        """Deal with *frame* if it belongs to no job; whether it does.  Raises WorkerLost."""
        if frame.kind is Kind.HEARTBEAT:
            self._hear(frame.fields())
        elif frame.kind is Kind.DIALOG:
            self._see_dialog(frame.fields())
        elif frame.kind is Kind.EVENT:
            self._events.tell(SessionEvent(*_only(frame.fields(), ("event", "parameter")).values()))
        else:
            return False
        return True

    def _end_idle(self) -> None:
        """See to it that a session that ended, or broke the protocol, while it had no job is no longer alive."""
        self._lifeline.sever()

    def _fail(self, frame: Frame) -> None:
        if frame.kind is Kind.ERROR:
            raise error_of(frame.fields())
        raise WorkerLost(f"{self._what} sent {frame.kind.name}, which is no answer")

    def _hear(self, fields: Mapping[str, Any]) -> None:
        """Take a heartbeat: what it is at, for how long, and how hard its process has worked since the last one."""
        try:
            doing, for_s, cpu_s = str(fields["doing"]), float(fields["for_s"]), float(fields["cpu_s"])
        except (KeyError, TypeError, ValueError) as exc:
            raise WorkerLost(f"{self._what} sent a heartbeat that makes no sense") from exc
        now = time.monotonic()
        (then, cpu_before_s), self._cpu = self._cpu, (now, cpu_s)
        busy = (cpu_s - cpu_before_s) / max(now - then, 1e-3)
        with self._noting:
            self.activity = Activity(doing, now - for_s, now, busy, self.activity.dialog)

    def _see_dialog(self, fields: Mapping[str, Any]) -> None:
        """Keep what the dialog that blocks the session says, and log it; nothing: it is gone."""
        title, text, buttons = (fields.get(name) for name in ("title", "text", "buttons"))
        captions = [str(caption) for caption in buttons] if isinstance(buttons, list) else []
        words = ": ".join(str(part) for part in (title, text) if part)
        shown = " ".join([words, *(f"[{caption}]" for caption in captions)]).strip()
        if fields:
            shown = shown or "(without words)"
            pid = self.facts.get("pid")
            log.warning("a dialog is open", of=self._what, pid=pid, title=title, text=text, buttons=captions)
        with self._noting:
            self.activity = replace(self.activity, dialog=shown, heard_at=time.monotonic())

    def _note(self, doing: str) -> None:
        """Take note of what it is at now; a dialog stays until it is told to be gone, whatever was heard since."""
        now = time.monotonic()
        with self._noting:
            self.activity = Activity(doing, now, now, dialog=self.activity.dialog)


class _Process:
    """The lifeline of a worker that is a child of this process."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process

    def sever(self) -> None:
        self._process.kill()

    def is_alive(self) -> bool:
        return self._process.poll() is None

    def settle(self) -> None:
        try:
            self._process.wait(_END_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def start_process(command: Sequence[str], *, on_event: Sequence[Listener[SessionEvent]] = ()) -> RemoteWorker:
    """Start a worker process; it lives on the pipes.  Raises WorkerFailed when there is nothing to run."""
    process = spawn(command)
    assert process.stdin is not None
    assert process.stdout is not None
    channel = Channel(process.stdout, process.stdin)
    return RemoteWorker(channel, _Process(process), what="the worker process", on_event=on_event)


def spawn(command: Sequence[str]) -> subprocess.Popen[bytes]:
    """Start *command* with pipes for its standard input and output.  Raises WorkerFailed."""
    try:
        process = subprocess.Popen(  # noqa: S603  (the command is ours or the settings')
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=_BUFFER_BYTES
        )
    except OSError as exc:
        raise WorkerFailed(f"{command[0]} cannot be run: {exc.strerror}") from exc
    _widen(process)
    return process


def _widen(process: subprocess.Popen[bytes]) -> None:
    """Give the pipe that records come through more room, where that may be had.

    Linux lets a user have so much in the pipes of all processes (64 MiB by default); beyond that the usual size does.
    """
    if sys.platform == "linux" and process.stdout is not None:
        with suppress(OSError):
            fcntl.fcntl(process.stdout, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)


def _whole(frame: Frame, given_bytes: int, given_records: int) -> Summary:
    """Return what END tells, once everything that was sent has come."""
    summary = Summary(**_only(frame.fields(), Summary.__slots__))
    if (summary.bytes, summary.records) != (given_bytes, given_records):
        raise WorkerLost(f"{summary.records} records were sent and {given_records} came")
    return summary


def _only(fields: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    """Return the fields of these names.  Raises WorkerLost when one is missing."""
    try:
        return {name: fields[name] for name in names}
    except KeyError as exc:
        raise WorkerLost(f"a message without {exc}") from exc


def _result(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return what an errand gave.  Raises WorkerLost for what is no result."""
    try:
        return {name: _unpacked(item) for name, item in fields["value"].items()}
    except (KeyError, TypeError, ValueError, AttributeError) as exc:
        raise WorkerLost("a result that makes no sense") from exc


def _unpacked(item: Any) -> Any:
    return b64decode(item["base64"]) if isinstance(item, dict) and "base64" in item else item
