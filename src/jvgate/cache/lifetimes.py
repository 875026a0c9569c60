"""How long a dataset stays fresh: a figure per data spec, in `lifetimes.json`."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import Any

from jvgate.values import Dataset

__all__ = ["lifetime_s"]


def lifetime_s(dataset: Dataset) -> int:
    """Return for how many seconds after its read *dataset* may be used; an empty one only briefly."""
    table = _table()
    lifetime: int = table["dataspecs"].get(dataset.query.dataspec, table["default"])
    return lifetime if dataset.body else min(lifetime, table["empty"])


@cache
def _table() -> dict[str, Any]:
    table: dict[str, Any] = json.loads((files("jvgate.cache") / "lifetimes.json").read_text("utf-8"))
    return table
