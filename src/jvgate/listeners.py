"""Listeners: functions that are told of an event, in the order in which they were added."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

import structlog

__all__ = ["Listener", "Listeners"]

Event = TypeVar("Event")

Listener = Callable[[Event], object]

log: structlog.stdlib.BoundLogger = structlog.get_logger("jvgate")


class Listeners(Generic[Event]):
    """The listeners to one kind of event.  what: the event in words, for the log.

    A listener that raises is logged; it disturbs neither the other listeners nor the caller.
    """

    def __init__(self, what: str, *listeners: Listener[Event]) -> None:
        self._what = what
        self._listeners = list(listeners)

    def add(self, listener: Listener[Event]) -> None:
        """Tell *listener* too, from now on."""
        self._listeners.append(listener)

    def tell(self, event: Event) -> None:
        """Call every listener with *event*."""
        for listener in self._listeners:
            try:
                listener(event)
            except Exception as exc:  # the boundary: a listener's fault is its own
                log.exception("a listener failed", event_kind=self._what, listener=repr(listener), error=repr(exc))
