"""A shelf in memory and a clock that only moves when somebody sleeps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from jvgate.errors import JVLinkError
from jvgate.jvlink.rules import DataspecRule

NOW = datetime(2026, 11, 20, 12)
RULES = {
    "RACE": DataspecRule(is_realtime=False, options=(1, 2, 3, 4)),
    "YSCH": DataspecRule(is_realtime=False, options=(1, 3, 4)),
    "0B12": DataspecRule(is_realtime=True, key_forms=("YYYYMMDD",)),
    "0B16": DataspecRule(is_realtime=True, key_forms=("event parameter TTYYYYMMDDJJRRNNNNNNNNNNNNNN",)),
}


@dataclass
class MemoryFile:
    """reads: how often its content was asked for."""

    name: str
    provided: str
    records: Sequence[bytes] = ()
    fault: int = 0
    reads: int = 0
    size: int = 2048

    def read(self) -> Sequence[bytes]:
        self.reads += 1
        if self.fault:
            raise JVLinkError(self.fault, "JVGets")
        return self.records


@dataclass
class MemoryShelf:
    files: dict[str, list[MemoryFile]] = field(default_factory=dict)
    answers: dict[str, Sequence[bytes]] = field(default_factory=dict)
    setups: list[bool] = field(default_factory=list)

    def stored(self, dataspec: str, *, now: datetime, setup: bool) -> Sequence[MemoryFile]:
        self.setups.append(setup)
        return self.files.get(dataspec, [])

    def realtime(self, dataspec: str, key: str, *, now: datetime) -> Sequence[bytes] | None:
        return self.answers.get(key)


@dataclass
class Time:
    """Monotonic seconds."""

    at_s: float = 0.0

    def sleep(self, seconds: float) -> None:
        self.at_s += seconds

    def clock(self) -> float:
        return self.at_s


def records(kind: str, count: int) -> list[bytes]:
    return [f"{kind}720261108{number:04}\r\n".encode() for number in range(count)]
