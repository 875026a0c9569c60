"""Texts by number, and the tables that tell the number of a few bytes: a batch of records looks them all up at once.

Theory of operation.  A field of a few bytes says one of few things.  Its bytes make a key (`keys.py`), its table gives
for every key the number of a text, and all tables of a layout are one array, so one `take` answers for all fields of
all records of a batch.  Number 0 means "not asked before": the text is then made by the loaders that read single
records, and kept.  Bytes that cannot be read have the number `ODD`; whoever meets it writes that record by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from jvgate.records.lines.narrow_keys import Keys, keys_in

__all__ = ["EMPTY", "MAX_CODE", "MAX_DIGITS", "ODD", "ONE_BYTE", "Numbers", "Table", "Wordlist"]

Numbers = NDArray[np.int32]

# Texts are UTF-8, kept as str with a character for each byte: str.join takes them faster than bytes.join takes bytes,
# and needs no 80 bytes a piece for it.
ONE_BYTE = "latin-1"

ODD, EMPTY = 1, 2
# The widest fields that have a table of their own: larger ones would make it too big to stay near the processor.
MAX_DIGITS, MAX_CODE = 5, 3
# After so many new texts the list begins anew, so that memory stays bounded.
MAX_NEW = 200_000


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
        return keys_in(self.width, is_code=self.is_code)


class Wordlist:
    """The texts of *tables* and of *fixed* (text -> whether it says nothing), by number.

    texts: by number, in ONE_BYTE.  is_null: which of them say nothing.  starts: where the keys of each table begin.
    One thread at a time uses it (`lines.py`).
    """

    def __init__(self, tables: Sequence[Table], fixed: Mapping[bytes, bool]) -> None:
        self._tables = tables
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
        self._most = self._count + MAX_NEW

    @property
    def is_full(self) -> bool:
        """Whether it has learnt as many texts as it should."""
        return self._count > self._most

    def look_up(self, keys: Keys, raw: Callable[[int, int, int], bytes]) -> Keys:
        """Return the number of each key.

        raw: row and column of a key, and its width -> the bytes that it was made of.
        """
        found = self._numbers.take(keys)
        new = np.flatnonzero(found == 0)
        if len(new):
            self._learn(keys, new, raw)
            found.put(new, self._numbers.take(keys.take(new)))
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
        tables, (rows, columns) = self._tables, np.divmod(places[first], keys.shape[1])
        asked = zip(owners.tolist(), rows.tolist(), columns.tolist(), strict=True)
        self._numbers[new] = [
            self._read(tables[owner], raw(row, column, tables[owner].width)) for owner, row, column in asked
        ]

    def _read(self, table: Table, raw: bytes) -> int:
        try:
            text = table.read(raw)
        except ValueError:
            return ODD
        return self.number(text, is_null=text == table.null)
