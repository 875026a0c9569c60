"""Batches of raw records in, pieces of a finished stream out: frame, count, select, write, compress.

Theory of operation.  Files and batches are put in, one at a time, and worked off by `make` before the next one.  What
is written gathers until a piece is full, or until whoever asks says that it is due; a piece is compressed by itself,
so that it can be read as soon as it comes.  Records are written a few at a time, as many as make about one piece.
Nothing is held but the batch at hand, a piece, and what the framer cannot decide yet: at most some 128 KiB.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from hashlib import blake2b

from jvgate.records.framing import Framer
from jvgate.records.runs import Framed, RawRecord
from jvgate.render.choosing import Chooser
from jvgate.render.compression import Compressor
from jvgate.render.formats.writers import RecordWriter
from jvgate.spec.layouts import Layouts
from jvgate.values import Selection

__all__ = ["DIGEST", "PIECE_BYTES", "Pieces"]

PIECE_BYTES = 100_000
DIGEST = "blake2b-128"
_DIGEST_BYTES = 16


class Pieces:
    """Makes the pieces of one stream.

    digest: of all bytes put in, as JV-Link gave them, in their order; hexadecimal.
    """

    def __init__(
        self, selection: Selection, writer: RecordWriter, layouts: Layouts, compressor: Compressor | None = None
    ) -> None:
        self._layouts = layouts
        self._selection = selection
        self._writer = writer
        self._compressor = compressor
        self._is_verbatim = writer.is_verbatim and str(selection) == selection.format
        self._chooser = Chooser(selection)
        self._digest = blake2b(digest_size=_DIGEST_BYTES)
        self._framer = Framer(self._layouts)
        self._work: Iterator[bytes] = iter(())
        self._held = [writer.begin()]
        self._held_bytes = 0  # of records; what comes before them all does not make a piece due
        self._growth = 2.0

    @property
    def is_empty(self) -> bool:
        """Whether nothing is there that could be sent."""
        return not self._held_bytes and not self._writer.has_rest

    def put(self, item: str | bytes | bytearray) -> None:
        """Take the name of a file or a batch of its records; the next one only when `make` gives nothing any more."""
        self._work = self._next_file(item) if isinstance(item, str) else self._batch(item)

    def make(self, *, is_due: bool) -> bytes:
        """Return the next piece; b"" when all that was put in is worked off, and is not enough or not due."""
        for text in self._work:
            self._hold(text)
            if self._held_bytes >= PIECE_BYTES:
                return self._piece()
        if is_due and self._writer.has_rest:
            self._hold(self._writer.rest())
        return self._piece() if is_due and self._held_bytes else b""

    def opening(self) -> bytes:
        """Return what stands before all records, which may be nothing."""
        return self._piece()

    def end(self, facts: Mapping[str, object]) -> bytes:
        """Return the last piece: what is left, and the end with *facts* and everything that was counted."""
        for text in self._written(self._framer.end()):
            self._hold(text)
        counted = self._chooser.tally.facts(
            self._selection, returned=self._chooser.returned, damaged=self._writer.damaged
        )
        digest = {"digest": f"{DIGEST}:{self._digest.hexdigest()}"}
        self._hold(self._writer.end({**facts, **counted, **digest}))
        return self._piece() + (self._compressor.end() if self._compressor else b"")

    def fail(self, problem: Mapping[str, object]) -> bytes:
        """Return the last piece of a stream that breaks off: what is left and, where the form can tell it, why."""
        self._hold(self._writer.fail(problem))
        return self._piece()

    def _hold(self, text: bytes) -> None:
        self._held.append(text)
        self._held_bytes += len(text)

    def _piece(self) -> bytes:
        piece = self._held[0] if len(self._held) == 1 else b"".join(self._held)
        self._held, self._held_bytes = [], 0
        return self._compressor.write(piece) if self._compressor and piece else piece

    def _next_file(self, name: str) -> Iterator[bytes]:
        yield from self._written(self._framer.end())
        self._framer = Framer(self._layouts)
        self._chooser.begin(name)

    def _batch(self, batch: bytes | bytearray) -> Iterator[bytes]:
        self._digest.update(batch)
        if not self._is_verbatim:
            yield from self._written(self._framer.feed(batch))
            return
        for at in range(0, len(batch), PIECE_BYTES):
            yield bytes(batch[at : at + PIECE_BYTES])

    def _written(self, items: Iterator[Framed]) -> Iterator[bytes]:
        """Yield what is shown of *items*, a little at a time."""
        for item in self._chooser.shown(items):
            if isinstance(item, RawRecord):
                yield self._writer.write_single(item)
                continue
            first = 0
            while first < item.count:
                some = min(item.count - first, self._fitting(item.layout.length))
                raw = item.part(first, first + some).raw
                text = self._writer.write(item.layout, raw, some)
                self._growth = max(0.1, len(text) / len(raw))
                first += some
                yield text

    def _fitting(self, length: int) -> int:
        """Return how many records of that length fill the piece at hand, about."""
        return max(1, int((PIECE_BYTES - self._held_bytes) / (length * self._growth)))
