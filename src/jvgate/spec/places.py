"""Where the records of a layout say which day, course and race they are about: by the fields of their key."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from jvgate.spec.layouts import Field, Layout

__all__ = ["Place", "Spans", "place_of", "spans_of"]

Spans = tuple[tuple[int, int], ...]
"""Offset in the record and length, one after another."""


@dataclass(frozen=True, slots=True)
class Place:
    """The spans of a layout's key.  Each is empty where the key names none.

    day: YYYYMMDD.  course: its code.  number: of the race; the key names a race where there is one.
    """

    day: Spans
    course: Spans
    number: Spans

    @property
    def race(self) -> Spans:
        """Course and race number, which follow the day in the name of a race; empty where the key names no race."""
        return self.course + self.number if self.number else ()


@cache
def place_of(layout: Layout) -> Place:
    """Return where the key of *layout* names a day, a course and a race."""
    keyed = {field.name: field for field in layout.fields if isinstance(field, Field) and field.path in layout.key}
    if {"Year", "MonthDay"} <= keyed.keys():
        day = _spans(keyed[name] for name in ("Year", "MonthDay"))
    else:
        day = _spans([field for field in keyed.values() if field.kind == "date"][:1])
    course = _spans(keyed[name] for name in ("JyoCD",) if day and name in keyed)
    return Place(day, course, _spans(keyed[name] for name in ("RaceNum",) if course and name in keyed))


@cache
def spans_of(layout: Layout, name: str) -> Spans:
    """Return where the field called *name* stands, empty when *layout* has none (outside its groups)."""
    return _spans(field for field in layout.fields if isinstance(field, Field) and field.name == name)


def _spans(fields: Iterable[Field]) -> Spans:
    return tuple((field.offset, field.length) for field in fields)
