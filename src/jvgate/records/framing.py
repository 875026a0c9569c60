"""A stream of bytes -> records: by record type and known length, with resynchronisation after damage.

Theory of operation.  A record starts with its header (type, DataKubun, eight digits of MakeDate) and ends with CR LF;
its type and exact length tell its layout.  At each position the framer takes, in this order:

1. a line of a known length (the usual case), or a known length that ends in CR LF where the line break inside
   turns out to be damage;
2. a line of a known type that is too short: an editor stripped its trailing spaces; it is padded back;
3. a line with a proper header of unknown type or length: kept raw, since new types may come at any time;
4. otherwise damage: everything up to the next place that looks like a header is lost, and reported.

A NUL behind a record (JVGets appends one) is passed over.  Sources: padding and history tables of the layouts.

What stands at a position is decided by what stands there and at most LOOKAHEAD bytes behind it, never by where the
stream was cut.  A line of a known length decides itself, so that a stream's records come out as they go in, and many
of one layout come out as one run; everything else waits until so much is there, or the stream ends.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cache
from itertools import chain

import numpy as np

from jvgate.records.decode import decoder
from jvgate.records.runs import CRLF, FEW, Damage, Framed, RawRecord, RecordRun
from jvgate.spec.layouts import Layout, Layouts

__all__ = ["HEADER", "LOOKAHEAD", "Framer", "frames"]

HEADER = re.compile(rb"[A-Z][A-Z0-9][0-9A-Z][0-9]{8}")
_NEXT_HEADER = re.compile(rb"\r\n\0*(?=" + HEADER.pattern + rb")")
_HEADER_BYTES = 11
# Longest record (H6) and then some: no decision looks further ahead than this.
LOOKAHEAD = 131_072
_RUN_BYTES = 1 << 20
_PIECE_BYTES = 1 << 16
_LINE_FEED = 10


class Framer:
    """Takes a stream as it comes.  What `feed` yields is to be taken to its end before the next call."""

    def __init__(self, layouts: Layouts) -> None:
        self._types = _types_of(layouts)
        self._buffer = b""
        self._offset = 0
        self._lost: Damage | None = None

    def feed(self, chunk: bytes | bytearray) -> Iterator[Framed]:
        """Yield what is decided now."""
        return self._cut(self._buffer + chunk, at_end=False)

    def end(self) -> Iterator[Framed]:
        """Yield what is left."""
        yield from self._cut(self._buffer, at_end=True)
        if self._lost is not None:
            yield self._lost
            self._lost = None

    def _cut(self, buffer: bytes, *, at_end: bool) -> Iterator[Framed]:
        at, offset = _behind_nuls(buffer, 0), self._offset
        while at < len(buffer):
            item: Framed
            if (run := _run(buffer, at, offset, self._types)) is not None:
                item, at = run, run.end
            elif at_end or len(buffer) - at >= LOOKAHEAD:
                item, at = _take(buffer, at, offset, self._types, at_end=at_end)
            else:
                break
            if (told := self._told(item)) is not None:
                yield told
            if not isinstance(item, Damage):
                yield item
            at = _behind_nuls(buffer, at)
        self._buffer, self._offset = buffer[at:], offset + at

    def _told(self, item: Framed) -> Damage | None:
        """Return the damage before *item*, now that it is known to be all of it."""
        lost, self._lost = self._lost, item if isinstance(item, Damage) else None
        if lost is not None and isinstance(item, Damage) and _goes_on(lost, item):
            self._lost = Damage(lost.offset, lost.length + item.length, lost.why, lost.head)
            return None
        return lost


def frames(chunks: Iterable[bytes], layouts: Layouts) -> Iterator[RawRecord | Damage]:
    """Yield the records of a stream, and what was lost between them; where it is cut into chunks changes nothing."""
    framer = Framer(layouts)
    for item in chain(chain.from_iterable(map(framer.feed, chunks)), framer.end()):
        if isinstance(item, RecordRun):
            yield from item.records()
        else:
            yield item


def _goes_on(one: Damage, other: Damage) -> bool:
    """Whether *other* is the same damage, found in a second step."""
    return one.offset + one.length == other.offset and one.why == other.why


def _behind_nuls(buffer: bytes, at: int) -> int:
    while at < len(buffer) and buffer[at] == 0:
        at += 1
    return at


def _run(buffer: bytes, at: int, offset: int, types: _Types) -> RecordRun | None:
    """Return the records from *at* on that are lines of one known length; None where there is none."""
    exact = types.exact(buffer[at : at + 2])
    found = buffer.find(CRLF, at, at + max(exact, default=0))
    layout = exact.get(found + 2 - at) if found >= 0 else None
    if layout is None:
        return None
    stride = _behind_nuls(buffer, at + layout.length) - at
    return RecordRun(buffer, at, layout, _count_alike(buffer, at, layout.length, stride), stride, offset + at)


def _count_alike(buffer: bytes, at: int, length: int, stride: int) -> int:
    """Return how many records like the one at *at* stand there in a row; no look at each where there are many."""
    name, most = buffer[at : at + 2], (min(len(buffer) - at, max(_RUN_BYTES, length)) - length) // stride + 1
    for number in range(1, min(most, FEW)):
        start = at + number * stride
        if not buffer.startswith(name, start) or buffer.find(CRLF, start, start + length) != start + length - 2:
            return number
    if most <= FEW:
        return most
    names, ends = (np.ndarray((most,), "<u2", buffer, start, (stride,)) for start in (at, at + length - 2))
    alike = (names == names[0]) & (ends == ends[0])
    count = most if alike.all() else int(alike.argmin())
    while count > 1 and _line_feeds(buffer, at, at + count * stride) > count:  # one of them has a line break inside
        count //= 2
    return count


def _line_feeds(buffer: bytes, start: int, end: int) -> int:
    """Return how many there are; several times faster than `bytes.count`, in pieces that fit the processor's cache."""
    letters = np.frombuffer(buffer, np.uint8)[start:end]
    pieces = (letters[at : at + _PIECE_BYTES] for at in range(0, len(letters), _PIECE_BYTES))
    return sum(int(np.count_nonzero(piece == _LINE_FEED)) for piece in pieces)


