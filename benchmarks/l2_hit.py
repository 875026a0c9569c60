"""What does a hit in the second tier cost, unpacked, against a bare GET of the same bytes by the same client?

A real server on this machine, reached over its socket; both ways use the same redis-py client and one connection.  The
same bytes are those that lie in Redis, and for the largest its records as they are too: what a cache that does not
compress would fetch.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Awaitable, Callable
from time import perf_counter_ns

import uvloop
from tests.cache.redis_server import RedisServer

from benchmarks.measuring import Effort, Figure, Sample, main, percentile
from benchmarks.weekend import weekend
from jvgate.cache.redis.codec import pack
from jvgate.cache.redis.keys import Keys, query_text
from jvgate.cache.redis.tier import RedisTier
from jvgate.cache.shared import Packed
from jvgate.spec.spec import load_spec
from jvgate.values import Dataset, Query

JRA = load_spec("jra")

__all__ = ["measure"]

RECORDS_OF_RACE = ("RA", "SE", "HR", "O1", "O2", "O3", "O4", "O5", "O6")
SIZES = {"a race (3 kB)": 3_000, "a day's odds (60 kB)": 60_000, "a weekend (5.5 MB)": None}

Way = Callable[[], Awaitable[object]]


def measure(effort: Effort) -> list[Figure]:
    """Return the figures of hits of several sizes."""
    with RedisServer() as server:
        return uvloop.run(_measure(server, effort))  # the loop that serves


async def _measure(server: RedisServer, effort: Effort) -> list[Figure]:
    body = b"".join(raw for record in RECORDS_OF_RACE for raw in weekend(record))
    async with RedisTier(server.unix_url, JRA.layouts, identity="jra", deadline_s=5.0) as tier:
        figures = [await _hits(tier, name, body[:size], effort) for name, size in SIZES.items()]
        return [*figures, await _hits(tier, "a weekend, GET of its raw records", body, effort, is_raw=True)]


async def _hits(tier: RedisTier, name: str, body: bytes, effort: Effort, *, is_raw: bool = False) -> Figure:
    packed = _packed(body)
    query, client = packed.dataset.query, tier._link.client
    key, data = Keys("jra").value(query_text(query)), pack(packed)
    await client.execute_command("SET", key, data)
    await client.execute_command("SET", "raw", body)
    assert await tier.get(query) == packed
    other = "raw" if is_raw else key
    return await _compared(
        name, lambda: tier.get(query), lambda: client.execute_command("GET", other), len(data), effort
    )


def _packed(body: bytes) -> Packed:
    now = time.time()
    query = Query("RACE", from_time=f"{len(body):014}", option=1)
    dataset = Dataset.landed(query, body, (), "20261115000000", now, layouts=JRA.layouts)
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
    return Figure(name, mine, other)


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
