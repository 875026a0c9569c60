"""The names of things in Redis: readable, and impossible to forge through what a client asks.

    jvgate:2:jra:RACE:20261101000000-20261108000000:1:RA+SE    a dataset; behind the version stands the query's own text
    jvgate:2:lease:jra:RACE:…                              who reads it from the source at present
    jvgate:2:tag:20261115                                  the texts of the queries that carry a tag, by their expiry
    jvgate:2:purges                                        when each tag was purged last
    jvgate:2:news                                          the channel

Theory of operation.  Queries are checked before they come here, and still each part of one is escaped by itself: what
is not a letter, a digit or `_.` becomes %XX, so that no part can hold a separator, a hash tag of Redis Cluster
(`{…}`) or a pattern.  The first part is the provider, `jra` or `nv`, and so no query's key can begin like `lease:` or
`tag:`.  A command has one key only, so it never crosses the slots of a cluster.
"""

from __future__ import annotations

import re
from functools import lru_cache

from jvgate.values import Query

__all__ = ["NEWS", "PURGES", "VERSION", "lease_key", "query_text", "tag_key", "value_key"]

VERSION = 2
"""Of the values' form and of these names: another one is another, empty cache."""

_ROOT = f"jvgate:{VERSION}:"
PURGES = _ROOT + "purges"
NEWS = _ROOT + "news"

_UNSAFE = re.compile(r"[^A-Za-z0-9_.]")


@lru_cache(1024)
def query_text(query: Query) -> str:
    """Return the text of *query* in keys and messages: `str(query)` where it is valid, and never another one's."""
    parts = [query.provider, _escape(query.dataspec)]
    if query.is_realtime:
        parts.append(_escape(query.key))
    else:
        parts += [f"{_escape(query.from_time)}-{_escape(query.to_time)}", str(query.option)]
    if query.records:
        parts.append("+".join(map(_escape, query.records)))
    return ":".join(parts)


def value_key(text: str) -> str:
    """Return the key of the dataset of the query whose text is *text*."""
    return _ROOT + text


def lease_key(text: str) -> str:
    """Return the key of the lease of the query whose text is *text*."""
    return f"{_ROOT}lease:{text}"


def tag_key(tag: str) -> str:
    """Return the key of the index of *tag*, any text."""
    return f"{_ROOT}tag:{_escape(tag)}"


def _escape(part: str) -> str:
    return _UNSAFE.sub(_percent, part)


def _percent(found: re.Match[str]) -> str:
    return "".join(f"%{byte:02X}" for byte in found[0].encode("utf-8", "surrogatepass"))
