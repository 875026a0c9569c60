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
    cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else [None]
    with _servers(cores[0]) as (path, servers):
        if len(cores) > 1:
            os.sched_setaffinity(0, set(cores[1:]))
        try:
            rounds = _pressed(servers, path, effort)
        finally:
            if len(cores) > 1:
                os.sched_setaffinity(0, set(cores))
        assert servers["jvgate"].get(path).headers["cache-status"].startswith("jvgate; hit")
        return _figures(rounds, size=len(servers["jvgate"].get(path).body))


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


_Round = tuple[float, list[float], float]


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
                used = (server.cpu_s() - before) / len(load.waits_s)
                rounds[name].append((load.per_second, load.waits_s, used))
    return rounds


def _figures(rounds: dict[str, list[_Round]], *, size: int) -> list[Figure]:
    figures = []
    for name, wanted in REFERENCES.items():
        pairs = rounds["jvgate"], rounds[name]
        speed, middle, cpu = (
            [Sample(unit, tuple(figure(one) for one in way), p99=p99(way), bytes=size) for way in pairs]
            for unit, figure, p99 in (
                ("req/s", lambda one: one[0], lambda way: None),
                ("ms", lambda one: percentile(one[1], 50) * 1000, _p99_ms),
                ("us cpu", lambda one: one[2] * 1e6, lambda way: None),
            )
        )
        figures += [
            Figure(f"hit of 20 KB against {name}", *speed, wanted, more_is_better=True),
            Figure(f"  wait of one, {CONNECTIONS} connections", *middle),
            Figure("  processor time of one", *cpu),
        ]
    return figures


def _p99_ms(way: list[_Round]) -> float:
    return percentile((wait for _, waits, _ in way for wait in waits), 99) * 1000


if __name__ == "__main__":
    sys.exit(main(measure))
