"""The worker: what holds one JV-Link session in a process of its own and serves it over a channel.

Theory of operation.  The main thread makes the JV-Link object, and it alone ever touches it: reads, calls, events.
One more thread listens, so that a cancel is heard in the midst of a read and the end of the server at any time; one
more tells twice a second what the session is at and since when, so that the server can tell a slow call from one that
hangs.  When the server goes away, the worker has a second to close its session, and then ends whatever it is at: a
call to JV-Link cannot be interrupted.  Runs in a bare Python: standard library only.
"""

from __future__ import annotations

import os
import platform
import signal
import sys
import time
from base64 import b64encode
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from queue import Empty, SimpleQueue
from threading import Event, Thread, Timer
from typing import Any

from jvgate.errors import JvgateError, SourceError, WorkerLost
from jvgate.jvlink.calls import ERRANDS
from jvgate.jvlink.holding import Holding
from jvgate.jvlink.interface import FullJVLink
from jvgate.jvlink.request import Progress, Request
from jvgate.jvlink.session import Session
from jvgate.jvlink.wire import Channel, Frame, Kind, error_fields

__all__ = ["EXIT_FAILED", "own_pipes", "serve"]

HEARTBEAT_S = 0.5
PROGRESS_S = 0.1
GRACE_S = 1.0
EXIT_FAILED = 3


def serve(holding: Holding, channel: Channel, *, abandon: Callable[[], None] = lambda: os._exit(0)) -> int:
    """Hold one session and do what comes over *channel* until it ends; return the exit status.

    abandon: ends the process while the main thread is stuck.
    """
    worker = _Worker(holding, channel, abandon)
    try:
        with holding.make(channel) as link:
            return worker.run(link)
    except WorkerLost:  # the server is gone: nobody to tell
        return 0
    except Exception as exc:  # noqa: BLE001  (the boundary of the process: told to the server, in words)
        with suppress(WorkerLost):
            channel.send(Kind.ERROR, 0, error_fields(exc))
        return EXIT_FAILED
    finally:
        worker.ended.set()


