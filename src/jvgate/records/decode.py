"""The bytes of a record -> its values, driven by the layouts alone.

Theory of operation.  A layout is compiled once into a plan: one `struct` format that cuts the record in one call,
and for each piece a memo (raw bytes -> values).  Racing data says the same few things again and again (codes,
small numbers, names of the same horses), so nearly every piece is one dictionary look-up, done in C by `map`.
Neighbours that are narrow, and the header that all runners of a race share, are one piece: fewer look-ups.
A miss calls the loader of the field's kind; a loader that refuses sends the record down the slow path, which goes
field by field and notes what was wrong.  Large groups of numbers are decoded as arrays (`slots.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from itertools import chain
from operator import getitem
from struct import Struct
from typing import Any

from jvgate.errors import RecordError
from jvgate.records.encode import initial_slot
from jvgate.records.kinds import Value, loader
from jvgate.records.slots import Errors, ReadGroup, json_reader, value_reader
from jvgate.spec.layouts import Field, Group, Layout, layouts

__all__ = ["Record", "decode", "decoder"]

Record = dict[str, Any]

MEMO_ENTRIES = 8192
MEMO_BYTES = 128
PIECE_BYTES = 9
DELETED = b"0"


def decode(raw: bytes) -> Record:
    """Return the values of one record; its layout is told by type and exact length.

    Raises RecordError when no layout fits.  A field whose bytes break its kind is None, and `_errors` says why.
    """
    return _decoder_for(raw[:2], len(raw))(raw)


@cache
def _decoder_for(name: bytes, length: int) -> Callable[[bytes], Record]:
    record = name.decode("ascii", "replace")
    layout = layouts().get(record, length)
    if layout is None:
        raise RecordError(record, "RecordSpec", offset=0, why=f"no layout of {length} bytes")
    return decoder(layout)


@cache
def decoder(layout: Layout, *, for_json: bool = False) -> Callable[[bytes], Record]:
    """Return the decoder of *layout*: one raw record of exactly `layout.length` bytes -> its values.

    for_json: large groups of numbers come as finished JSON text (`orjson.Fragment`) that only orjson can write.
    """
    plan = _Plan(layout.fields, until="", for_json=for_json)
    dates = sorted({dated.until for field in layout.leaves() for dated in field.special_dated})
    older = [(until.encode(), _Plan(layout.fields, until=until, for_json=for_json)) for until in dates]
    length, name = layout.length, layout.record

    def decode_one(raw: bytes) -> Record:
        if len(raw) != length:  # a slice of short bytes would pass in silence
            raise RecordError(name, "length", offset=0, why=f"{len(raw)} bytes, not {length}")
        chosen = plan
        for until, dated in older:
            if raw[11:19] <= until:  # every record with dated specials starts with its race day
                chosen = dated
                break
        errors: Errors = []
        record = chosen.read(raw, 0, errors)
        if errors and raw[2:3] != DELETED:  # the body of a deletion may be anything
            record["_errors"] = errors
        return record

    return decode_one


class _Memo(dict[bytes, tuple[Any, ...]]):
    """Raw bytes -> values, filled as values come by; emptied when full, so that memory stays bounded."""

    __slots__ = ("_load",)

    def __init__(self, load: Callable[[bytes], tuple[Any, ...]]) -> None:
        super().__init__()
        self._load = load

    def __missing__(self, raw: bytes) -> tuple[Any, ...]:
        values = self._load(raw)
        if len(self) >= MEMO_ENTRIES:
            self.clear()
        if len(raw) <= MEMO_BYTES:
            self[raw] = values
        return values


class _Plan:
    """How to read one object: a record, or one slot of a group.  Offsets count from the object's start."""

    def __init__(self, fields: Sequence[Field | Group], *, until: str, for_json: bool = False) -> None:
        shown = [field for field in fields if _is_shown(field)]
        self._fields = [field for field in shown if isinstance(field, Field)]
        self._loads = [_field_loader(field, until) for field in self._fields]
        pieces = _pieces(self._fields)
        self._template: Record = dict.fromkeys(field.key for field in shown)
        self._names = tuple(field.key for field in self._fields)
        self._memos = tuple(_memo(piece, until) for piece in pieces)
        self._cut = Struct(_cut_format(fields, pieces)).unpack_from
        self._marks = tuple(
            (index, piece[0].key, marks) for index, piece in enumerate(pieces) if (marks := _special(piece[0], until))
        )
        self._arrays = tuple(field.key for field in self._fields if field.repeat > 1)
        self._groups = tuple(
            (field.key, _group_reader(field, until, for_json=for_json)) for field in shown if isinstance(field, Group)
        )

    @property
    def is_flat(self) -> bool:
        """Whether the object holds plain values only, so that a copy of it is one of its own."""
        return not self._arrays and not self._groups

    def read(self, raw: bytes, base: int, errors: Errors) -> Record:
        """Return the values of the object that starts at *base*; append what was wrong to *errors*."""
        pieces = self._cut(raw, base)
        record = self._template.copy()
        try:
            record.update(zip(self._names, chain.from_iterable(map(getitem, self._memos, pieces))))  # noqa: B905
        except ValueError:
            self._read_each(record, raw, base, errors)
        for key in self._arrays:
            record[key] = list(record[key])
        for key, read_group in self._groups:
            record[key] = read_group(raw, base, errors)
        marks = {key: slugs[pieces[index]] for index, key, slugs in self._marks if pieces[index] in slugs}
        return _with_marks(record, marks) if marks else record

    def _read_each(self, record: Record, raw: bytes, base: int, errors: Errors) -> None:
        for field, load in zip(self._fields, self._loads, strict=True):
            value = raw[base + field.offset : base + field.end]
            try:
                record[field.key] = load(value)
            except ValueError as exc:
                if field.repeat == 1:
                    errors.append(_problem(field, base + field.offset, value, str(exc)))
                else:
                    record[field.key] = _salvage(field, value, base + field.offset, errors)


