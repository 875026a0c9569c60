"""Faults to dial into the simulator: what JV-Link, its process and its machine do to people, at a rate per open.

Each open throws a die for each fault; a fault of reading strikes at one of the first reads.
"""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from jvgate.jvlink.simulator import Simulator

__all__ = ["FAULTS", "FaultySimulator", "Outside"]

FAULTS = ("hang_open", "hang_read", "crash", "garbage", "error402", "downloading", "dialog")
_AT_OPEN = ("dialog", "hang_open")
_FIRST_READS = 16
_DOWNLOAD_S = 0.3
_EMPTY_FILE = -402
_DOWNLOADING = -3


@dataclass(frozen=True, slots=True)
class Outside:
    """What a fault does to the world around the simulator.  garble: put nonsense on the pipe.  dialog: one opens."""

    garble: Callable[[], None]
    dialog: Callable[[], None]


class FaultySimulator(Simulator):
    """A simulator that fails now and then.  Set up with `dial` before it is used."""

    _rates: Mapping[str, float] = {}
    _outside: Outside
    _chance: random.Random
    _strikes: dict[int, str]
    _reads = 0
    _downloading_until = 0.0
    _emptied: frozenset[str] = frozenset()

    def dial(self, rates: Mapping[str, float], outside: Outside, chance: random.Random) -> None:
        """Set how often each of FAULTS happens, 0 to 1, and where the dice come from."""
        self._rates, self._outside, self._chance, self._strikes = rates, outside, chance, {}

    def JVOpen(
        self, dataspec: str, fromtime: str, option: int, readcount: int, downloadcount: int, lastfiletimestamp: str
    ) -> tuple[int, int, int, str]:
        """Open stored data, or fail to."""
        self._throw()
        return super().JVOpen(dataspec, fromtime, option, readcount, downloadcount, lastfiletimestamp)

    def JVRTOpen(self, dataspec: str, key: str) -> int:
        """Open real-time data, or fail to."""
        self._throw()
        return super().JVRTOpen(dataspec, key)

    def JVGets(self, buff: bytes, size: int, filename: str) -> tuple[int, memoryview | bytes, str]:
        """Read a record, or fail to."""
        self._reads += 1
        fault = self._strikes.pop(self._reads, None)
        if fault == "downloading":
            self._downloading_until = time.monotonic() + _DOWNLOAD_S
        elif fault in ("hang_read", "crash", "garbage"):
            self._strike(fault)
        if time.monotonic() < self._downloading_until:
            return _DOWNLOADING, b"", ""
        code, record, name = super().JVGets(buff, size, filename)
        if fault == "error402" and code > 0:
            self._emptied |= {name}
        return (_EMPTY_FILE, b"", name) if name in self._emptied else (code, record, name)

    def JVFiledelete(self, filename: str) -> int:
        """Forget a file, so that the next open finds it whole."""
        self._emptied -= {filename}
        return super().JVFiledelete(filename)

    def _throw(self) -> None:
        """Throw the dice for one open."""
        struck = [fault for fault, rate in self._rates.items() if self._chance.random() < rate]
        self._reads = 0
        self._strikes = {1 + self._chance.randrange(_FIRST_READS): fault for fault in struck if fault not in _AT_OPEN}
        for fault in _AT_OPEN:
            if fault in struck:
                self._strike(fault)

    def _strike(self, fault: str) -> None:
        if fault == "garbage":
            self._outside.garble()
            return
        if fault == "crash":
            os.kill(os.getpid(), getattr(signal, "SIGKILL", signal.SIGTERM))
        if fault == "dialog":
            self._outside.dialog()
        while True:  # hangs: only the end of the process helps
            time.sleep(3600)