def own_pipes() -> Channel:
    """Take over standard input and output for the channel; what anybody prints goes to standard error.

    Signals that a terminal or a service manager sends to all processes are the server's to act on.
    """
    for name in ("SIGINT", "SIGTERM", "SIGBREAK"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    reader, writer = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    with open(os.devnull, "rb") as nothing:  # noqa: PTH123  (a device, not a path)
        os.dup2(nothing.fileno(), 0)
    sys.stdout = sys.stderr
    return Channel(reader, writer)


class _Worker:
    """The threads around one session.  ended: the session is over, or nobody waits for it."""

    def __init__(self, holding: Holding, channel: Channel, abandon: Callable[[], None]) -> None:
        self.ended = Event()
        self._holding = holding
        self._channel = channel
        self._abandon = abandon
        self._commands: SimpleQueue[Frame] = SimpleQueue()
        self._job = 0
        self._cancelled = 0
        self._doing = ("start", time.monotonic())
        Thread(target=self._listen, name="jvgate-listen", daemon=True).start()
        Thread(target=self._tell, name="jvgate-heartbeat", daemon=True).start()

    def run(self, link: FullJVLink) -> int:
        """Serve *link* on this thread until the channel ends."""
        holding = self._holding
        session = Session(
            link,
            sid=holding.sid,
            limits=holding.limits,
            one_type_per_file=holding.one_type_per_file,
            doing=self._note,
            sleep=lambda seconds: self._sleep(link, seconds),
        )
        session.initialise()
        holding.prepare(link)
        self._note("idle")  # heartbeats tell it, and the server hears those of its idle time with its first job
        link.on_event = lambda name, parameter: self._channel.send(
            Kind.EVENT, 0, {"event": name, "parameter": parameter}
        )
        self._channel.send(Kind.READY, 0, {**_about(link), **holding.facts})
        while (frame := self._next(link)).kind is not Kind.QUIT:
            self._do(frame, link, session)
        return 0

    def _do(self, frame: Frame, link: FullJVLink, session: Session) -> None:
        self._job = frame.job
        try:
            kind, payload = self._answer(frame, link, session)
        except WorkerLost:
            raise
        except JvgateError as exc:
            kind, payload = Kind.ERROR, error_fields(exc)
        except Exception as exc:  # noqa: BLE001  (JV-Link may raise anything: it belongs to whoever asked)
            kind, payload = Kind.ERROR, error_fields(exc)
        self._note("idle")
        self._channel.send(kind, frame.job, payload)

    def _answer(self, frame: Frame, link: FullJVLink, session: Session) -> tuple[Kind, dict[str, Any]]:
        fields = frame.fields()
        if frame.kind is Kind.READ:
            sink = _FrameSink(self._channel, frame.job)
            summary = session.read(_request(fields), sink, cancelled=self._is_cancelled)
            return Kind.END, asdict(summary)
        if frame.kind is Kind.CALL:
            errand = ERRANDS.get(str(fields.get("errand")))
            if errand is None:
                raise SourceError(f"there is no errand {fields.get('errand')!r}. Allowed: {', '.join(ERRANDS)}")
            self._note(str(fields["errand"]))
            return Kind.RESULT, {"value": _plain(errand(link, *map(str, fields.get("arguments", ()))))}
        if frame.kind is Kind.WATCH:
            code = link.JVWatchEvent() if fields.get("on") else link.JVWatchEventClose()
            return Kind.RESULT, {"value": {"code": code}}
        raise SourceError(f"a worker takes no {frame.kind.name}")

    def _is_cancelled(self) -> bool:
        return self._cancelled == self._job or self.ended.is_set()

    def _next(self, link: FullJVLink) -> Frame:
        """Wait for a command, and keep events and window messages moving meanwhile."""
        while True:
            try:
                return self._commands.get(timeout=self._holding.pump_s)
            except Empty:
                link.pump()

    def _sleep(self, link: FullJVLink, seconds: float) -> None:
        """Sleep in steps between which messages are pumped."""
        pump_s = self._holding.pump_s
        if pump_s is None:
            time.sleep(seconds)
            return
        until = time.monotonic() + seconds
        while (left_s := until - time.monotonic()) > 0:
            time.sleep(min(pump_s, left_s))
            link.pump()

    def _note(self, doing: str) -> None:
        self._doing = (doing, time.monotonic())

    def _listen(self) -> None:
        """Take commands until there is nobody to give any."""
        with suppress(WorkerLost):
            while (frame := self._channel.receive()) is not None and frame.kind is not Kind.QUIT:
                if frame.kind is Kind.CANCEL:
                    self._cancelled = frame.job
                else:
                    self._commands.put(frame)
        self.ended.set()
        self._commands.put(Frame(Kind.QUIT, 0, b"{}"))
        guard = Timer(GRACE_S, self._abandon)
        guard.daemon = True
        guard.start()

    def _tell(self) -> None:
        """Tell what the session is at, until it ends."""
        with suppress(WorkerLost):
            while not self.ended.wait(HEARTBEAT_S):
                doing, since = self._doing
                if doing == "idle":  # nobody listens to that
                    continue
                for_s, cpu_s = time.monotonic() - since, time.process_time()
                self._channel.send(Kind.HEARTBEAT, 0, {"doing": doing, "for_s": for_s, "cpu_s": cpu_s})


class _FrameSink:
    """Sends what a read gives over the channel; progress not more often than anybody could look at it."""

    def __init__(self, channel: Channel, job: int) -> None:
        self._channel = channel
        self._job = job
        self._told_at = 0.0
        self._told = Progress()

    def begin(self, name: str, provided: str) -> None:
        self._channel.send(Kind.FILE, self._job, {"name": name, "provided": provided})

    def records(self, batch: bytes | bytearray, count: int) -> None:
        self._channel.send(Kind.RECORDS, self._job, batch, count=count)

    def progress(self, progress: Progress) -> None:
        now = time.monotonic()
        if now - self._told_at >= PROGRESS_S or progress.files_read == progress.files:
            self._told_at = now
            self._channel.send(Kind.PROGRESS, self._job, asdict(progress))


def _request(fields: dict[str, Any]) -> Request:
    """Return the request of a READ.  Raises SourceError for one that cannot be understood."""
    try:
        sets = {name: frozenset(fields[name]) for name in ("unwanted", "have")}
        return Request(**{**fields, **sets})
    except (KeyError, TypeError) as exc:
        raise SourceError(f"a request that cannot be understood: {exc}") from exc


def _about(link: FullJVLink) -> dict[str, Any]:
    bits = 64 if sys.maxsize > 1 << 32 else 32
    return {"pid": os.getpid(), "python": platform.python_version(), "bits": bits, "version": link.m_JVLinkVersion}


def _plain(value: dict[str, Any]) -> dict[str, Any]:
    """Return *value* as JSON can hold it: bytes become {"base64": …}."""
    return {
        name: {"base64": b64encode(item).decode("ascii")} if isinstance(item, bytes) else item
        for name, item in value.items()
    }
