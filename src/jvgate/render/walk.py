"""The way through datasets that every answer takes: frame, select, count.

What a walk tells says nothing that differs between a hit and a miss, nor what else happened to be in the datasets: the
same question over the same records gives the same facts.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any

from jvgate.records.framing import Damage, Frame, Framer, Run
from jvgate.render.choosing import Chooser
from jvgate.render.tally import Damaged
from jvgate.spec.layouts import Layouts
from jvgate.values import Dataset, Question

__all__ = ["Facts", "Walk", "wanted_bytes"]

Facts = dict[str, Any]


class Walk:
    """One walk through what answers *question*: `runs` once to its end, then `facts`.

    seconds: how long the walk took with all that was done on the way, once it is over.
    """

    def __init__(self, question: Question, datasets: Sequence[Dataset], layouts: Layouts) -> None:
        self.question = question
        self._layouts = layouts
        self.seconds = 0.0
        self._datasets = datasets
        self._chooser = Chooser(question.selection)

    @property
    def total(self) -> int:
        """How many records were found, shown or not."""
        return self._chooser.tally.total

    def runs(self) -> Iterator[Run | Frame]:
        """Yield the records that the selection shows, in the order of their files, those of one layout together."""
        began = time.perf_counter()
        for name, part in self._files():
            framer = Framer(self._layouts)
            self._chooser.begin(name)
            yield from self._chooser.shown(chain(framer.feed(part), framer.end()))
        self.seconds = time.perf_counter() - began

    def facts(self, damaged: Damaged | None) -> Facts:
        """Return `meta` of the answer: the question, and the counts.  damaged: as the writer counted it."""
        newest = max((dataset.last_file_timestamp for dataset in self._datasets), default="") or None
        asked: Facts = {"dataspec": self.question.dataspec, **_asked(self.question), "last_file_timestamp": newest}
        return asked | self._chooser.tally.facts(
            self.question.selection, returned=self._chooser.returned, damaged=damaged
        )

    def _files(self) -> Iterator[tuple[str, bytes]]:
        for dataset in self._datasets:
            ends = [*(file.offset for file in dataset.files[1:]), len(dataset.body)]
            for file, end in zip(dataset.files, ends, strict=False):  # an empty dataset has no file
                yield file.name, dataset.body[file.offset : end]


def wanted_bytes(datasets: Sequence[Dataset], records: Sequence[str], layouts: Layouts) -> int:
    """Return the number of raw bytes in *datasets* that belong to records of the types *records*."""
    heads, total = {record.encode() for record in records}, 0
    for dataset in datasets:
        framer = Framer(layouts)
        items = chain(framer.feed(dataset.body), framer.end())
        total += sum(len(item.raw) for item in items if not isinstance(item, Damage) and item.head in heads)
    return total


def _asked(question: Question) -> Facts:
    first = question.queries[0]
    if first.is_realtime:
        return {"key": first.key}
    options = {query.option for query in question.queries}
    # None when joined data specs were read with different ones
    option = options.pop() if len(options) == 1 else None
    return {"from_time": first.from_time, "to_time": first.to_time or None, "option": option}
