"""Is a raw record wanted?  Conditions, compiled once for a layout, look at the bytes of their own fields alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from jvgate.records.framing import Frame, Run
from jvgate.records.kinds import loader
from jvgate.spec.conditions import Condition, selectable
from jvgate.spec.layouts import Field, Layout

__all__ = ["Matches", "Meeting", "matcher"]

Matches = Callable[[bytes], bool]

MEMO_ENTRIES = 8192


def matcher(layout: Layout, conditions: Sequence[Condition]) -> Matches | None:
    """Return what tells whether a raw record of *layout* meets all *conditions*; None when it lacks one of the fields.

    A field is compared by the value that an answer would show: what is not set, means something else than a number,
    or cannot be read meets no condition.
    """
    fields = selectable(layout)
    if any(condition.field not in fields for condition in conditions):
        return None
    checks = [(slice(field.offset, field.end), _Verdicts(field, condition))
              for condition in conditions for field in (fields[condition.field],)]  # fmt: skip

    def matches(raw: bytes) -> bool:
        return all(verdicts[raw[span]] for span, verdicts in checks)

    return matches


class Meeting:
    """The records that meet all *conditions*; unknown ones, and those of a layout without their fields, do not."""

    def __init__(self, conditions: Sequence[Condition]) -> None:
        self._conditions = conditions
        self._matchers: dict[Layout, Matches | None] = {}

    def of(self, item: Run | Frame) -> Run | Frame | None:
        """Return those of *item* that do, None where there is none."""
        if not self._conditions:
            return item
        matches = self._matches(item.layout)
        if matches is None:
            return None
        if isinstance(item, Frame):
            return item if matches(item.raw) else None
        found = [frame.raw for frame in item.frames() if matches(frame.raw)]
        return Run(b"".join(found), item.layout, item.offset, len(found)) if found else None

    def _matches(self, layout: Layout | None) -> Matches | None:
        if layout is None:  # nobody knows where its fields are
            return None
        if layout not in self._matchers:
            self._matchers[layout] = matcher(layout, self._conditions)
        return self._matchers[layout]


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