def _is_shown(field: Field | Group) -> bool:
    """Whether the field says something: reserved areas and groups of them do not."""
    if isinstance(field, Group):
        return any(_is_shown(member) for member in field.fields)
    return field.kind != "reserved"


def _pieces(fields: Sequence[Field]) -> list[tuple[Field, ...]]:
    """Return *fields* in pieces: the header, runs of narrow neighbours, everything else by itself."""
    pieces: list[list[Field]] = []
    for field in fields:
        last = pieces[-1][-1] if pieces else None
        if last is not None and last.end == field.offset and _may_join(pieces[-1], field):
            pieces[-1].append(field)
        else:
            pieces.append([field])
    return [tuple(piece) for piece in pieces]


def _may_join(piece: Sequence[Field], field: Field) -> bool:
    if _is_header(field):
        return _is_header(piece[0])
    width = field.end - piece[0].offset
    return width <= PIECE_BYTES and all(_is_narrow(member) for member in (*piece, field))


def _is_header(field: Field) -> bool:
    return field.path.startswith(("head.", "id."))


def _is_narrow(field: Field) -> bool:
    """Whether the field takes few values; one with marks stays by itself, since they go by its own bytes."""
    return field.end - field.offset <= 3 and not field.special and not field.special_dated and not _is_header(field)


def _cut_format(fields: Sequence[Field | Group], pieces: Sequence[Sequence[Field]]) -> str:
    """Return the struct format that cuts *pieces* (arrays whole) and passes over the other fields."""
    sizes = {piece[0]: piece[-1].end - piece[0].offset for piece in pieces}
    inside = {field for piece in pieces for field in piece[1:]}
    return "".join(
        f"{sizes[field]}s" if field in sizes else f"{field.end - field.offset}x"
        for field in fields
        if field not in inside
    )


_memos: dict[tuple[object, ...], _Memo] = {}


def _memo(piece: tuple[Field, ...], until: str) -> _Memo:
    """Return the memo of *piece*; pieces that are read the same way share one."""
    same = tuple(
        (f.kind, f.length, f.repeat, f.format, f.scale, f.signed, f.fixed, f.unset,
         frozenset(_special(f, until).items()))
        for f in piece
    )  # fmt: skip
    if same not in _memos:
        _memos[same] = _Memo(_piece_loader(piece, until))
    return _memos[same]


