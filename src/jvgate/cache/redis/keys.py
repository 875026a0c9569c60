"""The names of things in Redis: readable, and impossible to forge through what a client asks.

    jvgate:3:<source>:jra:RACE:20261101000000-20261108000000:1:RA+SE    a dataset, by the query's own text
    jvgate:3:<source>:lease:jra:RACE:…                                  the process that reads it at present
    jvgate:3:<source>:tag:20261115                                      the texts of queries with a tag, by expiry
    jvgate:3:<source>:purges                                            when each tag was purged last
    jvgate:3:<source>:news                                              the channel

Theory of operation.  `<source>` is the identity of the source (`sessions/sources/identity.py`): sources of different
identities share nothing, whatever is asked of them.  Queries are checked before they come here, and still each part of
one is escaped by itself, and so is the identity: a character other than a letter, a digit or `_.` becomes %XX, so that
no part can hold a separator, a hash tag of Redis Cluster (`{…}`) or a pattern.  The first part of a query is the
provider, `jra` or `nv`, and so no query's key can begin like `lease:` or `tag:`.  A command has one key only, so it
never crosses the slots of a cluster.
"""

from __future__ import annotations

import re
from functools import lru_cache

from jvgate.values import Query

__all__ = ["VERSION", "Keys", "query_text"]

VERSION = 3
"""Of the values' form and of these names: another one is another, empty cache."""

_UNSAFE = re.compile(r"[^A-Za-z0-9_.]")


class Keys:
    """The names of what belongs to one source.  purges: of the hash of fences.  news: of the channel."""

    def __init__(self, identity: str) -> None:
        self._root = f"jvgate:{VERSION}:{_escape(identity)}:"
        self.purges = f"{self._root}purges"
        self.news = f"{self._root}news"

    def value(self, text: str) -> str:
        """Return the key of the dataset of the query whose text is *text*."""
        return self._root + text

    def lease(self, text: str) -> str:
        """Return the key of the lease of the query whose text is *text*."""
        return f"{self._root}lease:{text}"

    def tag(self, tag: str) -> str:
        """Return the key of the index of *tag*, any text."""
        return f"{self._root}tag:{_escape(tag)}"


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


def _escape(part: str) -> str:
    return _UNSAFE.sub(_percent, part)


def _percent(found: re.Match[str]) -> str:
    return "".join(f"%{byte:02X}" for byte in found[0].encode("utf-8", "surrogatepass"))
