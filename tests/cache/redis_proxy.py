"""Stands between a client and a server: delays, cuts and swallows what passes."""

from __future__ import annotations

import asyncio
import ssl
from contextlib import suppress

__all__ = ["Proxy"]


class Proxy:
    """A TCP proxy in the test's own event loop.  delay_s: before a reply is passed on.  tls: what clients must speak.

    is_swallowing: nothing is passed on in either direction, and connections are still taken.
    accepted: how many connections there were.
    """

    def __init__(self, port: int, *, delay_s: float = 0.0, tls: ssl.SSLContext | None = None) -> None:
        self.delay_s = delay_s
        self.is_swallowing = False
        self.accepted = 0
        self._target = port
        self._tls = tls
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Proxy:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0, ssl=self._tls)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        self.cut()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.wait_closed()

    @property
    def url(self) -> str:
        return f"{'rediss' if self._tls else 'redis'}://127.0.0.1:{self.port}"

    def cut(self) -> None:
        """Close every connection."""
        for task in self._tasks:
            task.cancel()
        for writer in self._writers:
            writer.transport.abort()
        self._writers.clear()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.accepted += 1
        self._tasks.add(asyncio.current_task())
        self._writers.add(writer)
        with suppress(OSError, asyncio.CancelledError):
            up_reader, up_writer = await asyncio.open_connection("127.0.0.1", self._target)
            self._writers.add(up_writer)
            await asyncio.gather(self._pass(reader, up_writer, 0), self._pass(up_reader, writer, None))
        self._tasks.discard(asyncio.current_task())

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, delay_s: float | None) -> None:
        while data := await reader.read(1 << 16):
            if self.is_swallowing:
                continue
            await asyncio.sleep(self.delay_s if delay_s is None else delay_s)
            writer.write(data)
            await writer.drain()
        writer.close()
