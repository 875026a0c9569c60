"""The first tier: values in this process's memory, in typed stores that share one room.

The room is bounded by entries and by bytes over all stores; the least recently used entry of any store leaves first.
A stale entry is a miss, but stays for callers that may still use it, while it is refreshed or its source fails.

The order of use is kept here and not by cachetools: a hit costs one method of a built-in dict, the stores share one
order, and a purge selects by tags.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator
from typing import Any, Generic, TypeVar

from jvgate.cache.clock import lifetime_clock
from jvgate.values import MISSING, Entry, Missing

__all__ = ["Memory", "Store"]

Value = TypeVar("Value")


class _Slot(Generic[Value]):
    """The place of one entry.  Compared by identity, so that the shared order costs no more than a hash of a pointer.

    slots: the dict of its store, by key.
    """

    __slots__ = ("entry", "key", "slots")

    def __init__(self, key: str, entry: Entry[Value], slots: dict[str, _Slot[Value]]) -> None:
        self.key = key
        self.entry = entry
        self.slots = slots


class Memory:
    """The room that the stores share.  clock: of lifetimes, by which all its entries are judged.

    use: makes a slot the most recently used one; the built-in method itself, since it is on the path of every hit.
    """

    def __init__(self, *, max_entries: int, max_bytes: int, clock: Callable[[], float] | None = None) -> None:
        self.clock = clock or lifetime_clock()
        self._order: OrderedDict[_Slot[Any], None] = OrderedDict()
        self.use: Callable[[_Slot[Any]], None] = self._order.move_to_end
        self._max_entries = max_entries
        self._max_bytes = max_bytes
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._order)

    @property
    def bytes(self) -> int:
        """The weight of all entries."""
        return self._bytes

    def items(self) -> Iterator[tuple[str, Entry[Any]]]:
        """Yield key and entry of every store, the least recently used first; this does not count as a use."""
        for slot in self._order:
            yield slot.key, slot.entry

    def purge(self, matches: Callable[[frozenset[str]], bool]) -> int:
        """Drop the entries of every store whose tags match; return their number."""
        found = [slot for slot in self._order if matches(slot.entry.tags)]
        for slot in found:
            self.drop(slot)
        return len(found)

    def add(self, slot: _Slot[Any]) -> bool:
        """Take in *slot*, and drop others until everything fits; False when it is larger than the room."""
        if slot.entry.weight > self._max_bytes or self._max_entries < 1:
            return False
        slot.slots[slot.key] = slot
        self._order[slot] = None
        self._bytes += slot.entry.weight
        while len(self._order) > self._max_entries or self._bytes > self._max_bytes:
            self.drop(next(iter(self._order)))
        return True

    def drop(self, slot: _Slot[Any]) -> None:
        """Let go of *slot*."""
        del self._order[slot]
        del slot.slots[slot.key]
        self._bytes -= slot.entry.weight


class Store(Generic[Value]):
    """The entries of one type of value, by text key, in the room of *memory*."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self._clock = memory.clock
        self._use = memory.use
        self._slots: dict[str, _Slot[Value]] = {}

    def __len__(self) -> int:
        return len(self._slots)

    def is_fresh(self, key: str) -> bool:
        """Whether there is a fresh entry of *key*; this does not count as a use."""
        slot = self._slots.get(key)
        return slot is not None and slot.entry.fresh_until > self._clock()

    def get(self, key: str) -> Entry[Value] | Missing:
        """Return the fresh entry of *key*, now the most recently used one, or MISSING."""
        slot = self._slots.get(key)
        if slot is None or (entry := slot.entry).fresh_until <= self._clock():
            return MISSING
        self._use(slot)
        return entry

    def last(self, key: str) -> Entry[Value] | Missing:
        """Return the entry of *key*, stale or not, as long as it is of any use; else MISSING."""
        slot = self._slots.get(key)
        if slot is None:
            return MISSING
        if slot.entry.kept_until <= self._clock():
            self._memory.drop(slot)
            return MISSING
        self._use(slot)
        return slot.entry

    def put(self, key: str, entry: Entry[Value]) -> bool:
        """Keep *entry* under *key*; False when it is larger than the whole room."""
        self.drop(key)
        return self._memory.add(_Slot(key, entry, self._slots))

    def drop(self, key: str) -> None:
        """Let go of the entry of *key*, if there is one."""
        if (slot := self._slots.get(key)) is not None:
            self._memory.drop(slot)
