"""Data specs: what can be asked of JVOpen and JVRTOpen, and how (JV-Data and interface specifications 4.9.0.1)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from jvgate.spec.files import read_json

__all__ = ["Dataspec", "load_dataspecs", "unknown_dataspec"]


@dataclass(frozen=True, slots=True)
class Dataspec:
    """One data spec.

    options: what JVOpen takes; empty for real time.  key_forms: what JVRTOpen takes; empty for stored data.
    end_allowed: whether a from-time may have an end.  replaced_by: the data spec with the current layouts.
    about: the whole entry of the data file (delivery, retention, notes), for the reference pages; empty for a data
    spec that no file describes.
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


_KEY_FORMS = (
    "YYYYMMDD",
    "YYYYMMDDJJRR",
    "YYYYMMDDJJKKHHRR",
    "event parameter TTYYYYMMDDJJRRNNNNNNNNNNNNNN",
)


def load_dataspecs() -> Mapping[str, Dataspec]:
    """Return every data spec by its four-character id, stored ones first."""
    raw = read_json("jra/dataspecs.json")
    return MappingProxyType({entry["dataspec"]: _dataspec(entry) for entry in raw["stored"] + raw["real_time"]})


def unknown_dataspec(dataspec: str, *, record_types: tuple[str, ...]) -> Dataspec:
    """Return a data spec that no file describes: it takes everything, and may deliver any of *record_types*."""
    is_realtime = dataspec.startswith("0B")
    return Dataspec(
        id=dataspec,
        is_realtime=is_realtime,
        title_ja="",
        title_en="",
        record_types=record_types,
        options=() if is_realtime else (1, 2, 3, 4),
        end_allowed=not is_realtime,
        key_forms=_KEY_FORMS if is_realtime else (),
        replaced_by=None,
        about=MappingProxyType({}),
    )


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
