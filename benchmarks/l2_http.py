"""What does a hit in the second tier add to an answer over HTTP, against a bare GET of the same bytes?

Two servers on one Redis make the same answers: one has no memory and takes the dataset from Redis each time, the other
one has it in memory.  What the first takes longer is what the hit adds.  A GET by the same client library fetches the
dataset's bytes, and for comparison the fewer ones that lie in Redis, which are no dataset yet.  All ways in turn, one
request at a time.
"""

from __future__ import annotations

import random
import statistics
import sys
import tempfile
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from time import perf_counter

import uvloop
from redis.asyncio import Redis
from tests.cache.redis_server import RedisServer

from benchmarks.measuring import FULL, Effort, Figure, Sample, Wanted, main, percentile
from benchmarks.servers import Server, jvgate, running
from benchmarks.steady import Connections
from benchmarks.weekend import weekend

__all__ = ["measure"]

MOST_RATIO = 2
RECORDS = {"a race's odds": ("O1", "O2"), "a weekend's races": ("RA",), "a weekend's runners": ("SE",)}
FEW = 2
REQUESTS = 200  # of each way in a round: what is added is a small difference of two answers
QUERY = "jra:RACE:20261101000000-:1"
KEPT, RAW = "kept", "raw"  # a copy of the value, and the bytes of its records


def measure(effort: Effort) -> list[Figure]:
    """Return what a hit adds, for datasets of several sizes."""
    return [figure for name, records in RECORDS.items() for figure in _figures(name, records, effort)]


def _figures(name: str, records: tuple[str, ...], effort: Effort) -> list[Figure]:
    body = b"".join(raw for record in records for raw in weekend(record)[: FEW if len(records) > 1 else None])
    with tempfile.TemporaryDirectory() as folder, RedisServer() as redis:
        (Path(folder) / "RACE").mkdir()
        (Path(folder) / "RACE" / "RAVM2026111520261116140000.jvd").write_bytes(body)
        source, settings = f"archive:{folder}", ("--redis", redis.unix_url, "--redis-deadline-s", "5", "--no-prefetch")
        without = jvgate(source=source, settings=(*settings, "--l1-entries", "0"))
        with running(without) as bare, running(jvgate(source=source, settings=settings)) as whole:
            added, raw, kept, size = uvloop.run(_rounds(bare, whole, redis, body, effort))
    wanted = Wanted(least_ratio=1 / MOST_RATIO)
    return [
        Figure(f"{name}: a GET of its bytes", _sample(added, len(body)), _sample(raw, len(body)), wanted),
        Figure("  a GET of what is kept of them", _sample(added, len(body)), _sample(kept, size)),
    ]


Rounds = list[list[float]]


async def _rounds(
    bare: Server, whole: Server, redis: RedisServer, body: bytes, effort: Effort
) -> tuple[Rounds, Rounds, Rounds, int]:
    """Return the microseconds that hits added and that GETs took, a list a round, and the bytes of the value."""
    rounds: list[list[tuple[float, ...]]] = []
    async with Connections(bare.port) as first, Connections(whole.port) as second, _client(redis) as client:
        paths = _paths()
        await _until_kept(first, client, next(paths))
        size = len(await client.get(KEPT))
        await client.set(RAW, body)
        for number in range(effort.rounds + 1):
            times = [await _once(first, second, client, next(paths)) for _ in range(REQUESTS if effort is FULL else 5)]
            if number:  # round 0 warms up
                rounds.append(times)
    added, raw, kept = ([[way[at] for way in times] for times in rounds] for at in range(3))
    return added, raw, kept, size


async def _once(first: Connections, second: Connections, client: Redis, path: str) -> tuple[float, float, float]:
    """Return the microseconds that an answer from Redis takes longer than from memory, and those of both GETs.

    Each pair in an order by lot: the second of it finds a machine that is awake.
    """
    ways = {
        "shared": (first, b"hit; detail=shared"),
        "kept": (second, b"hit; detail="),
    }  # kept: the first one is shared
    answers = {name: await _timed(ways[name][0], path, ways[name][1]) for name in random.sample(tuple(ways), 2)}
    gets = {key: await _got(client, key) for key in random.sample((RAW, KEPT), 2)}
    return answers["shared"] - answers["kept"], gets[RAW], gets[KEPT]


async def _got(client: Redis, key: str) -> float:
    began = perf_counter()
    await client.get(key)
    return (perf_counter() - began) * 1e6


async def _timed(connections: Connections, path: str, how: bytes) -> float:
    began = perf_counter()
    head, _ = await connections.ask(path)
    spent = perf_counter() - began
    assert how in head, head
    return spent * 1e6


async def _until_kept(connections: Connections, client: Redis, path: str) -> None:
    """Have the source read, wait until the value is in Redis, and copy it to the key that is measured."""
    await connections.ask(path)
    while not (keys := [key async for key in client.scan_iter(f"jvgate:*:{QUERY}") if b":lease:" not in key]):
        continue
    await client.copy(keys[0], KEPT)


def _client(redis: RedisServer) -> Redis:
    return Redis.from_url(redis.unix_url)


def _paths() -> Iterator[str]:
    """Yield questions of the same dataset, each another one, all with the same short answer."""
    return (f"/api/v1/data/RACE?from_time=20261101&limit=1&offset={900_000 + number}" for number in count())


def _sample(rounds: list[list[float]], size: int) -> Sample:
    medians = tuple(statistics.median(times) for times in rounds)
    return Sample("us", medians, percentile((value for times in rounds for value in times), 99), size)


if __name__ == "__main__":
    sys.exit(main(measure))
