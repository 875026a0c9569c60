"""The way through datasets that every form takes: frame, select, count.

What a walk tells says nothing that differs between a hit and a miss, nor what else happened to be in the datasets: the
same question over the same records gives the same facts.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import Any

from jvgate.records.framing import Frame, frames_of
from jvgate.records.kinds import Errors
from jvgate.records.matching import Meeting
from jvgate.render.tally import Tally
from jvgate.values import Dataset, Question, Selection

__all__ = ["Facts", "Walk"]

Facts = dict[str, Any]


class Walk:
    """One walk through what answers *question*: `shown` once to its end, then `facts`.

    seconds: how long the walk took with all that was done on the way, once it is over.
    """

    def __init__(self, question: Question, datasets: Sequence[Dataset]) -> None:
        self.question = question
        self.seconds = 0.0
        self._datasets = datasets
        self._tally = Tally()
        self._returned = 0

    @property
    def total(self) -> int:
        """How many records were found, shown or not."""
        return self._tally.total

    def shown(self) -> Iterator[Frame]:
        """Yield the records that the selection shows, in the order of their files; count everything on the way."""
        began, selection = time.perf_counter(), self.question.selection
        end = None if selection.limit is None else selection.offset + selection.limit
        for number, frame in enumerate(self._matching(selection)):
            if number >= selection.offset and (end is None or number < end):
                self._returned += 1
                yield frame
        self.seconds = time.perf_counter() - began

    def note(self, errors: Errors) -> None:
        """Count what was wrong inside one record."""
        self._tally.damaged_records += bool(errors)
        self._tally.damaged_fields += len(errors)

    def facts(self) -> Facts:
        """Return what was asked and what was found: `meta` of an answer."""
        newest = max((dataset.last_file_timestamp for dataset in self._datasets), default="") or None
        asked: Facts = {"dataspec": self.question.dataspec, **_asked(self.question), "last_file_timestamp": newest}
        return asked | self._tally.facts(self.question.selection, returned=self._returned)

    def _matching(self, selection: Selection) -> Iterator[Frame]:
        """Yield the records of the wanted types that meet every condition; damage counts where it begins like one."""
        heads, meeting = frozenset(record.encode() for record in selection.records), Meeting(selection.where)
        for name, part in self._files():
            was_seen = False
            for item in frames_of(part):
                if (heads and item.head not in heads) or (isinstance(item, Frame) and meeting.of(item) is None):
                    continue
                was_seen = True
                self._tally.note(item, file=name)
                if isinstance(item, Frame):
                    yield item
            self._tally.files += was_seen

    def _files(self) -> Iterator[tuple[str, bytes]]:
        for dataset in self._datasets:
            ends = [*(file.offset for file in dataset.files[1:]), len(dataset.body)]
            for file, end in zip(dataset.files, ends, strict=False):  # an empty dataset has no file
                yield file.name, dataset.body[file.offset : end]


def _asked(question: Question) -> Facts:
    first = question.queries[0]
    if first.is_realtime:
        return {"key": first.key}
    options = {query.option for query in question.queries}
    # None when joined data specs were read with different ones
    option = options.pop() if len(options) == 1 else None
    return {"from_time": first.from_time, "to_time": first.to_time or None, "option": option}
