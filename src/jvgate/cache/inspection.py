"""What there is to see of the cache: sizes, hit ratios, ages, the keys asked for most, and how the second tier is."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from typing import Any

from jvgate.cache.memory import Memory
from jvgate.cache.shared import ObservedTier
from jvgate.cache.traffic import Traffic, grouped

__all__ = ["memory_figures", "shared_figures"]

_HOTTEST = 20


def memory_figures(memory: Memory, traffic: Traffic, *, now: float) -> dict[str, Any]:
    """Return what memory holds and how it fares.  now: by its clock."""
    entries = list(memory.items())
    totals = Counter({result: count for (tier, result), count in traffic.totals().items() if tier == "l1"})
    ages = {key: round(now - entry.read_at, 1) for key, entry in entries}
    return {
        "entries": len(memory),
        "bytes": memory.bytes,
        "stale": sum(entry.fresh_until <= now for _, entry in entries),
        "oldest_s": max(ages.values(), default=None),
        "requests": dict(totals),
        "hit_ratio": round(1 - totals["miss"] / totals.total(), 4) if totals else None,
        "dataspecs": traffic.by_dataspec(),
        "hottest": [
            {"key": key, "hits_per_s": round(rate, 3), "age_s": ages.get(key)}
            for key, rate in traffic.hotness.hottest(_HOTTEST)
        ],
    }


async def shared_figures(shared: ObservedTier) -> dict[str, Any]:
    """Return what the tier behind memory holds and how it fares."""
    held = await shared.inspect(limit=_HOTTEST)
    gets = Counter({how: count for (asked, how), count in shared.counts.items() if asked == "get"})
    return {
        **asdict(shared.state),
        "entries": held.entries,
        "bytes": held.bytes,
        "requests": dict(gets),
        "hit_ratio": _ratio(gets),
        "dataspecs": {spec: {**found, "hit_ratio": _ratio(found)} for spec, found in grouped(shared.looks).items()},
        "counts": {f"{asked}.{how}": count for (asked, how), count in sorted(shared.counts.items()) if asked != "get"},
        "longest_lived": [asdict(key) for key in held.keys],
    }


def _ratio(looks: Counter[str]) -> float | None:
    return round(looks["hit"] / looks.total(), 4) if looks else None
