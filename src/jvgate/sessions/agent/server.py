"""The agent: offers this machine's sessions over TCP, one connection for each.

Theory of operation.  After the first words (`agent_hello.py`) a connection takes one of the places, a worker process is
started for it, and bytes are passed on both ways without a look at them: one thread for each direction, each ending the
other's wait when its own end has come.  So the server at the other end deals with a worker as if it were its own child:
when the worker dies, the connection ends; when the connection ends, the worker's standard input does, and it ends by
itself or is ended.  A server that cuts a session which hangs comes back at once, before the worker is gone: so whoever
has proven to be a server waits a little for a place.  Who has not proven it holds none, and has seconds to do so.
"""

from __future__ import annotations

import socket
import ssl
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from threading import Condition, Event, Thread, current_thread
from types import TracebackType
from typing import Self

import structlog

from jvgate import __version__
from jvgate.errors import JvgateError, SourceBusy, WorkerFailed
from jvgate.jvlink.wire import Channel
from jvgate.sessions.agent.hello import HELLO_LIMIT_BYTES, HELLO_LIMIT_S, greet_client, refuse
from jvgate.sessions.agent.link import keep_alive
from jvgate.sessions.agent.streams import Connection
from jvgate.sessions.remote_session import spawn

__all__ = ["Agent"]

DRAIN_S = 3.0
PLACE_S = 4.0  # longer than a worker takes to end
_END_S = 2.0
# A session that reads sends a heartbeat twice a second.
_QUIET_S = 1.2
# A server takes no records while a client of its stream takes none, which may be for a minute: `stream_stall_s`.
_UNTAKEN_S = 120
# Windows hears no Ctrl+C while it waits for a connection.
_STEP_S = 0.5
_BUFFER_BYTES = 1 << 18
_MAX_UNPROVEN = 32  # connections that have not said who they are

log: structlog.stdlib.BoundLogger = structlog.get_logger("jvgate.agent")


