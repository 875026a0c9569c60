"""One part of a header that lists what a client likes: its name, its parameters and its weight (RFC 9110, 12.4.2)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

__all__ = ["Weighted", "weighted"]


class Weighted(NamedTuple):
    """name, parameters: in lower case but for the values.  weight: from 0 (not at all) to 1."""

    name: str
    weight: float
    parameters: Mapping[str, str]


def weighted(text: str) -> Weighted | None:
    """Return what *text* says; None where its weight cannot be read."""
    name, *parts = (part.strip() for part in text.split(";"))
    pairs = (part.partition("=") for part in parts)
    parameters = {key.strip().lower(): value.strip() for key, _, value in pairs}
    try:
        weight = min(1.0, max(0.0, float(parameters.pop("q", "1"))))
    except ValueError:
        return None
    return Weighted(name.lower(), weight, parameters)
