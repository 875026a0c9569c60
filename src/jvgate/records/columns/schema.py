"""The Arrow schema of a layout: what type each field's values have, and what the columns say of themselves.

A schema follows from the layout (and the fields chosen) alone, never from the data, so that all batches of a record
type fit together:

| kind | type |
|---|---|
| code, monthday, clock time | dictionary of strings |
| digits, text, datetime (it has no year) | string |
| int | int16 to 4 digits, int32 to 9, int64 beyond |
| decimal, elapsed time | float64: the very numbers of the JSON, which a decimal128 would make look different |
| date | date32 |
| repeated field, repeated group | list of these, list of structs |

`<Field>Mark` stands beside each single field that has special values; `_errors` is the last column.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pyarrow as pa

from jvgate.records.field_tree import Tree
from jvgate.records.meanings import is_shown
from jvgate.spec.layouts import Field, Group, Layout

__all__ = [
    "ERRORS",
    "MARK",
    "Tree",
    "arrow_fields",
    "arrow_schema",
    "has_mark",
    "is_clock",
    "marks_of",
    "value_type",
]


ERRORS = "_errors"
_ERROR = (("field", pa.string()), ("offset", pa.int32()), ("raw", pa.string()), ("why", pa.string()))
MARK = pa.dictionary(pa.int8(), pa.string())
_DAY = pa.dictionary(pa.int16(), pa.string())


def arrow_schema(layout: Layout, tree: Tree) -> pa.Schema:
    """Return the schema of *layout*'s columns, cut down to *tree* unless that is empty."""
    about = {
        "record": layout.record,
        "layout": layout.id,
        "title_ja": layout.title_ja,
        "title_en": layout.title_en,
    }
    errors = pa.field(
        ERRORS,
        pa.list_(pa.struct(_ERROR)),
        metadata={"label_ja": "読めなかった項目", "label_en": "fields that could not be read"},
    )
    return pa.schema([*arrow_fields(layout.fields, tree), errors], metadata=about)


def arrow_fields(fields: Sequence[Field | Group], tree: Tree) -> list[pa.Field]:
    """Return the columns of an object's *fields*, those in *tree*."""
    return list(_fields(fields, tree))


def is_clock(field: Field) -> bool:
    """Whether a time is one of the day, not one that a horse took."""
    return field.kind == "time" and field.format == "HHMM"


def has_mark(field: Field) -> bool:
    """Whether a mark can stand beside the values of *field*."""
    return field.repeat == 1 and bool(field.special or field.special_dated)


def marks_of(field: Field) -> tuple[str, ...]:
    """Return all slugs that may stand beside *field*, sorted."""
    return tuple(sorted({*field.special.values(), *(slug for d in field.special_dated for slug in d.special.values())}))


def value_type(field: Field) -> pa.DataType:
    """Return the type of one value of *field*."""
    if field.kind == "monthday" or is_clock(field):
        return _DAY
    if field.kind == "code":  # an index for every code that could be written with so many characters
        index = pa.int8() if field.length == 1 else pa.int16() if field.length == 2 else pa.int32()
        return pa.dictionary(index, pa.string())
    if field.kind == "int":
        return pa.int16() if field.length <= 4 else pa.int32() if field.length <= 9 else pa.int64()
    if field.kind in ("decimal", "time"):
        return pa.float64()
    return pa.date32() if field.kind == "date" else pa.string()


def _fields(fields: Sequence[Field | Group], tree: Tree) -> Iterator[pa.Field]:
    for field in filter(is_shown, fields):
        wanted = not tree or field.key in tree
        if isinstance(field, Group):
            if wanted:
                slot = pa.struct(arrow_fields(field.fields, tree.get(field.key, {})))
                yield pa.field(field.key, pa.list_(slot), metadata=_about(field))
            continue
        if wanted:
            one = value_type(field)
            yield pa.field(field.key, one if field.repeat == 1 else pa.list_(one), metadata=_about(field))
        if has_mark(field) and wanted:
            yield pa.field(f"{field.key}Mark", MARK, metadata=_about(field, of_mark=True))


def _about(field: Field | Group, *, of_mark: bool = False) -> dict[str, str]:
    """Return what a column says of itself; only what there is to say."""
    if of_mark:
        return {"label_ja": f"{field.label_ja}の特別な値", "label_en": f"{field.label_en}: special value"}
    about = {"label_ja": field.label_ja, "label_en": field.label_en}
    if isinstance(field, Field):
        about |= {"unit": field.unit or "", "code_table": field.code_table or ""}
    return {name: text for name, text in about.items() if text}
