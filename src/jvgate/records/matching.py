"""Conditions on raw records, compiled once for a layout: they look at the bytes of their own fields alone."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from jvgate.records.kinds import loader
from jvgate.records.runs import FEW, RawRecord, RecordRun
from jvgate.spec.conditions import Condition, selectable
from jvgate.spec.layouts import Field, Layout

__all__ = ["Meeting"]

MEMO_ENTRIES = 8192


class Meeting:
    """The records that meet all *conditions*; unknown ones, and those of a layout without their fields, do not.

    A field is compared by the value that an answer would show: a value that is not set, means something else than a
    number, or cannot be read meets no condition.
    """

    def __init__(self, conditions: Sequence[Condition]) -> None:
        self._conditions = conditions
        self._checks: dict[Layout, list[_Check] | None] = {}

    def of(self, item: RecordRun | RawRecord) -> RecordRun | RawRecord | None:
        """Return those of *item* that do, None where there is none."""
        if not self._conditions:
            return item
        checks = self._checks_of(item.layout)
        if checks is None:
            return None
        if isinstance(item, RawRecord):
            raw = item.raw
            return item if all(check.verdicts[raw[check.span]] for check in checks) else None
        wanted = np.ones(item.count, np.bool_)
        for check in checks:
            wanted &= check.of(item)
        return item.chosen(wanted)

    def _checks_of(self, layout: Layout | None) -> list[_Check] | None:
        if layout is None:  # nobody knows where its fields are
            return None
        if layout not in self._checks:
            fields = selectable(layout)
            is_known = all(condition.field in fields for condition in self._conditions)
            checks = [_Check(fields[one.field], one) for one in self._conditions] if is_known else None
            self._checks[layout] = checks
        return self._checks[layout]


class _Check:
    """One condition on the records of one layout."""

    def __init__(self, field: Field, condition: Condition) -> None:
        self.span = slice(field.offset, field.end)
        self.verdicts = _Verdicts(field, condition)

    def of(self, run: RecordRun) -> NDArray[np.bool_]:
        """Return for every record whether it meets the condition.  Equal neighbours are looked at once."""
        offset, length = self.span.start, self.span.stop - self.span.start
        if run.count <= FEW:
            return np.array([self.verdicts[cell] for cell in run.cells(offset, length)], np.bool_)
        firsts = np.flatnonzero(run.changes(((offset, length),)))
        told = [self.verdicts[cell] for cell in run.cells(offset, length, firsts.tolist())]
        return np.array(told, np.bool_).repeat(np.diff(firsts, append=run.count))


class _Verdicts(dict[bytes, bool]):
    """Bytes of one field -> whether they meet its condition; read at their first sight only."""

    __slots__ = ("_condition", "_load")

    def __init__(self, field: Field, condition: Condition) -> None:
        super().__init__()
        self._load = loader(field, field.special)
        self._condition = condition

    def __missing__(self, raw: bytes) -> bool:
        try:
            value = self._load(raw)
        except ValueError:
            value = None
        if len(self) >= MEMO_ENTRIES:
            self.clear()
        stripped = value.rstrip(" ") if isinstance(value, str) else value
        verdict = self[raw] = self._condition.accepts(stripped)
        return verdict
