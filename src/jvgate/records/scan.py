"""The scan of a dataset: where its records stand.  It is made once, when the dataset lands, and used by everybody.

Theory of operation.  A dataset's files hold one record type each, so its bytes are long runs of records of one length.
A run is a few numbers however long it is, and within it the same field stands at a constant distance: all its values
are one strided view of the bytes.  So a scan is tiny beside the records, and cache tags, post times, conditions and the
renderer read keys out of it without framing anything again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain

from jvgate.records.framing import Framer
from jvgate.records.runs import CRLF, Damage, Fill, Framed, RawRecord, RecordRun
from jvgate.spec.layouts import Layouts
from jvgate.spec.places import place_of

__all__ = ["Scan", "scan"]

# The objects of one item, and those of a scan without any (measured with tracemalloc).
ITEM_BYTES, EMPTY_BYTES = 200, 400


@dataclass(frozen=True, slots=True)
class Scan:
    """What stands in each file of a dataset, in its order.

    unread: the first two bytes of what is no known record, as text.  is_clear: whether the records that are known are
    all there are; else others may hide in unread lines or in damage, about any race.
    """

    files: tuple[tuple[Framed, ...], ...]
    unread: frozenset[str]
    is_clear: bool

    @property
    def bytes(self) -> int:
        """The memory it takes, about; the records are not its own."""
        return EMPTY_BYTES + ITEM_BYTES * sum(map(len, self.files))

    def bytes_of(self, records: Collection[str]) -> int:
        """Return the number of bytes that the records of the types *records* take in the dataset."""
        heads = {record.encode() for record in records}
        items = (item for items in self.files for item in items if item.head in heads)
        return sum(item.length - item.fill for item in items if isinstance(item, RecordRun)) + sum(
            item.length for items in self.files for item in items if isinstance(item, RawRecord) and item.head in heads
        )

    def runs(self) -> Iterator[RecordRun]:
        """Yield the known records by their layouts, those that were padded back by themselves."""
        for items in self.files:
            for item in items:
                if isinstance(item, RecordRun):
                    yield item
                elif isinstance(item, RawRecord) and item.layout is not None:
                    yield RecordRun.of(item.raw, item.layout, offset=item.offset)


def scan(body: bytes, layouts: Layouts, starts: Sequence[int] = (0,)) -> Scan:
    """Return the scan of *body*, the records of a dataset.  starts: where its files begin."""
    ends = [*starts[1:], len(body)]
    files = tuple(_file(body, start, end, layouts) for start, end in zip(starts, ends, strict=True))
    odd = [item for items in files for item in items if isinstance(item, Damage | RawRecord)]
    unread = frozenset(item.head.decode("ascii", "replace") for item in odd if not _is_read(item, layouts))
    return Scan(files, unread, not unread and not any(map(_swallows, odd)))


def _file(body: bytes, start: int, end: int, layouts: Layouts) -> tuple[Framed, ...]:
    part = body[start:end]
    framer = Framer(layouts, run_bytes=len(part))
    items = chain(framer.feed(part), framer.end())
    return tuple(
        item if isinstance(item, Damage | Fill) else replace(item, body=body, start=start + item.offset)
        for item in items
    )


def _is_read(item: RawRecord | Damage, layouts: Layouts) -> bool:
    """Whether the key of what stands by itself can be told: not where its generation is a guess that matters."""
    if isinstance(item, Damage) or item.layout is None:
        return False
    generations = layouts.generations(item.layout.record)
    return not item.padded or len({place_of(layout) for layout in generations}) == 1


def _swallows(item: RawRecord | Damage) -> bool:
    """Whether a record holds a line break, and so perhaps the beginning of another record."""
    return isinstance(item, RawRecord) and b"\n" in item.raw[: -len(CRLF)]
