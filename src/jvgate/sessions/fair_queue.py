"""Who is next: the queue before the sessions, as plain decisions without a clock or a loop.

Interactive reads go before batches, batches before prefetches; within one priority whoever came first.  So that nobody
starves, every fifth turn goes to a batch that waits, of stored and of real-time data each, since a session may take
only one of them; a prefetch gets a session only when nobody else wants it.
The same data is never read by two sessions at once: a turn waits while its twin is at work.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from enum import IntEnum
from typing import Generic, TypeVar

__all__ = ["Priority", "Turn", "Turns"]

_IN_A_ROW = 4

Ticket = TypeVar("Ticket")


class Priority(IntEnum):
    """How urgent a read is."""

    INTERACTIVE = 0
    BATCH = 1
    PREFETCH = 2


@dataclass(slots=True, eq=False)
class Turn(Generic[Ticket]):
    """One read that waits.  data: names what it reads, so that twins are known; "" has none.  ticket: whose it is.

    priority: of the most urgent one who wants it; while it is queued, set by the queue alone.
    """

    priority: Priority
    data: str
    is_realtime: bool
    ticket: Ticket


class Turns(Generic[Ticket]):
    """The reads that wait, by priority."""

    def __init__(self) -> None:
        self._queues: dict[Priority, deque[Turn[Ticket]]] = {priority: deque() for priority in Priority}
        self._passed_over: Counter[bool] = Counter()  # batches, by whether they are real-time data

    def __len__(self) -> int:
        return sum(map(len, self._queues.values()))

    def __iter__(self) -> Iterator[Turn[Ticket]]:
        for queue in self._queues.values():
            yield from queue

    def add(self, turn: Turn[Ticket]) -> None:
        """Queue *turn* behind those of its priority."""
        self._queues[turn.priority].append(turn)

    def remove(self, turn: Turn[Ticket]) -> bool:
        """Take *turn* out of the queue; False when it is not there any more."""
        try:
            self._queues[turn.priority].remove(turn)
        except ValueError:
            return False
        return True

    def hasten(self, data: str, priority: Priority) -> None:
        """Queue those that read *data* as if they had been added now with *priority*, where that is more urgent."""
        for lower in (other for other in Priority if other > priority):
            for turn in [turn for turn in self._queues[lower] if turn.data == data]:
                self.remove(turn)
                turn.priority = priority
                self.add(turn)

    def take(self, takes: Callable[[Turn[Ticket]], bool], at_work: Collection[str]) -> Turn[Ticket] | None:
        """Return the next turn for a session, out of the queue, or None.

        takes: whether the session reads such data at all.  at_work: the data being read now.
        """
        interactive, batch, prefetch = (
            next((turn for turn in queue if takes(turn) and turn.data not in at_work), None)
            for queue in self._queues.values()
        )
        if batch and interactive and self._passed_over[batch.is_realtime] < _IN_A_ROW:
            self._passed_over[batch.is_realtime] += 1
            batch = None
        if batch:
            self._passed_over[batch.is_realtime] = 0
        turn = batch or interactive or prefetch
        if turn is not None:
            self.remove(turn)
        return turn
