"""A stream of bytes -> records: by record type and known length, with resynchronisation after damage.

Theory of operation.  A record starts with its header (type, DataKubun, eight digits of MakeDate) and ends with CR LF;
its type and exact length tell its layout.  At each position the framer takes, in this order:

1. a line of a known length (the usual case), or a known length that ends in CR LF where the line break inside
   turns out to be damage;
2. a line of a known type that is too short: an editor stripped its trailing spaces; it is padded back;
3. a line with a proper header of unknown type or length: kept raw, since new types may come at any time;
4. otherwise damage: everything up to the next place that looks like a header is lost, and reported.

A NUL behind a record (JVGets appends one) is passed over.  Sources: padding and history tables of the layouts.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache

from jvgate.records.decode import decoder
from jvgate.spec.layouts import Layout, layouts

__all__ = ["HEADER", "LOOKAHEAD", "Damage", "Frame", "frames", "frames_of"]

CRLF = b"\r\n"
HEADER = re.compile(rb"[A-Z][A-Z0-9][0-9A-Z][0-9]{8}")
_NEXT_HEADER = re.compile(rb"\r\n\0*(?=" + HEADER.pattern + rb")")
_HEADER_BYTES = 11
# Longest record (H6) and then some: no decision looks further ahead than this.
LOOKAHEAD = 131_072


@dataclass(frozen=True, slots=True)
class Frame:
    """One record.  layout: None for a type or length that is not known.  padded: bytes put back at its end."""

    raw: bytes
    layout: Layout | None
    offset: int
    padded: int = 0

    @property
    def head(self) -> bytes:
        """Its record type."""
        return self.raw[:2]


@dataclass(frozen=True, slots=True)
class Damage:
    """Bytes that belong to no record.

    offset: from the start of the stream.  length: how many were lost.  head: the first two of them.
    """

    offset: int
    length: int
    why: str
    head: bytes


def frames_of(data: bytes) -> Iterator[Frame | Damage]:
    """Yield the records of *data*, and what was lost between them."""
    return frames((data,))


def frames(chunks: Iterable[bytes]) -> Iterator[Frame | Damage]:
    """Yield the records of a stream; where it is cut into chunks changes nothing."""
    lost: Damage | None = None
    for item in _items(chunks):
        if lost is not None and isinstance(item, Damage) and _goes_on(lost, item):
            lost = Damage(lost.offset, lost.length + item.length, lost.why, lost.head)
            continue
        if lost is not None:
            yield lost
        lost = item if isinstance(item, Damage) else None
        if isinstance(item, Frame):
            yield item
    if lost is not None:
        yield lost


def _goes_on(one: Damage, other: Damage) -> bool:
    """Whether *other* is the same damage, found in a second step."""
    return one.offset + one.length == other.offset and one.why == other.why


def _items(chunks: Iterable[bytes]) -> Iterator[Frame | Damage]:
    buffer, offset = b"", 0
    for chunk in chunks:
        buffer += chunk
        at = 0
        while len(buffer) - at >= LOOKAHEAD:
            item, at = _take(buffer, at, offset, at_end=False)
            if item is not None:
                yield item
        buffer, offset = buffer[at:], offset + at
    at = 0
    while at < len(buffer):
        item, at = _take(buffer, at, offset, at_end=True)
        if item is not None:
            yield item


def _take(buffer: bytes, at: int, offset: int, *, at_end: bool) -> tuple[Frame | Damage | None, int]:
    """Return what stands at *at* and where the next one starts; None for padding between records."""
    if buffer[at] == 0:
        end = at + 1
        while end < len(buffer) and buffer[end] == 0:
            end += 1
        return None, end
    name = buffer[at : at + 2]
    known = _known(name)
    if known and buffer.find(CRLF, at, at + max(known)) < 0 and any(_next_starts(buffer, at, known)):
        return _lost(buffer, at, offset, at_end=at_end)  # told without a look at what is far behind
    found = buffer.find(CRLF, at, at + LOOKAHEAD)
    end = found + 2 if found >= 0 else len(buffer)
    if found >= 0 and (layout := known.get(end - at)) is not None and layout not in _may_be_stripped(name):
        return Frame(buffer[at:end], layout, offset + at), end
    if HEADER.match(buffer, at) is not None and found >= 0:
        whole = _whole(buffer, at, end, known, at_end=at_end)
        if whole is not None:
            return Frame(buffer[at : at + whole.length], whole, offset + at), at + whole.length
        if not _hides_record(buffer, at, end, known):
            return _unusual(buffer[at:end], offset + at, known), end
    return _lost(buffer, at, offset, at_end=at_end)


@cache
def _known(name: bytes) -> dict[int, Layout]:
    """Return the layouts of a record type by length; empty for an unknown type."""
    return {layout.length: layout for layout in layouts().generations(name.decode("ascii", "replace"))}


@cache
def _may_be_stripped(name: bytes) -> frozenset[Layout]:
    """Return the layouts whose exact length may also be a stripped record of a longer one: those that end in text."""
    known = _known(name)
    ends_in_text = [layout for layout in known.values() if layout.fields[-2].kind.startswith("text")]
    return frozenset(layout for layout in ends_in_text if layout.length < max(known))


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
            return None if _reads_better_alone(buffer[at:line_end], buffer[at:end], layout) else layout
    return None


def _reads_better_alone(line: bytes, whole: bytes, layout: Layout) -> bool:
    """Whether *line*, taken for a stripped record, has less wrong with it than the *whole* that it begins."""
    alone = _unusual(line, 0, _known(line[:2]))
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


def _unusual(line: bytes, offset: int, known: dict[int, Layout]) -> Frame:
    """Return a line of a known type that was stripped, padded back, or of an unknown type or length, raw."""
    at_least = sorted((layout for length, layout in known.items() if length >= len(line)), key=lambda one: one.length)
    if not at_least:
        return Frame(line, None, offset)
    raw, layout = min(((_padded(line, one.length), one) for one in at_least), key=lambda pair: _misfit(*pair))
    return Frame(raw, layout, offset, padded=layout.length - len(line))


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


def _lost(buffer: bytes, at: int, offset: int, *, at_end: bool) -> tuple[Damage, int]:
    """Return what is lost from *at* up to the next place that looks like a record."""
    name, limit = buffer[at : at + 2], min(len(buffer), at + LOOKAHEAD)
    if HEADER.match(buffer, at) is not None:
        for next_at in _next_starts(buffer, at, _known(name)):
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
