"""How fast does a record of odds become JSON bytes, against the naive objects and `json.dumps`?"""

from __future__ import annotations

import json
import sys

from benchmarks.measuring import FULL, Effort, Figure, Wanted, compare, main
from benchmarks.reference import assert_same, decode_naively, json_naively, layout_of
from benchmarks.weekend import weekend
from jvgate.records.decode import decode
from jvgate.records.text import text_writer
from jvgate.spec.spec import load_spec

JRA = load_spec("jra")


__all__ = ["measure"]

OTHERS = ("O1", "O2", "O3", "O4", "O5", "H1", "H6")
FULL_FIELD = 18
MOST_RECORDS = 6


def measure(effort: Effort) -> list[Figure]:
    """Return the figures of O6 in a full and in a small field, and of the other big records."""
    wanted = Wanted(least_ratio=8)
    by_field = sorted(weekend("O6"), key=_runners)
    full = [raw for raw in by_field if _runners(raw) == FULL_FIELD] or [by_field[-1]]
    figures = [
        _figure(f"O6 to JSON, {_runners(full[0])} runners", full, effort, wanted),
        _figure(f"O6 to JSON, {_runners(by_field[0])} runners", by_field[:1], effort, wanted),
    ]
    if effort is FULL:
        figures += [_figure(f"{record} to JSON", weekend(record), effort, None) for record in OTHERS]
    return figures


def _runners(raw: bytes) -> int:
    return int(decode_naively(raw)["SyussoTosu"])


def _figure(name: str, records: list[bytes], effort: Effort, wanted: Wanted | None) -> Figure:
    records = records[:MOST_RECORDS]
    write = text_writer(layout_of(records[0]))

    def to_json(raw: bytes) -> bytes:
        return write(raw, [])

    for raw in records:
        assert_same(raw, json.loads(to_json(raw)))
        assert json.loads(to_json(raw)) == decode(raw, JRA.layouts)
    sizes = len(to_json(records[0])), len(json_naively(records[0]))
    return compare(name, to_json, json_naively, records, effort=effort, wanted=wanted, sizes=sizes)


if __name__ == "__main__":
    sys.exit(main(measure))
