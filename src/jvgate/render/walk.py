"""The way through datasets that every answer takes: select and count the records that their scans list.

What a walk tells says nothing that differs between a hit and a miss, nor what else happened to be in the datasets: the
same question over the same records gives the same facts.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import Any

from jvgate.records.runs import RawRecord, RecordRun
from jvgate.render.choosing import Chooser
from jvgate.render.tally import Damaged
from jvgate.values import Dataset, Question

__all__ = ["Facts", "Walk"]

Facts = dict[str, Any]


class Walk:
    """One walk through what answers *question*: `runs` once to its end, then `facts`.

    seconds: how long the walk took with all that was done on the way, once it is over.
    """

    def __init__(self, question: Question, datasets: Sequence[Dataset]) -> None:
        self.question = question
        self.seconds = 0.0
        self._datasets = datasets
        self._chooser = Chooser(question.selection)

    @property
    def total(self) -> int:
        """How many records were found, shown or not."""
        return self._chooser.tally.total

    def runs(self) -> Iterator[RecordRun | RawRecord]:
        """Yield the records that the selection shows, in the order of their files, those of one layout together."""
        began = time.perf_counter()
        for dataset in self._datasets:
            for file, items in zip(dataset.files, dataset.scan.files, strict=False):  # an empty dataset has no file
                self._chooser.begin(file.name)
                yield from self._chooser.shown(items)
        self.seconds = time.perf_counter() - began

    def facts(self, damaged: Damaged | None) -> Facts:
        """Return `meta` of the answer: the question, and the counts.  damaged: as the writer counted it."""
        newest = max((dataset.last_file_timestamp for dataset in self._datasets), default="") or None
        asked: Facts = {"dataspec": self.question.dataspec, **_asked(self.question), "last_file_timestamp": newest}
        return asked | self._chooser.tally.facts(
            self.question.selection, returned=self._chooser.returned, damaged=damaged
        )


def _asked(question: Question) -> Facts:
    first = question.queries[0]
    if first.is_realtime:
        return {"key": first.key}
    options = {query.option for query in question.queries}
    # None when joined data specs were read with different ones
    option = options.pop() if len(options) == 1 else None
    return {"from_time": first.from_time, "to_time": first.to_time or None, "option": option}
