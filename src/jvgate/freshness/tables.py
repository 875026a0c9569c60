"""The data files of this room, read once when first asked for."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import Any

__all__ = ["table"]


@cache
def table(name: str) -> dict[str, Any]:
    """Return the parsed data file `NAME.json` of this room."""
    parsed: dict[str, Any] = json.loads((files("jvgate.spec") / "data" / f"{name}.json").read_text("utf-8"))
    return parsed
