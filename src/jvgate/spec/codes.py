"""Code tables 2001-2303: what a code stands for, in both languages (JV-Data specification 4.9.0.1)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from jvgate.spec.files import names_in, read_difference, read_json

__all__ = ["CodeTable", "load_code_tables"]


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


def load_code_tables(provider: str) -> Mapping[str, CodeTable]:
    """Return the code tables of *provider* by number: JRA-VAN's, with the rows that the provider adds."""
    return MappingProxyType({name: _load_table(name, provider) for name in names_in("jra/code_tables")})


def _load_table(name: str, provider: str) -> CodeTable:
    path = f"code_tables/{name}.json"
    raw = read_json(f"jra/{path}")
    added = read_difference(f"{provider}/{path}") if provider != "jra" else {}
    return CodeTable(
        id=raw["table"],
        title_ja=raw["title_ja"],
        title_en=raw["title_en"],
        bytes=raw["bytes"],
        notes=tuple(raw.get("notes", ())),
        rows=MappingProxyType(
            {row["code"]: MappingProxyType(row) for row in (*raw["values"], *added.get("values", ()))}
        ),
    )
