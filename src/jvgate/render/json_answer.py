"""Datasets -> the JSON answer: frame, select, write.

The body says nothing that differs between a hit and a miss, nor what else happened to be in the dataset: the same
question over the same records gives the same bytes.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import orjson

from jvgate.records.framing import Frame, frames_of
from jvgate.records.kinds import Errors
from jvgate.render.shown import RecordText
from jvgate.render.tally import Tally
from jvgate.spec.dataspecs import dataspecs
from jvgate.values import Answer, Dataset, Question, Selection

__all__ = ["CONTENT_TYPE", "Rendered", "render_json"]

CONTENT_TYPE = "application/json"


@dataclass(frozen=True, slots=True)
class Rendered:
    """An answer and what making it took, seconds."""

    answer: Answer
    decode_s: float
    render_s: float


def render_json(question: Question, datasets: Sequence[Dataset]) -> Rendered:
    """Return the answer to *question*: `{"meta": …, "data": [records]}`."""
    began = time.perf_counter()
    tally = Tally()
    texts = list(_texts(datasets, question.selection, tally))
    decoded = time.perf_counter()
    meta = orjson.dumps(_meta(question, datasets, tally, len(texts)))
    body = b'{"meta":%b,"data":[%b]}' % (meta, b",".join(texts))
    etag = f'"{blake2b(body, digest_size=16).hexdigest()}"'
    answer = Answer(body, CONTENT_TYPE, etag, successor=_successor(question))
    return Rendered(answer, decoded - began, time.perf_counter() - decoded)


def _texts(datasets: Sequence[Dataset], selection: Selection, tally: Tally) -> Iterator[bytes]:
    """Yield the records that *selection* shows, in the order of their files; count everything in *tally*."""
    write = RecordText(selection)
    end = None if selection.limit is None else selection.offset + selection.limit
    for number, frame in enumerate(_frames(datasets, selection, tally)):
        if number >= selection.offset and (end is None or number < end):
            errors: Errors = []
            yield write(frame, errors)
            tally.damaged_records += bool(errors)
            tally.damaged_fields += len(errors)


def _frames(datasets: Sequence[Dataset], selection: Selection, tally: Tally) -> Iterator[Frame]:
    """Yield the records of the wanted types; damage counts where it begins like one of them."""
    wanted = frozenset(record.encode() for record in selection.records)
    for dataset in datasets:
        ends = [*(file.offset for file in dataset.files[1:]), len(dataset.body)]
        for file, end in zip(dataset.files, ends, strict=False):  # an empty dataset has no file
            was_seen = False
            for item in frames_of(dataset.body[file.offset : end]):
                if wanted and item.head not in wanted:
                    continue
                was_seen = True
                tally.note(item, file=file.name)
                if isinstance(item, Frame):
                    yield item
            tally.files += was_seen


def _meta(question: Question, datasets: Sequence[Dataset], tally: Tally, returned: int) -> dict[str, Any]:
    first, selection = question.queries[0], question.selection
    meta: dict[str, Any] = {"dataspec": question.dataspec}
    if first.is_realtime:
        meta["key"] = first.key
    else:
        meta |= {"from_time": first.from_time, "to_time": first.to_time or None, "option": _shared_option(question)}
    newest = max((dataset.last_file_timestamp for dataset in datasets), default="") or None
    return meta | {"last_file_timestamp": newest} | tally.facts(selection, returned=returned)


def _shared_option(question: Question) -> int | None:
    """Return the option of the reads; None when joined data specs were read with different ones."""
    options = {query.option for query in question.queries}
    return options.pop() if len(options) == 1 else None


def _successor(question: Question) -> str:
    """Return the data spec with the current layouts, where an older one was asked for by itself."""
    spec = dataspecs().get(question.dataspec)  # None for a joined one
    return (spec.replaced_by or "") if spec else ""
