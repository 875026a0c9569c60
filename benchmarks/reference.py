"""The plan's own way, the reference of all figures: slice each field, decode cp932, strip, dict; `json.dumps`.

Every field of the layout, every element of an array and every field of every slot is a slice of its own.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from functools import cache
from typing import Any

from jvgate.spec.layouts import Field, Group, Layout
from jvgate.spec.spec import load_spec

JRA = load_spec("jra")


__all__ = ["assert_same", "decode_naively", "json_naively", "layout_of"]

_SEPARATORS = re.compile("[-:T]")


def decode_naively(raw: bytes) -> dict[str, Any]:
    """Return the fields of one record as stripped text."""
    return _naive_decoder(raw[:2], len(raw))(raw)


def json_naively(raw: bytes) -> bytes:
    """Return one record as JSON."""
    return json.dumps(decode_naively(raw)).encode()


def layout_of(raw: bytes) -> Layout:
    """Return the layout of a record of the season."""
    layout = JRA.layouts.get(raw[:2].decode("ascii"), len(raw))
    assert layout is not None, raw[:40]
    return layout


@cache
def _naive_decoder(name: bytes, length: int) -> Callable[[bytes], dict[str, Any]]:
    layout = JRA.layouts.get(name.decode("ascii"), length)
    assert layout is not None, name
    return _object_decoder(layout.fields)


def _object_decoder(members: tuple[Field | Group, ...]) -> Callable[[bytes], dict[str, Any]]:
    """Return what reads one object, a record or a slot: the places are known before the first record."""
    fields = [f for f in members if isinstance(f, Field)]
    single = [(f.key, f.offset, f.end) for f in fields if f.repeat == 1]
    arrays = [(f.key, f.length, range(f.offset, f.end, f.length)) for f in fields if f.repeat > 1]
    groups = [
        (g.key, g.length, range(g.offset, g.end, g.length), _object_decoder(g.fields))
        for g in members
        if isinstance(g, Group)
    ]

    def read(raw: bytes) -> dict[str, Any]:
        record: dict[str, Any] = {key: raw[start:end].decode("cp932").strip() for key, start, end in single}
        for key, length, starts in arrays:
            record[key] = [raw[start : start + length].decode("cp932").strip() for start in starts]
        for key, length, starts, read_slot in groups:
            record[key] = [read_slot(raw[start : start + length]) for start in starts]
        return record

    return read if arrays or groups else _flat_decoder(single)


def _flat_decoder(single: list[tuple[str, int, int]]) -> Callable[[bytes], dict[str, Any]]:
    return lambda raw: {key: raw[start:end].decode("cp932").strip() for key, start, end in single}


def assert_same(raw: bytes, values: dict[str, Any]) -> None:
    """Raise AssertionError unless *values* say the same as the naive decoding of *raw*."""
    assert "_errors" not in values, values["_errors"]
    _assert_object(layout_of(raw).fields, decode_naively(raw), values)


def _assert_object(members: tuple[Field | Group, ...], naive: dict[str, Any], values: dict[str, Any]) -> None:
    for member in members:
        if member.key not in values:
            assert member.kind in ("reserved", "group"), member.key
        elif isinstance(member, Group):
            _assert_slots(member, naive[member.key], values[member.key])
        else:
            many = member.repeat > 1
            pairs = zip(naive[member.key], values[member.key], strict=True) if many else [
                (naive[member.key], values[member.key])]  # fmt: skip
            for text, value in pairs:
                assert _is_same(member, text, value), (member.path, text, value)


def _assert_slots(group: Group, naive: list[Any], values: list[Any]) -> None:
    """Compare the slots that are set: the others are left out, or None in their places."""
    shown = [slot for slot in values if slot is not None]
    places = [n for n, slot in enumerate(values) if slot is not None] if len(values) == len(naive) else [
        n for n, slot in enumerate(naive) if any(_leaves(slot))]  # fmt: skip
    assert len(places) >= len(shown), group.path
    names = iter(places)
    for slot in shown:
        place = next(names)
        while group.names_slots and not _is_same(group.fields[0], *_first(group, naive[place], slot)):
            place = next(names)
        _assert_object(group.fields, naive[place], slot)


def _first(group: Group, naive: dict[str, Any], slot: dict[str, Any]) -> tuple[Any, Any]:
    key = group.fields[0].key
    return naive[key], slot[key]


def _leaves(slot: Any) -> list[Any]:
    if isinstance(slot, dict):
        return [leaf for value in slot.values() for leaf in _leaves(value)]
    return [leaf for value in slot for leaf in _leaves(value)] if isinstance(slot, list) else [slot]


def _is_same(field: Any, text: str, value: Any) -> bool:
    """Whether a value says what the characters of *field* say; what is not set or has a mark is None or a number."""
    if value is None or text.encode("cp932") in field.special:
        dated = {raw for special in field.special_dated for raw in special.special}
        return not text.strip(field.unset_fill + field.init + " 0　") or text.encode("cp932") in {
            *(raw.strip() for raw in field.unset), *field.special, *dated}  # fmt: skip
    if isinstance(value, str):
        return value.strip() == text or _SEPARATORS.sub("", value) == text
    if field.kind == "time":
        minutes, seconds = divmod(value, 60)
        return bool(abs(int(minutes) * 100 + seconds - int(text) / 10 ** (field.length - 3)) < 1e-6)
    return bool(abs(value * (field.scale or 1) - int(text)) < 1e-6)
