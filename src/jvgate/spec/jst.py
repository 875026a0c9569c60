"""Japan Standard Time: what JV-Link's days and times mean in seconds since the epoch (no daylight saving time)."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from functools import lru_cache

__all__ = ["DAY_S", "JST", "day_at", "epoch_of", "moment_at"]

JST = timezone(timedelta(hours=9), "JST")
DAY_S = 86400.0


def moment_at(now: float) -> datetime:
    """Return the moment *now* (seconds since the epoch) as Japan sees it."""
    return datetime.fromtimestamp(now, JST)


def day_at(now: float) -> str:
    """Return the day of *now* in Japan: `YYYYMMDD`."""
    return f"{moment_at(now):%Y%m%d}"


@lru_cache(maxsize=4096)
def epoch_of(text: str) -> float | None:
    """Return the seconds since the epoch of `YYYYMMDD` and up to six digits of time, None for anything else."""
    if not (text.isascii() and text.isdigit() and 8 <= len(text) <= 14):
        return None
    full = text.ljust(14, "0")
    parts = [int(full[:4]), *(int(full[at : at + 2]) for at in range(4, 14, 2))]
    try:
        return datetime(*parts, tzinfo=JST).timestamp()  # type: ignore[misc, arg-type]  # six numbers
    except (ValueError, OverflowError):
        return None
