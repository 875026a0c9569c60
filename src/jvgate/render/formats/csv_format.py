"""CSV: a table of one record type as text.  The number of its columns is limited, and counted before anything is read.

This counts without pyarrow, so that a server that never writes a table need not load it.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from jvgate.errors import QueryError
from jvgate.render.formats.format import Format, record_types
from jvgate.render.formats.writers import RecordWriter
from jvgate.spec.layouts import Field, Group, Layout
from jvgate.spec.spec import Spec
from jvgate.values import Question

__all__ = ["FORMAT", "MAX_COLUMNS", "column_count"]

MAX_COLUMNS = 300
_ERRORS_COLUMN = 1


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


def _too_many_columns(question: Question, spec: Spec) -> QueryError | None:
    (record,) = record_types(question, spec)
    count = column_count(spec.layouts.current(record), question.selection.fields)
    if count <= MAX_COLUMNS:
        return None
    return QueryError(
        "too-many-columns",
        f"As CSV these {record} records have {count} columns, more than {MAX_COLUMNS}.",
        parameter="fields",
        value=None,
        allowed="fields= with fewer fields, or another format",
    )


def _writer(question: Question, spec: Spec, *, is_stream: bool = False) -> RecordWriter:
    from jvgate.render.tables.csv_text import CsvWriter  # noqa: PLC0415  (loads pyarrow)

    return CsvWriter(question, spec, is_stream=is_stream)


FORMAT = Format(
    word="csv",
    media_types=("text/csv",),
    suffixes=(".csv",),
    download_suffix=".csv",
    charsets=("utf-8", "utf-8-bom", "shift_jis"),
    refused_parameters=("labels", "raw"),
    needs_one_record_type=True,
    is_text=True,
    refusal=_too_many_columns,
    answer=_writer,
    stream=partial(_writer, is_stream=True),
    fetched=_writer,
)
