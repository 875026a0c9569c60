"""The data files of this room, read once when first asked for."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import Any

__all__ = ["names_in", "read_json"]

_DATA = files("jvgate.spec") / "data"


@cache
def read_json(path: str) -> dict[str, Any]:
    """Return the parsed data file at *path*, relative to `spec/data/`."""
    parsed: dict[str, Any] = json.loads((_DATA / path).read_text("utf-8"))
    return parsed


@cache
def names_in(folder: str) -> tuple[str, ...]:
    """Return the names of the JSON files in *folder*, without their ending, sorted."""
    return tuple(sorted(item.name[:-5] for item in (_DATA / folder).iterdir() if item.name.endswith(".json")))
