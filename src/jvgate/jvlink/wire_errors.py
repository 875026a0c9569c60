"""Errors over the wire: by name and fields, from a closed table; nothing that arrives can name anything else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jvgate.errors import (
    ArchiveError,
    ComError,
    DatasetTooLarge,
    JVLinkError,
    NotInstalled,
    NotOffered,
    ReadCancelled,
    SessionTimeout,
    SourceBusy,
    SourceError,
    WorkerFailed,
    WorkerLost,
)

__all__ = ["error_fields", "error_of"]

# What each is made of: its own attributes, which are its constructor's parameters.
FIELDS: Mapping[type[SourceError], tuple[str, ...]] = {
    JVLinkError: ("code", "method", "detail"),
    ArchiveError: ("path", "why"),
    DatasetTooLarge: ("query", "limit_bytes"),
    SessionTimeout: ("what", "limit_s"),
    ReadCancelled: ("what",),
    SourceBusy: ("place", "full"),
    WorkerLost: ("why",),
    WorkerFailed: ("why",),
    NotOffered: ("what",),
    NotInstalled: ("prog_id", "hresult", "why"),
    ComError: ("hresult", "method", "why"),
}
_BY_NAME: Mapping[str, type[SourceError]] = {kind.__name__: kind for kind in FIELDS}


def error_fields(error: Exception) -> dict[str, Any]:
    """Return what tells of *error* on the other side; one that is not ours becomes a plain SourceError."""
    names = FIELDS.get(type(error))  # type: ignore[arg-type]  # any other type is not there
    if names is not None:
        return {"error": type(error).__name__} | {name: getattr(error, name) for name in names}
    why = str(error) if isinstance(error, SourceError) else f"{type(error).__name__}: {error}"
    return {"error": "SourceError", "why": why}


def error_of(fields: Mapping[str, Any]) -> SourceError:
    """Return the error that *fields* tell of; WorkerLost when they tell of none."""
    name = fields.get("error")
    given = {field: value for field, value in fields.items() if field != "error"}
    if name == "SourceError":
        return SourceError(str(given.get("why", "")))
    try:
        return _BY_NAME[str(name)](**given)
    except (KeyError, TypeError, ValueError):
        return WorkerLost(f"an error of unknown kind: {str(name)[:80]}")
