"""A stream of bytes -> records: by record type and known length, with resynchronisation after damage.

Theory of operation.  A record starts with its header (type, DataKubun, eight digits of MakeDate) and ends with CR LF;
its type and exact length tell its layout.  At each position the framer takes, in this order:

1. a line of a known length (the usual case), whatever its line end: LF, CR LF, CR CR LF, or none before the next
   header;
2. a line of a known type that is too short and reads well once its trailing padding is put back (`fitting.py`);
3. a line of a known type at any other length, or a record with a line break inside: damage of that record, kept raw
   and flawed, since nothing behind the gap is in its place;
4. a line with a proper header of unknown type: kept raw, since new types may come at any time;
5. otherwise damage: everything up to the next place where a record starts (`headers.py`) is lost, and reported.

A lost or added run of bytes may make a record just as long as another generation of its type, and a whole record may
stand in the place of its end.  So where a type has several generations a record is taken only when all its fields
read as such, until many in a row did; and a record that ends in another record is none.

NULs, blanks and empty lines between records are fill.  What stands at a position is decided by what stood before it
and at most LOOKAHEAD bytes behind it, never by where the stream was cut.  A line of a known length decides itself, so
that a stream's records come out as they go in, and many of one layout come out as one run; everything else waits until
so much is there, or the stream ends.  Where no record starts for GIVE_UP_BYTES the search ends.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from typing import Final

import numpy as np
from numpy.typing import NDArray

from jvgate.records.fitting import fits, padded_layout
from jvgate.records.headers import HEADER, LINE_END, ends_at, headers_of
from jvgate.records.runs import CRLF, FEW, Damage, Fill, Framed, RawRecord, RecordRun
from jvgate.spec.layouts import Layout, Layouts

__all__ = ["GIVE_UP_BYTES", "LOOKAHEAD", "Framer", "frames"]

# How far one step looks for the start of a record, and how far behind that such a record may end: the longest one (H6)
# and then some.
_SEARCH_BYTES: Final = 1 << 17
LOOKAHEAD: Final = 2 * _SEARCH_BYTES
GIVE_UP_BYTES: Final = 1 << 20
_RUN_BYTES = 1 << 20
_PIECE_BYTES = 1 << 16
_SETTLED = 16  # as many records of one generation in a row show that the next ones are too
_LINE_FEED, _RETURN = ord("\n"), ord("\r")
_FILL = re.compile(rb"[\0 \r\n\x1a]*")
_BOM = b"\xef\xbb\xbf"


class Framer:
    """Takes a stream as it comes.  What `feed` yields is to be taken to its end before the next call.

    run_bytes: of the longest run that is yielded as one.
    """

    def __init__(self, layouts: Layouts, *, run_bytes: int = _RUN_BYTES) -> None:
        self._headers = headers_of(layouts)
        self._run_bytes = run_bytes
        self._buffer = b""
        self._offset = 0
        self._lost: Damage | None = None
        self._barren_bytes = 0  # since the last record
        self._head = b""  # type of the last record
        self._generations: dict[bytes, tuple[Layout, int]] = {}  # of the last records of each type, and their number

    @property
    def has_given_up(self) -> bool:
        """Whether no record came for so long that none is looked for any more."""
        return self._barren_bytes >= GIVE_UP_BYTES

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
        at = 0
        if self._offset == 0 and len(buffer) < len(_BOM) and not at_end:
            self._buffer = buffer
            return
        while at < len(buffer):
            item = self._next(buffer, at, at_end=at_end)
            if item is None:
                break
            if (told := self._told(item)) is not None:
                yield told
            if not isinstance(item, Damage):
                yield item
            at += item.length
        self._buffer, self._offset = buffer[at:], self._offset + at

    def _told(self, item: Framed) -> Damage | None:
        """Return the damage before *item*, now that it is known to be all of it."""
        lost, self._lost = self._lost, item if isinstance(item, Damage) else None
        if isinstance(item, RecordRun | RawRecord):
            self._barren_bytes, self._head = 0, item.head
        else:
            self._barren_bytes += item.length
        if lost is not None and isinstance(item, Damage) and lost.why == item.why:
            self._lost = replace(lost, length=lost.length + item.length)
            return None
        return lost

    def _next(self, buffer: bytes, at: int, *, at_end: bool) -> Framed | None:
        """Return what stands at *at*; None where that takes more bytes to tell."""
        offset = self._offset + at
        if self.has_given_up:
            return Damage(offset, len(buffer) - at, f"no record within {GIVE_UP_BYTES:,} bytes", buffer[at : at + 2])
        if (filled := _behind_fill(buffer, at, is_start=offset == 0)) > at:
            return Fill(offset, filled - at, self._head)
        if (run := self._run(buffer, at)) is not None:
            return run
        if not at_end and len(buffer) - at < LOOKAHEAD:
            return None
        return self._single(buffer, at, at_end=at_end) or self._damage(buffer, at, at_end=at_end)

    def _run(self, buffer: bytes, at: int) -> RecordRun | None:
        """Return the records from *at* on that are lines of one known length; None where there is none."""
        name = buffer[at : at + 2]
        known = self._headers.known(name)
        feed = buffer.find(b"\n", at, at + max(known) + 1) if known else -1
        end = _text_end(buffer, feed)
        layout = known.get(end + len(CRLF) - at) if feed >= 0 else None
        if layout is None or buffer[end - 1] == _RETURN:
            return None
        ending, filled = feed + 1 - end, _behind_fill(buffer, feed + 1)
        gap = filled - feed - 1 if buffer[feed + 1 : filled] == b"\0" else 0  # that JVGets appends
        run = RecordRun(buffer, at, layout, 1, layout.length - len(CRLF) + ending + gap, self._offset + at, ending)
        run = replace(run, count=_count_alike(run, max(self._run_bytes, layout.length)))
        count = _count_clear(run, self._headers.tails(layout))
        if len(known) > 1:
            count = self._count_of_generation(replace(run, count=count))
        return replace(run, count=count) if count else None

    def _single(self, buffer: bytes, at: int, *, at_end: bool) -> RawRecord | None:
        """Return the record at *at*, which is none of a run; None where none stands."""
        if HEADER.match(buffer, at) is None:
            return None
        known = self._headers.known(buffer[at : at + 2])
        feed = buffer.find(b"\n", at, at + _SEARCH_BYTES)
        start = self._headers.next_start(buffer, at + 1, at + _SEARCH_BYTES, at_end=at_end)
        ends = {at + layout.length - len(CRLF): layout for layout in known.values()}
        ends = {end: layout for end, layout in ends.items() if start is None or end <= start}
        for end, layout in ends.items():
            ending = ends_at(buffer, at, end, at_end=at_end)
            if ending is not None and (len(known) == 1 or self._is_generation(layout, buffer[at:end])):
                return RawRecord(buffer, at, end - at, layout, self._offset + at, ending)
        if feed < 0 or (start is not None and start <= feed):
            return None
        text_end = _text_end(buffer, feed)
        line = RawRecord(buffer, at, text_end - at, None, self._offset + at, feed + 1 - text_end)
        return self._padded(line, known) or _broken(line, ends, at_end=at_end) or _flawed(line, known)

    def _padded(self, line: RawRecord, known: Mapping[int, Layout]) -> RawRecord | None:
        """Return a line whose padding was cut off with its layout; None where it is no such line."""
        layout = padded_layout(tuple(known.values()), line.as_it_came()[: -len(CRLF)])
        if layout is None:
            return None
        self._note_generation(layout)
        return replace(line, layout=layout, padded=layout.length - len(CRLF) - line.size)

    def _count_of_generation(self, run: RecordRun) -> int:
        """Return how many records of *run* there are before one that only seems to be of its generation."""
        for number, record in enumerate(run.records()):
            if self._generations.get(run.head) == (run.layout, _SETTLED):
                return run.count
            if not self._is_generation(run.layout, run.body[record.start : record.start + record.size]):
                return number
        return run.count

    def _is_generation(self, layout: Layout, text: bytes) -> bool:
        """Whether *text* is of *layout*: all of it reads so, or many records of its type before it were."""
        if self._generations.get(text[:2]) == (layout, _SETTLED):
            return True
        if not fits(layout, text + CRLF):
            return False
        self._note_generation(layout)
        return True

    def _note_generation(self, layout: Layout) -> None:
        name = layout.record.encode("ascii")
        last, count = self._generations.get(name, (layout, 0))
        self._generations[name] = layout, min(_SETTLED, count + 1) if last is layout else 1

    def _damage(self, buffer: bytes, at: int, *, at_end: bool) -> Damage:
        """Return what is lost from *at* up to the next place where a record starts."""
        limit, offset, name = min(len(buffer), at + _SEARCH_BYTES), self._offset + at, buffer[at : at + 2]
        start = self._headers.next_start(buffer, at + 1, limit, at_end=at_end)
        why = "no record starts here"
        if HEADER.match(buffer, at) is not None:
            is_cut = start is None and at_end and limit == len(buffer)
            why = "the data ends within a record" if is_cut else f"{name.decode('ascii')} has no line end"
        return Damage(offset, (limit if start is None else start) - at, why, name)


def frames(chunks: Iterable[bytes], layouts: Layouts) -> Iterator[RawRecord | Damage | Fill]:
    """Yield the records of a stream, and what stands between them; where it is cut into chunks changes nothing."""
    framer = Framer(layouts)
    for item in chain(chain.from_iterable(map(framer.feed, chunks)), framer.end()):
        if isinstance(item, RecordRun):
            yield from item.records()
        else:
            yield item


def _behind_fill(buffer: bytes, at: int, *, is_start: bool = False) -> int:
    """Return where the fill from *at* on ends.  is_start: of the stream, where a byte order mark may stand."""
    at += len(_BOM) if is_start and buffer.startswith(_BOM, at) else 0
    found = _FILL.match(buffer, at)
    return found.end() if found is not None else at


def _text_end(buffer: bytes, feed: int) -> int:
    """Return where the text of a line ends whose line feed is at *feed*."""
    end = feed
    while end > max(0, feed - 2) and buffer[end - 1] == _RETURN:
        end -= 1
    return end


def _broken(line: RawRecord, ends: Mapping[int, Layout], *, at_end: bool) -> RawRecord | None:
    """Return the record that begins with *line* and has a line break inside; None where there is none.

    ends: where it may end.  The next record has to follow, or both would be lines of their own.
    """
    buffer = line.body
    for end, layout in ends.items():
        found = LINE_END.match(buffer, end)
        if found is None or end <= line.start + line.length or buffer[end - 1] == _RETURN:
            continue
        behind = _behind_fill(buffer, found.end())
        if HEADER.match(buffer, behind) is not None or (at_end and behind == len(buffer)):
            flaw = f"{layout.record} with a line break inside"
            return replace(line, size=end - line.start, ending=found.end() - end, flaw=flaw)
    return None


def _flawed(line: RawRecord, known: Mapping[int, Layout]) -> RawRecord:
    """Return a line at a length at which its type cannot be read; as it is where nobody knows the type."""
    if not known:
        return line
    length, name = line.size + len(CRLF), line.head.decode("ascii")
    lengths = " or ".join(map(str, sorted(known)))
    why = "its fields do not read" if length in known else f"{name} has {lengths}"
    return replace(line, flaw=f"{name} of {length} bytes: {why}")


def _count_alike(run: RecordRun, most_bytes: int) -> int:
    """Return how many records like the first one of *run* stand there; no look at each where there are many."""
    buffer, at, stride, size = run.body, run.start, run.stride, run.size
    most = (min(len(buffer) - at, most_bytes) - size - run.ending) // stride + 1
    ends = buffer[at + size : at + stride]  # line end, and what stands between
    for number in range(1, min(most, FEW)):
        start = at + number * stride
        is_alike = buffer.startswith(run.head, start) and buffer.startswith(ends[: run.ending], start + size)
        if not is_alike or buffer.find(b"\n", start, start + size) >= 0 or buffer[start + size - 1] == _RETURN:
            return number
    if most <= FEW:
        return most
    alike = np.ones(most, np.bool_)
    for place, byte in (*enumerate(run.head), *enumerate(ends[: run.ending], start=size)):
        alike &= _column(run, place, most) == byte
    alike &= _column(run, size - 1, most) != _RETURN
    if stride > size + run.ending:
        alike[:-1] &= _column(run, stride - 1, most - 1) == 0
    count = most if alike.all() else int(alike.argmin())
    while count > 1 and _line_feeds(buffer, at, at + count * stride) > count:  # one of them has a line break inside
        count //= 2
    return count


def _count_clear(run: RecordRun, tails: Sequence[tuple[int, bytes]]) -> int:
    """Return how many records of *run* there are before one whose end is another whole record.  tails: see Headers."""
    if not tails:
        return run.count
    places = np.array([offset for offset, _ in tails], np.intp)
    names = np.frombuffer(b"".join(name for _, name in tails), np.uint8).reshape(-1, 2)
    letters = np.frombuffer(run.body, np.uint8)
    step = max(1, _PIECE_BYTES // len(tails))
    for first in range(0, run.count, step):
        starts = run.start + run.stride * np.arange(first, min(run.count, first + step), dtype=np.intp)
        at = starts[:, None] + places
        for number, tail in np.argwhere((letters[at] == names[:, 0]) & (letters[at + 1] == names[:, 1])).tolist():
            if HEADER.match(run.body, run.start + (first + number) * run.stride + tails[tail][0]) is not None:
                return first + int(number)
    return run.count


def _column(run: RecordRun, offset: int, count: int) -> NDArray[np.uint8]:
    """Return the byte at *offset* of *count* records from the first of *run* on; a view, nothing is copied."""
    return np.ndarray((count,), np.uint8, run.body, run.start + offset, (run.stride,))


def _line_feeds(buffer: bytes, start: int, end: int) -> int:
    """Return how many there are; several times faster than `bytes.count`, in pieces that fit the processor's cache."""
    letters = np.frombuffer(buffer, np.uint8)[start:end]
    pieces = (letters[at : at + _PIECE_BYTES] for at in range(0, len(letters), _PIECE_BYTES))
    return sum(int(np.count_nonzero(piece == _LINE_FEED)) for piece in pieces)
