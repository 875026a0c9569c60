"""The way through datasets that every form takes: frame, select, count.

What a walk tells says nothing that differs between a hit and a miss, nor what else happened to be in the datasets: the
same question over the same records gives the same facts.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from jvgate.records.framing import Damage, Frame, frames_of
from jvgate.records.kinds import Errors
from jvgate.records.matching import Matches, matcher
from jvgate.spec.layouts import Layout
from jvgate.values import Dataset, Question, Selection

__all__ = ["Facts", "Walk"]

Facts = dict[str, Any]

MAX_DAMAGE_SHOWN = 100


@dataclass(slots=True)
class _Tally:
    """What was seen on the way through the bytes."""

    files: int = 0
    records: Counter[str] = field(default_factory=Counter)
    unknown: Counter[str] = field(default_factory=Counter)
    returned: int = 0
    damaged_records: int = 0
    damaged_fields: int = 0
    padded: int = 0
    lost_bytes: int = 0
    damage: list[dict[str, Any]] = field(default_factory=list)

    @property
    def total(self) -> int:
        return self.records.total() + self.unknown.total()


class Walk:
    """One walk through what answers *question*: `shown` once to its end, then `facts`.

    seconds: how long the walk took with all that was done on the way, once it is over.
    """

    def __init__(self, question: Question, datasets: Sequence[Dataset]) -> None:
        self.question = question
        self.seconds = 0.0
        self._datasets = datasets
        self._tally = _Tally()

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
                self._tally.returned += 1
                yield frame
        self.seconds = time.perf_counter() - began

    def note(self, errors: Errors) -> None:
        """Count what was wrong inside one record."""
        self._tally.damaged_records += bool(errors)
        self._tally.damaged_fields += len(errors)

    def facts(self) -> Facts:
        """Return what was asked and what was found: `meta` of an answer."""
        question, tally = self.question, self._tally
        facts: Facts = {"dataspec": question.dataspec, **_asked(question)}
        facts |= {
            "last_file_timestamp": max((dataset.last_file_timestamp for dataset in self._datasets), default="") or None,
            "file_count": tally.files,
            "record_counts": dict(sorted(tally.records.items())),
            "unknown_record_counts": dict(sorted(tally.unknown.items())),
            "total": tally.total,
            "offset": question.selection.offset,
            "returned": tally.returned,
            "damaged_records": tally.damaged_records,
            "damaged_fields": tally.damaged_fields,
            "padded_records": tally.padded,
            "lost_bytes": tally.lost_bytes,
        }
        # Places are told of whole files only: a read of some record types does not see all that lies between them.
        return facts | ({"damage": tally.damage} if tally.damage and not question.selection.records else {})

    def _matching(self, selection: Selection) -> Iterator[Frame]:
        """Yield the records of the wanted types that meet every condition."""
        if not selection.where:
            yield from self._frames(selection, _any)
            return
        matchers: dict[Layout, Matches | None] = {}

        def is_wanted(frame: Frame) -> bool:
            if frame.layout is None:  # nobody knows where its fields are
                return False
            if frame.layout not in matchers:
                matchers[frame.layout] = matcher(frame.layout, selection.where)
            matches = matchers[frame.layout]
            return matches is not None and matches(frame.raw)

        yield from self._frames(selection, is_wanted)

    def _frames(self, selection: Selection, is_wanted: Callable[[Frame], bool]) -> Iterator[Frame]:
        """Yield the wanted records; damage counts where it begins like one of their types."""
        heads, tally = frozenset(record.encode() for record in selection.records), self._tally
        for name, part in self._files():
            was_seen = False
            for item in frames_of(part):
                if heads and item.head not in heads:
                    continue
                if isinstance(item, Damage):
                    was_seen = True
                    self._note_damage(name, item)
                elif is_wanted(item):
                    was_seen = True
                    tally.padded += item.padded > 0
                    kind = item.head.decode("ascii", "replace")
                    (tally.records if item.layout is not None else tally.unknown)[kind] += 1
                    yield item
            tally.files += was_seen

    def _files(self) -> Iterator[tuple[str, bytes]]:
        for dataset in self._datasets:
            ends = [*(file.offset for file in dataset.files[1:]), len(dataset.body)]
            for file, end in zip(dataset.files, ends, strict=False):  # an empty dataset has no file
                yield file.name, dataset.body[file.offset : end]

    def _note_damage(self, file: str, damage: Damage) -> None:
        tally = self._tally
        tally.lost_bytes += damage.length
        if len(tally.damage) < MAX_DAMAGE_SHOWN:
            tally.damage.append({"file": file, "offset": damage.offset, "bytes": damage.length, "why": damage.why})


def _any(frame: Frame) -> bool:
    """Want every record."""
    return True


def _asked(question: Question) -> Facts:
    first = question.queries[0]
    if first.is_realtime:
        return {"key": first.key}
    options = {query.option for query in question.queries}
    # None when joined data specs were read with different ones
    option = options.pop() if len(options) == 1 else None
    return {"from_time": first.from_time, "to_time": first.to_time or None, "option": option}
