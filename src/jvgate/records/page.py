"""The page of a batch: its bytes, and the numbers of the texts that stand in its columns; and who fills it.

Each filler does its part for all records at once: what tables say of fields (`Looks`), text (`Passages`), what is
written record by record (`Others`), and the slots that say nothing (`Hiding`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from jvgate.records.prose import Passages
from jvgate.records.sheet import Each, Look, Prose, Slots, Wide
from jvgate.records.wordlist import EMPTY, KeyReader, Keys, Numbers, Table, Wordlist, key_of

__all__ = ["Looks", "Others", "Page", "SlotRows", "Texts"]

_Bytes = NDArray[np.uint8]
_Flags = NDArray[np.bool_]
_Number = Callable[[bytes], int]


@dataclass(slots=True)
class Page:
    """A batch.  rows: its bytes, a row a record; columns: the same, a row an offset.

    numbers: a row a column of the text.  pieces: columns whose texts have no number, and those.
    is_odd: the records that have to be written by themselves.
    """

    rows: _Bytes
    columns: _Bytes
    numbers: Numbers
    words: Wordlist
    is_odd: _Flags
    pieces: list[tuple[NDArray[np.intp], NDArray[np.object_]]] = field(default_factory=list)


class Looks:
    """Fills in the columns that are looked up."""

    def __init__(self, looks: Sequence[Look], wides: Sequence[Wide], starts: dict[Table, int], number: _Number) -> None:
        self._reader = KeyReader([(look.at, look.table.width, look.table.is_code) for look in looks])
        order = self._reader.order
        self._columns = np.array([looks[n].column for n in order], np.intp)
        self._places = [looks[n].at for n in order]
        self._starts = np.array([starts[looks[n].table] for n in order], np.int32)[:, None]
        rows = {n: row for row, n in enumerate(order)}
        stacks: dict[object, list[Wide]] = {}
        for wide in wides:
            stacks.setdefault(_form_of(wide), []).append(wide)
        self._stacks = [_Stack.of(stack, looks, rows, starts, number) for stack in stacks.values()]

    def fill(self, page: Page) -> None:
        """Look up what can be, and put the texts of values that are known as a whole over it."""
        keys = self._reader.keys(page.columns)
        known = [stack.known_in(keys) for stack in self._stacks]
        flat = keys + self._starts
        for stack in self._stacks:
            stack.shift(keys, flat)
        rows, places = page.rows, self._places

        def raw(row: int, record: int, width: int) -> bytes:
            return rows[record, places[row] : places[row] + width].tobytes()

        page.numbers[self._columns] = page.words.look_up(flat, raw)
        for stack, found in zip(self._stacks, known, strict=True):
            stack.put(page.numbers, found)


def _form_of(wide: Wide) -> object:
    widths = tuple((part.table.width, part.table.is_code) for part in wide.parts)
    return widths, wide.parts[-1].zeros is None, tuple(raw for raw, _ in wide.known)


@dataclass(frozen=True, slots=True, eq=False)
class _Stack:
    """Long numbers of one form.

    rows, columns: of their parts, among the keys and on the page, a row a part.  shifts: from the key of a part to
    that of the same digits behind leading zeros.  known: keys of the parts, and the number of the text for each.
    """

    rows: NDArray[np.intp]
    columns: NDArray[np.intp]
    shifts: NDArray[np.int32] | None
    known: tuple[tuple[tuple[int, ...], NDArray[np.intp]], ...]

    @classmethod
    def of(
        cls, wides: Sequence[Wide], looks: Sequence[Look], rows: dict[int, int], starts: dict[Table, int],
        number: _Number,
    ) -> _Stack:  # fmt: skip
        """Return the stack of *wides*."""
        parts = range(len(wides[0].parts))
        shifts = [
            [starts[part.zeros] - starts[part.table] if part.zeros else 0 for part in (one.parts[n] for one in wides)]
            for n in parts
        ]
        known = tuple(
            (_part_keys(raw, wides[0]), np.array([number(one.known[n][1]) for one in wides], np.intp))
            for n, (raw, _) in enumerate(wides[0].known)
        )
        return cls(
            np.array([[rows[one.first + n] for one in wides] for n in parts], np.intp),
            np.array([[looks[one.first + n].column for one in wides] for n in parts], np.intp),
            np.array(shifts, np.int32) if any(map(any, shifts)) else None,
            known,
        )

    def known_in(self, keys: Keys) -> list[_Flags]:
        """Return for each known value where it stands."""
        parts = [keys[row] for row in self.rows]
        found = []
        for values, _ in self.known:
            is_known = parts[0] == values[0]
            for part, value in zip(parts[1:], values[1:], strict=True):
                is_known &= part == value
            found.append(is_known)
        return found

    def shift(self, keys: Keys, flat: Keys) -> None:
        """Move the parts behind leading zeros to the tables where those are not shown."""
        if self.shifts is None:
            return
        is_leading = keys[self.rows[0]] == 0
        for row, shift in zip(self.rows[1:], self.shifts[1:], strict=True):
            flat[row] += is_leading * shift[:, None]
            is_leading &= keys[row] == 0

    def put(self, numbers: Numbers, found: Sequence[_Flags]) -> None:
        """Put the texts of the known values where they stand."""
        for (_, texts), is_known in zip(self.known, found, strict=True):
            if is_known.any():
                first, *others = self.columns
                numbers[first] = np.where(is_known, texts[:, None], numbers[first])
                for column in others:
                    numbers[column] = np.where(is_known, EMPTY, numbers[column])


def _part_keys(raw: bytes, wide: Wide) -> tuple[int, ...]:
    keys, at = [], 0
    for part in wide.parts:
        keys.append(key_of(raw[at : at + part.table.width], is_code=part.table.is_code))
        at += part.table.width
    return tuple(keys)


class Texts:
    """Fills in the text fields: what opens each, and what it says."""

    def __init__(self, prose: Sequence[Prose], number: _Number) -> None:
        self._passages = Passages(prose)
        self._columns = np.array([one.column for one in prose], np.intp)
        self._opening = np.array([number(one.opening) for one in prose], np.intp)[:, None]
        self._null = np.array([number(one.null) for one in prose], np.intp)[:, None]

    def fill(self, page: Page) -> None:
        """Read all texts; mark the records with one that cannot be read."""
        texts, odd = self._passages.read(page.rows, page.columns)
        page.is_odd[odd] = True
        page.numbers[self._columns] = np.where(texts == b"", self._null, self._opening)
        page.pieces.append((self._columns + 1, texts.T))


class Others:
    """Fills in what is written record by record."""

    def __init__(self, each: Sequence[Each]) -> None:
        self._each = each

    def fill(self, page: Page) -> None:
        """Write every record's bytes by themselves; mark the records where that fails."""
        for one in self._each:
            texts = np.full((len(page.rows), 1), b"", np.object_)
            for record, row in enumerate(page.rows[:, one.at : one.end]):
                try:
                    texts[record, 0] = one.read(row.tobytes())
                except ValueError:
                    page.is_odd[record] = True
            page.pieces.append((np.array([one.column], np.intp), texts))


class SlotRows:
    """Hides the slots of a group that say nothing, and puts the commas between the others."""

    def __init__(self, slots: Slots, number: _Number) -> None:
        self._slots = slots
        self._count = len(slots.hidden)
        self._hidden = np.array([number(text) for text in slots.hidden], np.intp)[:, None]
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
