"""A pool over sessions whose source has gates: a read stands at its own until the test opens it."""

import asyncio
import threading
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import datetime

from jvgate.jvlink.holding import Holding
from jvgate.jvlink.rules import DataspecRule
from jvgate.jvlink.simulator import Simulator
from jvgate.sessions.holders import ThreadWorker
from jvgate.sessions.pool import Pool
from jvgate.sessions.sources.source import Source
from jvgate.values import Query, SourceClock
from tests.specs import JRA

NOW = datetime(2026, 11, 9, 12)
RULES = {
    "RACE": DataspecRule(is_realtime=False, options=(1, 2, 3, 4)),
    "0B12": DataspecRule(is_realtime=True, key_forms=("YYYYMMDD",)),
}
RECORDS = [f"{kind}720261108{number:04}\r\n".encode() for kind in ("RA", "SE") for number in range(100)]
RACE = Query("RACE", from_time="20261101000000", option=1)
LIMIT_S = 10


@dataclass
class File:
    records: list[bytes]
    name: str = "RA.jvd"
    provided: str = "20261108120000"
    size: int = 1

    def read(self):
        return self.records


@dataclass
class GatedShelf:
    """A shelf where a data spec or a real-time key that has a gate holds the thread until it opens.

    reached: tells that the thread is there.
    """

    gates: dict[str, threading.Event] = field(default_factory=dict)
    reached: dict[str, threading.Event] = field(default_factory=dict)
    threads: set[str] = field(default_factory=set)
    order: list[str] = field(default_factory=list)
    faults: list[Exception] = field(default_factory=list)

    def gate(self, key):
        self.gates[key], self.reached[key] = threading.Event(), threading.Event()

    def stored(self, dataspec, *, now, setup):
        self.threads.add(threading.current_thread().name)
        if self.faults:
            raise self.faults.pop()
        self._stand_at(dataspec)
        return [File(RECORDS)]

    def realtime(self, dataspec, key, *, now):
        self.threads.add(threading.current_thread().name)
        self.order.append(key)
        self._stand_at(key)
        return RECORDS

    def _stand_at(self, name):
        if name in self.gates:
            self.reached[name].set()
            assert self.gates[name].wait(LIMIT_S)


class Links:
    """Makes links and keeps on which thread each was made."""

    def __init__(self, shelf):
        self.shelf = shelf
        self.made = []

    def __call__(self):
        self.made.append(threading.current_thread().name)
        return Simulator(self.shelf, RULES, now=lambda: NOW)


def pool(links, *, sessions=1, limit_bytes=1 << 20, queue_limit=10, **source):
    holding = Holding(lambda channel: nullcontext(links()), one_type_per_file=False)
    source = Source(
        "test:",
        start=lambda: ThreadWorker(holding),
        check=lambda spec: None,
        clock=SourceClock(NOW, speed=0.0),
        **source,
    )
    return Pool(source, JRA, sessions=sessions, limit_bytes=limit_bytes, queue_limit=queue_limit)


def realtime(day):
    return Query("0B12", key=f"202612{day:02}")


async def reached(shelf, query):
    """Wait until a thread stands at the gate of *query*."""
    assert await asyncio.to_thread(shelf.reached[query.key or query.dataspec].wait, LIMIT_S)
