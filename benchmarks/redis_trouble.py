"""Does any request fail, or wait longer, while Redis is killed, frozen and restarted under a constant load?

A server with a memory that is far too small, a Redis behind it, and requests at a constant rate, so that Redis is asked
by most of them.  The same load without faults is the reference, half of it before and half of it after.
"""

from __future__ import annotations

import asyncio
import random
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.cache.redis_server import RedisServer

from benchmarks.measuring import FULL, Effort, Figure, Sample, Wanted, main, percentile
from benchmarks.servers import jvgate, running
from benchmarks.steady import Steady, steady
from benchmarks.weekend import weekend

__all__ = ["measure"]

SECONDS, QUICK_SECONDS = 60.0, 4.0
PER_SECOND = 100
MOST_RATIO, DEADLINE_MS = 2.0, 50.0
HOT, ALL = 20, 2000  # questions
KEPT = 4 * HOT  # entries in memory
LATENCY = "?open_ms=5&read_us=50"
# At which share of the time what happens to Redis.
STRIKES: tuple[tuple[float, Callable[[RedisServer], None]], ...] = (
    (0.10, RedisServer.kill),
    (0.25, RedisServer.start),
    (0.40, RedisServer.freeze),
    (0.55, RedisServer.thaw),
    (0.65, RedisServer.restart),
    (0.75, RedisServer.fill),
    (0.85, RedisServer.drain),
)


def measure(effort: Effort) -> list[Figure]:
    """Return the failed requests, and the waits with and without faults."""
    seconds = SECONDS if effort is FULL else QUICK_SECONDS
    with tempfile.TemporaryDirectory() as folder, RedisServer() as redis:
        (Path(folder) / "RACE").mkdir()
        (Path(folder) / "RACE" / "RAVM2026111520261116140000.jvd").write_bytes(b"".join(weekend("RA")))
        settings = ("--redis", redis.url, "--l1-entries", str(KEPT), "--no-prefetch")
        with running(jvgate(source=f"archive:{folder}{LATENCY}", settings=settings)) as ours:
            warm = _load(ours.port, seconds / 4, 0)
            quiet = [_load(ours.port, seconds / 2, 1)]
            trouble = _struck(redis, ours.port, seconds)
            quiet.append(_load(ours.port, seconds / 2, 3))
    assert not warm.failures, warm.failures[:3]
    return _figures(trouble, quiet)


def _figures(trouble: Steady, quiet: list[Steady]) -> list[Figure]:
    every = [wait for load in quiet for wait in load.waits_ms]
    allowed = MOST_RATIO * percentile(every, 99) + DEADLINE_MS
    for failure in trouble.failures[:5]:
        print(failure, file=sys.stderr)
    worst = percentile(trouble.waits_ms, 99)
    return [
        Figure(
            f"failed of {len(trouble.waits_ms):,} requests",
            Sample("requests", (float(len(trouble.failures)),)),
            wanted=Wanted(most=0),
        ),
        Figure("wait of one, against the same load without faults", _waits(trouble.waits_ms), _waits(every)),
        Figure(
            f"p99, as a share of {MOST_RATIO:g}x that without faults and {DEADLINE_MS:g} ms",
            Sample("x", (worst / allowed,)),
            wanted=Wanted(most=1),
        ),
    ]


def _waits(waits_ms: list[float]) -> Sample:
    return Sample("ms", (percentile(waits_ms, 50),), p99=percentile(waits_ms, 99))


def _struck(redis: RedisServer, port: int, seconds: float) -> Steady:
    """Return what came of the load while Redis is ill-treated."""
    began = time.perf_counter()

    def strike() -> None:
        for share, act in STRIKES:
            time.sleep(max(0.0, began + share * seconds - time.perf_counter()))
            act(redis)

    striking = threading.Thread(target=strike)
    striking.start()
    came = _load(port, seconds, 2)
    striking.join()
    return came


def _load(port: int, seconds: float, part: int) -> Steady:
    return asyncio.run(steady(port, _paths(part), per_second=PER_SECOND, seconds=seconds))


def _paths(part: int) -> Iterator[str]:
    """Yield requests for ever: a third of them for few questions, the others for many."""
    dice = random.Random(part)
    while True:
        number = dice.randrange(HOT if dice.random() < 1 / 3 else ALL)
        yield f"/api/v1/data/RACE?from_time=20261101{number // 3600:02}{number // 60 % 60:02}{number % 60:02}&limit=5"


if __name__ == "__main__":
    sys.exit(main(measure))
