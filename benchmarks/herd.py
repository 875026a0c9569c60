"""What do 1,000 equal requests on a cold cache cost, against asking five times one by one?

The simulator takes 20 ms for an open and 50 us for a record, the plan's own estimate.
"""

from __future__ import annotations

import re
import sys

from benchmarks.load import ask_at_once
from benchmarks.measuring import FULL, Effort, Figure, Sample, Wanted, main, percentile
from benchmarks.servers import Server, jvgate, running

__all__ = ["measure"]

HERD = 1000
ONE_BY_ONE = 5
ROUNDS = 7
_OPENS = re.compile(rb'^jvgate_source_opens_total\{dataspec="RACE"\} ([0-9.e+]+)', re.MULTILINE)


def measure(effort: Effort) -> list[Figure]:
    """Return the times to all answers and the opens of a herd; every round has from-times of its own."""
    rounds = ROUNDS if effort is FULL else effort.rounds
    herds, singles, opens, waits = [], [], [], []
    with running(jvgate(latency="&open_ms=20&read_us=50")) as server:
        ask_at_once(server.port, _path(0, 0), connections=1)  # the season's first answer makes its world
        for number in range(1, rounds + 1):
            before = _opens(server)
            load, bodies = ask_at_once(server.port, _path(number, 0), connections=HERD)
            opens.append(_opens(server) - before)
            assert bodies == {server.get(_path(number, 0)).body}, "the answers differ"
            herds.append(load.seconds * 1000)
            waits += [wait * 1000 for wait in load.waits_s]
            cold = [ask_at_once(server.port, _path(number, n + 1), connections=1)[0] for n in range(ONE_BY_ONE)]
            singles.append(sum(load.seconds for load in cold) * 1000)
    return [
        Figure(f"opens for {HERD:,} equal requests", Sample("opens", tuple(opens)), wanted=Wanted(most=1)),
        Figure(
            f"{HERD:,} equal requests at once, against {ONE_BY_ONE} others one by one",
            Sample("ms", tuple(herds), p99=percentile(waits, 99)),
            Sample("ms", tuple(singles)),
        ),
    ]


def _path(number: int, part: int) -> str:
    """Return a request that nobody has made yet; all of them give the same weekend."""
    return f"/api/v1/data/RACE?from_time=20261115{number:02}{part:02}00&record=RA"


def _opens(server: Server) -> float:
    found = _OPENS.search(server.get("/metrics").body)
    return float(found[1]) if found else 0.0


if __name__ == "__main__":
    sys.exit(main(measure))
