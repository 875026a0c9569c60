"""Texts by number, and the tables that tell the number of a few bytes: a batch of records looks them all up at once.

Theory of operation.  A field of a few bytes says one of few things.  Its bytes make a key (digits: the number they
are; characters of codes: base 64), its table gives for every key the number of a text, and all tables of a layout
are one array, so one `take` answers for all fields of all records of a batch.  Number 0 means "not asked before":
the text is then made by the loaders that read single records, and kept.  Bytes that cannot be read have the number
`ODD`; whoever meets it writes that record by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import groupby
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "EMPTY",
    "MAX_CODE",
    "MAX_DIGITS",
    "ODD",
    "ONE_BYTE",
    "KeyReader",
    "Keys",
    "Numbers",
    "Table",
    "Wordlist",
    "key_of",
]

Keys = NDArray[np.int32]
Numbers = NDArray[np.int32]

# Texts are UTF-8, kept as str with a character for each byte: str.join takes them faster than bytes.join takes bytes,
# and needs no 80 bytes a piece for it.
ONE_BYTE = "latin-1"

ODD, EMPTY = 1, 2
# The widest fields that have a table of their own: larger ones would make it too big to stay near the processor.
MAX_DIGITS, MAX_CODE = 5, 3
# More texts than this and the list begins anew, so that memory stays bounded.
MAX_TEXTS = 200_000
_ZERO, _SPACE = ord("0"), ord(" ")
_FILLS = 16  # what may stand in all places of a number that is none: the characters from space to "/"
_SIXTEEN_BITS = 1 << 16
_CODES = 64  # the characters of a code: from space to "_"


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """The texts of one field of *width* bytes.

    read: raw bytes -> text, or ValueError.  null: the text that says "not set".  known: the texts of all numbers,
    where they are known beforehand.
    """

    width: int
    is_code: bool
    read: Callable[[bytes], bytes]
    null: bytes = b""
    known: Sequence[bytes] = ()

    @property
    def size(self) -> int:
        """How many keys there are; the last one is of bytes that no value has."""
        return int(_CODES**self.width + 1 if self.is_code else 10**self.width + _FILLS + 1)


class Wordlist:
    """The texts of *tables* and of *fixed* (text -> whether it says nothing), by number.

    texts: by number, in ONE_BYTE.  is_null: which of them say nothing.  starts: where the keys of each table begin.
    Threads may share it: a text is in its place before its number is told.
    """

    def __init__(self, tables: Sequence[Table], fixed: Mapping[bytes, bool]) -> None:
        self._tables = tables
        self._lock = Lock()
        self._seen: dict[bytes, int] = {}
        self._count = EMPTY + 1
        self.texts = np.full(1024, "", np.object_)
        self.is_null = np.zeros(1024, np.bool_)
        self.is_null[EMPTY] = True
        self._seen[b""] = EMPTY
        self.starts = np.cumsum([0, *(table.size for table in tables)], dtype=np.int64)
        self._numbers = np.zeros(int(self.starts[-1]), np.int32)
        for table, start in zip(tables, self.starts.tolist(), strict=False):
            self._numbers[start : start + len(table.known)] = [self.number(text) for text in table.known]
            self._numbers[start + table.size - 1] = ODD
        for text, is_null in fixed.items():
            self.number(text, is_null=is_null)

    @property
    def is_full(self) -> bool:
        """Whether it holds as many texts as it should."""
        return self._count > MAX_TEXTS

    def look_up(self, keys: Keys, raw: Callable[[int, int, int], bytes]) -> Keys:
        """Return the number of each key.

        raw: row and column of a key, and its width -> the bytes that it was made of.
        """
        found = self._numbers.take(keys)
        if not found.all():
            self._learn(keys, np.flatnonzero(found == 0), raw)
            found = self._numbers.take(keys)
        return found

    def number(self, text: bytes, *, is_null: bool = False) -> int:
        """Return the number of *text*."""
        if (known := self._seen.get(text)) is not None:
            return known
        number = self._count
        if number == len(self.texts):
            self.texts = np.concatenate([self.texts, np.full(number, "", np.object_)])
            self.is_null = np.concatenate([self.is_null, np.zeros(number, np.bool_)])
        self.texts[number], self.is_null[number] = text.decode(ONE_BYTE), is_null
        self._count = number + 1
        self._seen[text] = number
        return number

    def _learn(self, keys: Keys, places: NDArray[np.intp], raw: Callable[[int, int, int], bytes]) -> None:
        """Give the keys at the flat *places* their numbers."""
        new, first = np.unique(keys.ravel()[places], return_index=True)
        owners = np.searchsorted(self.starts, new, "right") - 1
        with self._lock:
            for key, place, owner in zip(new.tolist(), places[first].tolist(), owners.tolist(), strict=True):
                table = self._tables[owner]
                row, column = divmod(place, keys.shape[1])
                self._numbers[key] = self._read(table, raw(row, column, table.width))

    def _read(self, table: Table, raw: bytes) -> int:
        try:
            text = table.read(raw)
        except ValueError:
            return ODD
        return self.number(text, is_null=text == table.null)


class KeyReader:
    """Reads the keys of many fields.  fields: for each where it starts, its width and whether it is a code.

    order: the numbers of the fields as their keys follow each other.
    """

    def __init__(self, fields: Sequence[tuple[int, int, bool]]) -> None:
        self.order = sorted(range(len(fields)), key=lambda n: (fields[n][2], fields[n][1]))
        self._forms: list[_Form] = []
        places: list[int] = []
        for (is_code, width), members in groupby(self.order, key=lambda n: (fields[n][2], fields[n][1])):
            starts = [fields[n][0] for n in members]
            self._forms.append(_Form(width, is_code, len(starts), len(places)))
            places += [start + place for place in range(width) for start in starts]
        self._places = np.array(places, np.intp)
        self._codes_from = next((form.at for form in self._forms if form.is_code), len(places))

    def keys(self, columns: NDArray[np.uint8]) -> Keys:
        """Return the keys, a row a field.  columns: the records' bytes, a row an offset."""
        digits = columns[self._places]
        digits[: self._codes_from] -= _ZERO
        digits[self._codes_from :] -= _SPACE
        is_bad = digits > np.uint8(9)
        is_bad[self._codes_from :] = digits[self._codes_from :] > np.uint8(_CODES - 1)
        some_bad = bool(is_bad.any())
        keys = np.empty((len(self.order), columns.shape[1]), np.int32)
        at = 0
        for form in self._forms:
            block = slice(form.at, form.at + form.width * form.count)
            parts = digits[block].reshape(form.width, form.count, -1)
            found = keys[at : at + form.count]
            found[:] = _number(parts, _CODES if form.is_code else 10)
            if some_bad:
                _mark_bad(found, parts, is_bad[block].reshape(parts.shape), form)
            at += form.count
        return keys


