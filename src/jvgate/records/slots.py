"""Large groups of numbers as arrays: all slots of O1-O6, H1 and H6 at once (numpy), not item by item.

A group of this kind holds only digits, counts and decimals.  Its bytes are one matrix, a row a slot; a field is a
block of columns.  The JSON text of all slots is one matrix too: the digits are copied as they stand into a row
of text, with a gap (byte 0) where a number has leading zeros; the gaps are taken out at the end.  Rows that are
not plain digits (cancelled, unset, damaged) are few and are written one by one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from jvgate.records.kinds import Errors, loader, problem
from jvgate.spec.layouts import Field, Group

__all__ = ["LargeGroup", "is_large"]

_Bytes = NDArray[np.uint8]

# Below this many slots the fixed cost of the array calls outweighs what they save (measured: about 16).
MIN_SLOTS = 64
_ZERO, _SPACE, _GAP = ord("0"), ord(" "), b"\0"
_TENTHS = 10


def is_large(group: Group) -> bool:
    """Whether *group* has many slots that name themselves and hold numbers only."""
    return (
        group.repeat >= MIN_SLOTS
        and group.names_slots
        and all(
            isinstance(field, Field)
            and field.repeat == 1
            and field.kind in ("digits", "int", "decimal")
            and field.scale in (None, _TENTHS)
            and not field.signed
            for field in group.fields
        )
    )


@dataclass(frozen=True, slots=True)
class _Column:
    """One field of all slots.  at: where its digits stand in a row of text.  odd: numbers that are not plain."""

    field: Field
    special: Mapping[bytes, str]
    load: Callable[[bytes], Any]
    odd: tuple[int, ...]
    powers: NDArray[np.int64]
    at: int


class LargeGroup:
    """Writes the slots of *group* that are set as one JSON member.  special: for each key its special values."""

    def __init__(self, group: Group, special: Mapping[str, Mapping[bytes, str]]) -> None:
        self.offset, self.end = group.offset, group.end
        self._group = group
        self._key = b'"%b":' % group.key.encode()
        self._columns: list[_Column] = []
        text = bytearray()
        for field in group.fields:
            assert isinstance(field, Field)
            quote = b'"' if field.kind == "digits" else b""
            text += b'%b"%b":%b' % (b"," if text else b"{", field.key.encode(), quote)
            self._columns.append(_column(field, special[field.key], at=len(text)))
            text += b"0" * (field.length + (field.kind == "decimal")) + quote
        self._row = np.frombuffer(bytes(text + b"},"), np.uint8)

    def text(self, raw: bytes) -> bytes:
        """Return the member as JSON.  Raises ValueError when anything is wrong."""
        return self._write(raw, 0, None)

    def values(self, raw: bytes) -> dict[str, Any]:
        """Return the member's values."""
        values: dict[str, Any] = orjson.loads(b"{%b}" % self.text(raw))
        return values

    def salvage(self, raw: bytes, at: int, errors: Errors) -> bytes:
        """Return the slots, each with what can be read of it; *raw* starts at byte *at* of the record."""
        return self._write(raw, at, errors)

    def _write(self, raw: bytes, at: int, errors: Errors | None) -> bytes:
        slots = np.frombuffer(raw, np.uint8).reshape(self._group.repeat, self._group.length)
        filled = None
        if not (slots[:, 0] != _SPACE).all():
            filled = np.flatnonzero((slots != _SPACE).any(axis=1))
            slots = slots[filled]
        text, odd = self._text(slots)
        pieces: list[bytes] = []
        done = 0
        for row in odd:
            start = (row if filled is None else int(filled[row])) * self._group.length
            one = self._write_one(raw[start : start + self._group.length], at + start, errors)
            pieces += (text[done:row].tobytes(), one + b"," if one else b"")
            done = row + 1
        pieces.append(text[done:].tobytes())
        members = b"".join(pieces).translate(None, _GAP).removesuffix(b",")
        return b"%b[%b]" % (self._key, members)

    def _text(self, slots: _Bytes) -> tuple[_Bytes, list[int]]:
        """Return the text of all slots, a row a slot, and the rows that have to be written by themselves."""
        text = np.tile(self._row, (len(slots), 1))
        is_odd = np.zeros(len(slots), np.bool_)
        for column in self._columns:
            field, at = column.field, column.at
            digits = slots[:, field.offset : field.end] - _ZERO
            numbers = digits @ column.powers
            if (digits > 9).any():  # a byte that is no digit
                is_odd |= (digits > 9).any(axis=1)
            for odd in column.odd:
                is_odd |= numbers == odd
            digits += _ZERO
            whole = field.length - (field.kind == "decimal")
            if field.kind == "decimal":
                text[:, at + whole] = ord(".")
                text[:, at + whole + 1] = digits[:, -1]
            shown = digits[:, :whole]
            if field.kind != "digits":
                least = column.powers[:whole].copy()
                least[-1] = 0  # the last whole digit is shown even when it is zero
                shown = shown * (numbers[:, None] >= least)
            text[:, at : at + whole] = shown
        rows: list[int] = np.flatnonzero(is_odd).tolist()
        return text, rows

    def _write_one(self, raw: bytes, at: int, errors: Errors | None) -> bytes:
        """Return one slot field by field, with its marks; nothing where nothing in it is set.

        Raises ValueError unless *errors* takes what is wrong.
        """
        slot: dict[str, Any] = {}
        for column in self._columns:
            field = column.field
            value = raw[field.offset : field.end]
            try:
                slot[field.key] = column.load(value)
            except ValueError as exc:
                if errors is None:
                    raise
                slot[field.key] = None
                errors.append(problem(f"{self._group.key}.{field.key}", at + field.offset, value, exc))
            if value in column.special:
                slot[f"{field.key}Mark"] = column.special[value]
        is_unset = all(value is None for value in slot.values())
        return b"" if is_unset else orjson.dumps(slot)


def _column(field: Field, special: Mapping[bytes, str], *, at: int) -> _Column:
    return _Column(
        field=field,
        special=special,
        load=loader(field, special),
        odd=tuple(int(raw) for raw in {*special, *field.unset} if raw.isdigit()),
        powers=10 ** np.arange(field.length - 1, -1, -1, dtype=np.int64),
        at=at,
    )
