"""What a selection shows of the records that are framed, file by file; everything is counted on the way."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from jvgate.records.matching import Meeting
from jvgate.records.runs import Damage, Framed, RawRecord, RecordRun
from jvgate.render.tally import Tally
from jvgate.values import Selection

__all__ = ["Chooser"]


class Chooser:
    """Passes on the wanted records of a walk or a stream; `tally` counts the others of their types too.

    returned: how many were passed on.
    """

    def __init__(self, selection: Selection) -> None:
        self.tally = Tally()
        self.returned = 0
        self._heads = frozenset(record.encode() for record in selection.records)
        self._meeting = Meeting(selection.where)
        self._first = selection.offset
        self._last = None if selection.limit is None else selection.offset + selection.limit
        self._seen = 0
        self._file, self._is_counted = "", True

    def begin(self, file: str) -> None:
        """Take what comes next as that of another file."""
        self._file, self._is_counted = file, False

    def shown(self, items: Iterable[Framed]) -> Iterator[RecordRun | RawRecord]:
        """Yield what is wanted of *items*, between offset and limit; damage counts where it begins like that."""
        for found in items:
            if self._heads and found.head not in self._heads:
                continue
            item = found if isinstance(found, Damage) else self._meeting.of(found)
            if item is None:
                continue
            self.tally.note(item, file=self._file)
            if not self._is_counted:
                self.tally.files, self._is_counted = self.tally.files + 1, True
            if not isinstance(item, Damage) and (cut := self._cut(item)) is not None:
                yield cut

    def _cut(self, item: RecordRun | RawRecord) -> RecordRun | RawRecord | None:
        """Return the part of *item* between offset and limit, None for nothing."""
        count = item.count if isinstance(item, RecordRun) else 1
        first = max(0, self._first - self._seen)
        last = count if self._last is None else min(count, self._last - self._seen)
        self._seen += count
        if first >= last:
            return None
        self.returned += last - first
        if isinstance(item, RawRecord) or last - first == count:
            return item
        return item.part(first, last)
