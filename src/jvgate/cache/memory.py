"""The first tier: datasets and finished answers in this process's memory.

Bounded by entries and by bytes; the least recently used entry leaves first.  A stale entry is a miss, but stays for
those who may still use it, while it is refreshed or its source fails.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

from jvgate.values import MISSING, Entry, Missing

__all__ = ["Memory"]

Value = TypeVar("Value")


class Memory(Generic[Value]):
    """Entries by text key.  clock: monotonic seconds."""

    def __init__(self, *, max_entries: int, max_bytes: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._entries: OrderedDict[str, Entry[Value]] = OrderedDict()
        self._max_entries = max_entries
        self._max_bytes = max_bytes
        self._clock = clock
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._entries)

    def is_fresh(self, key: str) -> bool:
        """Whether there is a fresh entry of *key*; nothing is used by that."""
        entry = self._entries.get(key)
        return entry is not None and entry.fresh_until > self._clock()

    @property
    def bytes(self) -> int:
        """The weight of all entries."""
        return self._bytes

    def get(self, key: str) -> Entry[Value] | Missing:
        """Return the fresh entry of *key*, now the most recently used one, or MISSING."""
        entry = self._entries.get(key)
        if entry is None or entry.fresh_until <= self._clock():
            return MISSING
        self._entries.move_to_end(key)
        return entry

    def last(self, key: str) -> Entry[Value] | Missing:
        """Return the entry of *key*, stale or not, as long as it is of any use; else MISSING."""
        entry = self._entries.get(key)
        if entry is None:
            return MISSING
        if entry.kept_until <= self._clock():
            self._drop(key)
            return MISSING
        self._entries.move_to_end(key)
        return entry

    def put(self, key: str, entry: Entry[Value]) -> bool:
        """Keep *entry* under *key*; False when it is larger than all the room there is."""
        self._drop(key)
        if entry.weight > self._max_bytes or self._max_entries < 1:
            return False
        self._entries[key] = entry
        self._bytes += entry.weight
        while len(self._entries) > self._max_entries or self._bytes > self._max_bytes:
            self._drop(next(iter(self._entries)))
        return True

    def items(self) -> Iterator[tuple[str, Entry[Value]]]:
        """Yield every key with its entry, the least recently used first; nothing is used by that."""
        yield from self._entries.items()

    def purge(self, matches: Callable[[frozenset[str]], bool]) -> int:
        """Drop the entries whose tags *matches*; return how many."""
        found = [key for key, entry in self._entries.items() if matches(entry.tags)]
        for key in found:
            self._drop(key)
        return len(found)

    def _drop(self, key: str) -> None:
        entry = self._entries.pop(key, None)
        if entry is not None:
            self._bytes -= entry.weight
