"""Streams: a question's records from the session through decode, render and compress to whoever takes them.

Theory of operation.  A stream is never held as a whole and never kept: no cache sees it.  The session's thread fills
a pipe (`sessions/piping.py`); the event loop takes from there, lets a thread make the next piece of it
(`render/pieces.py`), and gives that out; the next one is made when somebody comes for it.  So a slow taker slows the
rendering, that the pipe, and that JV-Link.  A piece goes out when it is full, or PIECE_S after the last one; the first
one at once.  While nothing of what is read is wanted, what stands before all records goes out after SILENCE_S: whoever
waits sees that it has begun.  Joined data specs are read one after another into the same stream.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing, asynccontextmanager
from functools import partial
from threading import Lock
from types import MappingProxyType
from typing import Literal

from jvgate.errors import SESSION_LOST
from jvgate.jvlink.request import Progress, Request, Summary
from jvgate.render.compression import Compressor, compressor
from jvgate.render.formats.registry import FORMATS
from jvgate.render.formats.writers import RecordWriter
from jvgate.render.pieces import Pieces
from jvgate.sessions.collecting import request_of
from jvgate.sessions.fair_queue import Priority
from jvgate.sessions.piping import Batch, FileStart, Pipe, piped
from jvgate.sessions.pool import Pool
from jvgate.spec.spec import Spec
from jvgate.values import Question

__all__ = ["End", "Stream", "Streams"]

PIECE_S = 0.05
SILENCE_S = 2.0
PACK_BYTES = 1 << 18  # of what is packed at once: some milliseconds of a thread
WORKER_THREADS = 2

# whole: to its last byte; left: the client went away; stalled: it took nothing for too long; broken: by an error.
End = Literal["whole", "left", "stalled", "broken"]


class Streams:
    """All streams of a server over *pool*.

    stall_s: how long a client may take nothing.  levels: of content codings, where not the usual.
    ends: how many have ended how; open: how many have not; for reading.
    """

    def __init__(
        self, pool: Pool, spec: Spec, *, stall_s: float, levels: Mapping[str, int] = MappingProxyType({})
    ) -> None:
        self.stall_s = stall_s
        self._levels = levels
        self.ends: Counter[End] = Counter()
        self._pool = pool
        self._spec = spec
        self._open: set[Stream] = set()
        self._workers = ThreadPoolExecutor(WORKER_THREADS, thread_name_prefix="jvgate-stream")

    @property
    def open_count(self) -> int:
        """Streams that have begun and not ended."""
        return len(self._open)

    @asynccontextmanager
    async def open(self, question: Question, *, writer: RecordWriter | None = None) -> AsyncIterator[Stream]:
        """Yield the stream of *question*; JV-Link is asked once its first piece is.  Leaving frees the session.

        writer: of its bytes; None for that of the streams of its format.
        """
        coding = question.coding
        packer = compressor(coding, level=self._levels.get(coding)) if coding else None
        made = writer or _stream_writer(question, self._spec)
        stream = Stream(question, self._spec, made, self._pool, self._workers, packer)
        self._open.add(stream)
        try:
            yield stream
        finally:
            self._open.remove(stream)
            await stream.pieces.aclose()

    async def packed(self, pieces: AsyncGenerator[bytes, None], coding: str) -> AsyncGenerator[bytes, None]:
        """Yield what *pieces* gives, packed by *coding*: what has come of it can be unpacked at once."""
        packer = compressor(coding, level=self._levels.get(coding))
        threaded = partial(asyncio.get_running_loop().run_in_executor, self._workers)
        async with aclosing(pieces):
            async for piece in pieces:
                for at in range(0, len(piece), PACK_BYTES):
                    yield await threaded(packer.write, piece[at : at + PACK_BYTES])
        yield await threaded(packer.end)

    def count(self, end: End) -> None:
        """Count the end of a stream, which only its sender knows."""
        self.ends[end] += 1

    def close(self) -> None:
        """Let no thread wait for whoever takes from a stream that is still open."""
        for stream in self._open:
            stream.cut()
        self._workers.shutdown(wait=False, cancel_futures=True)


class Stream:
    """One stream.  pieces: its bytes; the iteration raises what reading raises, and ends when all is told."""

    def __init__(
        self,
        question: Question,
        spec: Spec,
        writer: RecordWriter,
        pool: Pool,
        workers: ThreadPoolExecutor,
        compressor: Compressor | None,
    ) -> None:
        self.pieces: AsyncGenerator[bytes, None] = self._made()
        self._question = question
        self._spec = spec
        self._pool = pool
        self._workers = workers
        self._pieces = Pieces(question.selection, writer, spec.layouts, compressor)
        self._alone = Lock()
        self._began_at = time.monotonic()
        self._made_at = float("-inf")
        self._newest: dict[str, str | None] = {}
        self._pipe: Pipe | None = None

    @property
    def progress(self) -> Progress:
        """How far the read of the data spec at hand has come."""
        return self._pipe.latest if self._pipe is not None else Progress()

    def fail(self, problem: Mapping[str, object]) -> bytes:
        """Return the last piece of a stream that breaks off: what was made already, and *problem*."""
        return self._work(partial(self._pieces.fail, problem))

    def cut(self) -> None:
        """Let the session's thread go; nothing more comes."""
        if self._pipe is not None:
            self._pipe.close()

    async def _made(self) -> AsyncGenerator[bytes, None]:
        for query in self._question.queries:
            request = request_of(query, self._spec, limit_bytes=None)
            async with piped(partial(self._read, request)) as (self._pipe, reading):
                while (item := await self._next(self._pipe)) is not None:
                    self._pieces.put(item)
                    while piece := await self._make():
                        yield piece
                    if not isinstance(item, FileStart) and self._is_silent():
                        yield await self._threaded(self._pieces.opening)
                self._newest[query.dataspec] = (await reading).last_file_timestamp or None
        yield await self._threaded(partial(self._pieces.end, self._facts()))

    async def _read(self, request: Request, pipe: Pipe) -> Summary:
        """Read into *pipe*; as long as it has got nothing, a read whose worker was lost is begun once more."""
        read = partial(self._pool.read_into, request, pipe, priority=Priority.BATCH, has_twins=False)
        try:
            return await read()
        except SESSION_LOST:
            if not pipe.is_untouched:
                raise
        return await read()

    async def _next(self, pipe: Pipe) -> FileStart | Batch | None:
        """Return what comes next, an empty batch when that takes so long that a piece is due, None at the end."""
        due_s = None if self._pieces.is_empty else max(0.0, self._made_at + PIECE_S - time.monotonic())
        try:
            return await pipe.take(wait_s=due_s)
        except TimeoutError:
            return b""

    async def _make(self) -> bytes:
        is_due = time.monotonic() - self._made_at >= PIECE_S
        piece = await self._threaded(partial(self._pieces.make, is_due=is_due))
        if piece:
            self._made_at = time.monotonic()
        return piece

    def _is_silent(self) -> bool:
        """Whether it is time to say that there is a stream; that is said once, if nothing else was."""
        now = time.monotonic()
        if self._made_at > float("-inf") or now - self._began_at < SILENCE_S:
            return False
        self._made_at = now
        return True

    def _facts(self) -> dict[str, object]:
        """Return what a next call goes on from: the newest file of all, and of each data spec by itself."""
        newest = max((timestamp for timestamp in self._newest.values() if timestamp), default=None)
        return {"last_file_timestamp": newest, "last_file_timestamps": self._newest}

    async def _threaded(self, job: Callable[[], bytes]) -> bytes:
        return await asyncio.get_running_loop().run_in_executor(self._workers, self._work, job)

    def _work(self, job: Callable[[], bytes]) -> bytes:
        with self._alone:  # a job that nobody waits for any more may still be at work
            return job()


def _stream_writer(question: Question, spec: Spec) -> RecordWriter:
    make = FORMATS[question.selection.format].stream
    assert make is not None  # other formats are not offered for streams
    return make(question, spec)
