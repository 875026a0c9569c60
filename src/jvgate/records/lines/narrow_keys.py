"""The keys of narrow fields: their bytes as a number, all fields of a batch at once.

Digits are the number they are; the characters of codes are digits of base 64.  A number may be one character all
over, as a mark (spaces, `----`): such fills have keys behind the last number.  The last key of all is that of bytes
that no value has.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import groupby
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["KeyReader", "Keys", "key_of", "keys_in"]

Keys = NDArray[np.int32]

_FILLS = 16  # the characters from space to "/"
_CODES = 64  # the characters of a code: from space to "_"
_ZERO, _SPACE = ord("0"), ord(" ")
_SIXTEEN_BITS = 1 << 16


def keys_in(width: int, *, is_code: bool) -> int:
    """Return how many keys a field of *width* bytes has."""
    return int(_CODES**width + 1 if is_code else 10**width + _FILLS + 1)


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
    """Return the numbers whose digits stand in the rows, in integers as small as will do: they are quicker."""
    number: NDArray[Any] = digits[0]
    if len(digits) == 2 and base == 10:
        number = digits[0] * np.uint8(10) + digits[1]
    elif len(digits) > 1 and base ** len(digits) <= _SIXTEEN_BITS:
        number = _number(digits[:-1], base).astype(np.uint16) * np.uint16(base) + digits[-1]
    elif len(digits) > 1:
        number = _number(digits[:-2], base).astype(np.int32) * np.int32(base * base) + _number(digits[-2:], base)
    return number


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
