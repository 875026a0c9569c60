"""Whether bytes read as records of a layout everywhere, so that nothing in them can be out of its place.

A lost or an added byte moves all fields behind it.  Fields of a fixed kind (numbers, dates, identifiers), the width of
characters in full-width and half-width text, and slots that name their own place do not read any more when they are
moved.  Source: padding table of the layouts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from jvgate.records.kinds import Errors
from jvgate.records.plan import plan_chooser
from jvgate.records.text import CANCELLED, DELETED, text_writer
from jvgate.spec.layouts import Field, Group, Layout

__all__ = ["fits", "padded_layout", "shortest"]

_CRLF = b"\r\n"
_SPACE = b" "
_WIDE_SPACE = "\u3000".encode("cp932")
_MADE = slice(3, 11)
_MANY_SLOTS = 10
_WIDTHS = {"text_fullwidth": 2, "text_halfwidth": 1, "text_mixed": 0}
# The end of a number, or padding, before full-width text: another field reaches into this one.
_FOREIGN = re.compile(rb"[0-9 ]+[\x81-\x9f\xe0-\xfc]")


def fits(layout: Layout, raw: bytes) -> bool:
    """Whether every field of *raw*, which has the layout's length, reads as its kind says and in its place.

    Of a deletion only the key says anything; its other fields may be blank.
    """
    if raw[2:3] == DELETED and not raw[_key_end(layout) : -len(_CRLF)].strip(b" 0" + _WIDE_SPACE):
        return raw[: _key_end(layout)].isalnum()
    return _is_readable(layout, raw) and all(check.passes(raw) for check in _checks(layout))


def padded_layout(layouts: Sequence[Layout], text: bytes) -> Layout | None:
    """Return the layout that *text* is a record of whose trailing padding was cut off; None where it is none.

    text: without its line end.  Of several that it fits, that of its date of creation, else the shortest one.
    """
    if text.endswith(_SPACE):  # some of the padding is there, so no more of it was cut
        return None
    for layout in sorted(layouts, key=lambda layout: (not _is_current(layout, text[_MADE]), layout.length)):
        size = layout.length - len(_CRLF)
        if text.endswith(_WIDE_SPACE) and all(len(text) != field.end for field in layout.fields):
            continue  # as above, within a field
        if shortest(layout) <= len(text) < size:
            raw = text.ljust(size, _SPACE) + _CRLF
            if (
                fits(layout, raw)
                and not _lacks_slots(layout, raw, len(text))
                and not _lacks_counts(layout, raw, len(text))
            ):
                return layout
    return None


def _is_current(layout: Layout, made: bytes) -> bool:
    """Whether the records of *layout* were those that were made on that day (YYYYMMDD)."""
    first, last = ((day or "").replace("-", "").encode() for day in (layout.valid_from, layout.valid_until))
    return first <= made and (not last or made <= last)


@cache
def shortest(layout: Layout) -> int:
    """Return how many bytes of a record have to be there: those before the first one from which all may be padding."""
    return _shortest(layout.fields[:-1])


def _shortest(fields: Sequence[Field | Group]) -> int:
    for field in reversed(fields):
        if not _may_be_blank(field):
            return field.end
    return 0


def _may_be_blank(field: Field | Group) -> bool:
    """Whether the provider fills all of *field* with padding where it is not set."""
    if isinstance(field, Group):
        return field.empty_slot == "spaces" or all(map(_may_be_blank, field.fields))
    return field.kind.startswith("text") or field.kind == "reserved" or field.init == " "


@cache
def _key_end(layout: Layout) -> int:
    return max(field.end for field in layout.fields if field.path in layout.key or field.path.startswith("head."))


def _is_readable(layout: Layout, raw: bytes) -> bool:
    """Whether all fields of a fixed kind can be read; those of a cancelled race may be blank."""
    try:
        plan_chooser(layout)(raw).text(raw)
    except ValueError:
        errors: Errors = []
        text_writer(layout)(raw, errors)
        return not errors and raw[2:3] == CANCELLED
    return True


def _lacks_counts(layout: Layout, raw: bytes, text_end: int) -> bool:
    """Whether some of the numbers behind the last group are gone: without its slots they all are, else none is."""
    groups = [field for field in layout.fields if isinstance(field, Group)]
    end = groups[-1].end if groups else layout.length
    counts = [field for field in layout.fields[:-1] if field.offset >= end and (field.kind, field.repeat) == ("int", 1)]
    if not counts or text_end >= counts[-1].end:
        return False
    return text_end > counts[0].offset or bool(raw[groups[-1].offset : end].strip())


def _lacks_slots(layout: Layout, raw: bytes, text_end: int) -> bool:
    """Whether bytes of a group that was full are gone: its last slot is half there, or named by one before it.

    text_end: where the padding was put back.
    """
    return any(isinstance(group, Group) and _lacks_some(group, raw, text_end) for group in layout.fields)


def _lacks_some(group: Group, raw: bytes, text_end: int) -> bool:
    if group.empty_slot == "spaces" and group.end - group.length < text_end < group.end:
        return True
    if not _is_numbered(group):
        return False
    slots = [raw[at : at + group.length] for at in range(group.offset, group.end, group.length)]
    names = [slot[: group.fields[0].length] for slot in slots if slot.strip()]
    is_ascending = all(one < other for one, other in pairwise(names))
    return not is_ascending or (0 < len(names) < group.repeat and int(names[-1]) >= group.repeat)


def _is_numbered(group: Group) -> bool:
    """Whether the slots of a group, of which there are more than a few, are numbered from one on."""
    return group.names_slots and not group.placed and group.fields[0].kind == "int" and group.repeat >= _MANY_SLOTS


@dataclass(frozen=True, slots=True, eq=False)
class _Texts:
    """The places of text with characters of *width* bytes, 0 for either.  spans: offset and length of each."""

    spans: tuple[tuple[int, int], ...]
    width: int

    def passes(self, raw: bytes) -> bool:
        return all(_has_width(raw[offset : offset + length], self.width) for offset, length in self.spans)


@dataclass(frozen=True, slots=True, eq=False)
class _Names:
    """The slots of a group whose places are fixed, and the names that stand there unless they are blank."""

    group: Group
    names: NDArray[np.uint8]

    def passes(self, raw: bytes) -> bool:
        group, width = self.group, self.names.shape[1]
        slots = np.frombuffer(raw, np.uint8)[group.offset : group.end].reshape(group.repeat, group.length)[:, :width]
        is_right = (slots == self.names).all(axis=1) | (slots == ord(" ")).all(axis=1)
        return bool(is_right.all())


@dataclass(frozen=True, slots=True, eq=False)
class _Years:
    """The places of years: the provider's records name horses since the first stud books, and no later than now."""

    offsets: tuple[int, ...]

    def passes(self, raw: bytes) -> bool:
        years = {raw[at : at + 4] for at in self.offsets}
        return all(b"1700" <= year < b"2100" or not year.strip(b" 0") for year in years)


