"""How fast do many raw records become lines of JSON, against the naive objects and `json.dumps` of each?

Next weekend: the writer has seen the records of one race weekend and meets those of the next; every round a fresh
process.  Warm: it has seen them all.
"""

from __future__ import annotations

import gc
import json
import multiprocessing
import sys
from concurrent.futures import ProcessPoolExecutor
from time import perf_counter_ns

from benchmarks.measuring import FULL, Effort, Figure, Sample, Wanted, compare, main
from benchmarks.reference import assert_same, json_naively, layout_of
from benchmarks.weekend import by_type, weekend, weekend_before
from jvgate.records.decode import decode
from jvgate.records.lines.writer import line_writer
from jvgate.spec.spec import load_spec

JRA = load_spec("jra")


__all__ = ["measure"]

PROMISED = Wanted(least_ratio=10)
OTHERS = ("RA", "HR", "O1", "UM", "WC")
# A batch of what a day of a season brings, and no more than some megabytes.
MOST_BYTES, MOST_RECORDS = 4 << 20, 2000


def measure(effort: Effort) -> list[Figure]:
    """Return the figures of SE, on a next weekend and warm, and of other types."""
    figures = [_next_weekend("SE", effort, PROMISED), _warm("SE", effort, PROMISED)]
    if effort is FULL:
        figures += [_warm(record, effort, None) for record in OTHERS]
    return figures


def _some(record: str) -> list[bytes]:
    """Return records of a type; those that a weekend has few of are taken several times."""
    found = weekend(record) or by_type(record)
    wanted = min(MOST_RECORDS, MOST_BYTES // len(found[0]))
    return (found * (wanted // len(found) + 1))[:wanted]


def _lines(batch: list[bytes]) -> bytes:
    return line_writer(layout_of(batch[0]))(b"".join(batch), [])


def _lines_naively(batch: list[bytes]) -> bytes:
    return b"\n".join([json_naively(raw) for raw in batch])


def _warm(record: str, effort: Effort, wanted: Wanted | None) -> Figure:
    records = _some(record)
    lines, naive = _lines(records), _lines_naively(records)
    _check(records, lines)
    sizes = len(lines) // len(records), len(naive) // len(records)
    figure = compare(f"lines of {record}, warm", _lines, _lines_naively, [records], effort=effort, sizes=sizes)
    assert figure.reference is not None
    ours, other = (_of_one(sample, len(records)) for sample in (figure.ours, figure.reference))
    return Figure(figure.name, ours, other, wanted)


def _check(records: list[bytes], lines: bytes) -> None:
    for raw, line in zip(records, lines.split(b"\n"), strict=True):
        assert_same(raw, json.loads(line))
        assert json.loads(line) == decode(raw, JRA.layouts)


def _of_one(sample: Sample, count: int) -> Sample:
    """Return what one record of a batch of *count* took."""
    return Sample(sample.unit, tuple(value / count for value in sample.values), bytes=sample.bytes)


def _next_weekend(record: str, effort: Effort, wanted: Wanted | None) -> Figure:
    before, records = weekend_before(record), weekend(record)
    _check(records, _lines(records))
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn"), max_tasks_per_child=1) as processes:
        rounds = [processes.submit(first_pass, before, records, n % 2 == 0).result() for n in range(effort.rounds)]
    ours, other = (Sample("us", values) for values in zip(*rounds, strict=True))
    return Figure(f"lines of {record}, next weekend", ours, other, wanted)


def first_pass(before: list[bytes], records: list[bytes], ours_first: bool) -> tuple[float, float]:
    """Return the microseconds a record takes, ours and the reference's, the first time this process sees them."""
    _lines(before)
    _lines_naively(before)
    gc.collect()
    gc.freeze()
    spent = {}
    for way in (_lines, _lines_naively) if ours_first else (_lines_naively, _lines):
        began = perf_counter_ns()
        way(records)
        spent[way] = (perf_counter_ns() - began) / 1000 / len(records)
    return spent[_lines], spent[_lines_naively]


if __name__ == "__main__":
    sys.exit(main(measure))
