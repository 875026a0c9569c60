"""Data specs: what can be asked of JVOpen and JVRTOpen, and how (JV-Data and interface specifications 4.9.0.1)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Any

from jvgate.spec.files import read_json

__all__ = ["Dataspec", "dataspecs"]


@dataclass(frozen=True, slots=True)
class Dataspec:
    """One data spec.

    options: what JVOpen takes; empty for real time.  key_forms: what JVRTOpen takes; empty for stored data.
    end_allowed: whether a from-time may have an end.  replaced_by: the data spec with the current layouts.
    about: the whole entry of the data file (delivery, retention, notes), for the reference pages.
    """

    id: str
    is_realtime: bool
    title_ja: str
    title_en: str
    record_types: tuple[str, ...]
    options: tuple[int, ...]
    end_allowed: bool
    key_forms: tuple[str, ...]
    replaced_by: str | None
    about: Mapping[str, Any]


@cache
def dataspecs() -> Mapping[str, Dataspec]:
    """Return every data spec by its four-character id, stored ones first."""
    raw = read_json("dataspecs.json")
    return MappingProxyType({entry["dataspec"]: _dataspec(entry) for entry in raw["stored"] + raw["real_time"]})


def _dataspec(raw: Mapping[str, Any]) -> Dataspec:
    generation = raw.get("generation") or {}
    return Dataspec(
        id=raw["dataspec"],
        is_realtime=raw["family"] == "real_time",
        title_ja=raw["title_ja"],
        title_en=raw["title_en"],
        record_types=tuple(raw["record_types"]),
        options=tuple(raw.get("options", ())),
        end_allowed=raw.get("fromtime", {}).get("end_allowed", False),
        key_forms=tuple(raw.get("key_forms", ())),
        replaced_by=generation.get("replaced_by"),
        about=MappingProxyType(raw),
    )
