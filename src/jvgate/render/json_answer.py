"""Datasets -> the JSON answer: frame, select, decode, write.

The body says nothing that differs between a hit and a miss, so that the same datasets give the same bytes.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any

import orjson

from jvgate.records.characters import character_decoder
from jvgate.records.decode import decoder
from jvgate.records.framing import Damage, Frame, frames_of
from jvgate.records.labels import labeller
from jvgate.spec.dataspecs import dataspecs
from jvgate.spec.layouts import Layout
from jvgate.values import Answer, Dataset, Question, Selection

__all__ = ["CONTENT_TYPE", "Rendered", "record_shower", "render_json"]

CONTENT_TYPE = "application/json"
MAX_DAMAGE_SHOWN = 100

_Record = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Rendered:
    """An answer and what making it took, seconds."""

    answer: Answer
    decode_s: float
    render_s: float


@dataclass(slots=True)
class _Tally:
    """What was seen on the way through the bytes; what `meta` tells."""

    records: Counter[str] = field(default_factory=Counter)
    unknown: Counter[str] = field(default_factory=Counter)
    damaged_records: int = 0
    damaged_fields: int = 0
    padded: int = 0
    lost_bytes: int = 0
    damage: list[_Record] = field(default_factory=list)


def render_json(question: Question, datasets: Sequence[Dataset]) -> Rendered:
    """Return the answer to *question*: `{"meta": …, "data": [records]}`."""
    began = time.perf_counter()
    tally = _Tally()
    data = list(_shown_records(datasets, question.selection, tally))
    decoded = time.perf_counter()
    body = orjson.dumps({"meta": _meta(question, datasets, tally, len(data)), "data": data})
    successors = [spec.replaced_by for query in question.queries if (spec := dataspecs()[query.dataspec]).replaced_by]
    answer = Answer(
        body, CONTENT_TYPE, _etag(body), successor=successors[0] if len(question.queries) == 1 and successors else ""
    )
    return Rendered(answer, decoded - began, time.perf_counter() - decoded)


def _shown_records(datasets: Sequence[Dataset], selection: Selection, tally: _Tally) -> Iterator[_Record]:
    """Yield the records that *selection* shows, in the order of their files; count everything in *tally*."""
    show = record_shower(selection)
    skip, left = selection.offset, selection.limit
    for frame in _frames(datasets, selection, tally):
        if skip:
            skip -= 1
        elif left is None or left > 0:
            left = None if left is None else left - 1
            record = show(frame)
            if "_errors" in record:
                tally.damaged_records += 1
                tally.damaged_fields += len(record["_errors"])
            yield record


def _frames(datasets: Sequence[Dataset], selection: Selection, tally: _Tally) -> Iterator[Frame]:
    wanted = frozenset(selection.records)
    for dataset in datasets:
        ends = [*(file.offset for file in dataset.files[1:]), len(dataset.body)]
        for file, end in zip(dataset.files, ends, strict=False):  # an empty dataset has no file
            for item in frames_of(dataset.body[file.offset : end]):
                if isinstance(item, Damage):
                    tally.lost_bytes += item.length
                    if len(tally.damage) < MAX_DAMAGE_SHOWN:
                        tally.damage.append({"file": file.name, "offset": item.offset, "bytes": item.length,
                                             "why": item.why})  # fmt: skip
                    continue
                name = item.raw[:2].decode("ascii", "replace")
                if wanted and name not in wanted:
                    continue
                tally.padded += item.padded > 0
                (tally.records if item.layout is not None else tally.unknown)[name] += 1
                yield item


def record_shower(selection: Selection) -> Callable[[Frame], _Record]:
    """Return what turns a frame into the record that *selection* shows."""
    return _Show(selection)


class _Show:
    """How one record is shown: chosen once for each layout."""

    def __init__(self, selection: Selection) -> None:
        self._selection = selection
        self._by_layout: dict[Layout, Callable[[bytes], _Record]] = {}

    def __call__(self, frame: Frame) -> _Record:
        if frame.layout is None:
            return _unknown(frame.raw)
        if frame.layout not in self._by_layout:
            self._by_layout[frame.layout] = self._choose(frame.layout)
        return self._by_layout[frame.layout](frame.raw)

    def _choose(self, layout: Layout) -> Callable[[bytes], _Record]:
        selection = self._selection
        if selection.raw:
            read: Callable[[bytes], _Record] = character_decoder(layout)
        elif selection.labels or selection.fields:
            read = decoder(layout)
        else:
            return decoder(layout, for_json=True)
        label = labeller(layout, selection.labels) if selection.labels else None
        fields = _tree(selection.fields) if selection.fields else None
        return lambda raw: _picked(label(read(raw)) if label else read(raw), fields)


def _unknown(raw: bytes) -> _Record:
    """Return a record of an unknown type or length as it stands."""
    return {"RecordSpec": raw[:2].decode("ascii", "replace"), "_raw": raw.decode("cp932", "backslashreplace")}


def _tree(fields: Sequence[str]) -> _Record:
    """Return dotted names as a tree: a leaf is empty and means everything below it."""
    tree: _Record = {}
    for name in fields:
        branch = tree
        for part in name.split("."):
            branch = branch.setdefault(part, {})
    return tree


def _picked(record: _Record, tree: _Record | None) -> _Record:
    """Return the wanted fields of *record* with their marks and labels, and what was wrong with it."""
    if not tree:
        return record
    picked: _Record = {}
    for key, value in record.items():
        branch = tree.get(key, tree.get(key.removesuffix("Mark"), tree.get(key.removesuffix("Label"))))
        if branch:
            picked[key] = [slot and _picked(slot, branch) for slot in value]
        elif branch is not None or key == "_errors":
            picked[key] = value
    return picked


def _meta(question: Question, datasets: Sequence[Dataset], tally: _Tally, returned: int) -> _Record:
    first, selection = question.queries[0], question.selection
    meta: _Record = {"dataspec": question.dataspec}
    if first.is_realtime:
        meta["key"] = first.key
    else:
        meta |= {"from_time": first.from_time, "to_time": first.to_time or None, "option": first.option}
    total = sum(tally.records.values()) + sum(tally.unknown.values())
    meta |= {
        "last_file_timestamp": max((dataset.last_file_timestamp for dataset in datasets), default="") or None,
        "file_count": sum(len(dataset.files) for dataset in datasets),
        "record_counts": dict(sorted(tally.records.items())),
        "unknown_record_counts": dict(sorted(tally.unknown.items())),
        "total": total,
        "offset": selection.offset,
        "returned": returned,
        "damaged_records": tally.damaged_records,
        "damaged_fields": tally.damaged_fields,
        "padded_records": tally.padded,
        "lost_bytes": tally.lost_bytes,
    }
    return meta | ({"damage": tally.damage} if tally.damage else {})


def _etag(body: bytes) -> str:
    return f'"{blake2b(body, digest_size=16).hexdigest()}"'
