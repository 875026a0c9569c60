"""A layout, laid out as the columns of a batch's text: what stands in each, and where its bytes are.

Every column gives each record a few bytes of its JSON text; a record's text is the columns of its row, joined.
Groups are laid flat: each slot has columns of its own, which share their tables.  What is constant between two
values (names, brackets) goes with the value behind it, so that most fields are one column.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import accumulate
from math import prod

from jvgate.records.lines.readings import Part, Reading, has_parts, has_point, known_values, parts_of
from jvgate.records.lines.wordlist import MAX_CODE, MAX_DIGITS, Table
from jvgate.records.meanings import blank_slots, is_shown
from jvgate.records.slots import is_large
from jvgate.spec.layouts import Field, Group, Layout

__all__ = ["Look", "Prose", "Sheet", "Slots", "Wide", "sheet_of"]

_NUMBERS = ("int", "digits", "decimal", "time", "monthday")
# Neighbours share a column while they are this short and cannot say more than so many things together.
_SHARED_CODE, _SHARED_DIGITS, _MOST_SAYINGS = 2, 4, 1200
_SAYINGS = {("code", 1): 12, ("int", 1): 10, ("int", 2): 20}


@dataclass(frozen=True, slots=True)
class Look:
    """A column whose text is looked up by the bytes from *at*."""

    column: int
    at: int
    table: Table


@dataclass(frozen=True, slots=True)
class Wide:
    """A long number in parts.  first: the place of the first one in `Sheet.looks`; the others follow.

    known: raw bytes of the whole -> its text, where the parts would say something else.  null: the text of "not set".
    """

    first: int
    parts: tuple[Part, ...]
    known: tuple[tuple[bytes, bytes], ...]
    null: bytes


@dataclass(frozen=True, slots=True)
class Prose:
    """Text: a column that opens it, or says null, and the next one with the characters and *end*."""

    column: int
    at: int
    field: Field
    opening: bytes
    null: bytes
    end: bytes


@dataclass(frozen=True, slots=True)
class Slots:
    """The slots of a group, one behind the other, each of *length* bytes and *width* columns.

    at, column: of the first one.  says: the columns of a slot that tell whether anything is set; none where a slot
    that is not blank always says something.  hidden: for each slot what its first column says where nothing is set.
    blanks: bytes of a slot that say nothing.  drops: hidden slots are left out, and a slot's first column is the
    comma before it.
    """

    at: int
    length: int
    column: int
    width: int
    says: tuple[int, ...]
    hidden: tuple[bytes, ...]
    blanks: tuple[bytes, ...]
    drops: bool


@dataclass(slots=True)
class Sheet:
    """The columns of a layout; the first one is for what stands between two records.

    constant: the bytes that have to stand at a place.  slots: inner groups before outer ones.
    """

    width: int = 1
    looks: list[Look] = field(default_factory=list)
    wides: list[Wide] = field(default_factory=list)
    prose: list[Prose] = field(default_factory=list)
    slots: list[Slots] = field(default_factory=list)
    fixed: list[tuple[int, bytes]] = field(default_factory=list)
    constant: list[tuple[int, bytes]] = field(default_factory=list)


@cache
def sheet_of(layout: Layout, until: str) -> Sheet:
    """Return the columns of *layout*, with the special values for races up to *until* ("" for today's).

    Raises ValueError for a layout with a field that no columns can hold.
    """
    builder = _Builder(until)
    builder.add_object(layout.fields, 0, b"{", b"}")
    return builder.sheet


class _Builder:
    """Lays out columns from left to right.

    The methods are given the text that has to stand before and behind what they add; those that may end without a
    column of their own return the text that the next one has to begin with.
    """

    def __init__(self, until: str) -> None:
        self.sheet = Sheet()
        self._until = until
        self._tables: dict[tuple[object, ...], Table] = {}
        self._parts: dict[tuple[object, ...], tuple[Part, ...]] = {}

    def add_object(self, fields: Sequence[Field | Group], base: int, before: bytes, behind: bytes) -> None:
        """Add an object whose fields count from byte *base*."""
        members = _runs([member for member in fields if is_shown(member)])
        for number, run in enumerate(members):
            end = behind if number == len(members) - 1 else b""
            before = self._add_members(run, base, before, end)
            before += b"" if end else b","
        if before:
            self._add_fixed(before)

    def _add_members(self, run: Sequence[Field | Group], base: int, before: bytes, behind: bytes) -> bytes:
        first = run[0]
        at = base + first.offset
        if isinstance(first, Group):
            return self._add_group(first, at, before, behind)
        if first.fixed is not None and first.kind == "code":
            self.sheet.constant.append((at, first.fixed))
            return before + self._reading(first)(first.fixed) + behind
        if first.repeat > 1:
            self._add_array(first, at, before, behind)
        elif _is_plain_text(first):
            self._add_prose(first, at, before, behind)
        else:
            self._add_scalar([one for one in run if isinstance(one, Field)], at, before, behind)
        return b""

    def _add_column(self, columns: int = 1) -> int:
        self.sheet.width += columns
        return self.sheet.width - columns

    def _add_fixed(self, text: bytes) -> None:
        self.sheet.fixed.append((self._add_column(), text))

    def _add_array(self, one: Field, at: int, before: bytes, behind: bytes) -> None:
        if known_values(one) != one.unset or not (_is_narrow(one) or has_parts(one)):
            raise _no_columns(one)
        reading = Reading(one, self._until, is_element=True)
        before += b'"%b":[' % one.key.encode()
        for number in range(one.repeat):
            end = b"]" + behind if number == one.repeat - 1 else b""
            self._add_value(reading, at + number * one.length, before, end)
            before = b","

    def _add_scalar(self, run: Sequence[Field], at: int, before: bytes, behind: bytes) -> None:
        one = run[0]
        if len(run) > 1:
            self._add_joined(run, at, before, behind)
        elif _is_narrow(one) or has_parts(one):
            self._add_value(self._reading(one), at, before, behind)
        else:
            raise _no_columns(one)

    def _add_value(self, reading: Reading, at: int, before: bytes, behind: bytes) -> None:
        one = reading.field
        if not _is_narrow(one):
            self._add_wide(reading, at, before, behind)
            return
        key = (one, before, behind)
        if key not in self._tables:
            self._tables[key] = Table(
                one.length,
                is_code=one.kind == "code",
                read=lambda raw: before + reading(raw) + behind,
                null=before + reading.null + behind,
            )
        self.sheet.looks.append(Look(self._add_column(), at, self._tables[key]))

    def _add_joined(self, run: Sequence[Field], at: int, before: bytes, behind: bytes) -> None:
        """Add neighbours that share a column."""
        key = (*run, before, behind)
        if key not in self._tables:
            readings = [self._reading(one) for one in run]
            ends = list(accumulate(one.length for one in run))
            spans = [slice(end - one.length, end) for one, end in zip(run, ends, strict=True)]

            def read(raw: bytes) -> bytes:
                members = [reading(raw[span]) for reading, span in zip(readings, spans, strict=True)]
                return before + b",".join(members) + behind

            null = before + b",".join(reading.null for reading in readings) + behind
            is_code = any(one.kind == "code" for one in run)
            self._tables[key] = Table(ends[-1], is_code=is_code, read=read, null=null)
        self.sheet.looks.append(Look(self._add_column(), at, self._tables[key]))

    def _add_wide(self, reading: Reading, at: int, before: bytes, behind: bytes) -> None:
        one, key = reading.field, (reading.field, before, behind)
        if key not in self._parts:
            self._parts[key] = parts_of(reading, before, behind)
        known = tuple((raw, before + reading(raw) + behind) for raw in sorted(known_values(one)))
        self.sheet.wides.append(Wide(len(self.sheet.looks), self._parts[key], known, before + reading.null + behind))
        for part in self._parts[key]:
            self.sheet.looks.append(Look(self._add_column(), at, part.table))
            at += part.table.width

    def _add_prose(self, one: Field, at: int, before: bytes, behind: bytes) -> None:
        named, column = before + b'"%b":' % one.key.encode(), self._add_column(2)
        self.sheet.prose.append(Prose(column, at, one, named + b'"', named + b"null" + behind, b'"' + behind))

    def _add_group(self, group: Group, at: int, before: bytes, behind: bytes) -> bytes:
        if not _is_flattened(group):
            raise _no_columns(group)
        before += b'"%b":[' % group.key.encode()
        if group.names_slots:
            self._add_fixed(before)
            self._add_slots(group, at, b"", b"")
            return b"]" + behind
        self._add_slots(group, at, before, b"]" + behind)
        return b""

    def _add_slots(self, group: Group, at: int, before: bytes, behind: bytes) -> None:
        """Add the slots; *before* the first and *behind* the last one stands their bracket where slots are never
        left out."""
        start, hidden = self.sheet.width, []
        for number in range(group.repeat):
            end = behind if number == group.repeat - 1 else b""
            if group.names_slots:
                self._add_column()  # the comma
            hidden.append(b"" if group.names_slots else before + b"null" + end)
            self.add_object(group.fields, at + number * group.length, before + b"{", b"}" + end)
            before = b"" if group.names_slots else b","
        width = (self.sheet.width - start) // group.repeat
        self.sheet.slots.append(
            Slots(
                at=at,
                length=group.length,
                column=start,
                width=width,
                says=_telling(self.sheet, start, width) if _can_say_nothing(group) else (),
                hidden=tuple(hidden),
                blanks=blank_slots(group),
                drops=group.names_slots,
            )
        )

    def _reading(self, one: Field) -> Reading:
        return Reading(one, self._until, is_element=False)


def _no_columns(member: Field | Group) -> ValueError:
    return ValueError(f"{member.path} has no columns of text; its records are written one by one")


def _telling(sheet: Sheet, start: int, width: int) -> tuple[int, ...]:
    """Return the columns of the first slot that look something up or open a text, counted from its first one."""
    columns = [look.column for look in sheet.looks] + [prose.column for prose in sheet.prose]
    return tuple(sorted(column - start for column in columns if start <= column < start + width))


def _can_say_nothing(group: Group) -> bool:
    return all(isinstance(one, Field) and one.repeat == 1 for one in group.fields if is_shown(one))


def _is_flattened(group: Group) -> bool:
    """Whether the slots get columns of their own."""
    if is_large(group):
        return False
    shown = [member for member in group.fields if is_shown(member)]
    return all(_is_flattened(member) if isinstance(member, Group) else _has_columns(member) for member in shown)


def _has_columns(one: Field) -> bool:
    if _is_plain_text(one):
        return one.repeat == 1
    return (_is_narrow(one) or has_parts(one)) and (one.repeat == 1 or known_values(one) == one.unset)


def _is_narrow(one: Field) -> bool:
    """Whether a table takes the whole field."""
    if one.kind == "code":
        return one.length <= MAX_CODE
    return one.kind in _NUMBERS and one.length <= MAX_DIGITS and not one.signed and not has_point(one)


def _is_plain_text(one: Field) -> bool:
    return one.kind.startswith("text") and one.repeat == 1 and one.length % 2 == 0 and not known_values(one)


def _runs(members: Sequence[Field | Group]) -> list[list[Field | Group]]:
    """Return *members* with those together that share a column."""
    runs: list[list[Field | Group]] = []
    for member in members:
        if runs and runs[-1][-1].end == member.offset and _may_share([*runs[-1], member]):
            runs[-1].append(member)
        else:
            runs.append([member])
    return runs


def _may_share(run: Sequence[Field | Group]) -> bool:
    fields = [one for one in run if isinstance(one, Field) and one.repeat == 1 and one.fixed is None]
    sayings = [_SAYINGS.get((one.kind, one.length), _MOST_SAYINGS) for one in fields]
    if len(fields) < len(run) or prod(sayings) > _MOST_SAYINGS:
        return False
    if any(one.kind == "code" for one in fields):
        return sum(one.length for one in fields) <= _SHARED_CODE
    plain = all(raw.isdigit() for one in fields for raw in known_values(one))
    return plain and sum(one.length for one in fields) <= _SHARED_DIGITS
