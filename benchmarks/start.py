"""How long from the start to the first answer, and how much memory does an idle server hold?

Against Python alone and a bare FastAPI application on the same uvicorn; a fresh process every time.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time

from benchmarks.measuring import FULL, Effort, Figure, Sample, Wanted, main
from benchmarks.servers import app, jvgate, running
from benchmarks.weekend import FROM_TIME

__all__ = ["measure"]

ROUNDS = 5
START_S, IDLE_MB = Wanted(most=2.0), Wanted(most=150.0)
FIRST = f"/api/v1/data/RACE?from_time={FROM_TIME}&record=RA,SE,HR,O1"
SMALL = f"/api/v1/data/RACE?from_time={FROM_TIME}&record=RA&limit=1"


def measure(effort: Effort) -> list[Figure]:
    """Return time to the first answer and memory; the first start, which fills the file cache, is left out."""
    rounds = ROUNDS if effort is FULL else effort.rounds
    with tempfile.NamedTemporaryFile() as empty:
        measured = [_round(app("plan", empty.name)) for _ in range(rounds + 1)][1:]
    python, fastapi, ours, fastapi_mb, idle_mb, after_mb, loaded_mb = zip(*measured, strict=True)
    bare_mb = Sample("MB", fastapi_mb)
    return [
        Figure("start to first answer against `python -c pass`", Sample("s", ours), Sample("s", python), START_S),
        Figure("start to first answer against bare FastAPI", Sample("s", ours), Sample("s", fastapi), START_S),
        Figure("memory after start against bare FastAPI", Sample("MB", idle_mb), bare_mb, IDLE_MB),
        Figure("memory after one small answer", Sample("MB", after_mb), bare_mb, IDLE_MB),
        Figure("memory after a weekend's RA, SE, HR, O1", Sample("MB", loaded_mb), bare_mb),
    ]


def _round(fastapi: list[str]) -> tuple[float, ...]:
    """Return three times to the first answer and four sizes in memory."""
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", "pass"], check=True)
    python_s = time.perf_counter() - began
    with running(fastapi) as server:
        fastapi_s, fastapi_mb = server.first_answer_s, server.resident_mb()
    with running(jvgate(), first=FIRST) as server:
        ours_s, loaded_mb = server.first_answer_s, server.resident_mb()
    with running(jvgate()) as server:
        idle_mb = server.resident_mb()
        server.get(SMALL)
        return python_s, fastapi_s, ours_s, fastapi_mb, idle_mb, server.resident_mb(), loaded_mb


if __name__ == "__main__":
    sys.exit(main(measure))
