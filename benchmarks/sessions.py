"""Do N sessions read N times as much as one, and what does the way through a worker process cost?

The simulator takes 20 ms for an open and 50 us for a record, the plan's own estimate.  The pipe is measured against a
plain copy of the same bytes through a pipe of the same size.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.measuring import FULL, Effort, Figure, Sample, Wanted, main
from jvgate.jvlink.request import Progress, Request
from jvgate.jvlink.wire import Channel, Kind
from jvgate.sessions.pool import Pool
from jvgate.sessions.remote_session import spawn, start_process
from jvgate.sessions.sources.registry import parse_source
from jvgate.spec.spec import load_spec
from jvgate.values import Query

JRA = load_spec("jra")


__all__ = ["measure"]

SESSIONS = (2, 4, 8)
READS = 25
RECORDS = 40
KEYS = [f"2026{month:02}{day:02}" for month in (1, 2) for day in range(1, 17)]
MIB = 1 << 20
PIPE_MIB = 256
SIZES = {"SE": 555, "RA": 1272, "O6": 83_285}
_PLAY = Path(__file__).with_name("worker.py")


def measure(effort: Effort) -> list[Figure]:
    """Return reads a second by the number of sessions, and megabytes a second through a worker and its pipe."""
    rounds = 5 if effort is FULL else effort.rounds
    with tempfile.TemporaryDirectory() as folder:
        _archive(Path(folder))
        scaling = asyncio.run(_scaling(f"archive:{folder}?open_ms=20&read_us=50", rounds))
    return [*scaling, _pipe(rounds), *(_worker(kind, size, rounds) for kind, size in SIZES.items())]


def _archive(folder: Path) -> None:
    """Make a small real-time answer for every key."""
    (folder / "0B12").mkdir()
    for key in KEYS:
        record = f"SE7{key}{key}0501010101".encode().ljust(SIZES["SE"] - 2) + b"\r\n"
        (folder / "0B12" / f"{key}.jvd").write_bytes(record * RECORDS)


async def _scaling(url: str, rounds: int) -> list[Figure]:
    rates: dict[int, list[float]] = {count: [] for count in (1, *SESSIONS)}
    for number in range(rounds + 1):
        for count, taken in rates.items():
            rate = await _rate(url, count)
            if number:  # the first round fills the file cache
                taken.append(rate)
    one = Sample("reads/s", tuple(rates[1]))
    return [
        Figure(
            f"reads with {count} sessions against one",
            Sample("reads/s", tuple(rates[count])),
            one,
            Wanted(least_ratio=0.9 * count),
            more_is_better=True,
        )
        for count in SESSIONS
    ]


async def _rate(url: str, sessions: int) -> float:
    """Return the reads a second that a pool of warm sessions does."""
    async with Pool(parse_source(url), JRA, sessions=sessions, limit_bytes=MIB, queue_limit=10_000) as pool:
        await _read(pool, KEYS[:sessions])
        keys = [KEYS[number % len(KEYS)] for number in range(READS * sessions)]
        began = time.perf_counter()
        await _read(pool, keys)
        return len(keys) / (time.perf_counter() - began)


async def _read(pool: Pool, keys: Sequence[str]) -> None:
    datasets = await asyncio.gather(*(pool.read(Query("0B12", key=key)) for key in keys))
    assert all(len(dataset.body) == RECORDS * SIZES["SE"] for dataset in datasets), "records are missing"


def _pipe(rounds: int) -> Figure:
    """Compare frames over a pipe with the same bytes as they are."""
    framed, plain = [], []
    for number in range(rounds + 1):
        both = (_copy("frames"), _copy("plain"))
        if number:
            framed.append(both[0])
            plain.append(both[1])
    name = f"frames of 1 MiB through a pipe against a plain copy, {PIPE_MIB} MiB"
    wanted = Wanted(least_ratio=0.5)
    return Figure(name, Sample("MB/s", tuple(framed)), Sample("MB/s", tuple(plain)), wanted, more_is_better=True)


def _copy(way: str) -> float:
    """Return the megabytes a second that come out of a pipe."""
    process = spawn([sys.executable, str(_PLAY), way, str(PIPE_MIB)])
    assert process.stdin is not None
    assert process.stdout is not None
    with process:
        if way == "frames":
            channel, came = Channel(process.stdout, process.stdin), 0
            first = channel.receive()
            began = time.perf_counter()
            while (frame := channel.receive()) is not None:
                assert frame.kind is Kind.RECORDS
                came += len(frame.payload)
            assert first is not None
        else:
            buffer = bytearray(MIB)
            process.stdout.read(MIB)
            began, came = time.perf_counter(), 0
            while count := process.stdout.readinto(buffer):  # type: ignore[attr-defined]
                came += count
        rate = came / 1e6 / (time.perf_counter() - began)
    assert came == (PIPE_MIB - 1) * MIB, "bytes are missing"
    return rate


def _worker(kind: str, size: int, rounds: int) -> Figure:
    """Measure whole reads: the simulator, the session, frames, the pipe, and what comes out of it."""
    worker = start_process([sys.executable, str(_PLAY), "serve", str(size)])
    worker.open()
    rates = []
    for number in range(rounds + 1):
        counted = _Counted()
        began = time.perf_counter()
        summary = worker.read(Request("RACE", "20200101000000", 1), counted, lambda: False)
        rate = counted.bytes / 1e6 / (time.perf_counter() - began)
        assert counted.bytes == summary.bytes > PIPE_MIB * MIB * 0.9, "records are missing"
        if number:
            rates.append(rate)
    worker.close()
    name = f"{kind} ({size:,} bytes) read through a worker, {PIPE_MIB} MiB"
    return Figure(
        name,
        Sample("MB/s", tuple(rates)),
        wanted=Wanted(least=300.0),
        more_is_better=True,
    )


class _Counted:
    """A sink that counts."""

    def __init__(self) -> None:
        self.bytes = 0

    def begin(self, name: str, provided: str) -> None:
        pass

    def records(self, batch: bytes | bytearray, count: int) -> None:
        self.bytes += len(batch)

    def progress(self, progress: Progress) -> None:
        pass


if __name__ == "__main__":
    sys.exit(main(measure))
