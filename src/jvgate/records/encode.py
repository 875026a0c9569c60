"""Values -> the exact bytes of a record: the mirror of `decode`.

A record's keys and values are those of an answer.  What is missing or None gets the field's initial value, so a
record is written in its normal form: padding, unset slots and reserved areas as the specification fills them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from jvgate.errors import RecordError
from jvgate.records.kinds import Dump, dumper, initial
from jvgate.spec.layouts import Field, Group, Layout, Layouts

__all__ = ["encode", "initial_slot"]

_Write = Callable[[bytearray, int, Any, "_Place"], None]


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a value belongs: for messages, and the mark that stands beside it."""

    record: str
    key: str
    mark: str | None


def encode(record: Mapping[str, object], layouts: Layouts, *, length: int | None = None) -> bytes:
    """Return *record* as bytes in the layout that its RecordSpec has in *layouts*.

    length: picks an older layout; the current one otherwise.  Groups are lists of slots (None for an unset
    one) or the exact bytes of the whole group.  Raises RecordError naming record, field and byte.
    """
    name = str(record.get("RecordSpec"))
    found = layouts.generations(name)
    layout = layouts.get(name, length) if length else found[0] if found else None
    if layout is None:
        raise RecordError(name, "RecordSpec", why=f"no layout of {length or 'any'} bytes")
    writers = _writers(layout.fields)
    raw = bytearray(_blank(layout))
    _write_members(raw, 0, record, writers, name)
    return bytes(raw)


def initial_slot(fields: Sequence[Field | Group]) -> bytes:
    """Return the bytes of an object none of whose *fields* is set."""
    return b"".join(
        _blank_slot(field) * field.repeat if isinstance(field, Group) else initial(field) * field.repeat
        for field in fields
    )


@cache
def _blank(layout: Layout) -> bytes:
    return initial_slot(layout.fields)


def _blank_slot(group: Group) -> bytes:
    return b" " * group.length if group.empty_slot == "spaces" else initial_slot(group.fields)


@cache
def _writers(fields: tuple[Field | Group, ...]) -> dict[str, tuple[int, _Write]]:
    """Return for each key where it starts and what writes it; fixed fields are in the blank record already."""
    return {
        field.key: (field.offset, _group_writer(field) if isinstance(field, Group) else _field_writer(field))
        for field in fields
    }


def _write_members(
    raw: bytearray, base: int, values: Mapping[str, object], writers: Mapping[str, tuple[int, _Write]], record: str
) -> None:
    for key, value in values.items():
        if value is None and f"{key}Mark" not in values:
            continue
        if key in writers:
            offset, write = writers[key]
            mark = values.get(f"{key}Mark")
            write(raw, base + offset, value, _Place(record, key, None if mark is None else str(mark)))
        elif key.removesuffix("Mark") not in writers and key != "_errors":
            raise RecordError(record, key, why="no such field in this layout")


def _field_writer(field: Field) -> _Write:
    if field.fixed is not None:
        return _check_fixed(field.fixed)
    dump, length = dumper(field), field.length
    marks = {slug: raw for raw, slug in field.special.items()}
    # Where zero is a number, an item that is not there is blank.
    unset = initial(field) if field.unset or field.unset_fill else b" " * length

    def write_one(raw: bytearray, at: int, value: Any, place: _Place) -> None:
        raw[at : at + length] = _dumped(dump, value, place, marks, at)

    def write_array(raw: bytearray, at: int, value: Any, place: _Place) -> None:
        _check_count(value, field.repeat, place, at)
        whole = b"".join(
            unset if item is None else _dumped(dump, item, place, {}, at + n * length) for n, item in enumerate(value)
        )
        raw[at : at + len(whole)] = whole

    return write_array if field.repeat > 1 else write_one


def _check_fixed(fixed: bytes) -> _Write:
    def check(raw: bytearray, at: int, value: Any, place: _Place) -> None:
        if value != fixed.decode("ascii"):
            raise RecordError(place.record, place.key, offset=at, why=f"{value!r} is not the fixed {fixed!r}")

    return check


def _dumped(dump: Dump, value: Any, place: _Place, marks: Mapping[str, bytes], at: int) -> bytes:
    # A number that its mark only comments (a ceiling) is written as the number it is.
    if place.mark is not None and place.mark in marks and not value:
        return marks[place.mark]
    try:
        return dump(value)
    except ValueError as exc:
        raise RecordError(place.record, place.key, offset=at, why=str(exc)) from exc


def _group_writer(group: Group) -> _Write:
    writers = _writers(group.fields)
    filled, size = initial_slot(group.fields), group.length * group.repeat
    index = {name: number for number, name in enumerate(group.placed)}
    naming = group.fields[0].key
    stays_unset = group.empty_slot is not None or all(
        isinstance(field, Field) and (field.unset or field.unset_fill) for field in group.fields
    )

    def write(raw: bytearray, at: int, value: Any, place: _Place) -> None:
        if isinstance(value, bytes | bytearray | memoryview):
            if len(value) != size:
                raise RecordError(place.record, place.key, offset=at, why=f"{len(value)} bytes, not {size}")
            raw[at : at + size] = value
            return
        _check_count(value, group.repeat, place, at)
        for number, slot in enumerate(value):
            if slot is None:
                if not stays_unset:  # its initial values would say zero, not nothing
                    raw[at + number * group.length : at + (number + 1) * group.length] = b" " * group.length
                continue
            position = _position(slot[naming], index, place, at) if index else number
            start = at + position * group.length
            raw[start : start + group.length] = filled
            _write_members(raw, start, slot, writers, f"{place.record}.{place.key}")

    return write


def _position(name: Any, index: Mapping[str, int], place: _Place, at: int) -> int:
    """Return the fixed place of the slot called *name*: its horse number or combination."""
    text = f"{name:02}" if isinstance(name, int) else str(name)
    if text not in index:
        raise RecordError(place.record, place.key, offset=at, why=f"{name!r} is no slot of this group")
    return index[text]


def _check_count(value: Any, repeat: int, place: _Place, at: int) -> None:
    if not isinstance(value, Sequence) or len(value) > repeat:
        raise RecordError(place.record, place.key, offset=at, why=f"not a list of at most {repeat} values")
