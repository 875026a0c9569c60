"""Which of the forms we can give does the client want?  (RFC 9110, sections 12.4.2 and 12.5.1)"""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["choose", "weighted"]


def choose(accept: str, offered: Sequence[str]) -> str | None:
    """Return the media type of *offered* that *accept* likes best; ties follow our order, None when none will do.

    The most specific range that matches a type decides its weight; a weight of 0 refuses it.  An empty header
    accepts everything, and so does a range that cannot be read: it is passed over.
    """
    ranges = [parsed for part in accept.split(",") if (parsed := _range(part)) is not None]
    if not ranges:
        return offered[0]
    best = max(offered, key=lambda media: _weight(media, ranges))
    return best if _weight(best, ranges) > 0 else None


def weighted(text: str) -> tuple[str, float] | None:
    """Return the name, in lower case, and the weight of one part of a header; None where that cannot be read."""
    name, *parameters = (part.strip() for part in text.split(";"))
    weight = 1.0
    for parameter in parameters:
        key, _, value = parameter.partition("=")
        if key.strip().lower() == "q":
            try:
                weight = min(1.0, max(0.0, float(value)))
            except ValueError:
                return None
    return name.lower(), weight


def _range(text: str) -> tuple[str, str, float] | None:
    """Return type, subtype and weight of one media range."""
    if (found := weighted(text)) is None:
        return None
    kind, slash, subtype = found[0].partition("/")
    return (kind, subtype, found[1]) if slash else None


def _weight(media: str, ranges: Sequence[tuple[str, str, float]]) -> float:
    kind, _, subtype = media.partition("/")
    found = [
        ((range_kind != "*") + (range_subtype != "*"), weight)
        for range_kind, range_subtype, weight in ranges
        if range_kind in (kind, "*") and range_subtype in (subtype, "*")
    ]
    return max(found)[1] if found else 0.0