class _Types:
    """The layouts of each record type by length, looked up by the two bytes of its name."""

    def __init__(self, layouts: Layouts) -> None:
        self._layouts = layouts
        self._known: dict[bytes, dict[int, Layout]] = {}
        self._exact: dict[bytes, dict[int, Layout]] = {}

    def known(self, name: bytes) -> dict[int, Layout]:
        """Return the layouts of a record type; empty for an unknown type."""
        if name not in self._known:
            found = self._layouts.generations(name.decode("ascii", "replace"))
            if not found:
                return {}
            self._known[name] = {layout.length: layout for layout in found}
        return self._known[name]

    def exact(self, name: bytes) -> dict[int, Layout]:
        """Return the layouts that a line of their length has without a second look.

        A line as long as an older layout that ends in text may also be a stripped record of a longer one.
        """
        if name not in self._exact:
            known = self.known(name)
            if not known:
                return {}
            self._exact[name] = {
                length: layout
                for length, layout in known.items()
                if length == max(known) or not layout.fields[-2].kind.startswith("text")
            }
        return self._exact[name]


@cache
def _types_of(layouts: Layouts) -> _Types:
    return _Types(layouts)


def _take(buffer: bytes, at: int, offset: int, types: _Types, *, at_end: bool) -> tuple[RawRecord | Damage, int]:
    """Return what stands at *at*, which is no NUL and no run, and where the next one starts."""
    name = buffer[at : at + 2]
    known = types.known(name)
    if known and buffer.find(CRLF, at, at + max(known)) < 0 and any(_next_starts(buffer, at, known)):
        return _lost(buffer, at, offset, known, at_end=at_end)  # told without a look at what is far behind
    found = buffer.find(CRLF, at, at + LOOKAHEAD)
    end = found + 2 if found >= 0 else len(buffer)
    if HEADER.match(buffer, at) is not None and found >= 0:
        whole = _whole(buffer, at, end, known, at_end=at_end)
        if whole is not None:
            return RawRecord(buffer, at, whole.length, whole, offset + at), at + whole.length
        if not _hides_record(buffer, at, end, known):
            return _unusual(buffer, at, end, offset, known), end
    return _lost(buffer, at, offset, known, at_end=at_end)


def _starts_record(buffer: bytes, at: int, *, at_end: bool) -> bool:
    """Whether a record, or the end of the stream, may stand at *at* (behind the NUL of JVGets)."""
    while at < len(buffer) and buffer[at] == 0:
        at += 1
    return HEADER.match(buffer, at) is not None or (at_end and at == len(buffer))


