"""How much faster are twenty questions in one batch than one after another, on five sessions?

The simulator takes 20 ms for an open and 50 us for a record, the plan's own estimate.  The server keeps nothing, so
every question is read every time; both ways go over a connection that is open already.
"""

from __future__ import annotations

import http.client
import json
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.measuring import FULL, Effort, Figure, Sample, Wanted, main
from benchmarks.servers import HOST, Server, jvgate, running
from benchmarks.weekend import weekend, weekend_before

__all__ = ["measure"]

QUESTIONS = 20
SESSIONS = 5
RECORDS = 18
ENTRIES = [{"dataspec": "0B12", "key": f"202601{day:02}"} for day in range(1, QUESTIONS + 1)]


def measure(effort: Effort) -> list[Figure]:
    """Return the milliseconds that twenty questions take both ways, round by round."""
    rounds = 15 if effort is FULL else effort.rounds
    with tempfile.TemporaryDirectory() as folder:
        _archive(Path(folder))
        source = f"archive:{folder}?open_ms=20&read_us=50"
        command = jvgate(source=source, settings=("--sessions", str(SESSIONS), "--l1-entries", "0"))
        with running(command) as server:
            taken = _taken(server, rounds)
    batched, alone = (Sample("ms", tuple(values)) for values in taken)
    name = f"a batch of {QUESTIONS} on {SESSIONS} sessions against one after another"
    return [Figure(name, batched, alone, Wanted(least_ratio=4.5))]


def _archive(folder: Path) -> None:
    """Make an answer of the runners of a race for every key."""
    (folder / "0B12").mkdir()
    runners = weekend_before("SE") + weekend("SE")
    for number, entry in enumerate(ENTRIES):
        records = runners[number * RECORDS : (number + 1) * RECORDS]
        (folder / "0B12" / f"{entry['key']}.jvd").write_bytes(b"".join(records))


def _taken(server: Server, rounds: int) -> tuple[list[float], list[float]]:
    batched, alone = [], []
    connection = http.client.HTTPConnection(HOST, server.port, timeout=30)
    for number in range(rounds + 2):
        ways = (_batch, _one_by_one)
        times = {way: way(connection) for way in (ways if number % 2 else ways[::-1])}
        if number >= 2:  # the first rounds start the sessions and fill the memos
            batched.append(times[_batch])
            alone.append(times[_one_by_one])
    connection.close()
    return batched, alone


def _batch(connection: http.client.HTTPConnection) -> float:
    body = json.dumps({"requests": ENTRIES})
    began = time.perf_counter()
    connection.request("POST", "/api/v1/batch", body, {"content-type": "application/json"})
    answer = connection.getresponse().read()
    taken_ms = (time.perf_counter() - began) * 1000
    replies = json.loads(answer)["responses"]
    assert [reply["status"] for reply in replies] == [200] * QUESTIONS, replies
    _check([reply["body"] for reply in replies])
    return taken_ms


def _one_by_one(connection: http.client.HTTPConnection) -> float:
    answers = []
    began = time.perf_counter()
    for entry in ENTRIES:
        connection.request("GET", f"/api/v1/data/{entry['dataspec']}?key={entry['key']}")
        answers.append(connection.getresponse().read())
    taken_ms = (time.perf_counter() - began) * 1000
    _check([json.loads(answer) for answer in answers])
    return taken_ms


def _check(bodies: list[dict[str, object]]) -> None:
    for body, entry in zip(bodies, ENTRIES, strict=True):
        assert body["meta"]["key"] == entry["key"], "the answers are in another order"  # type: ignore[index]
        assert len(body["data"]) == RECORDS, "records are missing"  # type: ignore[arg-type]


if __name__ == "__main__":
    sys.exit(main(measure))
