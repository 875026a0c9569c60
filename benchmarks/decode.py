"""How fast do records become objects, against slicing, decoding and stripping every field?

Warm: all values of the weekend have been seen.  Next weekend: a process that has decoded the weekend before meets a
new one.  Cold: a fresh process whose memos are empty.  Compiling the layouts is set-up.
"""

from __future__ import annotations

import gc
import multiprocessing
import sys
from concurrent.futures import ProcessPoolExecutor
from time import perf_counter_ns

from benchmarks.measuring import FULL, Effort, Figure, Sample, Wanted, compare, main
from benchmarks.reference import assert_same, decode_naively, layout_of
from benchmarks.weekend import RECORDS, by_type, weekend, weekend_before
from jvgate.records.decode import Record, decode, decoder
from jvgate.spec.spec import load_spec

JRA = load_spec("jra")


__all__ = ["measure"]

PROMISED = {"RA": Wanted(least_ratio=4), "SE": Wanted(least_ratio=4)}
MOST_RECORDS = 200  # of the types that nothing is promised for


def decode_jra(raw: bytes) -> Record:
    """Return the values of a record of JRA-VAN."""
    return decode(raw, JRA.layouts)


def measure(effort: Effort) -> list[Figure]:
    """Return the figures of RA and SE, warm and cold, and those of all other types, warm."""
    figures = [_warm(record, weekend(record), effort, wanted) for record, wanted in PROMISED.items()]
    for record in PROMISED:
        figures.append(_first(f"decode {record}, next weekend", weekend_before(record), weekend(record), effort))
        figures.append(_first(f"decode {record}, cold", [], weekend(record), effort))
    if effort is FULL:
        others = [record for record in RECORDS if record not in PROMISED]
        figures += [_warm(record, by_type(record)[:MOST_RECORDS], effort, None) for record in others if by_type(record)]
    return figures


def _warm(record: str, records: list[bytes], effort: Effort, wanted: Wanted | None) -> Figure:
    for raw in records:
        assert_same(raw, decode(raw, JRA.layouts))
    size = len(records[0])
    return compare(
        f"decode {record}, warm", decode_jra, decode_naively, records, effort=effort, wanted=wanted, sizes=(size, size)
    )


def _first(name: str, before: list[bytes], records: list[bytes], effort: Effort) -> Figure:
    """Return what the first pass over *records* costs; every round is a fresh process."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn"), max_tasks_per_child=1) as processes:
        rounds = [processes.submit(first_pass, before, records, n % 2 == 0).result() for n in range(effort.rounds)]
    size = len(records[0])
    ours, other = zip(*rounds, strict=True)
    return Figure(name, Sample("us", ours, bytes=size), Sample("us", other, bytes=size))


def first_pass(before: list[bytes], records: list[bytes], ours_first: bool) -> tuple[float, float]:
    """Return the microseconds a record takes, ours and the reference's, in this process's first pass over them."""
    decoder(layout_of(records[0]))
    decode_naively(records[0])
    for raw in before:
        decode(raw, JRA.layouts)
    gc.collect()
    gc.freeze()
    spent = {}
    for way in (decode_jra, decode_naively) if ours_first else (decode_naively, decode_jra):
        began = perf_counter_ns()
        for raw in records:
            way(raw)
        spent[way] = (perf_counter_ns() - began) / 1000 / len(records)
    return spent[decode_jra], spent[decode_naively]


if __name__ == "__main__":
    sys.exit(main(measure))
