"""Special values: what stands in the number column beside a `…Mark` (JV-Data specification 4.9.0.1)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Literal

from jvgate.spec.files import read_json

__all__ = ["special_slugs"]


@cache
def special_slugs() -> Mapping[str, Literal["null", "zero", "number"]]:
    """Return for each slug whether its number is missing, zero, or what the digits say."""
    return {slug: entry["value"] for slug, entry in read_json("special_slugs.json")["slugs"].items()}
