"""What lies in Redis of ours, and what the index of everything names that lies there no more.

Theory of operation.  The index of a tag keeps the names of what was purged or evicted, until they would have expired.
So what is counted is what is there: the length of each value is asked for, and a name without a value leaves the index,
unless it has got a new moment of expiry meanwhile: then somebody is about to write it again.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import Any, Final

from jvgate.cache.redis.client import Client
from jvgate.cache.redis.codec import HEADER_BYTES, read_at_of
from jvgate.cache.redis.keys import Keys
from jvgate.cache.shared import ALL, Inspection, KeptKey

__all__ = ["inspected"]

_MOST_LOOKED_AT: Final = 10_000
_BATCH: Final = 1000

_FORGET_SCRIPT = """
for i = 1, #ARGV, 2 do
    if tonumber(redis.call('ZSCORE', KEYS[1], ARGV[i]) or 'nan') == tonumber(ARGV[i + 1]) then
        redis.call('ZREM', KEYS[1], ARGV[i])
    end
end
"""
"""Lua.  Key: an index.  Arguments: texts and their moments of expiry, by turns."""


async def inspected(client: Client, *, keys: Keys, limit: int, now: float) -> Inspection:
    """Return what is there, with the *limit* keys that live longest.  now: by Redis's clock.

    Of more than some thousand, those that live longest are looked at, and the others are taken for being there.
    Raises what redis-py raises.
    """
    index = keys.tag(ALL)
    flat: list[bytes] = await client.execute_command("ZRANGE", index, -_MOST_LOOKED_AT, -1, "WITHSCORES")
    named = list(zip(flat[::2], flat[1::2], strict=True))
    sizes = await _asked(client, keys, ("STRLEN",), [text for text, _ in named])
    gone = [name for name, size in zip(named, sizes, strict=True) if not size]
    for at in range(0, len(gone), _BATCH):
        await client.execute_command("EVAL", _FORGET_SCRIPT, 1, index, *chain.from_iterable(gone[at : at + _BATCH]))
    found = [(text, size) for (text, _), size in zip(named, sizes, strict=True) if size][::-1]
    unseen = max(0, await client.execute_command("ZCARD", index) - len(found)) if len(named) == _MOST_LOOKED_AT else 0
    return Inspection(
        len(found) + unseen, await _kept_keys(client, keys, found[:limit], now), sum(size for _, size in found)
    )


async def _kept_keys(
    client: Client, keys: Keys, found: Sequence[tuple[bytes, int]], now: float
) -> tuple[KeptKey, ...]:  # fmt: skip
    texts = [text for text, _ in found]
    expire_ms = await _asked(client, keys, ("PTTL",), texts)
    headers = await _asked(client, keys, ("GETRANGE", 0, HEADER_BYTES - 1), texts)
    ages = [
        None if (read_at := read_at_of(header)) is None else round(max(0.0, now - read_at), 1) for header in headers
    ]
    facts = zip(found, expire_ms, ages, strict=True)
    return tuple(KeptKey(_name(text), size, ms / 1000, age_s) for (text, size), ms, age_s in facts)


async def _asked(client: Client, keys: Keys, command: tuple[str | int, ...], texts: Sequence[bytes]) -> list[Any]:
    """Return the replies to *command*, a word and what follows the key, for the values of the queries of *texts*."""
    replies: list[Any] = []
    word, *rest = command
    for at in range(0, len(texts), _BATCH):
        pipeline = client.pipeline(transaction=False)
        for text in texts[at : at + _BATCH]:
            pipeline.execute_command(word, keys.value(_name(text)), *rest)
        replies += await pipeline.execute()
    return replies


def _name(text: bytes) -> str:
    return text.decode("ascii", "replace")
