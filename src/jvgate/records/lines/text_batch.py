"""A batch of records of one layout as text, all fields of one form at once.

Theory of operation.  The batch is a matrix of bytes.  Its text is a matrix of numbers, a row for each column of the
layout's sheet: what a table says of a field's bytes (`wordlist.py`), constants, and what is changed in them where a
value is known as a whole or a slot says nothing (`page.py`).  The texts are then taken by their numbers and joined.
A record in which anything is out of the ordinary is written by `text_writer` instead, and so reports what is wrong
with it in the same way.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from jvgate.records.kinds import Errors
from jvgate.records.lines.page import Filler, Looks, Page, SlotRows, Texts
from jvgate.records.lines.sheet import Sheet, sheet_of
from jvgate.records.lines.wordlist import EMPTY, ODD, ONE_BYTE, Table, Wordlist
from jvgate.records.text import text_writer
from jvgate.spec.layouts import Layout

__all__ = ["Batch"]

# Cells of one batch: enough to make the calls cheap; but not more bytes than so many.
_CELLS, _LEAST, _BYTES = 65_536, 16, 1 << 20
_JOINED = 8192  # cells that are joined at once: they stay in the processor's cache
_TURNED = 256  # rows that are turned into columns at once: their pages stay near


class Batch:
    """Writes records of *layout* with the special values for races up to *until* ("" for today's).

    records: how many to write at once.
    """

    def __init__(self, layout: Layout, until: str) -> None:
        sheet = sheet_of(layout, until)
        self.records = max(1, min(max(_LEAST, _CELLS // sheet.width), _BYTES // layout.length))
        self._width, self._length = sheet.width, layout.length
        self._write_one = text_writer(layout)
        self._tables, self._known = _tables(sheet), _known_texts(sheet)
        self._words = Wordlist(self._tables, self._known)
        number = self._words.number
        starts = dict(zip(self._tables, self._words.starts.tolist(), strict=False))
        self._fillers: list[Filler] = [
            Looks(sheet.looks, sheet.wides, starts, number),
            *([Texts(sheet.prose, number)] if sheet.prose else []),
            *(SlotRows(slots, number) for slots in sheet.slots),
        ]
        self._fixed = np.array([column for column, _ in sheet.fixed], np.intp)
        self._fixed_numbers = np.array([number(text) for _, text in sheet.fixed], np.int32)[:, None]
        self._constant = [(at, np.frombuffer(text, np.uint8)[:, None]) for at, text in sheet.constant]

    def write(self, raw: memoryview, damaged: list[Errors], separator: bytes) -> Iterator[bytes]:
        """Yield the texts of some records, each behind a separator, in pieces of a handy size."""
        page = self._page(raw)
        for filler in self._fillers:
            filler.fill(page)
        page.is_odd |= (page.numbers == ODD).any(axis=0)
        alone = {record: self._alone(raw, record, damaged) for record in np.flatnonzero(page.is_odd).tolist()}
        joiner = _Joiner(page, alone, separator.decode(ONE_BYTE))
        step = max(1, _JOINED // joiner.width)
        for at in range(0, len(page.rows), step):
            yield joiner.join(at, at + step).encode(ONE_BYTE)

    def _alone(self, raw: memoryview, record: int, damaged: list[Errors]) -> str:
        """Return the text of a record that is written by itself."""
        errors: Errors = []
        text = self._write_one(bytes(raw[record * self._length : (record + 1) * self._length]), errors)
        if errors:
            damaged.append(errors)
        return text.decode(ONE_BYTE)

    def _page(self, raw: memoryview) -> Page:
        if self._words.is_full:
            self._words = Wordlist(self._tables, self._known)
        rows = np.frombuffer(raw, np.uint8).reshape(-1, self._length)
        columns = np.empty(rows.T.shape, np.uint8)
        for at in range(0, len(rows), _TURNED):
            columns[:, at : at + _TURNED] = rows[at : at + _TURNED].T
        numbers = np.full((self._width, len(rows)), EMPTY, np.int32)
        numbers[self._fixed] = self._fixed_numbers
        is_odd = np.zeros(len(rows), np.bool_)
        for at, text in self._constant:
            is_odd |= (columns[at : at + len(text)] != text).any(axis=0)
        return Page(raw, rows, columns, numbers, self._words, is_odd)


class _Joiner:
    """Joins the texts of a page.  Neighbours that say the same in all records of the batch are one column here.

    width: how many columns are left.  alone: the texts of records that are written by themselves.
    """

    def __init__(self, page: Page, alone: Mapping[int, str], separator: str) -> None:
        self._alone, self._separator = alone, separator
        self._texts = page.words.texts
        is_same = (page.numbers == page.numbers[:, :1]).all(axis=1)
        is_same[0] = False  # the separator's
        for columns, _ in page.pieces:
            is_same[columns] = False
        is_first = is_same & ~np.roll(is_same, 1)
        is_kept = ~is_same | is_first
        places = np.cumsum(is_kept) - 1
        said = np.full(int(is_kept.sum()), "", np.object_)
        np.add.at(said, places[is_same], self._texts[page.numbers[is_same, 0]])
        self._same = places[is_first]
        self._said = said[self._same]
        self._numbers = page.numbers[is_kept]
        self._pieces = [(places[columns], texts) for columns, texts in page.pieces]
        self.width = len(self._numbers)

    def join(self, start: int, end: int) -> str:
        """Return the texts of the records from *start* to *end*, each behind a separator."""
        pieces = self._texts.take(np.ascontiguousarray(self._numbers[:, start:end].T, np.intp))
        pieces[:, 0] = self._separator
        pieces[:, self._same] = self._said
        for columns, texts in self._pieces:
            pieces[:, columns] = texts[start:end]
        for record in range(start, start + len(pieces)) if self._alone else ():
            if record in self._alone:
                pieces[record - start, 1:] = ""
                pieces[record - start, 1] = self._alone[record]
        return "".join(pieces.ravel().tolist())


def _tables(sheet: Sheet) -> list[Table]:
    """Return the tables of a sheet, each once."""
    tables = {look.table: None for look in sheet.looks}
    return [*(tables | {part.zeros: None for wide in sheet.wides for part in wide.parts if part.zeros})]


def _known_texts(sheet: Sheet) -> dict[bytes, bool]:
    """Return the texts that no table gives, and whether they say nothing."""
    texts = dict.fromkeys((text for _, text in sheet.fixed), False)
    texts |= {b",": False} | {text: False for slots in sheet.slots for text in slots.hidden}
    for wide in sheet.wides:
        texts |= {text: text == wide.null for _, text in wide.known}
    for prose in sheet.prose:
        texts |= {prose.opening: False, prose.null: True}
    return texts | {b"": True}
