"""Every field's characters as they stand, without any reading of them: the `raw=1` form of a record."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from jvgate.spec.layouts import Field, Group, Layout

__all__ = ["character_decoder"]


@cache
def character_decoder(layout: Layout) -> Callable[[bytes], dict[str, Any]]:
    """Return what cuts a raw record of *layout* into its fields' characters.

    Nothing is stripped, left out or judged: padding, unset slots and reserved areas stand as they are.  Only the
    closing CR LF is not shown.  A byte that is no Shift_JIS character reads `\\xNN`.
    """
    fields = layout.fields[:-1]
    return lambda raw: _cut(raw, fields)


def _cut(raw: bytes, fields: tuple[Field | Group, ...]) -> dict[str, Any]:
    return {field.key: _characters(raw[field.offset : field.end], field) for field in fields}


def _characters(raw: bytes, field: Field | Group) -> Any:
    slots = [raw[at : at + field.length] for at in range(0, len(raw), field.length)]
    if isinstance(field, Group):
        return [_cut(slot, field.fields) for slot in slots]
    text = [slot.decode("cp932", "backslashreplace") for slot in slots]
    return text if field.repeat > 1 else text[0]
