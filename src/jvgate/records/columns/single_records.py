"""Records of the record decoder -> rows of a batch: for the few that columns do not read themselves."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any

import pyarrow as pa

from jvgate.records.columns.arrays import list_array, struct_array
from jvgate.records.columns.schema import ERRORS
from jvgate.records.field_tree import Tree
from jvgate.spec.layouts import Field, Group

__all__ = ["batch_of", "row_maker"]

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


def batch_of(rows: Sequence[_Object], schema: pa.Schema) -> pa.RecordBatch:
    """Return *rows* as a batch.

    Arrow's own way from objects to dictionaries leaves places beyond the dictionary under an object that is null:
    so the strings are taken first and their dictionaries made of them.
    """
    plain = pa.schema([field.with_type(_without_dictionaries(field.type)) for field in schema])
    found = pa.RecordBatch.from_pylist(list(rows), schema=plain)
    arrays = [_with_dictionaries(array, field.type) for array, field in zip(found, schema, strict=True)]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def _without_dictionaries(kind: pa.DataType) -> pa.DataType:
    if pa.types.is_dictionary(kind):
        return kind.value_type
    if pa.types.is_list(kind):
        return pa.list_(kind.value_field.with_type(_without_dictionaries(kind.value_type)))
    if pa.types.is_struct(kind):
        return pa.struct([field.with_type(_without_dictionaries(field.type)) for field in kind])
    return kind


def _with_dictionaries(array: pa.Array, kind: pa.DataType) -> pa.Array:
    if array.type.equals(kind):
        return array
    if pa.types.is_list(kind):
        items = _with_dictionaries(array.values, kind.value_type)
        return list_array(kind, array.offsets.to_numpy(), items)
    if pa.types.is_struct(kind):
        members = [_with_dictionaries(one, field.type) for one, field in zip(array.flatten(), kind, strict=True)]
        nulls = array.is_null().to_numpy(zero_copy_only=False)
        return struct_array(kind, members, len(array), nulls if nulls.any() else None)
    encoded = array.dictionary_encode()
    return pa.DictionaryArray.from_arrays(encoded.indices.cast(kind.index_type), encoded.dictionary)


def _is_wanted(name: str, tree: Tree) -> bool:
    return name.partition(".")[0] in tree


def _converter(fields: Sequence[Field | Group]) -> Callable[[_Object], dict[str, Any]]:
    days = [field.key for field in fields if field.kind == "date"]
    groups = [(field.key, _converter(field.fields)) for field in fields if isinstance(field, Group)]

    def convert(record: _Object) -> dict[str, Any]:
        row = dict(record)
        for key in days:
            row[key] = date.fromisoformat(row[key]) if row.get(key) else None
        for key, inner in groups:
            if key in row:
                row[key] = [slot and inner(slot) for slot in row[key]]
        return row

    return convert
