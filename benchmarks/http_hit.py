"""How many hits of a 20 KB answer does the server send, against a bare ASGI application and the plan's own way?

All on the same uvicorn, each server alone on one processor, the load generator on another; a round presses one
server after the other.  Processor time for one request is given too: it does not go by what else the machine does.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.load import press
from benchmarks.measuring import Effort, Figure, Sample, Wanted, main, percentile
from benchmarks.servers import Server, app, jvgate, running
from benchmarks.weekend import FROM_TIME

__all__ = ["measure"]

ANSWER_BYTES = 20_000
CONNECTIONS = 32
TOO_BUSY = 0.85  # of its own processor: above, the load generator is what is measured
PATH = f"/api/v1/data/RACE?from_time={FROM_TIME}&record=RA"
REFERENCES = {"bare": Wanted(least_ratio=0.8), "headed": None, "plan": Wanted(least_ratio=50)}


def measure(effort: Effort) -> list[Figure]:
    """Return throughput, waits and processor time against both references."""
    cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
    with _servers(cores[0] if len(cores) > 1 else None) as (path, servers):
        with _kept_off(cores):
            rounds = _pressed(servers, path, effort)
        assert servers["jvgate"].get(path).headers["cache-status"].startswith("jvgate; hit")
        return _figures(rounds, size=len(servers["jvgate"].get(path).body))


@contextmanager
def _kept_off(cores: list[int]) -> Iterator[None]:
    """Keep this process, the load generator, off the first of *cores*: the server's."""
    if len(cores) < 2:
        yield
        return
    os.sched_setaffinity(0, cores[1:])
    try:
        yield
    finally:
        os.sched_setaffinity(0, cores)


@contextmanager
def _servers(core: int | None) -> Iterator[tuple[str, dict[str, Server]]]:
    """Yield the path of a 20 KB answer and all servers, checked to give the same body."""
    with ExitStack() as stack:
        ours = stack.enter_context(running(jvgate(), core=core))
        path = _path_of_20_kb(ours)
        body = ours.get(path).body
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        file = Path(folder, "body.json")
        file.write_bytes(body)
        servers = {name: stack.enter_context(running(app(name, str(file)), core=core)) for name in REFERENCES}
        assert servers["bare"].get(path).body == servers["headed"].get(path).body == body
        assert json.loads(servers["plan"].get(path).body) == json.loads(body)
        assert ours.get(path).headers["cache-status"].startswith("jvgate; hit")
        yield path, {"jvgate": ours, **servers}


def _path_of_20_kb(server: Server) -> str:
    """Return the path whose answer comes nearest to 20 KB."""
    paths = [f"{PATH}&limit={limit}" for limit in range(1, 40)]
    return min(paths, key=lambda path: abs(len(server.get(path).body) - ANSWER_BYTES))


@dataclass(frozen=True, slots=True)
class _Round:
    """What one server did in one round.  cpu_us: its own processor time for one answer."""

    per_second: float
    waits_ms: list[float]
    cpu_us: float


def _pressed(servers: dict[str, Server], path: str, effort: Effort) -> dict[str, list[_Round]]:
    """Return answers a second, waits and processor time for one answer, round by round."""
    rounds: dict[str, list[_Round]] = {name: [] for name in servers}
    for number in range(-1, effort.rounds):  # round -1 warms up
        for name in sorted(servers, reverse=number % 2 == 0):
            server = servers[name]
            before = server.cpu_s()
            load = press(server.port, path, connections=CONNECTIONS, seconds=effort.seconds)
            assert load.own_cpu_s < TOO_BUSY * load.seconds, "the load generator was measured, not the server"
            if number >= 0:
                cpu_us = (server.cpu_s() - before) / len(load.waits_s) * 1e6
                rounds[name].append(_Round(load.per_second, [wait * 1000 for wait in load.waits_s], cpu_us))
    return rounds


def _figures(rounds: dict[str, list[_Round]], *, size: int) -> list[Figure]:
    figures = []
    ours = rounds["jvgate"]
    for name, wanted in REFERENCES.items():
        other = rounds[name]
        figures += [
            Figure(
                f"hit of 20 KB against {name}", _speed(ours, size), _speed(other, size), wanted, more_is_better=True
            ),
            Figure(f"  wait of one, {CONNECTIONS} connections", _wait(ours), _wait(other)),
            Figure("  processor time of one", _cpu(ours), _cpu(other)),
        ]
    return figures


def _speed(rounds: list[_Round], size: int) -> Sample:
    return Sample("req/s", tuple(one.per_second for one in rounds), bytes=size)


def _wait(rounds: list[_Round]) -> Sample:
    p99 = percentile((wait for one in rounds for wait in one.waits_ms), 99)
    return Sample("ms", tuple(percentile(one.waits_ms, 50) for one in rounds), p99=p99)


def _cpu(rounds: list[_Round]) -> Sample:
    return Sample("us cpu", tuple(one.cpu_us for one in rounds))


if __name__ == "__main__":
    sys.exit(main(measure))
