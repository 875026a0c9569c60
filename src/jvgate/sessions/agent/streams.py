"""A TCP connection as a channel needs it: one thread reads while others write, with TLS or without.

An SSL object must not be used by two threads at once, and an `SSLSocket` hides a wait in each of its calls.  So TLS is
done in memory (`ssl.MemoryBIO`) under a lock, and only the waiting for the socket happens outside of it.
"""

from __future__ import annotations

import selectors
import socket
import ssl
from contextlib import suppress
from threading import Lock
from typing import IO, Any, cast

from jvgate.jvlink.wire import Channel

__all__ = ["Connection"]

_BUFFER_BYTES = 1 << 16
_LINGER_S, _LINGER_READS = 1.0, 16


class Connection:
    """One connection; after `start_tls` everything goes through TLS.  Any thread may `sever` it."""

    def __init__(self, opened: socket.socket) -> None:
        self._socket = opened
        self._tls: _Tls | None = None
        self._files: list[IO[bytes]] = []
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)

    def start_tls(self, context: ssl.SSLContext, *, server_name: str | None) -> None:
        """Shake hands; server_name: None on the server's side.  Raises OSError (ssl.SSLError is one)."""
        self._tls = _Tls(self._socket, context, server_name)

    def limit(self, seconds: float | None) -> None:
        """Let every wait of the connection end after so long; None for never."""
        self._socket.settimeout(seconds)

    def channel(self, *, limit_bytes: int) -> Channel:
        """Return the channel over this connection."""
        if self._tls:
            both = cast(IO[bytes], self._tls)
            return Channel(both, both, limit_bytes=limit_bytes)
        reader, writer = self._socket.makefile("rb", 0), self._socket.makefile("wb", _BUFFER_BYTES)
        self._files = [cast(IO[bytes], reader), cast(IO[bytes], writer)]
        return Channel(*self._files, limit_bytes=limit_bytes)

    def receive(self, buffer: memoryview) -> int:
        """Read what is there into *buffer*, or wait; 0 at the end.  Raises OSError."""
        return self._tls.readinto(buffer) if self._tls else self._socket.recv_into(buffer)

    def send(self, data: memoryview) -> None:
        """Send all of it.  Raises OSError."""
        if self._tls:
            self._tls.write(data)
        else:
            self._socket.sendall(data)

    def sever(self) -> None:
        """End it at once; whoever waits on it is told."""
        try:
            self._socket.shutdown(socket.SHUT_RDWR)
        except OSError:  # it has ended already
            return

    def hang_up(self) -> None:
        """End it so that what was sent last still arrives: a close with bytes unread would throw it away."""
        try:
            self._socket.shutdown(socket.SHUT_WR)
            self.limit(_LINGER_S)
            for _ in range(_LINGER_READS):
                if not self._socket.recv(_BUFFER_BYTES):
                    return
        except OSError:  # enough waited, or it is gone
            return

    def is_alive(self) -> bool:
        """Whether the other side has not hung up, as far as one can see from here."""
        try:
            with selectors.DefaultSelector() as selector:
                selector.register(self._socket, selectors.EVENT_READ)
                return not selector.select(0) or self._socket.recv(1, socket.MSG_PEEK) != b""
        except (OSError, ValueError):  # ValueError: the socket is closed
            return False

    def settle(self) -> None:
        """Let go of the socket and of what was made of it; whoever waits on it is told."""
        self.sever()
        for file in self._files:
            with suppress(OSError, ValueError):  # nothing is left to be sent
                file.close()
        self._socket.close()


class _Tls:
    """TLS over a socket, as a file that is read by one thread and written by any."""

    def __init__(self, opened: socket.socket, context: ssl.SSLContext, server_name: str | None) -> None:
        self._socket = opened
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._object = context.wrap_bio(
            self._incoming, self._outgoing, server_side=server_name is None, server_hostname=server_name
        )
        self._lock = Lock()
        while not self._shakes_hands():
            self._feed()

    def readinto(self, view: memoryview) -> int:
        """Read into *view*; 0 at the end."""
        while True:
            try:
                with self._lock:
                    count = self._object.read(len(view), view)
                return int(count)
            except ssl.SSLWantReadError:
                if not self._feed():
                    return 0
            except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
                return 0

    def write(self, data: Any) -> int:
        """Encrypt and send all of *data*."""
        with self._lock:
            view = memoryview(data)
            while view:
                view = view[self._object.write(view) :]
            self._drain()
        return len(data)

    def flush(self) -> None:
        """Nothing is held back."""

    def close(self) -> None:
        """The socket is its owner's to close."""

    def _shakes_hands(self) -> bool:
        with self._lock:
            try:
                self._object.do_handshake()
                return True
            except ssl.SSLWantReadError:
                return False
            finally:
                self._drain()

    def _feed(self) -> bool:
        """Wait for bytes of the socket, outside of the lock; False at the end."""
        data = self._socket.recv(_BUFFER_BYTES)
        with self._lock:
            if data:
                self._incoming.write(data)
            else:
                self._incoming.write_eof()
        return bool(data)

    def _drain(self) -> None:
        while self._outgoing.pending:
            self._socket.sendall(self._outgoing.read())
