"""What does a hit in the second tier cost, unpacked, against a bare GET of the same bytes by the same client?

A real server on this machine, reached over its socket; both ways use the same redis-py client and one connection.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable
from time import perf_counter_ns

from tests.cache.redis_server import RedisServer

from benchmarks.measuring import Effort, Figure, Sample, Wanted, main, percentile
from benchmarks.weekend import weekend
from jvgate.cache.keys import query_text, value_key
from jvgate.cache.packing import pack
from jvgate.cache.redis_tier import RedisTier
from jvgate.cache.shared import Packed
from jvgate.values import Dataset, Query

__all__ = ["measure"]

MOST_RATIO = 1.5
RECORDS_OF_RACE = ("RA", "SE", "HR", "O1", "O2", "O3", "O4", "O5", "O6")
SIZES = {"a race (3 kB)": 3_000, "a day's odds (60 kB)": 60_000, "a weekend (all of it)": None}

Way = Callable[[], Awaitable[object]]


def measure(effort: Effort) -> list[Figure]:
    """Return the figures of hits of several sizes."""
    with RedisServer() as server:
        return asyncio.run(_measure(server, effort))


async def _measure(server: RedisServer, effort: Effort) -> list[Figure]:
    body = b"".join(raw for record in RECORDS_OF_RACE for raw in weekend(record))
    async with RedisTier(server.unix_url, deadline_s=5.0) as tier:
        figures = []
        for name, size in SIZES.items():
            packed = _packed(body[:size])
            key, data = value_key(query_text(packed.dataset.query)), pack(packed)
            client = tier._link.client
            await client.execute_command("SET", key, data)
            assert await tier.get(packed.dataset.query) == packed

            async def ours(query: Query = packed.dataset.query) -> object:
                return await tier.get(query)

            async def bare(key: str = key) -> object:
                return await client.execute_command("GET", key)

            figures.append(await _compared(name, ours, bare, len(data), effort))
        return figures


def _packed(body: bytes) -> Packed:
    now = time.time()
    dataset = Dataset(Query("RACE", from_time=f"{len(body):014}", option=1), body, (), "20261115000000", now)
    return Packed(dataset, now + 3600, now + 7200, ("RACE", "20261115"))


async def _compared(name: str, ours: Way, bare: Way, size: int, effort: Effort) -> Figure:
    """Run both ways in turn, and give the time of one hit."""
    spent: dict[Way, list[float]] = {ours: [], bare: []}
    waits: dict[Way, list[float]] = {ours: [], bare: []}
    for number in range(effort.rounds + 1):
        for way in (ours, bare) if number % 2 else (bare, ours):
            times = await _times(way, effort.seconds / 4)
            if number:  # round 0 warms up
                spent[way].append(sum(times) / len(times))
                waits[way] += times
    mine, other = (Sample("us", tuple(spent[way]), percentile(waits[way], 99), size) for way in (ours, bare))
    return Figure(name, mine, other, Wanted(least_ratio=1 / MOST_RATIO))


async def _times(way: Way, seconds: float) -> list[float]:
    times = []
    end = perf_counter_ns() + int(seconds * 1e9)
    while not times or perf_counter_ns() < end:
        began = perf_counter_ns()
        await way()
        times.append((perf_counter_ns() - began) / 1000)
    return times


if __name__ == "__main__":
    sys.exit(main(measure))
