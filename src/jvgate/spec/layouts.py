"""Record layouts: which bytes of a record mean what.

Source: JV-Data specification 4.9.0.1, as described in the layout files (`spec/data/jra/layouts/XX.json` is the
current layout of record XX, `XX@LENGTH.json` an older one).  Offsets and lengths are in bytes, 0-based.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations, combinations_with_replacement, permutations
from types import MappingProxyType
from typing import Any, Literal

from jvgate.spec.codes import CodeTable
from jvgate.spec.files import names_in, read_json

__all__ = ["DatedSpecial", "Field", "Group", "Layout", "Layouts", "SlugMeaning", "load_layouts"]

SlugMeaning = Literal["null", "zero", "number"]
"""What stands in the number column beside a mark: no number, 0, or what the digits say."""


@dataclass(frozen=True, slots=True)
class DatedSpecial:
    """More special values of a field, for races up to *until* (YYYYMMDD)."""

    until: str
    special: Mapping[bytes, str]


@dataclass(frozen=True, slots=True, eq=False)
class Field:
    """One leaf of a layout; *repeat* > 1 makes it an array.

    key: its name in an answer.  unset: raw values that mean "no value".  unset_fill: for text, a value made
    of these characters only is empty.  special: raw value -> slug of its meaning.  init: the character of an
    unset field.  unit: of the value; stored_unit: of the digits.  scale: divisor of a decimal.
    codes: all that its code table and the layout list.  slugs: what the number beside each slug is.
    """

    name: str
    path: str
    key: str
    label_ja: str
    label_en: str
    kind: str
    offset: int
    length: int
    repeat: int
    format: str | None
    unit: str | None
    stored_unit: str | None
    scale: int | None
    signed: bool
    code_table: str | None
    values: Mapping[str, str]
    init: str
    fixed: bytes | None
    unset: frozenset[bytes]
    unset_fill: str
    special: Mapping[bytes, str]
    special_dated: tuple[DatedSpecial, ...]
    codes: frozenset[str]
    slugs: Mapping[str, SlugMeaning]
    elements: tuple[str, ...]

    @property
    def end(self) -> int:
        """The offset behind the last byte."""
        return self.offset + self.length * self.repeat


@dataclass(frozen=True, slots=True, eq=False)
class Group:
    """A repeated structure; the offsets of its fields are relative to the start of a slot.

    names_slots: whether a slot tells by its own first field which one it is.
    placed: the names of all slots in their fixed order, where a combination fixes the place; else empty.
    """

    name: str
    path: str
    key: str
    label_ja: str
    label_en: str
    offset: int
    length: int
    repeat: int
    fields: tuple[Field | Group, ...]
    empty_slot: str | None
    elements: tuple[str, ...]
    names_slots: bool
    placed: tuple[str, ...]

    kind = "group"

    @property
    def end(self) -> int:
        """The offset behind the last byte."""
        return self.offset + self.length * self.repeat


@dataclass(frozen=True, slots=True, eq=False)
class Layout:
    """One generation of one record type.  valid_until: ISO date of an older layout's end, else None."""

    record: str
    length: int
    title_ja: str
    title_en: str
    format_no: int
    key: tuple[str, ...]
    data_kubun: Mapping[str, str]
    fields: tuple[Field | Group, ...]
    is_current: bool
    valid_from: str | None
    valid_until: str | None

    @property
    def id(self) -> str:
        """`UM` for the current layout, `UM@1577` for an older one."""
        return self.record if self.is_current else f"{self.record}@{self.length}"

    def leaves(self) -> Iterator[Field]:
        """Yield every leaf field, those of groups once."""
        pending: list[Field | Group] = list(reversed(self.fields))
        while pending:
            item = pending.pop()
            if isinstance(item, Group):
                pending.extend(reversed(item.fields))
            else:
                yield item


class Layouts:
    """All layouts, by record type and exact length (the length is what tells generations apart)."""

    def __init__(self, known: Mapping[str, tuple[Layout, ...]]) -> None:
        self._known = known

    @property
    def types(self) -> tuple[str, ...]:
        """The 38 record types, sorted."""
        return tuple(self._known)

    def all(self) -> Iterator[Layout]:
        """Yield every layout, older ones behind the current one of their type."""
        for generations in self._known.values():
            yield from generations

    def generations(self, record: str) -> tuple[Layout, ...]:
        """Return the layouts of *record*, the current one first; empty for an unknown type."""
        return self._known.get(record, ())

    def lengths(self, record: str) -> tuple[int, ...]:
        """Return the known lengths of *record*, the current one first."""
        return tuple(layout.length for layout in self.generations(record))

    def get(self, record: str, length: int) -> Layout | None:
        """Return the layout of *record* that is exactly *length* bytes long, CR LF included."""
        return next((layout for layout in self.generations(record) if layout.length == length), None)

    def current(self, record: str) -> Layout:
        """Return the current layout of a known record type.  Raises KeyError."""
        return self._known[record][0]


@dataclass(frozen=True, slots=True)
class _Tables:
    """What fields and groups refer to: code tables, the meaning of slugs, how slots are told apart."""

    codes: Mapping[str, CodeTable]
    slugs: Mapping[str, SlugMeaning]
    slots: Mapping[str, Any]


