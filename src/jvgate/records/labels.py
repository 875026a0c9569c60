"""The words of the code tables beside the codes: the `labels=ja|en` form of a record."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from jvgate.spec.layouts import Field, Group, Layout
from jvgate.spec.spec import Spec

__all__ = ["labeller"]

_Record = dict[str, Any]


@cache
def labeller(layout: Layout, language: str, spec: Spec) -> Callable[[_Record], _Record]:
    """Return what adds `<Field>Label` behind every code of a decoded record that its code table in *spec* knows.

    The short lists that layouts carry themselves have English words only and are used for `en`.
    """
    return _labeller(layout.fields, language, spec)


def _labeller(fields: tuple[Field | Group, ...], language: str, spec: Spec) -> Callable[[_Record], _Record]:
    words = {f.key: found for f in fields if isinstance(f, Field) and (found := _words(f, language, spec))}
    groups = {f.key: _labeller(f.fields, language, spec) for f in fields if isinstance(f, Group)}

    def add(record: _Record) -> _Record:
        labelled: _Record = {}
        for key, value in record.items():
            if key in groups:
                labelled[key] = [slot and groups[key](slot) for slot in value]
                continue
            labelled[key] = value
            if key in words:
                labelled[f"{key}Label"] = _label(value, words[key])
        return labelled

    return add


def _words(field: Field, language: str, spec: Spec) -> Mapping[str, str]:
    if field.code_table is not None:
        return {code: row[language] for code, row in spec.code_tables[field.code_table].rows.items()}
    return field.values if language == "en" else {}


def _label(value: Any, words: Mapping[str, str]) -> Any:
    if isinstance(value, list):
        return [words.get(item) for item in value]
    return words.get(value)
