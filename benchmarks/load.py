"""A load generator: keep-alive connections, one request at a time on each, every answer counted when it is whole.

One thread and the operating system's own selector: it must cost less for a request than any server it measures.
"""

from __future__ import annotations

import re
import selectors
import socket
import time
from dataclasses import dataclass

from benchmarks.servers import HOST

__all__ = ["Load", "ask_at_once", "press"]

PIECE_BYTES = 1 << 18
LIMIT_S = 60.0
_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
_END = b"\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Load:
    """What was answered.  waits_s: of each answer, from its request's first byte to its own last.

    own_cpu_s: what the load generator used itself: near *seconds*, it is what was measured.
    """

    seconds: float
    waits_s: list[float]
    own_cpu_s: float = 0.0

    @property
    def per_second(self) -> float:
        """Answers a second."""
        return len(self.waits_s) / self.seconds


class _Connection:
    """A connection and the answer that is coming on it.  keeps: whether the body is wanted afterwards."""

    __slots__ = ("_buffer", "_head", "_kept", "_left", "_request", "sent_at", "sock")

    def __init__(self, sock: socket.socket, request: bytes, buffer: bytearray, *, keeps: bool) -> None:
        self.sock = sock
        self.sent_at = 0.0
        self._request = request
        self._buffer = buffer
        self._kept = bytearray() if keeps else None
        self._head = b""
        self._left = -1  # bytes of the answer still to come; below 0 while its head is not whole

    def ask(self) -> None:
        """Send the request."""
        self._left = -1
        self.sent_at = time.perf_counter()
        self.sock.send(self._request)

    def take(self) -> bool:
        """Take what has come; True when the answer is whole.  Raises AssertionError when it is no 200."""
        count = self.sock.recv_into(self._buffer)  # one buffer for all: an allocation would cost more than the call
        assert count, "the server hung up"
        if self._kept is not None:
            self._kept += self._buffer[:count]
        if self._left < 0:
            self._left = self._expected(count)
        else:
            self._left -= count
        return self._left == 0

    def body(self) -> bytes:
        """Return the body of the whole answer."""
        assert self._kept is not None
        return bytes(self._kept[self._kept.index(_END) + len(_END) :])

    def _expected(self, count: int) -> int:
        """Return how much is still to come behind the *count* bytes of the buffer; -1 when that is not known yet."""
        received, start = self._buffer, 0
        if self._head:  # rare: the head came in pieces
            received, start = bytearray(self._head + self._buffer[:count]), len(self._head)
        end = received.find(_END, 0, start + count)
        if end < 0:
            self._head = bytes(received[: start + count])
            return -1
        self._head = b""
        assert received.startswith(b"HTTP/1.1 200"), bytes(received[:200])
        length = _LENGTH.search(received, 0, end)
        assert length is not None, bytes(received[:end])
        return end + len(_END) + int(length[1]) - start - count


def press(port: int, path: str, *, connections: int, seconds: float) -> Load:
    """Keep *connections* busy for *seconds*."""
    opened = _open(port, path, connections, keeps=False)
    waits: list[float] = []
    worked = time.process_time()
    with selectors.DefaultSelector() as selector:
        for connection in opened:
            selector.register(connection.sock, selectors.EVENT_READ, connection)
            connection.ask()
        began = now = time.perf_counter()
        while now - began < seconds:
            for key, _ in selector.select(LIMIT_S):
                connection = key.data
                if connection.take():
                    waits.append(time.perf_counter() - connection.sent_at)
                    connection.ask()
            now = time.perf_counter()
    for connection in opened:
        connection.sock.close()
    return Load(now - began, waits, time.process_time() - worked)


def ask_at_once(port: int, path: str, *, connections: int) -> tuple[Load, set[bytes]]:
    """Send one request on each of *connections* at once; return the load and the different bodies."""
    opened = _open(port, path, connections, keeps=True)
    waits: list[float] = []
    with selectors.DefaultSelector() as selector:
        began = time.perf_counter()
        for connection in opened:
            connection.ask()
            selector.register(connection.sock, selectors.EVENT_READ, connection)
        while len(waits) < connections:
            ready = selector.select(LIMIT_S)
            assert ready, f"{connections - len(waits)} requests were never answered"
            for key, _ in ready:
                if key.data.take():
                    selector.unregister(key.data.sock)
                    waits.append(time.perf_counter() - key.data.sent_at)
        spent = time.perf_counter() - began
    bodies = {connection.body() for connection in opened}
    for connection in opened:
        connection.sock.close()
    return Load(spent, waits), bodies


def _open(port: int, path: str, connections: int, *, keeps: bool) -> list[_Connection]:
    buffer = bytearray(PIECE_BYTES)
    request = f"GET {path} HTTP/1.1\r\nHost: {HOST}:{port}\r\nAccept: application/json\r\n\r\n".encode()
    opened = []
    for _ in range(connections):
        sock = socket.create_connection((HOST, port), timeout=LIMIT_S)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.setblocking(False)
        opened.append(_Connection(sock, request, buffer, keeps=keeps))
    return opened