@cache
def _checks(layout: Layout) -> tuple[_Texts | _Years | _Names, ...]:
    items = list(_each_item(layout.fields, 0))
    checks: list[_Texts | _Years | _Names] = [
        _Texts(tuple((at, field.length) for at, field in items if _WIDTHS.get(field.kind) == width), width)
        for width in (0, 1, 2)
    ]
    checks.append(_Years(tuple(at for at, field in items if field.format == "YYYY")))
    for group in layout.fields:
        if isinstance(group, Group) and group.placed:
            names = np.frombuffer("".join(group.placed).encode(), np.uint8).reshape(group.repeat, -1)
            checks.append(_Names(group, names))
    return tuple(checks)


def _each_item(fields: Sequence[Field | Group], base: int) -> Iterator[tuple[int, Field]]:
    """Yield every item of every field of an object and its slots, and where it starts."""
    for field in fields:
        starts = range(base + field.offset, base + field.end, field.length)
        if isinstance(field, Group):
            for at in starts:
                yield from _each_item(field.fields, at)
        else:
            yield from ((at, field) for at in starts)


def _has_width(raw: bytes, width: int) -> bool:
    """Whether all characters before the padding take *width* bytes; for 0 whether they may be one text."""
    try:
        text = raw.rstrip(_SPACE).decode("cp932").rstrip(" \u3000")
    except UnicodeDecodeError:
        return False
    return len(text.encode("cp932")) == width * len(text) if width else _FOREIGN.match(raw) is None
