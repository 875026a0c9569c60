"""What holds a session, and how: the same for a thread, a worker process and an agent's."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any

from jvgate.jvlink.interface import FullJVLink
from jvgate.jvlink.request import Limits
from jvgate.jvlink.wire import Channel

__all__ = ["Holding"]


@dataclass(frozen=True, slots=True)
class Holding:
    """How one session is held.

    make: the JV-Link object, made, used and released on one thread; it tells dialogs over the channel, if there is one.
    one_type_per_file: whether stored files keep to JV-Link's promise of one record type each.
    prepare: called once after JVInit.  pump_s: how often to deliver events and window messages, None for never.
    facts: told to the server once the session lives.
    """

    make: Callable[[Channel | None], AbstractContextManager[FullJVLink]]
    limits: Limits = field(default_factory=Limits)
    one_type_per_file: bool = True
    sid: str = "UNKNOWN"
    prepare: Callable[[FullJVLink], None] = lambda link: None
    pump_s: float | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)