def load_layouts(code_tables: Mapping[str, CodeTable]) -> Layouts:
    """Return all layouts, with what their fields refer to in *code_tables*."""
    slugs = {slug: entry["value"] for slug, entry in read_json("jra/special_slugs.json")["slugs"].items()}
    tables = _Tables(code_tables, slugs, read_json("jra/slots.json"))
    known: dict[str, list[Layout]] = {}
    for name in names_in("jra/layouts"):
        record, _, older = name.partition("@")
        layout = _layout(read_json(f"jra/layouts/{name}.json"), tables, is_current=not older)
        known.setdefault(record, []).append(layout)
    return Layouts({record: tuple(sorted(found, key=lambda x: not x.is_current)) for record, found in known.items()})


def _layout(raw: Mapping[str, Any], tables: _Tables, *, is_current: bool) -> Layout:
    return Layout(
        record=raw["record"],
        length=raw["length"],
        title_ja=raw["title_ja"],
        title_en=raw["title_en"],
        format_no=raw["format_no"],
        key=tuple(raw["key"]),
        data_kubun=MappingProxyType(raw["data_kubun"]),
        fields=_members(raw["fields"], tables, prefix=""),
        is_current=is_current,
        valid_from=raw.get("valid_from"),
        valid_until=raw.get("valid_until"),
    )


def _members(raw: list[dict[str, Any]], tables: _Tables, *, prefix: str) -> tuple[Field | Group, ...]:
    keys = _keys([item["path"].removeprefix(prefix).removesuffix("[]") for item in raw])
    return tuple(
        _group(item, key, tables) if item["kind"] == "group" else _field(item, key, tables)
        for item, key in zip(raw, keys, strict=True)
    )


def _keys(paths: list[str]) -> list[str]:
    """Return for each path its shortest unique tail, the parts joined with `_`."""
    split = [path.split(".") for path in paths]
    tails = Counter("_".join(parts[-n:]) for parts in split for n in range(1, len(parts) + 1))
    return [
        next(tail for n in range(1, len(parts) + 1) if tails[tail := "_".join(parts[-n:])] == 1 or n == len(parts))
        for parts in split
    ]


def _field(raw: Mapping[str, Any], key: str, tables: _Tables) -> Field:
    code_table, values = raw.get("code_table"), raw.get("values", {})
    special = _special(raw.get("special", {}))
    dated = tuple(
        DatedSpecial(one["race_date_until"].replace("-", ""), _special(one["special"]))
        for one in raw.get("special_dated", ())
    )
    slugs = {slug for found in (special, *(one.special for one in dated)) for slug in found.values()}
    return Field(
        name=raw["name"],
        path=raw["path"],
        key=key,
        label_ja=raw["label_ja"],
        label_en=raw["label_en"],
        kind=raw["kind"],
        offset=raw["offset"],
        length=raw["length"],
        repeat=raw["repeat"],
        format=raw.get("format"),
        unit=_natural(raw.get("unit"), raw.get("kind", "")),
        stored_unit=raw.get("unit"),
        scale=raw.get("scale"),
        signed=raw.get("signed", False),
        code_table=code_table,
        values=MappingProxyType(values),
        init=raw.get("init", " "),
        fixed=raw["value"].encode("ascii") if "value" in raw else None,
        unset=frozenset(value.encode("cp932") for value in raw["unset"]),
        unset_fill="".join(raw.get("unset_fill", ())),
        special=special,
        special_dated=dated,
        codes=frozenset({*values, *(tables.codes[code_table].rows if code_table else ())}),
        slugs=MappingProxyType({slug: tables.slugs[slug] for slug in slugs}),
        elements=tuple(raw.get("elements", ())),
    )


def _natural(stored: str | None, kind: str) -> str | None:
    """Return the unit of a value, whose fraction is gone: `0.1kg` is stored, kg is meant."""
    if stored is None or kind not in ("decimal", "time"):
        return stored
    return re.sub(r"^0\.0*1", "", stored) or None


def _special(raw: Mapping[str, str]) -> Mapping[bytes, str]:
    return MappingProxyType({value.encode("cp932"): slug for value, slug in raw.items()})


def _group(raw: Mapping[str, Any], key: str, tables: _Tables) -> Group:
    first = raw["fields"][0]["name"]
    named = first in tables.slots["named_by"] and "elements" not in raw
    by_combination = raw.get("empty_meaning") == "not_entered" and first in ("Umaban", "Kumi")
    return Group(
        name=raw["name"],
        path=raw["path"],
        key=key,
        label_ja=raw["label_ja"],
        label_en=raw["label_en"],
        offset=raw["offset"],
        length=raw["length"],
        repeat=raw["repeat"],
        fields=_members(raw["fields"], tables, prefix=f"{raw['path']}."),
        empty_slot=raw.get("empty_slot"),
        elements=tuple(raw.get("elements", ())),
        names_slots=named,
        placed=_combinations(tables.slots["placed"][str(raw["repeat"])]) if by_combination else (),
    )


def _combinations(rule: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the number strings of all combinations of *rule*, in slot order: `0102`, `0103`, …"""
    numbers = [f"{number:0{rule['width']}}" for number in range(1, rule["of"] + 1)]
    choose = permutations if rule["ordered"] else combinations_with_replacement if rule["repeated"] else combinations
    return tuple("".join(chosen) for chosen in choose(numbers, rule["take"]))
