"""The page of a batch: its bytes, and the numbers of the texts that stand in its columns; and who fills it.

Each filler does its part for all records at once: what tables say of fields (`Looks`), text (`Texts`), and the slots
that say nothing (`SlotRows`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from jvgate.records.lines.narrow_keys import KeyReader, Keys, key_of
from jvgate.records.lines.prose import Passages
from jvgate.records.lines.sheet import Look, Prose, Slots, Wide
from jvgate.records.lines.wordlist import EMPTY, Numbers, Table, Wordlist

__all__ = ["Filler", "Looks", "Page", "SlotRows", "Texts"]

_Bytes = NDArray[np.uint8]
_Flags = NDArray[np.bool_]
_Number = Callable[[bytes], int]


@dataclass(slots=True)
class Page:
    """A batch.  raw: its bytes; rows: the same, a row a record; columns: the same, a row an offset.

    numbers: a row a column of the text.  pieces: columns whose texts have no number, and those.
    is_odd: the records that have to be written by themselves.
    """

    raw: memoryview
    rows: _Bytes
    columns: _Bytes
    numbers: Numbers
    words: Wordlist
    is_odd: _Flags
    pieces: list[tuple[NDArray[np.intp], NDArray[np.object_]]] = field(default_factory=list)


class Filler(Protocol):
    """Does its part of a page."""

    def fill(self, page: Page) -> None:
        """Fill in the columns that are its own, after those before it."""


class Looks:
    """Fills in the columns that are looked up."""

    def __init__(self, looks: Sequence[Look], wides: Sequence[Wide], starts: dict[Table, int], number: _Number) -> None:
        self._reader = KeyReader([(look.at, look.table.width, look.table.is_code) for look in looks])
        order = self._reader.order
        rows = {n: row for row, n in enumerate(order)}
        self._columns = np.array([looks[n].column for n in order], np.intp)
        self._places = [looks[n].at for n in order]
        self._starts = np.array([starts[looks[n].table] for n in order], np.int32)[:, None]
        self._zeros = _LeadingZeros([wide for wide in wides if wide.parts[-1].zeros], rows, starts)
        self._known = _KnownValues(wides, looks, rows, number)

    def fill(self, page: Page) -> None:
        """Look up what can be, and put the texts of values that are known as a whole over it."""
        keys = self._reader.keys(page.columns)
        flat = keys + self._starts
        self._zeros.hide(keys, flat)
        raws, length, places = page.raw, page.rows.shape[1], self._places

        def raw(row: int, record: int, width: int) -> bytes:
            at = record * length + places[row]
            return bytes(raws[at : at + width])

        page.numbers[self._columns] = page.words.look_up(flat, raw)
        self._known.put(keys, page.numbers)


class _LeadingZeros:
    """Moves the parts of long numbers that stand behind leading zeros to the tables where those are not shown."""

    def __init__(self, wides: Sequence[Wide], rows: dict[int, int], starts: dict[Table, int]) -> None:
        ordered = sorted(wides, key=lambda wide: -len(wide.parts))
        self._first = np.array([rows[wide.first] for wide in ordered], np.intp)
        self._others: list[tuple[NDArray[np.intp], NDArray[np.int32]]] = []
        for place in range(1, len(ordered[0].parts) if ordered else 0):
            long = [wide for wide in ordered if len(wide.parts) > place]
            shifts = [_start(wide.parts[place].zeros, starts) - starts[wide.parts[place].table] for wide in long]
            self._others.append(
                (np.array([rows[wide.first + place] for wide in long]), np.array(shifts, np.int32)[:, None])
            )

    def hide(self, keys: Keys, flat: Keys) -> None:
        """Change the *flat* keys, those among all tables, where *keys* are zero up to them."""
        if not self._others:
            return
        is_leading = keys[self._first] == 0
        for rows, shifts in self._others:
            is_leading = is_leading[: len(rows)]
            flat[rows] += is_leading * shifts
            is_leading = is_leading & (keys[rows] == 0)


def _start(table: Table | None, starts: dict[Table, int]) -> int:
    assert table is not None
    return starts[table]


class _KnownValues:
    """Puts in the texts of long numbers whose value is known as a whole: a line for each value of each number.

    Lines of numbers with fewer parts repeat their last part.
    """

    def __init__(self, wides: Sequence[Wide], looks: Sequence[Look], rows: dict[int, int], number: _Number) -> None:
        most = max((len(wide.parts) for wide in wides), default=0)
        lines = [(wide, raw, text) for wide in wides for raw, text in wide.known]
        looked = [[wide.first + min(n, len(wide.parts) - 1) for wide, _, _ in lines] for n in range(most)]
        keys = [_part_keys(raw, wide) for wide, raw, _ in lines]
        self._rows = [np.array([rows[look] for look in part], np.intp) for part in looked]
        self._columns = [np.array([looks[look].column for look in part], np.intp) for part in looked]
        self._values = [np.array([key[min(n, len(key) - 1)] for key in keys], np.int32)[:, None] for n in range(most)]
        self._texts = np.array([number(text) for _, _, text in lines], np.int32)

    def put(self, keys: Keys, numbers: Numbers) -> None:
        """Put in the text where *keys* say that it is to stand."""
        if not len(self._texts):
            return
        is_known = keys[self._rows[0]] == self._values[0]
        for rows, values in zip(self._rows[1:], self._values[1:], strict=True):
            is_known &= keys[rows] == values
        lines, records = np.nonzero(is_known)
        first, *others = self._columns
        for columns in others:
            numbers[columns[lines], records] = EMPTY
        numbers[first[lines], records] = self._texts[lines]


def _part_keys(raw: bytes, wide: Wide) -> list[int]:
    keys, at = [], 0
    for part in wide.parts:
        keys.append(key_of(raw[at : at + part.table.width], is_code=part.table.is_code))
        at += part.table.width
    return keys


class Texts:
    """Fills in the text fields: what opens each, and what it says."""

    def __init__(self, prose: Sequence[Prose], number: _Number) -> None:
        self._passages = Passages(prose)
        self._columns = np.array([one.column for one in prose], np.intp)
        self._opening = np.array([number(one.opening) for one in prose], np.int32)[:, None]
        self._null = np.array([number(one.null) for one in prose], np.int32)[:, None]

    def fill(self, page: Page) -> None:
        """Read all texts; mark the records with one that cannot be read."""
        texts, is_set, odd = self._passages.read(page.rows, page.columns)
        page.is_odd[odd] = True
        page.numbers[self._columns] = np.where(is_set, self._opening, self._null)
        page.pieces.append((self._columns + 1, texts.T))


class SlotRows:
    """Hides the slots of a group that say nothing, and puts the commas between the others."""

    def __init__(self, slots: Slots, number: _Number) -> None:
        self._slots = slots
        self._count = len(slots.hidden)
        self._hidden = np.array([number(text) for text in slots.hidden], np.int32)[:, None]
        self._comma = number(b",")
        self._firsts = slots.at + slots.length * np.arange(self._count)
        says = np.array(slots.says, np.intp)
        self._says = slots.column + slots.width * np.arange(self._count)[:, None] + says if slots.says else None
        self._blanks = [np.frombuffer(blank, np.uint8) for blank in slots.blanks]

    def fill(self, page: Page) -> None:
        """Hide what says nothing."""
        slots = self._slots
        says_nothing = self._says_nothing(page)
        block = page.numbers[slots.column : slots.column + slots.width * self._count]
        block = block.reshape(self._count, slots.width, -1)
        if says_nothing.any():
            np.copyto(block, EMPTY, where=says_nothing[:, None])
            np.copyto(block[:, 0], self._hidden, where=says_nothing)
        if slots.drops:
            is_shown = ~says_nothing
            has_one_before = np.logical_or.accumulate(is_shown, axis=0)
            block[1:, 0] = np.where(is_shown[1:] & has_one_before[:-1], self._comma, EMPTY)

    def _says_nothing(self, page: Page) -> _Flags:
        found = np.zeros((self._count, len(page.rows)), np.bool_)
        if self._says is not None:
            found |= page.words.is_null[page.numbers[self._says]].all(axis=1)
        first = page.columns[self._firsts]
        for blank in self._blanks:
            if (first == blank[0]).any():
                length = self._slots.length
                block = page.columns[self._slots.at : self._slots.at + length * self._count]
                found |= (block.reshape(self._count, length, -1) == blank[:, None]).all(axis=1)
        return found
