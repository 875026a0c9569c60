"""How long after a purge at one server does another one stop giving the old answer, against a bare message in Redis?

Counted from the moment the purge is asked for to the moment the first request leaves that is answered anew.  The
reference is what cannot be undercut: a message published and heard by the same client library.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from pathlib import Path
from time import perf_counter

from redis.asyncio import Redis
from tests.cache.redis_server import RedisServer

from benchmarks.measuring import FULL, Effort, Figure, Sample, Wanted, main, percentile
from benchmarks.servers import Server, jvgate, running
from benchmarks.steady import Connections
from benchmarks.weekend import weekend

__all__ = ["measure"]

PURGES = 50
MOST_MS = 100.0
PATH = "/api/v1/data/RACE?from_time=20261101&limit=5"


def measure(effort: Effort) -> list[Figure]:
    """Return the time until nothing old is given any more."""
    with tempfile.TemporaryDirectory() as folder, RedisServer() as redis:
        (Path(folder) / "RACE").mkdir()
        (Path(folder) / "RACE" / "RAVM2026111520261116140000.jvd").write_bytes(b"".join(weekend("RA")))
        server = jvgate(source=f"archive:{folder}", settings=("--redis", redis.url, "--no-prefetch"))
        with running(server) as one, running(server) as other:
            ours, bare = asyncio.run(_both(one, other, redis, PURGES if effort is FULL else effort.rounds))
    return [
        Figure(
            f"until the other one gives nothing old, {len(ours)} purges",
            Sample("ms", tuple(ours), p99=percentile(ours, 99)),
            Sample("ms", tuple(bare), p99=percentile(bare, 99)),
            Wanted(most=MOST_MS),
        )
    ]


async def _both(one: Server, other: Server, redis: RedisServer, rounds: int) -> tuple[list[float], list[float]]:
    """Return the milliseconds of each purge and of each bare message, measured in turn."""
    ours, bare = [], []
    async with Connections(one.port) as asker, Connections(other.port) as purger, Redis.from_url(redis.url) as client:
        await _until_listening(asker)
        await _until_listening(purger)
        for number in range(rounds + 1):
            spent = (await _purge(asker, purger) * 1000, await _message(client) * 1000)
            if number:  # round 0 warms up
                ours.append(spent[0])
                bare.append(spent[1])
    return ours, bare


async def _purge(asker: Connections, purger: Connections) -> float:
    """Return the seconds from a purge at one server to the first new answer of the other."""
    while not await _is_old(asker):
        continue
    began = perf_counter()
    purging = asyncio.create_task(purger.ask("/api/v1/cache?dataspec=RACE", method="DELETE"))
    while True:
        asked = perf_counter()
        if not await _is_old(asker):
            break
    head, _ = await purging
    assert head.startswith(b"http/1.1 200"), head
    return asked - began


async def _is_old(asker: Connections) -> bool:
    head, _ = await asker.ask(PATH)
    assert head.startswith(b"http/1.1 200"), head
    return b"cache-status: jvgate; hit" in head


async def _message(client: Redis) -> float:
    """Return the seconds from a message's leaving to its being heard."""
    async with client.pubsub() as pubsub:
        await pubsub.subscribe("bench")
        assert await pubsub.get_message(timeout=5.0)
        began = perf_counter()
        await client.publish("bench", b"x")
        assert await pubsub.get_message(timeout=5.0)
        return perf_counter() - began


async def _until_listening(connections: Connections) -> None:
    while b'"is_listening":true' not in (await connections.ask("/readyz"))[1]:
        continue


if __name__ == "__main__":
    sys.exit(main(measure))
