"""What the content of a dataset says of its life in the cache: how long it may be used, and what it is about."""

from __future__ import annotations

from jvgate.cache.datasets import Judged
from jvgate.cache.lifetimes import lifetime_s
from jvgate.values import Dataset

__all__ = ["judge"]


def judge(dataset: Dataset) -> Judged:
    """Return the windows and the tags of a dataset that was read just now."""
    fresh_s = lifetime_s(dataset)
    tags = frozenset({f"dataspec={dataset.query.dataspec}"})
    return Judged(fresh_s=fresh_s, stale_s=fresh_s / 10, error_s=86400.0, tags=tags)
