"""The data files: a folder for JRA-VAN's facts (`jra`), and one for how local racing differs from them (`nv`)."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

__all__ = ["names_in", "read_difference", "read_json"]

_DATA = files("jvgate.spec") / "data"


def read_json(path: str) -> dict[str, Any]:
    """Return the parsed data file at *path*, relative to `spec/data/`."""
    parsed: dict[str, Any] = json.loads((_DATA / path).read_text("utf-8"))
    return parsed


def read_difference(path: str) -> dict[str, Any]:
    """Return the parsed data file at *path*, an empty object where there is none."""
    return read_json(path) if (_DATA / path).is_file() else {}


def names_in(folder: str) -> tuple[str, ...]:
    """Return the names of the JSON files in *folder*, without their ending, sorted."""
    return tuple(sorted(item.name[:-5] for item in (_DATA / folder).iterdir() if item.name.endswith(".json")))
