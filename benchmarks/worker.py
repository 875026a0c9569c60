"""The other end of the pipes of `sessions.py`: plain bytes, frames, or a session over records in memory."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime

from jvgate.jvlink.holding import Holding
from jvgate.jvlink.rules import DataspecRule
from jvgate.jvlink.session_process import own_pipes, serve
from jvgate.jvlink.simulator import Simulator
from jvgate.jvlink.wire import Channel, Kind

MIB = 1 << 20
TOTAL_BYTES, FILES = 256 * MIB, 8
RULES = {"RACE": DataspecRule(is_realtime=False, options=(1, 2, 3, 4))}


@dataclass(frozen=True)
class File:
    """One file of records in memory."""

    name: str
    records: Sequence[bytes]
    provided: str = "20261108120000"
    size: int = TOTAL_BYTES // FILES

    def read(self) -> Sequence[bytes]:
        return self.records


@dataclass(frozen=True)
class Shelf:
    """Files of equal records of one length."""

    record: bytes

    def stored(self, dataspec: str, *, now: datetime, setup: bool) -> Sequence[File]:
        records = [self.record] * (TOTAL_BYTES // FILES // len(self.record))
        return [File(f"RA{number}.jvd", records) for number in range(FILES)]

    def realtime(self, dataspec: str, key: str, *, now: datetime) -> None:
        return None


def write_plain(mebibytes: int) -> None:
    """Write so many mebibytes as they are."""
    batch = memoryview(os.urandom(MIB))
    for _ in range(mebibytes):
        written = 0
        while written < MIB:
            written += os.write(1, batch[written:])


def write_frames(mebibytes: int) -> None:
    """Write so many mebibytes as frames of one."""
    batch, channel = os.urandom(MIB), Channel(os.fdopen(0, "rb"), os.fdopen(1, "wb"))
    for _ in range(mebibytes):
        channel.send(Kind.RECORDS, 1, batch, count=1)


def hold(record_bytes: int) -> int:
    """Hold a session over records of that length."""
    shelf = Shelf(b"RA" + b"x" * (record_bytes - 4) + b"\r\n")
    link = Simulator(shelf, RULES, now=lambda: datetime(2026, 11, 9, 12))
    return serve(Holding(make=lambda channel: nullcontext(link)), own_pipes())


WAYS = {"plain": write_plain, "frames": write_frames, "serve": hold}

if __name__ == "__main__":
    sys.exit(WAYS[sys.argv[1]](int(sys.argv[2])))
