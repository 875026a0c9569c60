"""Large groups of numbers as arrays: all slots of O1-O6, H1 and H6 at once (numpy), not item by item.

A group of this kind holds only digits, counts and decimals.  Its bytes are one matrix, a row a slot; a field is a
block of columns, and its numbers are one matrix product.  Rows that are not plain digits (cancelled, unset,
damaged) are few and are looked at one by one.  The same matrix gives either the slots as values, or, for a JSON
answer, their finished text: digits are copied as they stand, leading zeros masked out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from jvgate.records.kinds import loader
from jvgate.spec.layouts import Field, Group

__all__ = ["Errors", "ReadGroup", "json_reader", "value_reader"]

Errors = list[dict[str, Any]]
ReadGroup = Callable[[bytes, int, Errors], Any]
_Bytes = NDArray[np.uint8]

# Below this many slots the fixed cost of the array calls outweighs what they save (measured: about 16).
MIN_SLOTS = 24
_ZERO, _SPACE, _GAP = ord("0"), ord(" "), b"\0"


def value_reader(group: Group, special: Mapping[str, Mapping[bytes, str]]) -> ReadGroup | None:
    """Return what reads all slots of *group* into dicts at once, or None when it holds more than numbers.

    special: for each key its special values.  The reader takes the record's bytes, the start of the object that
    holds the group and a list for what was wrong; it returns the slots that are set.
    """
    if not _is_numeric(group):
        return None
    matrix = _Matrix(group, special)
    rows = _ROWS.get(len(group.fields), _rows)
    keys = tuple(field.key for field in group.fields)

    def read(raw: bytes, base: int, errors: Errors) -> list[Any]:
        slots = matrix.cut(raw, base)
        result = rows(keys, [slots.values(column) for column in matrix.columns])
        for row in slots.odd_rows():
            result[row] = matrix.read_one(raw, slots.start_of(row), errors)
        return result

    return read


def json_reader(group: Group, special: Mapping[str, Mapping[bytes, str]]) -> ReadGroup | None:
    """Return what reads all slots of *group* into finished JSON (an `orjson.Fragment`), or None as above.

    The text is, to the byte, what orjson writes for the dicts of `value_reader`.
    """
    if not _is_numeric(group) or any(isinstance(f, Field) and f.scale not in (None, 10) for f in group.fields):
        return None
    matrix = _Matrix(group, special)
    template = _Template(matrix.columns)

    def read(raw: bytes, base: int, errors: Errors) -> orjson.Fragment:
        slots = matrix.cut(raw, base)
        text = template.fill(slots)
        pieces: list[bytes] = []
        done = 0
        for row in slots.odd_rows():
            pieces += (text[done:row].tobytes(), orjson.dumps(matrix.read_one(raw, slots.start_of(row), errors)), b",")
            done = row + 1
        pieces.append(text[done:].tobytes())
        return orjson.Fragment(b"[%b]" % b"".join(pieces).translate(None, _GAP).removesuffix(b","))

    return read


def _is_numeric(group: Group) -> bool:
    return (
        group.repeat >= MIN_SLOTS
        and group.names_slots
        and all(
            isinstance(field, Field)
            and field.repeat == 1
            and field.kind in ("digits", "int", "decimal")
            and not field.signed
            for field in group.fields
        )
    )


@dataclass(frozen=True, slots=True)
class _Column:
    """One field of all slots.  names: what it reads in each place, where the place fixes it."""

    field: Field
    special: Mapping[bytes, str]
    load: Callable[[bytes], Any]
    odd_numbers: tuple[int, ...]
    powers: NDArray[np.int64]
    names: NDArray[np.int64] | None
    name_values: list[Any]


class _Matrix:
    """How the slots of one group are cut into columns."""

    def __init__(self, group: Group, special: Mapping[str, Mapping[bytes, str]]) -> None:
        self._group = group
        self.columns = [
            _column(field, special[field.key], group.placed if number == 0 else ())
            for number, field in enumerate(group.fields)
            if isinstance(field, Field)
        ]

    def cut(self, raw: bytes, base: int) -> _Slots:
        """Return the filled slots of the group in the object that starts at *base*."""
        group = self._group
        start = base + group.offset
        slots = np.frombuffer(raw, np.uint8, group.repeat * group.length, start).reshape(group.repeat, group.length)
        if (slots[:, 0] != _SPACE).all():
            return _Slots(slots, None, start, self.columns)
        filled = np.flatnonzero((slots != _SPACE).any(axis=1))
        return _Slots(slots[filled], filled, start, self.columns)

    def read_one(self, raw: bytes, start: int, errors: Errors) -> dict[str, Any]:
        """Return the slot at *start* field by field, with its marks; append what was wrong to *errors*."""
        slot: dict[str, Any] = {}
        for column in self.columns:
            field = column.field
            value = raw[start + field.offset : start + field.end]
            try:
                slot[field.key] = column.load(value)
            except ValueError as exc:
                slot[field.key] = None
                errors.append({"field": f"{self._group.key}.{field.key}", "offset": start + field.offset,
                               "raw": value.decode("cp932", "backslashreplace"), "why": str(exc)})  # fmt: skip
            if value in column.special:
                slot[f"{field.key}Mark"] = column.special[value]
        return slot


class _Slots:
    """The filled slots of one group of one record.  filled: their places, None when all are."""

    def __init__(self, slots: _Bytes, filled: NDArray[np.intp] | None, start: int, columns: list[_Column]) -> None:
        self._slots = slots
        self._filled = filled
        self._start = start
        self._length: int = slots.shape[1]
        self._numbers: dict[str, NDArray[np.int64]] = {}
        self._odd = np.zeros(len(slots), np.bool_)
        for column in columns:
            digits = self.digits(column)
            numbers = self._numbers[column.field.key] = digits @ column.powers
            if (digits > 9).any():  # a byte that is no digit
                self._odd |= (digits > 9).any(axis=1)
            for odd in column.odd_numbers:
                self._odd |= numbers == odd

    def __len__(self) -> int:
        return len(self._slots)

    def digits(self, column: _Column) -> _Bytes:
        """Return the digits of a column, a row a slot; above 9 where a byte is no digit."""
        digits: _Bytes = self._slots[:, column.field.offset : column.field.end] - _ZERO
        return digits

    def numbers(self, column: _Column) -> NDArray[np.int64]:
        """Return the digits of a column as one number a slot."""
        return self._numbers[column.field.key]

    def odd_rows(self) -> list[int]:
        """Return the rows that need a look of their own: special, unset or damaged."""
        rows: list[int] = np.flatnonzero(self._odd).tolist()
        return rows

    def start_of(self, row: int) -> int:
        """Return where the slot of *row* starts in the record."""
        place = row if self._filled is None else int(self._filled[row])
        return self._start + place * self._length

    def values(self, column: _Column) -> list[Any]:
        """Return the value of each row; those of odd rows have no meaning."""
        numbers = self.numbers(column)
        if column.names is not None:
            names = column.names if self._filled is None else column.names[self._filled]
            if np.array_equal(numbers, names):  # each slot stands in its place
                if self._filled is None:
                    return column.name_values
                return [column.name_values[place] for place in self._filled.tolist()]
        if column.field.kind == "int":
            return list(numbers.tolist())
        if column.field.kind == "decimal":
            return list((numbers / (column.field.scale or 1)).tolist())
        text = (self.digits(column) + _ZERO).tobytes().decode("latin-1")
        width = column.field.length
        return [text[at : at + width] for at in range(0, len(text), width)]


class _Template:
    """The JSON text of a slot as a row of bytes, and which of them a row keeps."""

    def __init__(self, columns: list[_Column]) -> None:
        text = bytearray()
        self._spans: list[tuple[_Column, int]] = []
        for number, column in enumerate(columns):
            text += (b"{" if number == 0 else b",") + orjson.dumps(column.field.key) + b":"
            is_text = column.field.kind == "digits"
            text += b'"' if is_text else b""
            self._spans.append((column, len(text)))
            text += b"0" * column.field.length + (b"0" if column.field.kind == "decimal" else b"")
            text += b'"' if is_text else b""
        self._row = np.frombuffer(bytes(text + b"},"), np.uint8)

    def fill(self, slots: _Slots) -> _Bytes:
        """Return the text of all slots, a row a slot, with a gap (byte 0) where a number has leading zeros."""
        matrix = np.tile(self._row, (len(slots), 1))
        for column, at in self._spans:
            digits = slots.digits(column) + _ZERO
            whole = column.field.length - (column.field.kind == "decimal")
            if column.field.kind == "decimal":
                matrix[:, at + whole] = ord(".")
                matrix[:, at + whole + 1] = digits[:, -1]
            shown = digits[:, :whole]
            if column.field.kind != "digits":
                shown = shown * self._is_shown(column, slots, whole)
            matrix[:, at : at + whole] = shown
        return matrix

    def _is_shown(self, column: _Column, slots: _Slots, whole: int) -> NDArray[np.bool_]:
        """Return which of the whole digits of a number are shown: from the first that counts, and the last."""
        least = column.powers[:whole].copy()
        least[-1] = 0
        shown: NDArray[np.bool_] = slots.numbers(column)[:, None] >= least
        return shown


def _column(field: Field, special: Mapping[bytes, str], placed: tuple[str, ...]) -> _Column:
    names = np.array([int(name) for name in placed], np.int64) if placed else None
    return _Column(
        field=field,
        special=special,
        load=loader(field, special),
        odd_numbers=tuple(int(raw) for raw in {*special, *field.unset} if raw.isdigit()),
        powers=10 ** np.arange(field.length - 1, -1, -1, dtype=np.int64),
        names=names,
        name_values=[int(name) if field.kind == "int" else name for name in placed],
    )


def _rows(keys: tuple[str, ...], columns: list[list[Any]]) -> list[Any]:
    return [dict(zip(keys, row, strict=True)) for row in zip(*columns, strict=True)]


def _rows_of_3(keys: tuple[str, ...], columns: list[list[Any]]) -> list[Any]:
    a, b, c = keys
    return [{a: x, b: y, c: z} for x, y, z in zip(*columns, strict=True)]


def _rows_of_4(keys: tuple[str, ...], columns: list[list[Any]]) -> list[Any]:
    a, b, c, d = keys
    return [{a: w, b: x, c: y, d: z} for w, x, y, z in zip(*columns, strict=True)]


# A dict display is three times as fast as dict(zip(...)); the widths that occur have one each.
_ROWS = {3: _rows_of_3, 4: _rows_of_4}
