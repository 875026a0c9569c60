"""The agent: offers this machine's sessions over TCP, one connection for each.

Theory of operation.  After the first words (`agent_hello.py`) a worker process is started for the connection, and bytes
are passed on both ways without a look at them: one thread for each direction, each ending the other's wait when its own
end has come.  So the server at the other end deals with a worker as if it were its own child: when the worker dies, the
connection ends; when the connection ends, the worker's standard input does, and it ends by itself.
"""

from __future__ import annotations

import socket
import ssl
import subprocess
from collections.abc import Callable, Sequence
from contextlib import suppress
from threading import Event, Lock, Thread, current_thread
from types import TracebackType
from typing import Self

import structlog

from jvgate import __version__
from jvgate.errors import SourceBusy, SourceError
from jvgate.sessions.agent_hello import HELLO_LIMIT_BYTES, HELLO_LIMIT_S, greet_client, refuse
from jvgate.sessions.remote import spawn
from jvgate.sessions.streams import Connection

__all__ = ["Agent"]

DRAIN_S = 3.0
_END_S = 2.0
_BUFFER_BYTES = 1 << 18
_MAX_UNPROVEN = 32  # connections that have not said who they are

log: structlog.stdlib.BoundLogger = structlog.get_logger("jvgate.agent")


class Agent:
    """Offers sessions of the workers that *command* starts.  Used with `with`; `close` may come from any thread.

    sessions: connections served at once.  token: what a server must know, "" for none.
    tls: the certificate to show, None for no TLS.
    """

    def __init__(
        self, command: Sequence[str], listener: socket.socket, *, sessions: int, token: str, tls: ssl.SSLContext | None
    ) -> None:
        self._command = command
        self._listener = listener
        self._sessions = sessions
        self._token = token
        self._tls = tls
        self._lock = Lock()
        self._open: set[Connection] = set()
        self._threads: set[Thread] = set()
        self._served = 0
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
        for thread in list(self._threads):
            thread.join(_END_S + DRAIN_S)

    def run(self) -> None:
        """Accept connections until `close`."""
        while not self._closing.is_set():
            try:
                accepted, address = self._listener.accept()
            except OSError:
                if self._closing.is_set():
                    return
                raise
            accepted.settimeout(HELLO_LIMIT_S)
            thread = Thread(
                target=self._welcome, args=(Connection(accepted), f"{address[0]}:{address[1]}"), daemon=True
            )
            self._threads.add(thread)
            thread.start()

    def close(self) -> None:
        """Accept no more, and end what is connected."""
        self._closing.set()
        with suppress(OSError):  # wakes up whoever accepts
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self._lock:
            for connection in self._open:
                connection.sever()

    def _welcome(self, connection: Connection, address: str) -> None:
        """Serve one connection to its end, on a thread of its own."""

        with self._lock:
            self._open.add(connection)
            is_crowd = len(self._open) - self._served > _MAX_UNPROVEN
        try:
            if not is_crowd and not self._closing.is_set():
                self._greet_and_serve(connection, address)
        except OSError as exc:
            log.info("a connection was lost", client=address, why=str(exc))
        finally:
            connection.settle()
            with self._lock:
                self._open.discard(connection)
            self._threads.discard(current_thread())

    def _greet_and_serve(self, connection: Connection, address: str) -> None:
        if self._tls is not None:
            connection.start_tls(self._tls, server_name=None)
        channel = connection.channel(limit_bytes=HELLO_LIMIT_BYTES)
        try:
            self._take_place()
        except SourceBusy as exc:
            refuse(channel, exc)
            log.warning("a server was refused", client=address, why=str(exc))
            connection.hang_up()
            return
        try:
            greet_client(channel, token=self._token, about={"jvgate": __version__})
            process = spawn(self._command)
        except SourceError as exc:
            refuse(channel, exc)
            log.warning("a server was refused", client=address, why=str(exc))
            connection.hang_up()
        else:
            connection.limit(None)
            log.info("a session begins", client=address, pid=process.pid)
            _pass_on(connection, process)
            log.info("a session has ended", client=address, pid=process.pid)
        finally:
            with self._lock:
                self._served -= 1

    def _take_place(self) -> None:
        with self._lock:
            if self._served >= self._sessions:
                raise SourceBusy(self._served + 1)
            self._served += 1


def _pass_on(connection: Connection, process: subprocess.Popen[bytes]) -> None:
    """Pass bytes on between a connection and a worker until one of them ends; then end the other."""
    assert process.stdin is not None
    assert process.stdout is not None
    up = Thread(target=_up, args=(connection, process), daemon=True)
    up.start()
    _copy(process.stdout.readinto1, connection.send)  # type: ignore[attr-defined]  # it is a BufferedReader
    connection.sever()
    up.join(_END_S)
    try:
        process.wait(_END_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    process.stdout.close()


def _up(connection: Connection, process: subprocess.Popen[bytes]) -> None:
    """Pass commands on to the worker; its standard input ends with the connection."""
    stdin = process.stdin
    assert stdin is not None

    def give(data: memoryview) -> None:
        stdin.write(data)
        stdin.flush()

    _copy(connection.receive, give)
    with suppress(OSError):  # it has ended already
        stdin.close()


def _copy(take: Callable[[memoryview], int], give: Callable[[memoryview], None]) -> None:
    """Copy until either side has ended."""
    buffer = memoryview(bytearray(_BUFFER_BYTES))
    with suppress(OSError, ValueError):  # ValueError: closed meanwhile
        while count := take(buffer):
            give(buffer[:count])
