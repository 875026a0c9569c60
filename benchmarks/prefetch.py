"""Do the cards and odds of a RACE answer's races lie ready when they are asked for, and does that delay anybody?

The plan's scenario on a race day at noon: a client asks for the day's races, looks at them for a moment, and then asks
for card and odds of one race after the other.  Meanwhile others ask for what is in no cache.  One server prefetches,
the other one does not; the scenario is played at both in turn.  An open takes 20 ms and a record 50 us.  The season is
recorded before: what it takes to make one is no part of JV-Link, and would be most of what the processor does.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

from benchmarks.measuring import FULL, Effort, Figure, Sample, Wanted, main, percentile
from benchmarks.servers import jvgate, running
from benchmarks.steady import Connections, Steady, steady
from jvgate.records.decode import decode
from jvgate.records.framing import frames
from jvgate.sessions.pool import Pool
from jvgate.sessions.sources.registry import parse_source
from jvgate.spec.spec import load_spec
from jvgate.values import Query

JRA = load_spec("jra")


__all__ = ["measure"]

SEASON, ARCHIVE = "demo:?date=2026-11-14", "archive:{folder}?date=2026-11-14&open_ms=20&read_us=50"
SINCE, YEAR = "20261112000000", "20260101000000"
FOLLOW_UPS = ("0B15", "0B30")
ROUNDS = 9
LOOK_S, PACE_S = 3.0, 0.05
OTHERS_PER_SECOND = 8
LEAST_HITS, MOST_RATIO = 0.95, 1.05
NOON = 12


@dataclass(slots=True)
class _Server:
    """What came at one server, round by round.  others_ms: what those waited who asked for something else."""

    hits: list[float] = field(default_factory=list)
    follow_ups_ms: list[list[float]] = field(default_factory=list)
    others_ms: list[list[float]] = field(default_factory=list)


def measure(effort: Effort) -> list[Figure]:
    """Return the share of hits, and what others waited."""
    rounds = ROUNDS if effort is FULL else effort.rounds
    with TemporaryDirectory() as folder:
        asyncio.run(_record(Path(folder)))
        source = ARCHIVE.format(folder=folder)
        with (
            running(jvgate(source=source, settings=("--prefetch",))) as ahead,
            running(jvgate(source=source, settings=("--no-prefetch",))) as late,
        ):
            ours, other = asyncio.run(_rounds(ahead.port, late.port, rounds))
    every, others = ([wait for waits in one.others_ms for wait in waits] for one in (ours, other))
    p99s = percentile(every, 99) / percentile(others, 99)
    return [
        Figure("follow-ups that are hits", Sample("share", tuple(ours.hits)), wanted=Wanted(least=LEAST_HITS)),
        Figure("  without prefetching", Sample("share", tuple(other.hits))),
        Figure("wait of a follow-up", _waits(ours.follow_ups_ms), _waits(other.follow_ups_ms)),
        Figure("wait of others", _waits(ours.others_ms), _waits(other.others_ms)),
        Figure("p99 of others, against that without prefetching", Sample("x", (p99s,)), wanted=Wanted(most=MOST_RATIO)),
    ]


async def _record(folder: Path) -> None:
    """Put into an archive what the scenario asks for."""
    async with Pool(parse_source(SEASON), JRA, sessions=2, limit_bytes=1 << 30, queue_limit=10_000) as pool:
        stored = [
            await pool.read(Query(dataspec, since, option=1)) for dataspec, since in (("RACE", SINCE), ("YSCH", YEAR))
        ]
        races = [
            decode(frame.raw, JRA.layouts) for frame in frames((stored[0].body,), JRA.layouts) if frame.head == b"RA"
        ]
        keys = [Query(dataspec, key=key) for key in _coming(races) for dataspec in FOLLOW_UPS]
        live = await asyncio.gather(*map(pool.read, keys))
    for dataset in stored:
        ends = [*(file.offset for file in dataset.files[1:]), len(dataset.body)]
        for file, end in zip(dataset.files, ends, strict=True):
            _write(folder / dataset.query.dataspec / file.name, dataset.body[file.offset : end])
    for dataset in filter(lambda dataset: dataset.body, live):  # tomorrow's odds are not sold yet
        _write(folder / dataset.query.dataspec / f"{dataset.query.key}.jvd", dataset.body)


def _write(path: Path, body: bytes) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(body)


def _waits(rounds: list[list[float]]) -> Sample:
    every = [wait for waits in rounds for wait in waits]
    return Sample("ms", tuple(map(statistics.median, rounds)), percentile(every, 99))


async def _rounds(ahead: int, late: int, rounds: int) -> tuple[_Server, _Server]:
    came = (_Server(), _Server())
    for number in range(-1, rounds):  # round -1 fills the file cache
        both = list(zip((ahead, late), came, strict=True))
        for port, one in both if number % 2 else both[::-1]:
            await _play(port, one if number >= 0 else _Server(), number + 1)
    return came


async def _play(port: int, came: _Server, number: int) -> None:
    """Play the scenario once, at a server that knows nothing."""
    async with Connections(port) as client:
        await client.ask("/api/v1/cache?all=1", method="DELETE")
        shown = "record=RA&fields=Year,MonthDay,JyoCD,RaceNum,HassoTime"
        path = f"/api/v1/data/RACE?from_time=2026111200{number:02}00&{shown}"
        others = asyncio.create_task(steady(port, _others(number), per_second=OTHERS_PER_SECOND, seconds=10.0))
        races = _coming(json.loads((await client.ask(path))[1])["data"])
        await asyncio.sleep(LOOK_S)
        hits, waits = [], []
        for race in races:
            for dataspec in FOLLOW_UPS:
                began = perf_counter()
                head, _ = await client.ask(f"/api/v1/data/{dataspec}?key={race}&limit=1")
                waits.append((perf_counter() - began) * 1000)
                hits.append(b"cache-status: jvgate; hit" in head)
            await asyncio.sleep(PACE_S)
        load: Steady = await others
    assert races, "no race is to come"
    assert not load.failures, load.failures[:3]
    came.hits.append(statistics.fmean(hits))
    came.follow_ups_ms.append(waits)
    came.others_ms.append(load.waits_ms)


def _coming(races: list[dict[str, object]]) -> list[str]:
    """Return the keys of the races that start after noon, the next one first."""
    found = []
    for race in races:
        day = f"{race['Year']}{str(race['MonthDay']).replace('-', '')}"
        is_over = day == "20261114" and str(race["HassoTime"]) <= f"{NOON}:00"
        if not is_over:
            found.append((day, str(race["HassoTime"]), f"{day}{race['JyoCD']}{race['RaceNum']:02}"))
    return [key for _, _, key in sorted(found)]


def _others(number: int) -> Iterator[str]:
    """Yield requests that nobody has made yet in this round."""
    return (f"/api/v1/data/YSCH?from_time=2026{1 + at // 28 % 9:02}{1 + at % 28:02}{number:02}0000" for at in count())


if __name__ == "__main__":
    sys.exit(main(measure))