class Agent:
    """Offers sessions of the workers that *command* starts.  Used with `with`; `close` may come from any thread.

    sessions: connections served at once.  token: what a server must know, "" for none.
    tls: the certificate to show, None for no TLS.  about: tells a server of the source: its `identity`,
    `provider` and `clock`, in fields of the HELLO.
    counts: connections, sessions, refused, and faults (workers that ended badly), for reading only.
    """

    def __init__(
        self,
        command: Sequence[str],
        listener: socket.socket,
        *,
        about: Callable[[], Mapping[str, object]],
        sessions: int,
        token: str,
        tls: ssl.SSLContext | None,
    ) -> None:
        self.counts: Counter[str] = Counter()
        self._command = command
        self._listener = listener
        self._sessions = sessions
        self._token = token
        self._tls = tls
        self._about = about
        self._changed = Condition()
        self._greeting: dict[Connection, float] = {}
        self._relays: set[_Relay] = set()
        self._served = 0
        self._threads: set[Thread] = set()
        self._closing = Event()

    @property
    def served(self) -> int:
        """Connections that have a session now."""
        return self._served

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
        self._listener.close()
        until = time.monotonic() + 2 * _END_S
        for relay in list(self._relays):
            relay.connection.sever()
        for thread in list(self._threads):
            thread.join(max(0.0, until - time.monotonic()))
        for relay in list(self._relays):  # what did not end by itself
            relay.process.kill()

    def run(self) -> None:
        """Accept connections until `close`; then let reads come to their end, if that does not take long."""
        self._listener.settimeout(_STEP_S)
        try:
            while not self._closing.is_set():
                self._accept()
                self._end_overdue()
        finally:
            self._listener.close()
            self._drain()

    def close(self) -> None:
        """Accept no more, and let `run` end."""
        self._closing.set()
        with suppress(OSError):  # wakes up whoever accepts, but on Windows
            self._listener.shutdown(socket.SHUT_RDWR)
        with self._changed:
            for connection in self._greeting:
                connection.sever()
            self._changed.notify_all()

    def _accept(self) -> None:
        """Give the next connection a thread of its own."""
        try:
            accepted, address = self._listener.accept()
        except TimeoutError:
            return
        except OSError as exc:  # too many files are open, or it is gone again: not the end of the agent
            if not self._closing.is_set():
                log.error("a connection could not be accepted", why=exc.strerror or str(exc))
                self._closing.wait(_STEP_S)
            return
        self.counts["connections"] += 1
        thread = Thread(target=self._welcome, args=(accepted, f"{address[0]}:{address[1]}"), daemon=True)
        self._threads.add(thread)
        thread.start()

    def _end_overdue(self) -> None:
        """Cut those who say so little at a time that no single wait of theirs is too long."""
        with self._changed:
            for connection, until in self._greeting.items():
                if time.monotonic() > until:
                    connection.sever()

    def _drain(self) -> None:
        until = time.monotonic() + DRAIN_S
        with self._changed:
            while any(relay.is_moving() for relay in self._relays) and time.monotonic() < until:
                self._changed.wait(_STEP_S / 5)
            for relay in self._relays:
                relay.connection.sever()

    def _welcome(self, accepted: socket.socket, address: str) -> None:
        """Serve one connection to its end, on a thread of its own."""
        connection = None
        try:
            keep_alive(accepted, untaken_s=_UNTAKEN_S)
            connection = Connection(accepted)
            connection.limit(HELLO_LIMIT_S)
            channel = self._greet(connection, address)
            if channel is not None:
                self._serve(connection, channel, address)
        except OSError as exc:
            log.info("a connection was lost", client=address, why=str(exc))
        except Exception as exc:  # noqa: BLE001  (whatever one client brings about: the others go on)
            log.error("a connection failed", client=address, why=f"{type(exc).__name__}: {exc}")
        finally:
            if connection is not None:
                connection.settle()
            accepted.close()
            self._threads.discard(current_thread())

    def _greet(self, connection: Connection, address: str) -> Channel | None:
        """Find out whether it is a server that may come in; None when it may not."""
        with self._changed:
            is_crowd = len(self._greeting) >= _MAX_UNPROVEN
            if not is_crowd:
                self._greeting[connection] = time.monotonic() + 2 * HELLO_LIMIT_S
        if is_crowd:
            self._turn_away(connection, address)
            return None
        try:
            if self._tls is not None:
                connection.start_tls(self._tls, server_name=None)
            channel = connection.channel(limit_bytes=HELLO_LIMIT_BYTES)
            with self._refusing(connection, channel, address):
                about = {"jvgate": __version__, **self._about()}
                return channel if greet_client(channel, token=self._token, about=about) else None
        finally:
            with self._changed:
                del self._greeting[connection]
        return None

    def _serve(self, connection: Connection, channel: Channel, address: str) -> None:
        """Give a server its session, and let go of the place when both have ended."""
        with self._refusing(connection, channel, address), self._place():
            self._pass_on(_Relay(connection, spawn(self._command)), address)

    def _pass_on(self, relay: _Relay, address: str) -> None:
        pid = relay.process.pid
        self.counts["sessions"] += 1
        with self._changed:
            self._relays.add(relay)
            is_late = self._closing.is_set()
        if is_late:  # nobody would end it any more
            relay.connection.sever()
        log.info("a session begins", client=address, pid=pid)
        try:
            status = relay.run()
        finally:
            with self._changed:
                self._relays.discard(relay)
        if status == 0:
            log.info("a session has ended", client=address, pid=pid)
        else:
            self.counts["faults"] += 1
            log.warning("a session has ended badly", client=address, pid=pid, status=status)

    @contextmanager
    def _place(self) -> Iterator[None]:
        """Hold one of the places, after a little wait for it where need be.  Raises SourceBusy."""
        with self._changed:
            self._changed.wait_for(lambda: self._served < self._sessions or self._closing.is_set(), PLACE_S)
            if self._closing.is_set():
                raise WorkerFailed("the agent is being stopped")
            if self._served >= self._sessions:
                full = "all sessions of the agent are taken (JVGATE_SESSIONS, where it runs)"
                raise SourceBusy(self._served + 1, full=full)
            self._served += 1
        try:
            yield
        finally:
            with self._changed:
                self._served -= 1
                self._changed.notify_all()

    @contextmanager
    def _refusing(self, connection: Connection, channel: Channel, address: str) -> Iterator[None]:
        """Tell the other side and the log of an error of ours, and hang up."""
        try:
            yield
        except JvgateError as exc:
            self.counts["refused"] += 1
            log.warning("a server was refused", client=address, why=str(exc))
            refuse(channel, exc)
            connection.hang_up()

    def _turn_away(self, connection: Connection, address: str) -> None:
        """Refuse one of a crowd at once: there is no waiting for whether it listens, and no TLS for it."""
        self.counts["refused"] += 1
        why = WorkerFailed("too many connections to the agent have not said who they are")
        log.warning("a server was refused", client=address, why=str(why))
        if self._tls is None:
            refuse(connection.channel(limit_bytes=HELLO_LIMIT_BYTES), why)


class _Relay:
    """Passes bytes on between a connection and its worker.  moved_at: when it last did so, monotonic seconds."""

    def __init__(self, connection: Connection, process: subprocess.Popen[bytes]) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self.connection = connection
        self.process = process
        self.moved_at = time.monotonic()
        self._stdin = process.stdin
        self._stdout = process.stdout

    def is_moving(self) -> bool:
        """Whether it is in the midst of something."""
        return time.monotonic() - self.moved_at < _QUIET_S

    def run(self) -> int:
        """Pass on until one of them ends, then end the other; return the worker's exit status."""
        self.connection.limit(None)
        up = Thread(target=self._up, daemon=True)
        up.start()
        self._copy(self._stdout.readinto1, self.connection.send)  # type: ignore[attr-defined]  # a BufferedReader
        self.connection.sever()
        up.join(_END_S)
        status = self._end()
        self._stdout.close()
        return status

    def _up(self) -> None:
        """Pass commands on to the worker; its standard input ends with the connection."""
        self._copy(self.connection.receive, self._give)
        with suppress(OSError):  # it has ended already
            self._stdin.close()
        self._end()  # without an end of its own, it would be waited for down there for ever

    def _give(self, data: memoryview) -> None:
        self._stdin.write(data)
        self._stdin.flush()

    def _end(self) -> int:
        """Wait for the worker's end, not long.  Both threads may."""
        try:
            return self.process.wait(_END_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()

    def _copy(self, take: Callable[[memoryview], int], give: Callable[[memoryview], None]) -> None:
        """Copy until either side has ended."""
        buffer = memoryview(bytearray(_BUFFER_BYTES))
        with suppress(OSError, ValueError):  # ValueError: closed meanwhile
            while count := take(buffer):
                give(buffer[:count])
                self.moved_at = time.monotonic()
