"""Code tables 2001-2303: what a code stands for, in both languages (JV-Data specification 4.9.0.1)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Any

from jvgate.spec.files import names_in, read_json

__all__ = ["CodeTable", "code_tables"]


@dataclass(frozen=True, slots=True)
class CodeTable:
    """One code table.  rows: code -> everything the table says of it (`ja`, `short`, `en`, …)."""

    id: str
    title_ja: str
    title_en: str
    bytes: int
    notes: tuple[str, ...]
    rows: Mapping[str, Mapping[str, Any]]

    def word(self, code: str, language: str) -> str | None:
        """Return the word of *code* in *language* (`ja` or `en`), or None when the table does not know it."""
        row = self.rows.get(code)
        return None if row is None else row[language]


@cache
def code_tables() -> Mapping[str, CodeTable]:
    """Return all code tables by number."""
    return MappingProxyType({name: _table(read_json(f"code_tables/{name}.json")) for name in names_in("code_tables")})


def _table(raw: Mapping[str, Any]) -> CodeTable:
    return CodeTable(
        id=raw["table"],
        title_ja=raw["title_ja"],
        title_en=raw["title_en"],
        bytes=raw["bytes"],
        notes=tuple(raw.get("notes", ())),
        rows=MappingProxyType({row["code"]: MappingProxyType(row) for row in raw["values"]}),
    )
