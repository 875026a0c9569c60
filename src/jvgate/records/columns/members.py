"""The members of an object, a column at a time: single fields, repeated fields, groups of slots.

A repeated field is read as one long column of all its items, and a group as one batch of all its slots, so that what
holds for a record holds for a slot, and for a slot of a slot.  Unset slots go by the rule of the record decoder: they
are left out where slots name themselves, and null where only the position gives them meaning.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from jvgate.records.columns.arrays import (
    Notes,
    dictionary_array,
    even_offsets,
    list_array,
    struct_array,
)
from jvgate.records.columns.code_words import CodeReader, known_codes
from jvgate.records.columns.kind_columns import Reader, number_reader
from jvgate.records.columns.rows import Flags, Rows
from jvgate.records.columns.schema import MARK, arrow_fields, has_mark, marks_of, value_type
from jvgate.records.columns.texts import TextReader
from jvgate.records.field_tree import Tree
from jvgate.records.meanings import blank_slots, is_shown, special_of
from jvgate.spec.layouts import Field, Group

__all__ = ["Members"]


class _Member(Protocol):
    """A field or a group of an object."""

    def read(self, rows: Rows, /) -> tuple[list[pa.Array], Notes]:
        """Return its columns, those that are shown, and what is to be said of them."""


class Members:
    """Reads the members of an object that stand in *tree*, all where that is empty.

    until: the last race day of the special values to use, as in `plan.py`.
    whole: whether members that are not shown are read too, to tell whether anything is set and everything is right.
    codes: the codes that the layout itself lists, by the key of their field.
    """

    def __init__(
        self,
        fields: Sequence[Field | Group],
        tree: Tree,
        *,
        until: str,
        whole: bool = False,
        codes: Mapping[str, tuple[str, ...]] | None = None,
    ) -> None:
        self._members = list(_compiled(fields, tree, until, whole, codes or {}))
        # An inner list is never nothing, not even one of nulls; nor is what the record decoder does not show.
        self._may_be_empty = all(isinstance(field, Field) and field.repeat == 1 and is_shown(field) for field in fields)

    def read(self, rows: Rows) -> tuple[list[pa.Array], Notes]:
        """Return the columns, and in which objects nothing is said (null) and something is wrong (bad)."""
        arrays: list[pa.Array] = []
        found = Notes(rows.count)
        said: list[Flags | None] = []
        for member in self._members:
            columns, notes = member.read(rows)
            arrays += columns
            said.append(notes.empty)
            if notes.bad is not None:
                found.spoil(notes.bad)
        found.nulls = _all(said) if self._may_be_empty else None
        return arrays, found


def _all(flags: Sequence[Flags | None]) -> Flags | None:
    """Return where all of *flags* are set."""
    found: Flags | None = None
    for one in flags:
        if one is None:
            return None
        found = one if found is None else found & one
    return found if found is not None and found.any() else None


class _Single:
    """A single field, and the mark beside it."""

    def __init__(self, reader: Reader, field: Field, *, shown: bool, marked: bool) -> None:
        self._reader, self._shown = reader, shown
        self._slugs = pa.array(marks_of(field), pa.string()) if marked else None

    def read(self, rows: Rows) -> tuple[list[pa.Array], Notes]:
        column = self._reader.read(rows)
        notes = column.notes
        arrays = [column.array] if self._shown else []
        if self._slugs is not None:
            marks = np.zeros(rows.count, np.int8) if notes.marks is None else notes.marks
            bare = np.ones(rows.count, np.bool_) if notes.marked is None else ~notes.marked
            arrays.append(dictionary_array(MARK, marks, self._slugs, bare))
        return arrays, notes


class _Items:
    """A repeated field."""

    def __init__(self, reader: Reader, field: Field, *, shown: bool) -> None:
        self._reader, self._field, self._shown = reader, field, shown
        self._kind = pa.list_(value_type(field))

    def read(self, rows: Rows) -> tuple[list[pa.Array], Notes]:
        field = self._field
        column = self._reader.read(rows.parts(field.offset, field.length, field.repeat))
        offsets = even_offsets(rows.count, field.repeat)
        notes = Notes(rows.count, bad=_any_of(column.notes.bad, field.repeat))
        return [list_array(self._kind, offsets, column.array)] if self._shown else [], notes


class _Slots:
    """A group."""

    def __init__(self, group: Group, tree: Tree, until: str, *, shown: bool) -> None:
        self._group, self._shown = group, shown
        self._members = Members(group.fields, tree, until=until, whole=True)
        self._blanks = blank_slots(group)
        self._slot = pa.struct(arrow_fields(group.fields, tree))
        self._kind = pa.list_(self._slot)

    def read(self, rows: Rows) -> tuple[list[pa.Array], Notes]:
        group = self._group
        slots = rows.parts(group.offset, group.length, group.repeat)
        blank = None
        for pattern in self._blanks:
            hit = slots.equal(pattern)
            blank = hit if blank is None else blank if hit is None else blank | hit
        array, bad = (
            self._filled(slots, blank, rows.count) if group.names_slots else self._all(slots, blank, rows.count)
        )
        return [array] if self._shown else [], Notes(rows.count, bad=_any_of(bad, group.repeat))

    def _all(self, slots: Rows, blank: Flags | None, count: int) -> tuple[pa.Array, Flags | None]:
        """Return every slot, null where nothing in it is set."""
        members, notes = self._members.read(slots)
        nulls, bad = notes.nulls, notes.bad
        if blank is not None:
            nulls = blank if nulls is None else blank | nulls
            bad = None if bad is None else bad & ~blank
        items = struct_array(self._slot, members, slots.count, nulls)
        return list_array(self._kind, even_offsets(count, self._group.repeat), items), bad

    def _filled(self, slots: Rows, blank: Flags | None, count: int) -> tuple[pa.Array, Flags | None]:
        """Return the slots in which something is set."""
        present = np.ones(slots.count, np.bool_) if blank is None else ~blank
        places = None if blank is None else np.flatnonzero(present)
        members, notes = self._members.read(slots if places is None else slots.chosen(places))
        items = struct_array(self._slot, members, notes.count, None)
        if notes.nulls is not None:
            items = items.filter(pa.array(~notes.nulls))
            unset = np.flatnonzero(notes.nulls)
            present[unset if places is None else places[unset]] = False
        bad = notes.bad
        if bad is not None and places is not None:
            bad = np.zeros(slots.count, np.bool_)
            bad[places[notes.bad]] = True
        return list_array(self._kind, _offsets(present, count, self._group.repeat), items), bad


def _offsets(present: Flags, count: int, repeat: int) -> NDArray[np.int32]:
    """Return where the slots of each object start, of which those that are not *present* are left out."""
    offsets = np.zeros(count + 1, np.int32)
    np.cumsum(np.count_nonzero(present.reshape(count, repeat), axis=1), out=offsets[1:])
    return offsets


def _any_of(flags: Flags | None, repeat: int) -> Flags | None:
    """Return for which objects one of their *repeat* parts is flagged."""
    return None if flags is None else np.asarray(flags.reshape(-1, repeat).any(axis=1))


def _compiled(
    fields: Sequence[Field | Group], tree: Tree, until: str, whole: bool, codes: Mapping[str, tuple[str, ...]]
) -> Iterator[_Member]:
    for field in filter(is_shown, fields):
        wanted = not tree or field.key in tree
        if isinstance(field, Group):
            if wanted or whole:
                yield _Slots(field, tree.get(field.key, {}), until, shown=wanted)
            continue
        marked = has_mark(field) and wanted
        if not (wanted or marked or whole):
            continue
        reader = _reader(field, until, codes.get(field.key, ()))
        yield (
            _Items(reader, field, shown=wanted)
            if field.repeat > 1
            else _Single(reader, field, shown=wanted, marked=marked)
        )


def _reader(field: Field, until: str, codes: tuple[str, ...]) -> Reader:
    """Return what reads one value of *field*; an item of a repeated one stands by itself."""
    offset, special = 0 if field.repeat > 1 else field.offset, special_of(field, until)
    if field.kind == "code":
        return CodeReader(field, offset, known_codes(field, codes))
    if field.kind.startswith("text"):
        return TextReader(field, special, offset)
    return number_reader(field, special, offset)