@dataclass(frozen=True, slots=True)
class _Form:
    """Fields of one width.  at: where their bytes start: the first of each, then the second of each."""

    width: int
    is_code: bool
    count: int
    at: int


def _number(digits: NDArray[np.uint8], base: int) -> NDArray[Any]:
    """Return the numbers whose digits stand in the rows, in the smallest integers that hold them."""
    if len(digits) == 1:
        return digits[0]
    if len(digits) == 2 and base == 10:
        return digits[0] * np.uint8(10) + digits[1]
    if base ** len(digits) <= _SIXTEEN_BITS:
        return _number(digits[:-1], base).astype(np.uint16) * np.uint16(base) + digits[-1]
    return _number(digits[:-2], base).astype(np.int32) * np.int32(base * base) + _number(digits[-2:], base)


def _mark_bad(keys: Keys, digits: NDArray[np.uint8], is_bad: NDArray[np.bool_], form: _Form) -> None:
    """Give what is no number its key: one for each fill, one for all the rest."""
    any_bad = is_bad.any(axis=0)
    if form.is_code:
        keys[any_bad] = _CODES**form.width
        return
    fills = digits[0] + np.uint8(_ZERO - _SPACE)
    is_fill = (digits == digits[0]).all(axis=0) & (fills < _FILLS)
    most = 10**form.width
    np.copyto(keys, np.where(is_fill, most + fills.astype(np.int32), most + _FILLS), where=any_bad)


def key_of(raw: bytes, *, is_code: bool) -> int:
    """Return the key of a field's bytes, as `KeyReader` makes it."""
    if is_code:
        return reduce(lambda key, byte: key * _CODES + byte - _SPACE, raw, 0)
    if raw.isdigit():
        return int(raw)
    fill = raw[0] - _SPACE
    return int(10 ** len(raw)) + (fill if fill < _FILLS and raw == raw[:1] * len(raw) else _FILLS)
