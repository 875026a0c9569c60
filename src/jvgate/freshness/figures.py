"""The figures of `lifetimes.json` for each data spec, and what the settings change in them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from itertools import pairwise

from jvgate.errors import SettingsError
from jvgate.spec.spec import Spec

__all__ = ["Figures", "Overrides", "figures_with"]

Overrides = Mapping[str, Mapping[str, float]]
"""Data spec (or `stored`, `real_time` for all of a kind) -> figure -> seconds."""

MOST_S = 366 * 86400.0
_KINDS = ("stored", "real_time")
_SETTING = "JVGATE_LIFETIMES (lifetimes)"
_ORDER = ("floor", "fresh", "ceiling", "settled")


@dataclass(frozen=True, slots=True)
class Figures:
    """The figures of one data spec, seconds; what each means stands in `lifetimes.json`."""

    fresh: float
    stale: float
    error: float
    empty: float
    floor: float
    ceiling: float
    settled: float


_NAMES = tuple(field.name for field in fields(Figures))


def figures_with(spec: Spec, overrides: Overrides | None = None) -> Mapping[str, Figures]:
    """Return the figures of every data spec, and of what is not known under `stored` and `real_time`.

    Raises SettingsError for a data spec or figure that does not exist and for seconds that cannot be.
    """
    changes = _checked(spec, overrides or {})
    facts = spec.lifetimes
    kinds = {kind: Figures(**{**facts[kind], **changes.get(kind, {})}) for kind in _KINDS}
    found = dict(kinds)
    for one in spec.dataspecs.values():
        kind = kinds[_KINDS[one.is_realtime]]
        found[one.id] = replace(kind, **{**facts["dataspecs"].get(one.id, {}), **changes.get(one.id, {})})
    for name, figures in found.items():
        _check_order(name, figures)
    return found


def _checked(spec: Spec, overrides: Overrides) -> Overrides:
    for name, figures in overrides.items():
        if spec.dataspec(name) is None and name not in _KINDS:
            allowed = ", ".join((*spec.dataspecs, *_KINDS))
            raise SettingsError(_SETTING, f"There is no data spec {name!r}.", allowed=allowed)
        if not isinstance(figures, Mapping):
            raise SettingsError(_SETTING, f"{name} is {figures!r}.", allowed='an object such as {"fresh": 20}')
        for figure, seconds in figures.items():
            _check_figure(f"{name}.{figure}", figure, seconds)
    return overrides


def _check_figure(place: str, figure: str, seconds: float) -> None:
    if figure not in _NAMES:
        raise SettingsError(_SETTING, f"There is no figure {place}.", allowed=", ".join(_NAMES))
    is_number = isinstance(seconds, int | float) and not isinstance(seconds, bool) and math.isfinite(seconds)
    if not is_number or not 0 <= seconds <= MOST_S:
        raise SettingsError(_SETTING, f"{place} is {seconds!r}.", allowed=f"seconds from 0 to {MOST_S:.0f}")


def _check_order(name: str, figures: Figures) -> None:
    """A figure that passes its bounds would be cut in silence; better to say so."""
    known = asdict(figures)
    for lower, upper in pairwise(_ORDER):
        if known[lower] > known[upper]:
            why = f"{name}.{lower} ({known[lower]:g}) is more than {name}.{upper} ({known[upper]:g})."
            raise SettingsError(_SETTING, why, allowed=" <= ".join(_ORDER))
