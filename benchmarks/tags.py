"""How long does it take to scan and tag ten megabytes of records, against looking at each record?"""

from __future__ import annotations

import sys

from benchmarks.measuring import FULL, Effort, Figure, Wanted, compare, main
from benchmarks.weekend import by_type, weekend
from jvgate.freshness.tags import tags_of
from jvgate.records.framing import frames
from jvgate.records.runs import RawRecord
from jvgate.spec.spec import load_spec
from jvgate.values import Dataset, Query, SourceFile

JRA = load_spec("jra")

__all__ = ["measure"]

TEN_MB = 10_000_000
TRIAL = 200_000
QUERY = Query("RACE", from_time="20261116000000", option=1)


def measure(effort: Effort) -> list[Figure]:
    """Return the figures of a week's results and of many short records, ten megabytes each."""
    size = TEN_MB if effort is FULL else TRIAL
    week = [raw for kind in ("RA", "SE", "HR", "JG", "H1", "O1", "O2", "O3", "O4", "O5", "O6") for raw in weekend(kind)]
    wanted = Wanted(least_ratio=4) if effort is FULL else None
    parts = {"a week's results": week, "runners": weekend("SE"), "work-outs": by_type("HC")}
    return [_figure(name, records, size, effort, wanted) for name, records in parts.items()]


def _figure(name: str, records: list[bytes], size: int, effort: Effort, wanted: Wanted | None) -> Figure:
    body = b"".join(records) * (size // sum(map(len, records)) + 1)
    body = body[: size - size % len(records[0])] if len(set(map(len, records))) == 1 else body
    assert tag(body) == tag_naively(body)
    return compare(f"scan and tags of {name}", tag, tag_naively, [body], effort=effort, wanted=wanted,
                   sizes=(len(body), len(body)))  # fmt: skip


def tag(body: bytes) -> frozenset[str]:
    """Return the tags of the records in *body*."""
    return tags_of(Dataset.landed(QUERY, body, (SourceFile("file", "", 0),), layouts=JRA.layouts))


def tag_naively(body: bytes) -> frozenset[str]:
    """Return the same tags, record by record, by offsets written down here."""
    tags = {f"dataspec={QUERY.dataspec}"}
    for frame in frames((body,), JRA.layouts):
        assert isinstance(frame, RawRecord)
        record = frame.head.decode()
        tags.add(f"record={record}")
        if record == "HC":
            tags |= {f"{name}={frame.raw[12:20].decode()}" for name in ("date", "races")}
        else:
            tags |= {f"date={frame.raw[11:19].decode()}", f"race={(frame.raw[11:21] + frame.raw[25:27]).decode()}"}
    return frozenset(tags)


if __name__ == "__main__":
    sys.exit(main(measure))
