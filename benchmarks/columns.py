"""How fast do batches of records become columns, against slicing, decoding and stripping every field?

As many records at once as the writers of tables take (2 MiB), on one core; those of types that nothing is promised for
are repeated until they are so many.  A Parquet file is set against decoding its
records alone: its row groups are compressed in a second thread meanwhile, as the server does it.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from typing import Any

from benchmarks.measuring import FULL, Effort, Figure, Wanted, compare, main
from benchmarks.reference import assert_same, decode_naively, layout_of
from benchmarks.weekend import NOW, SEED, by_type
from jvgate.records.columns.single_records import row_maker
from jvgate.records.columns.table import columns_of
from jvgate.records.decode import decode
from jvgate.render.formats.registry import FORMATS
from jvgate.season.shelf import SeasonShelf
from jvgate.spec.spec import load_spec
from jvgate.values import Question, Selection

JRA = load_spec("jra")


__all__ = ["measure"]

PROMISED = {"SE": Wanted(least_ratio=12), "RA": Wanted(least_ratio=12), "O6": Wanted(least_ratio=30)}
OTHERS = ("O1", "H1", "UM", "KS")
BATCH_BYTES = 1 << 21
CHECKED = 20  # records of each batch that are compared with the record decoder's before anything is timed
WEEKEND = 700
PARQUET_RECORDS = {True: 200_000, False: 8_000}


def measure(effort: Effort) -> list[Figure]:
    """Return the figures of SE, RA and O6, of small batches and of other types, and of a Parquet file."""
    figures = [_decoding(record, _season(record, _batch_of(record)), effort, PROMISED[record]) for record in PROMISED]
    figures.append(_decoding("SE", _season("SE", WEEKEND), effort, None))
    if effort is FULL:
        figures += [_decoding(record, _repeated(by_type(record), _batch_of(record)), effort, None) for record in OTHERS]
    return [*figures, _parquet(PARQUET_RECORDS[effort is FULL], effort)]


def _decoding(record: str, records: list[bytes], effort: Effort, wanted: Wanted | None) -> Figure:
    layout, raw = layout_of(records[0]), b"".join(records)
    columns = columns_of(layout)
    make = row_maker(layout.fields, {})
    for one, row in zip(records[:CHECKED], columns.decode(raw).slice(0, CHECKED).to_pylist(), strict=False):
        assert_same(one, decode(one, JRA.layouts))
        _assert_holds(row, make(decode(one, JRA.layouts)))
    figure = compare(
        f"columns of {record}, {len(records):,} at once",
        columns.decode,
        lambda batch: [decode_naively(one) for one in records],
        [raw],
        effort=effort,
        wanted=wanted,
    )
    return _per_record(figure, len(records), layout.length)


def _parquet(count: int, effort: Effort) -> Figure:
    records = _season("SE", min(count, 20_000))
    layout = layout_of(records[0])
    step = _batch_of("SE")
    raw = b"".join(_repeated(records, count))
    size = step * layout.length
    pieces = [raw[at : at + size] for at in range(0, len(raw), size)]
    columns = columns_of(layout)

    def write(pieces: list[bytes]) -> int:
        writer = FORMATS["parquet"].answer(Question("", (), Selection(format="parquet", records=("SE",))), JRA)
        sizes = [len(writer.begin()), *(len(writer.write(layout, one, len(one) // layout.length)) for one in pieces)]
        return sum(sizes) + len(writer.end({}))

    figure = compare(
        f"Parquet of {count:,} SE, against their columns",
        write,
        lambda pieces: sum(len(columns.decode(one)) for one in pieces),
        [pieces],
        effort=effort,
        wanted=Wanted(least_ratio=1 / 1.5),
    )
    return _per_record(figure, count, layout.length)


def _per_record(figure: Figure, count: int, size: int) -> Figure:
    """Return *figure* with the time of one record instead of all."""
    assert figure.reference is not None
    ours, other = (
        replace(
            sample, values=tuple(value / count for value in sample.values), p99=(sample.p99 or 0) / count, bytes=size
        )
        for sample in (figure.ours, figure.reference)
    )
    return replace(figure, ours=ours, reference=other)


def _assert_holds(row: Any, made: Any) -> None:
    """Raise AssertionError unless *row* says what the record decoder says; what that leaves out is None."""
    if isinstance(row, Mapping) and isinstance(made, Mapping):
        assert set(made) <= set(row), set(made) - set(row)
        for key, value in row.items():
            _assert_holds(value, made.get(key))
    elif isinstance(row, list) and isinstance(made, list):
        for one, other in zip(row, made, strict=True):
            _assert_holds(one, other)
    else:
        assert row == made, (row, made)


def _repeated(records: list[bytes], count: int) -> list[bytes]:
    return (records * -(-count // len(records)))[:count]


@cache
def _batch_of(record: str) -> int:
    return max(BATCH_BYTES // len(by_type(record)[0]), 1)


@cache
def _season(record: str, count: int) -> list[bytes]:
    """Return the last *count* records of a type, or all that the season has."""
    files = [
        file
        for file in SeasonShelf(JRA.layouts, SEED).stored("RACE", now=NOW, setup=True)
        if file.name.startswith(record)
    ]
    records: list[bytes] = []
    while files and len(records) < count:
        records += files.pop().read()
    return records[:count]


if __name__ == "__main__":
    sys.exit(main(measure))
