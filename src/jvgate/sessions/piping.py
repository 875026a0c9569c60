"""A read that is taken while it goes on: from the session's thread to the event loop, with room for a few batches.

Theory of operation.  The sink's methods run on the session's thread.  When the room is full they wait there, and so
does JV-Link: a slow reader costs time, not memory.  Who takes on the event loop makes room.  `close` ends the waiting
at once and for good: what comes afterwards is dropped, since a session that is told to end its read still sends what
it had at hand, and must get rid of that to be free.  The pipe is closed on every way out of `piped`, so that no
thread is left waiting.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from threading import Condition

from jvgate.jvlink.request import Progress, Summary

__all__ = ["ROOM_BYTES", "Batch", "FileStart", "Pipe", "piped"]

ROOM_BYTES = 4 << 20

Batch = bytes | bytearray


class FileStart(str):
    """The name of the file to which the batches behind it belong."""

    __slots__ = ()


class Pipe:
    """A sink on one side, an asynchronous queue on the other.  is_untouched: nothing has come yet.
    latest: how far the read has come.

    room_bytes: of batches that were not taken yet; a single larger one has room too.
    """

    def __init__(self, *, room_bytes: int = ROOM_BYTES) -> None:
        self.is_untouched = True
        self.latest = Progress()
        self._room_bytes = room_bytes
        self._loop = asyncio.get_running_loop()
        self._changed = asyncio.Event()
        self._room = Condition()
        self._items: deque[FileStart | Batch] = deque()
        self._bytes = 0
        self._is_ended = False
        self._is_closed = False

    def begin(self, name: str, provided: str) -> None:
        """Queue the file's name.  From the session's thread."""
        self._put(FileStart(name), 0)

    def records(self, batch: bytes | bytearray, count: int) -> None:
        """Queue the batch, and wait for room before.  From the session's thread."""
        self._put(batch, len(batch))

    def progress(self, progress: Progress) -> None:
        """Keep how far the read has come.  From the session's thread."""
        self.latest = progress

    async def take(self, *, wait_s: float | None = None) -> FileStart | Batch | None:
        """Return what comes next; None at the end.  Raises TimeoutError when nothing came for so long."""
        while not self._items:
            if self._is_ended:
                return None
            self._changed.clear()
            async with asyncio.timeout(wait_s):
                await self._changed.wait()
        with self._room:
            item = self._items.popleft()
            self._bytes -= 0 if isinstance(item, FileStart) else len(item)
            self._room.notify()
        return item

    def end(self) -> None:
        """Let `take` come to an end behind what is queued.  From the event loop."""
        self._is_ended = True
        self._changed.set()

    def close(self) -> None:
        """Forget what is queued, let the session's thread go, drop what else it brings.  From the event loop."""
        with self._room:
            self._is_closed = True
            self._items.clear()
            self._bytes = 0
            self._room.notify()
        self.end()

    def _put(self, item: FileStart | Batch, size: int) -> None:
        with self._room:
            self._room.wait_for(lambda: self._is_closed or not self._bytes or self._bytes + size <= self._room_bytes)
            if self._is_closed:
                return
            self.is_untouched = False
            self._items.append(item)
            self._bytes += size
        self._loop.call_soon_threadsafe(self._changed.set)


@asynccontextmanager
async def piped(read: Callable[[Pipe], Awaitable[Summary]]) -> AsyncIterator[tuple[Pipe, asyncio.Future[Summary]]]:
    """Yield the pipe that *read* fills, and what it returns or raises at its end.  Leaving ends the read.

    read: as `Pool.read_into`; it is begun at once.
    """
    pipe = Pipe()
    reading = asyncio.ensure_future(read(pipe))
    reading.add_done_callback(lambda done: pipe.end())
    try:
        yield pipe, reading
    finally:
        pipe.close()  # before the read is told: its thread must not wait for us when it looks
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