def _piece_loader(piece: tuple[Field, ...], until: str) -> Callable[[bytes], tuple[Any, ...]]:
    loads = [_field_loader(field, until) for field in piece]
    if len(piece) == 1:
        return lambda raw: (loads[0](raw),)
    cut = Struct("".join(f"{field.end - field.offset}s" for field in piece)).unpack
    return lambda raw: tuple(load(value) for load, value in zip(loads, cut(raw), strict=True))


def _field_loader(field: Field, until: str) -> Callable[[bytes], Any]:
    """Return what reads a field or a whole array; arrays immutable, since records share what a memo holds."""
    load = loader(field, _special(field, until))
    if field.repeat == 1:
        return load
    cut = Struct(f"{field.length}s" * field.repeat).unpack
    return lambda raw: tuple(map(load, cut(raw)))


def _special(field: Field, until: str) -> Mapping[bytes, str]:
    """Return the special values of *field* for races up to *until* ("" for all later ones)."""
    special = dict(field.special)
    for dated in field.special_dated:
        if until and until <= dated.until:
            special.update(dated.special)
    return special


def _salvage(field: Field, raw: bytes, offset: int, errors: Errors) -> list[Value]:
    """Return what can be read of an array that its loader refused; append the rest to *errors*."""
    load = loader(field, field.special)
    values: list[Value] = []
    for at in range(0, len(raw), field.length):
        item = raw[at : at + field.length]
        try:
            values.append(load(item))
        except ValueError as exc:
            values.append(None)
            if item.strip(b" "):  # a blank item of an array is one that was never filled, not an error
                errors.append(_problem(field, offset + at, item, str(exc)))
    return values


def _group_reader(group: Group, until: str, *, for_json: bool) -> ReadGroup:
    """Return what reads all slots of *group* of an object that starts at a given byte."""
    special = {field.key: _special(field, until) for field in group.fields if isinstance(field, Field)}
    at_once = json_reader(group, special) if for_json else value_reader(group, special)
    if at_once is not None:
        return at_once
    plan = _Plan(group.fields, until=until)
    blank = _blank_slots(group)
    offset, length, repeat = group.offset, group.length, group.repeat
    drop_unset = group.names_slots
    seen: dict[bytes, Record] | None = {} if plan.is_flat and length <= MEMO_BYTES else None

    def read_slots(raw: bytes, base: int, errors: Errors) -> list[Any]:
        slots: list[Any] = []
        for start in range(base + offset, base + offset + length * repeat, length):
            slot = raw[start : start + length]
            if slot in blank:
                if not drop_unset:
                    slots.append(None)
            elif seen is not None and slot in seen:
                slots.append(seen[slot].copy())
            else:
                before = len(errors)
                slots.append(plan.read(raw, start, errors))
                if seen is not None and len(errors) == before:
                    if len(seen) >= MEMO_ENTRIES:
                        seen.clear()
                    seen[slot] = slots[-1].copy()
        return slots

    return read_slots


def _blank_slots(group: Group) -> frozenset[bytes]:
    """Return the slots that say nothing: spaces, and the initial values where those all mean "not set"."""
    blank = b" " * group.length
    if all(isinstance(field, Field) and (field.unset or field.unset_fill) for field in group.fields):
        return frozenset({blank, initial_slot(group.fields)})
    return frozenset({blank})


def _with_marks(record: Record, marks: Mapping[str, str]) -> Record:
    """Return *record* with each mark right behind the field it explains."""
    marked: Record = {}
    for key, value in record.items():
        marked[key] = value
        if key in marks:
            marked[f"{key}Mark"] = marks[key]
    return marked


def _problem(field: Field, offset: int, raw: bytes, why: str) -> dict[str, Any]:
    return {
        "field": field.key,
        "offset": offset,
        "raw": raw.decode("cp932", "backslashreplace"),
        "why": why,
    }
