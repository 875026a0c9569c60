"""What lies in Redis of ours, and what the index of everything names that lies there no more.

Theory of operation.  The index of a tag keeps the names of what was purged or evicted, until they would have expired.
So what is counted is what is there: the length of each value is asked for, and a name without a value leaves the index,
unless it has got a new moment of expiry meanwhile: then somebody is about to write it again.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import Final

from jvgate.cache.keys import tag_key, value_key
from jvgate.cache.redis_client import Client
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


async def inspected(client: Client, *, limit: int) -> Inspection:
    """Return what is there, with the *limit* keys that live longest.  Raises what redis-py raises.

    Of more than some thousand, those that live longest are looked at, and the others are taken for being there.
    """
    index = tag_key(ALL)
    flat: list[bytes] = await client.execute_command("ZRANGE", index, -_MOST_LOOKED_AT, -1, "WITHSCORES")
    named = list(zip(flat[::2], flat[1::2], strict=True))
    sizes = await _asked("STRLEN", [text for text, _ in named], client)
    gone = [name for name, size in zip(named, sizes, strict=True) if not size]
    for at in range(0, len(gone), _BATCH):
        await client.execute_command("EVAL", _FORGET_SCRIPT, 1, index, *chain.from_iterable(gone[at : at + _BATCH]))
    found = [(text, size) for (text, _), size in zip(named, sizes, strict=True) if size][::-1]
    unseen = max(0, await client.execute_command("ZCARD", index) - len(found)) if len(named) == _MOST_LOOKED_AT else 0
    expire_ms = await _asked("PTTL", [text for text, _ in found[:limit]], client)
    keys = [KeptKey(_name(text), size, ms / 1000) for (text, size), ms in zip(found, expire_ms, strict=False)]
    return Inspection(len(found) + unseen, tuple(keys), sum(size for _, size in found))


async def _asked(command: str, texts: Sequence[bytes], client: Client) -> list[int]:
    """Return the replies to *command* for the values of the queries with these *texts*."""
    replies: list[int] = []
    for at in range(0, len(texts), _BATCH):
        pipeline = client.pipeline(transaction=False)
        for text in texts[at : at + _BATCH]:
            pipeline.execute_command(command, value_key(_name(text)))
        replies += await pipeline.execute()
    return replies


def _name(text: bytes) -> str:
    return text.decode("ascii", "replace")
