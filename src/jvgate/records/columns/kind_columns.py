"""The kinds of fields, a column at a time: what `kinds.py` says of one value, said of all of them at once.

A reader gives the values of its field in all objects, and notes where there is none, where a mark stands, and
where the bytes break their kind: those objects are then left to the record decoder.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from jvgate.records.columns.arrays import Column, Notes, dictionary_array, even_offsets, plain_array, string_array
from jvgate.records.columns.digits import Digits, read_digits, same_digits
from jvgate.records.columns.rows import Flags, Rows
from jvgate.records.columns.schema import is_clock, marks_of, value_type
from jvgate.spec.layouts import Field

__all__ = ["Known", "Reader", "number_reader"]

Numbers = NDArray[Any]
_Make = Callable[[Rows, Numbers, Notes], pa.Array]

_ELAPSED_DECIMALS = {"MSST": 1, "MSSHH": 2}
_PLUS, _MINUS = b"+-"


class Reader(Protocol):
    """What reads one field of all objects."""

    def read(self, rows: Rows, /) -> Column:
        """Return its values."""


@dataclass(frozen=True, slots=True)
class _Meaning:
    """What one raw value says.  slug: the number of its mark, None for none."""

    raw: Digits
    is_null: bool
    is_zero: bool
    slug: int | None

    def note(self, where: Any, numbers: Numbers | None, notes: Notes) -> None:
        if self.is_null:
            notes.unset(where)
        elif self.is_zero and numbers is not None:
            numbers[where] = 0
        if self.slug is not None:
            notes.mark(where, self.slug)


class Known:
    """The raw values of a field that the specification gives a meaning of its own."""

    def __init__(self, field: Field, special: Mapping[bytes, str], *, signed: bool = False) -> None:
        slugs = marks_of(field) if field.repeat == 1 else ()
        self._digits: list[_Meaning] = []
        self._others: list[_Meaning] = []
        for raw in sorted({*field.unset, *special}):
            slug = special.get(raw)
            value = "null" if slug is None else field.slugs[slug]
            number = slugs.index(slug) if slug is not None and slugs else None
            meaning = _Meaning(same_digits(raw), value == "null", value == "zero", number)
            (self._digits if raw.isdigit() and not signed else self._others).append(meaning)

    def note(self, digits: Digits, numbers: Numbers | None) -> Notes:
        """Return what is to be said of *digits*; *numbers* are put right."""
        notes = Notes(len(digits.low))
        for meaning in self._digits:
            hit = digits.same(meaning.raw)
            if hit.any():
                meaning.note(hit, numbers, notes)
        if digits.odd is not None:
            self._note_others(digits, numbers, notes)
        return notes

    def _note_others(self, digits: Digits, numbers: Numbers | None, notes: Notes) -> None:
        """Note what the characters say that are no digits; all that is not known breaks its kind."""
        places = np.flatnonzero(digits.odd) if digits.odd is not None else np.empty(0, np.intp)
        for meaning in self._others:
            hit = digits.at(places).same(meaning.raw)
            if hit.any():
                meaning.note(places[hit], numbers, notes)
                places = places[~hit]
        if len(places):
            notes.spoil(places)


class _Number:
    """Reads a field of digits: as numbers, and what *make* makes of them."""

    def __init__(self, field: Field, special: Mapping[bytes, str], offset: int, make: _Make) -> None:
        self._end, self._width = offset + field.length, field.length
        self._known = Known(field, special)
        self._make = make

    def read(self, rows: Rows) -> Column:
        digits = read_digits(rows, self._end, self._width)
        numbers = digits.numbers()
        notes = self._known.note(digits, numbers)
        return Column(self._make(rows, numbers, notes), notes)


class _Signed:
    """Reads a sign and digits behind it."""

    def __init__(self, field: Field, special: Mapping[bytes, str], offset: int) -> None:
        self._at, self._end, self._width = offset, offset + field.length, field.length
        self._known = Known(field, special, signed=True)
        self._scale = field.scale or 1

    def read(self, rows: Rows) -> Column:
        sign = rows.words(self._at + 1, 1)
        is_negative = sign == _MINUS
        odd = ~(is_negative | (sign == _PLUS))
        digits = read_digits(rows, self._end, self._width - 1)
        numbers = digits.numbers() / self._scale
        whole = read_digits(rows, self._end, self._width)
        odd = odd if digits.odd is None else odd | digits.odd
        notes = self._known.note(Digits(whole.low, whole.high, odd if odd.any() else None), numbers)
        values = np.copysign(numbers, np.where(is_negative, -1.0, 1.0))
        return Column(plain_array(pa.float64(), values, notes.nulls), notes)


class _Identifier:
    """Reads a field of digits as text: the characters as they stand."""

    def __init__(self, field: Field, special: Mapping[bytes, str], offset: int) -> None:
        self._offset, self._width = offset, field.length
        self._known = Known(field, special)

    def read(self, rows: Rows) -> Column:
        notes = self._known.note(read_digits(rows, self._offset + self._width, self._width), None)
        text = rows.copied(self._offset, self._width)
        return Column(string_array(text, even_offsets(rows.count, self._width), notes.nulls), notes)


def number_reader(field: Field, special: Mapping[bytes, str], offset: int) -> Reader:
    """Return what reads *field*, one of the kinds made of digits, at *offset* of its object."""
    if field.kind == "digits":
        return _Identifier(field, special, offset)
    if field.signed:
        return _Signed(field, special, offset)
    if field.kind == "datetime":
        return _Number(field, special, offset, _moments(offset))
    return _Number(field, special, offset, _MAKERS[field.kind](field))


def _integers(field: Field) -> _Make:
    kind = value_type(field)
    dtype = kind.to_pandas_dtype()
    return lambda rows, numbers, notes: plain_array(kind, numbers.astype(dtype), notes.nulls)


def _decimals(field: Field) -> _Make:
    scale, kind = field.scale or 1, pa.float64()
    return lambda rows, numbers, notes: plain_array(kind, numbers / scale, notes.nulls)


def _elapsed(field: Field) -> _Make:
    """Return what makes seconds from minutes (1 digit), seconds (2) and decimals."""
    unit, kind = 10 ** _ELAPSED_DECIMALS[field.format or ""], pa.float64()

    def make(rows: Rows, numbers: Numbers, notes: Notes) -> pa.Array:
        small = numbers.astype(np.uint32)
        minutes = small // np.uint32(100 * unit)
        rest = small - minutes * np.uint32(100 * unit)
        _refuse(rest >= 60 * unit, notes)
        return plain_array(kind, (minutes * np.uint32(60 * unit) + rest) / unit, notes.nulls)

    return make


def _days(field: Field) -> _Make:
    first, shift, day = _calendar()
    kind = pa.date32()

    def make(rows: Rows, numbers: Numbers, notes: Notes) -> pa.Array:
        small = numbers.astype(np.uint32)
        years = small // np.uint32(10_000)
        within = day[small - years * np.uint32(10_000) + shift[years]]
        _refuse((within < 0) | (years == 0), notes)
        return plain_array(kind, first[years] + within, notes.nulls)

    return make


def _looked_up(field: Field) -> _Make:
    """Return what finds days without a year, and times of the day, in a table of all of them."""
    places, words = _clock_table() if is_clock(field) else _day_table()
    kind = value_type(field)

    def make(rows: Rows, numbers: Numbers, notes: Notes) -> pa.Array:
        found = places[numbers]
        _refuse(found < 0, notes)
        return dictionary_array(kind, np.maximum(found, 0), words, notes.nulls)

    return make


def _moments(offset: int) -> _Make:
    """Return what writes MMDDHHMM as MM-DDTHH:MM."""
    days, clocks = _day_table()[0], _clock_table()[0]
    places = np.array([0, 1, 3, 4, 6, 7, 9, 10])

    def make(rows: Rows, numbers: Numbers, notes: Notes) -> pa.Array:
        small = numbers.astype(np.uint32)
        monthdays = small // np.uint32(10_000)
        _refuse((days[monthdays] < 0) | (clocks[small - monthdays * np.uint32(10_000)] < 0), notes)
        text = np.tile(np.frombuffer(b"00-00T00:00", np.uint8), (rows.count, 1))
        text[:, places] = rows.copied(offset, 8).reshape(rows.count, 8)
        return string_array(text, even_offsets(rows.count, text.shape[1]), notes.nulls)

    return make


def _refuse(wrong: Flags, notes: Notes) -> None:
    """Note where there is a value, and a wrong one."""
    if not wrong.any():
        return
    if notes.nulls is not None:
        wrong &= ~notes.nulls
    if wrong.any():
        notes.spoil(wrong)


@cache
def _calendar() -> tuple[NDArray[np.int32], NDArray[np.uint32], NDArray[np.int32]]:
    """Return the first day of each year since 1970, what to add to MMDD in it, and the day of the year of MMDD.

    The last table holds a common year, then a leap year; -1 is no day.
    """
    years = np.arange(10_000)
    leaps = (years % 4 == 0) & ((years % 100 != 0) | (years % 400 == 0))
    first = 365 * (years - 1970) + np.cumsum(leaps) - leaps
    first -= first[1970]
    day = np.full((2, 10_000), -1, np.int32)
    for number, year in enumerate((2001, 2000)):
        for at in range(366 if number else 365):
            found = date.fromordinal(date(year, 1, 1).toordinal() + at)
            day[number, found.month * 100 + found.day] = at
    return first.astype(np.int32), np.where(leaps, 10_000, 0).astype(np.uint32), day.reshape(-1)


@cache
def _day_table() -> tuple[NDArray[np.int16], pa.Array]:
    """Return for each MMDD its place among the days of a leap year, and these days."""
    days = np.flatnonzero(_calendar()[2][10_000:] >= 0)
    return _table(days, [f"{day // 100:02}-{day % 100:02}" for day in days.tolist()])


@cache
def _clock_table() -> tuple[NDArray[np.int16], pa.Array]:
    """Return for each HHMM its place among the minutes of a day, and these minutes."""
    times = np.array([hour * 100 + minute for hour in range(24) for minute in range(60)])
    return _table(times, [f"{time // 100:02}:{time % 100:02}" for time in times.tolist()])


def _table(numbers: NDArray[np.intp], words: Sequence[str]) -> tuple[NDArray[np.int16], pa.Array]:
    places = np.full(10_000, -1, np.int16)
    places[numbers] = np.arange(len(numbers))
    return places, pa.array(words, pa.string())


_MAKERS: dict[str, Callable[[Field], _Make]] = {
    "int": _integers,
    "decimal": _decimals,
    "date": _days,
    "monthday": _looked_up,
    "time": lambda field: _looked_up(field) if is_clock(field) else _elapsed(field),
}
