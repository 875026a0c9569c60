"""A steady load: requests leave at their time whatever became of those before, and failures are counted.

So what stands still for a second is seen by all who would have asked in that second, not by one client alone.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from time import perf_counter

from benchmarks.servers import HOST

__all__ = ["Connections", "Steady", "steady"]

LIMIT_S = 60.0
_END = b"\r\n\r\n"


@dataclass(slots=True)
class Steady:
    """What came of a load.  waits_ms: of each answer, from when its request was due; failures: what else came."""

    waits_ms: list[float] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)


class Connections:
    """Keep-alive connections to one server, as many as are in use at once.  Used with `async with`."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []

    async def __aenter__(self) -> Connections:
        return self

    async def __aexit__(self, *_: object) -> None:
        for _, writer in self._idle:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def ask(self, path: str, *, method: str = "GET") -> tuple[bytes, bytes]:
        """Return the head (in lower case) and the body of one answer.  Raises OSError, EOFError or TimeoutError."""
        reader, writer = self._idle.pop() if self._idle else await asyncio.open_connection(HOST, self._port)
        async with asyncio.timeout(LIMIT_S):
            writer.write(f"{method} {path} HTTP/1.1\r\nHost: {HOST}\r\nAccept: application/json\r\n\r\n".encode())
            head = (await reader.readuntil(_END)).lower()
            length = int(head.partition(b"content-length: ")[2].split(b"\r\n", 1)[0])
            body = await reader.readexactly(length)
        self._idle.append((reader, writer))
        return head, body


async def steady(port: int, paths: Iterable[str], *, per_second: float, seconds: float) -> Steady:
    """Ask for one of *paths* after the other at a constant rate, and return when all are answered."""
    came = Steady()
    began = perf_counter()
    async with Connections(port) as connections, asyncio.TaskGroup() as asking:
        for number, path in zip(range(int(per_second * seconds)), paths, strict=False):
            due = began + number / per_second
            if (left_s := due - perf_counter()) > 0:
                await asyncio.sleep(left_s)
            asking.create_task(_ask(connections, path, due, came))
    return came


async def _ask(connections: Connections, path: str, due: float, came: Steady) -> None:
    try:
        head, body = await connections.ask(path)
    except (OSError, EOFError, TimeoutError, ValueError) as exc:
        came.failures.append(repr(exc))
        return
    if head.startswith(b"http/1.1 200"):
        came.waits_ms.append((perf_counter() - due) * 1000)
    else:
        came.failures.append(f"{head.split(b' ')[1].decode()}: {body[:200]!r}")
