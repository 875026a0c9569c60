"""Many records of one layout -> their JSON texts, joined; what `text_writer` gives for each, at a fraction of the cost.

The work is done batch by batch (`text_batch.py`), for the record types of `FASTER`; the others are written one by one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from io import BytesIO
from itertools import groupby
from threading import Lock

from jvgate.records.kinds import Errors
from jvgate.records.lines.text_batch import Batch
from jvgate.records.meanings import last_days, race_day
from jvgate.records.text import wrong_length
from jvgate.spec.layouts import Layout

__all__ = ["FASTER", "WriteLines", "line_writer"]

WriteLines = Callable[[bytes, list[Errors]], bytes]


# Record type -> how many times as fast as `text_writer`: 600 records that the process had not seen, after 600 others of
# the generated season, each way in a fresh process, median of 3 (benchmarks/lines.py).  Below 1.4 a type is left out:
# H1, HN, SK 1.2 to 1.35; BT, CS, JG, O2 1.0 to 1.2; H6, HC, HS, HY, O3, O4, O5, O6, RC, TK, YS below 1.
FASTER: Mapping[str, float] = {
    "BN": 2.4, "BR": 2.1, "CH": 2.0, "CK": 2.4, "DM": 8.0, "HR": 2.5, "KS": 1.6, "O1": 3.8, "RA": 3.3, "SE": 1.5,
    "TM": 3.3, "UM": 1.6, "WC": 2.7,
}  # fmt: skip


@cache
def line_writer(layout: Layout, separator: bytes = b"\n") -> WriteLines:
    """Return what writes records of *layout*, which follow each other, as JSON objects with *separator* between them.

    For each damaged record the writer appends a list to those it is given: what was wrong, as `text_writer` says it.
    Raises RecordError when the bytes are no whole number of records.
    """
    runs = _day_runs(layout)

    def write(raw: bytes, damaged: list[Errors]) -> bytes:
        if len(raw) % layout.length:
            raise wrong_length(layout, raw)
        with _alone(layout):
            return joined(raw, damaged)

    def joined(raw: bytes, damaged: list[Errors]) -> bytes:
        lines = BytesIO()  # grows in place: a list of pieces would take the memory twice
        view = memoryview(raw)  # cut without copies
        for batch, start, end in runs(raw):
            count = (end - start) // layout.length
            pages = max(1, round(count / batch.records))  # alike, since a small one costs nearly as much
            size = max(1, -(-count // pages)) * layout.length
            for at in range(start, end, size):
                for text in batch.write(view[at : min(at + size, end)], damaged, separator):
                    lines.write(text if lines.tell() else text.removeprefix(separator))
        return lines.getvalue()

    return write


@cache
def _alone(layout: Layout) -> Lock:
    """Return what one thread at a time holds: a batch keeps the words that it has seen, and several threads render."""
    return Lock()


@cache
def _batch(layout: Layout, until: str) -> Batch:
    return Batch(layout, until)


def _day_runs(layout: Layout) -> Callable[[bytes], Iterator[tuple[Batch, int, int]]]:
    """Return what cuts records into runs with the same special values: some have more of them for older races."""
    dates, length = [day.encode() for day in last_days(layout)], layout.length
    if not dates:
        return lambda raw: iter([(_batch(layout, ""), 0, len(raw))])
    place = race_day(layout)

    def until(raw: bytes, at: int) -> str:
        day = raw[at + place.start : at + place.stop]
        return next((date for date in dates if day <= date), b"").decode()

    def cut(raw: bytes) -> Iterator[tuple[Batch, int, int]]:
        for date, run in groupby(range(0, len(raw), length), key=lambda at: until(raw, at)):
            places = list(run)
            yield _batch(layout, date), places[0], places[-1] + length

    return cut
