"""A batch of records of one layout as text, all fields of one form at once.

Theory of operation.  The batch is a matrix of bytes.  Its text is a matrix of numbers, a row for each column of the
layout's sheet: what a table says of a field's bytes (`wordlist.py`), constants, and what is changed in them where a
value is known as a whole or a slot says nothing (`page.py`).  The texts are then taken by their numbers and joined.
A record in which anything is out of the ordinary is written by `text_writer` instead, and so reports what is wrong
with it in the same way.
"""

from __future__ import annotations

import numpy as np

from jvgate.records.kinds import Errors
from jvgate.records.page import Looks, Others, Page, SlotRows, Texts
from jvgate.records.sheet import Sheet, sheet_of
from jvgate.records.text import text_writer
from jvgate.records.wordlist import EMPTY, ODD, Table, Wordlist
from jvgate.spec.layouts import Layout

__all__ = ["Batch"]

# Cells of one batch: enough to make the calls cheap, few enough to stay in the processor's cache.
_CELLS = 131_072


class Batch:
    """Writes records of *layout* with the special values for races up to *until* ("" for today's).

    records: how many to write at once.
    """

    def __init__(self, layout: Layout, until: str) -> None:
        sheet = sheet_of(layout, until)
        self.records = max(16, _CELLS // sheet.width)
        self._width, self._length = sheet.width, layout.length
        self._write_one = text_writer(layout)
        self._tables, self._known = _tables(sheet), _known_texts(sheet)
        self._words = Wordlist(self._tables, self._known)
        number = self._words.number
        starts = dict(zip(self._tables, self._words.starts.tolist(), strict=False))
        self._fillers = [
            Looks(sheet.looks, sheet.wides, starts, number),
            *([Texts(sheet.prose, number)] if sheet.prose else []),
            Others(sheet.each),
            *(SlotRows(slots, number) for slots in sheet.slots),
        ]
        self._fixed = np.array([column for column, _ in sheet.fixed], np.intp)
        self._fixed_numbers = np.array([number(text) for _, text in sheet.fixed], np.intp)[:, None]
        self._constant = [(at, np.frombuffer(text, np.uint8)[:, None]) for at, text in sheet.constant]

    def write(self, raw: bytes, damaged: list[Errors], *, first: bytes, separator: bytes) -> bytes:
        """Return the texts of some records, *first* before the first one and *separator* before the others."""
        page = self._page(raw)
        for filler in self._fillers:
            filler.fill(page)
        page.is_odd |= (page.numbers == ODD).any(axis=0)
        pieces = page.words.texts.take(np.ascontiguousarray(page.numbers.T))
        for columns, texts in page.pieces:
            pieces[:, columns] = texts
        pieces[:, 0] = separator
        pieces[0, 0] = first
        for record in np.flatnonzero(page.is_odd).tolist():
            errors: Errors = []
            pieces[record, 1:] = b""
            pieces[record, 1] = self._write_one(raw[record * self._length : (record + 1) * self._length], errors)
            if errors:
                damaged.append(errors)
        return b"".join(pieces.ravel().tolist())

    def _page(self, raw: bytes) -> Page:
        if self._words.is_full:
            self._words = Wordlist(self._tables, self._known)
        rows = np.frombuffer(raw, np.uint8).reshape(-1, self._length)
        columns = np.ascontiguousarray(rows.T)
        numbers = np.full((self._width, len(rows)), EMPTY, np.intp)
        numbers[self._fixed] = self._fixed_numbers
        is_odd = np.zeros(len(rows), np.bool_)
        for at, text in self._constant:
            is_odd |= (columns[at : at + len(text)] != text).any(axis=0)
        return Page(rows, columns, numbers, self._words, is_odd)


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