def _whole(buffer: bytes, at: int, line_end: int, known: dict[int, Layout], *, at_end: bool) -> Layout | None:
    """Return the layout that ends in CR LF at its own length although a line break stands inside it.

    A stripped record and a damaged one behind it may add up to such a length: then the line reads better by itself.
    """
    if _starts_record(buffer, line_end, at_end=at_end):
        return None
    for length, layout in known.items():
        end = at + length
        if line_end < end and buffer[end - 2 : end] == CRLF and _starts_record(buffer, end, at_end=at_end):
            return None if _reads_better_alone(buffer[at:line_end], buffer[at:end], layout, known) else layout
    return None


def _reads_better_alone(line: bytes, whole: bytes, layout: Layout, known: dict[int, Layout]) -> bool:
    """Whether *line*, taken for a stripped record, has less wrong with it than the *whole* that it begins."""
    alone = _unusual(line, 0, len(line), 0, known)
    if alone.layout is None or not whole[len(line) :].strip():
        return False
    return _misfit(alone.raw, alone.layout)[0] < _misfit(whole, layout)[0]


def _hides_record(buffer: bytes, at: int, end: int, known: dict[int, Layout]) -> bool:
    """Whether the line holds a record whose CR LF is damaged or gone, and then another one."""
    return any(next_at < end for next_at in _next_starts(buffer, at, known))


def _next_starts(buffer: bytes, at: int, known: dict[int, Layout]) -> Iterator[int]:
    """Yield where the next record starts when this one has its length, with or without its CR LF."""
    for length in known:
        for next_at in (at + length, at + length - 2):
            if HEADER.match(buffer, next_at) is not None:
                yield next_at


def _unusual(buffer: bytes, at: int, end: int, offset: int, known: dict[int, Layout]) -> RawRecord:
    """Return a line of a known type that was stripped, padded back, or of an unknown type or length, raw."""
    line = buffer[at:end]
    at_least = sorted((layout for length, layout in known.items() if length >= len(line)), key=lambda one: one.length)
    if not at_least:
        return RawRecord(buffer, at, len(line), None, offset + at)
    layout = min(at_least, key=lambda one: _misfit(_padded(line, one.length), one))
    return RawRecord(buffer, at, len(line), layout, offset + at, padded=layout.length - len(line))


def _padded(line: bytes, length: int) -> bytes:
    return line[:-2].ljust(length - 2, b" ") + CRLF


def _misfit(raw: bytes, layout: Layout) -> tuple[int, bool, int]:
    """Return how badly *raw* reads as *layout*; of equals, the generation of its MakeDate, then the next length."""
    record = decoder(layout)(raw)
    misplaced = sum(
        field.kind in _WIDTHS and not _widths(record[field.key] or "") <= {_WIDTHS[field.kind]}
        for field in layout.fields
    )
    was_current = layout.valid_until is None or str(record["MakeDate"]) <= layout.valid_until
    is_older = layout.valid_from is not None and str(record["MakeDate"]) < layout.valid_from
    return len(record.get("_errors", ())) + misplaced, not was_current or is_older, layout.length


_WIDTHS = {"text_fullwidth": 2, "text_halfwidth": 1}


def _widths(text: str) -> set[int]:
    """Return how many bytes the characters of *text* take each."""
    return {len(char.encode("cp932")) for char in text}


def _lost(buffer: bytes, at: int, offset: int, known: dict[int, Layout], *, at_end: bool) -> tuple[Damage, int]:
    """Return what is lost from *at* up to the next place that looks like a record."""
    name, limit = buffer[at : at + 2], min(len(buffer), at + LOOKAHEAD)
    if HEADER.match(buffer, at) is not None:
        for next_at in _next_starts(buffer, at, known):
            why = f"{name.decode('ascii')} does not end in CR LF"
            return Damage(offset + at, next_at - at, why, name), next_at
    after = _NEXT_HEADER.search(buffer, at, limit)
    if after is not None:
        return Damage(offset + at, after.end() - at, "no record starts here", name), after.end()
    if at_end:
        why = "the data ends within a record" if HEADER.match(buffer, at) else "no record starts here"
        return Damage(offset + at, limit - at, why, name), limit
    # Keep what may be the beginning of CR LF, NULs and a header.
    tail = buffer.rfind(CRLF, limit - 4 * _HEADER_BYTES, limit)
    end = min(limit - _HEADER_BYTES - 2, tail if tail > at else limit)
    return Damage(offset + at, end - at, "no record starts here", name), end
