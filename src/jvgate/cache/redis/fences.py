"""What was purged when: the memory that keeps a purge from being undone.

Theory of operation.  A purge removes what is in Redis, but at that moment older data may be on its way: a read that
began before it, a value in some process's queue of writes, a reply on the wire.  So a purge also raises a fence: each
of its tags gets a stamp, one number larger than every stamp before (Redis's own clock in microseconds, or the last
stamp plus one if that is more).  The hash `purges` in Redis holds the fences; every process has a copy, made when its
subscription begins and kept up by the messages of purges.

Each entry carries the newest stamp that was known where its read began.  An entry is good only when none of its tags
has a fence above its stamp.  That is asked three times:
- before a write, of the copy: what a purge has overtaken in the queue is not written;
- after a write, of the hash: the purge raises its fence before it looks for values, and the writer looks at the fences
  after it has written.  Whatever the order of the two, one of them sees the other, and the value goes;
- after a read, of the copy: what lay in Redis for the moment between such a write and its removal is not taken.
Who begins a purge has its fence before Redis has, one above all stamps that it knows; so have the other processes of
its server, which are told that very stamp: were it one above what each of them knows, who had heard of the purge
already would put up a second fence, which turns away what the others read since.
A process that has not heard of a purge yet gives its reads too old a stamp, and at worst something fresh is not kept.
One that is cut off keeps the fences it knows, asks for the others when it is back, and throws its own memory away.

Stamps of a Redis that lost its memory stay valid, since clocks go on: no stamp is ever below one that a process
knows.  One that woke up with an older memory has the values back that were purged since, and not the fences: so who
finds it again gives it those that he knows, and has the others look.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from jvgate.cache.shared import ALL, Packed

__all__ = ["RAISE_SCRIPT", "RESTORE_SCRIPT", "Fences", "is_stamp"]

_KEPT = 4096
_MOST_STAMP = 10**16  # no clock says more
_KEEP_MS = 400 * 86_400_000  # as long as any entry may live

_PRUNE = f"""
if redis.call('HLEN', KEYS[1]) > {_KEPT} then
    local flat, fences = redis.call('HGETALL', KEYS[1]), {{}}
    for i = 1, #flat, 2 do fences[#fences + 1] = {{flat[i], tonumber(flat[i + 1])}} end
    table.sort(fences, function(a, b) return a[2] < b[2] end)
    for i = 1, #fences - {_KEPT // 2} do redis.call('HDEL', KEYS[1], fences[i][1]) end
end
redis.call('PEXPIRE', KEYS[1], {_KEEP_MS})
"""

RAISE_SCRIPT = f"""
local time = redis.call('TIME')
local newest = redis.call('HGET', KEYS[1], '') or '0'
local stamp = math.max(time[1] * 1000000 + time[2], newest + 1, ARGV[1] + 1)
local text = string.format('%.0f', stamp)
redis.call('HSET', KEYS[1], '', text)
for i = 2, #ARGV do redis.call('HSET', KEYS[1], ARGV[i], text) end
{_PRUNE}
return text
"""
"""Lua.  Key: the hash of fences.  Arguments: the newest stamp that is known, then the tags.  Returns the new stamp."""

RESTORE_SCRIPT = f"""
local raised = 0
for i = 1, #ARGV, 2 do
    local known = tonumber(redis.call('HGET', KEYS[1], ARGV[i]) or '0') or 0
    if tonumber(ARGV[i + 1]) > known then
        redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1])
        raised = raised + 1
    end
end
{_PRUNE}
return raised
"""
"""Lua.  Key: the hash of fences.  Arguments: tags and their stamps, by turns.  Returns how many were not there."""


def is_stamp(value: object) -> bool:
    """Whether *value* can be the stamp of a purge: one out of range would spoil all that come after it."""
    return type(value) is int and 0 <= value < _MOST_STAMP


class Fences:
    """The fences that are known here.  newest: the largest stamp of all, what a read that begins now carries."""

    def __init__(self) -> None:
        self.newest = 0
        self._stamps: dict[str, int] = {}

    def raise_fences(self, tags: Iterable[str], stamp: int) -> None:
        """Take note that *tags* were purged at *stamp*; an older purge changes nothing."""
        self.newest = max(self.newest, stamp)
        for tag in tags:
            self._stamps[tag] = max(stamp, self._stamps.get(tag, 0))
        if len(self._stamps) > _KEPT:
            newer = sorted(self._stamps.items(), key=lambda fence: fence[1])[-_KEPT // 2 :]
            self._stamps = dict(newer)

    def learn(self, fences: Mapping[bytes, bytes]) -> tuple[str, ...]:
        """Take note of the hash in Redis, and return the tags whose purges were not known; what is no fence is none."""
        unknown: list[str] = []
        for name, stamp in _read(fences).items():
            if stamp > self._stamps.get(name, 0) and name:
                unknown.append(name)
            self.raise_fences([name] if name else [], stamp)
        return tuple(unknown)

    def beyond(self, fences: Mapping[bytes, bytes]) -> dict[str, int]:
        """Return those that the hash in Redis lacks, or has older; "" has the newest stamp of all."""
        there = _read(fences)
        return {tag: stamp for tag, stamp in {"": self.newest, **self._stamps}.items() if stamp > there.get(tag, 0)}

    def rejects(self, packed: Packed) -> bool:
        """Whether *packed* was read before a purge of any of its tags."""
        if packed.stamp >= self.newest:
            return False
        return any(self._stamps.get(tag, 0) > packed.stamp for tag in (ALL, *packed.tags))


def _read(fences: Mapping[bytes, bytes]) -> dict[str, int]:
    """Return the stamps in the hash of Redis by their tags; "" has the newest of all."""
    return {
        tag.decode("utf-8", "replace"): int(stamp)
        for tag, stamp in fences.items()
        if stamp.isdigit() and len(stamp) < 17 and is_stamp(int(stamp))  # a long one takes long to read
    }
