"""How many columns records have as CSV, where all that repeats is spread; told by the layout, before anything is read.

This counts without pyarrow, which a client that asks for no table must not have to wait for.
"""

from __future__ import annotations

from collections.abc import Sequence

from jvgate.errors import QueryError
from jvgate.spec.layouts import Field, Group, Layout

__all__ = ["MOST_COLUMNS", "column_count", "too_many_columns"]

MOST_COLUMNS = 300
_ERRORS_COLUMN = 1


def too_many_columns(layout: Layout, fields: Sequence[str]) -> QueryError | None:
    """Return why records of *layout* are not written as CSV with *fields*; None when they are."""
    count = column_count(layout, fields)
    if count <= MOST_COLUMNS:
        return None
    return QueryError(
        "too-many-columns", f"As CSV these {layout.record} records have {count} columns, more than {MOST_COLUMNS}.",
        parameter="fields", value=None, allowed="fields= with fewer fields, or another format",
    )  # fmt: skip


def column_count(layout: Layout, fields: Sequence[str] = ()) -> int:
    """Return the number of columns.  fields: answer keys, dotted inside groups; empty for all."""
    return _count(layout.fields, frozenset(fields), "") + _ERRORS_COLUMN


def _count(members: Sequence[Field | Group], wanted: frozenset[str], outer: str) -> int:
    total = 0
    for member in members:
        name = f"{outer}{member.key}"
        if isinstance(member, Group):
            total += member.repeat * _count(member.fields, wanted, f"{name}.")
        elif member.kind != "reserved":
            total += member.repeat * _is_wanted(name, wanted)
            if member.repeat == 1 and (member.special or member.special_dated):  # its mark stands beside it
                total += _is_wanted(name, wanted)
    return total


def _is_wanted(name: str, wanted: frozenset[str]) -> bool:
    """Whether *name* is asked for, by itself or with what holds it."""
    parts = name.split(".")
    return not wanted or any(".".join(parts[:depth]) in wanted for depth in range(1, len(parts) + 1))
