"""Records of the record decoder -> rows of a batch: for the few that columns do not read themselves."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any

from jvgate.records.column_types import ERRORS, Tree
from jvgate.spec.layouts import Field, Group

__all__ = ["row_maker"]

_Object = Mapping[str, Any]


def row_maker(fields: Sequence[Field | Group], tree: Tree) -> Callable[[_Object], dict[str, Any]]:
    """Return what turns the values of a record into those of its columns: days are dates there.

    Of what was wrong, only that is told which happened in the fields shown, or in the groups they stand in.
    """
    convert = _converter(fields)

    def make(record: _Object) -> dict[str, Any]:
        row = convert(record)
        errors = [error for error in record.get(ERRORS, ()) if not tree or _is_wanted(error["field"], tree)]
        return row | {ERRORS: errors or None}

    return make


def _is_wanted(name: str, tree: Tree) -> bool:
    key = name.partition(".")[0]
    return key in tree or f"{key}Mark" in tree


def _converter(fields: Sequence[Field | Group]) -> Callable[[_Object], dict[str, Any]]:
    days = [field.key for field in fields if field.kind == "date"]
    groups = [(field.key, _converter(field.fields)) for field in fields if isinstance(field, Group)]

    def convert(record: _Object) -> dict[str, Any]:
        row = dict(record)
        for key in days:
            row[key] = date.fromisoformat(row[key]) if row.get(key) else None
        for key, inner in groups:
            row[key] = [slot and inner(slot) for slot in row.get(key, ())]
        return row

    return convert
