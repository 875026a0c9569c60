"""A walk -> the JSON answer: `{"meta": …, "data": [records]}`."""

from __future__ import annotations

<<<<<<< HEAD
=======
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from itertools import groupby, islice
from operator import attrgetter
from typing import Any

>>>>>>> lines
import orjson

from jvgate.records.framing import Run
from jvgate.records.kinds import Errors
from jvgate.records.lines import WriteLines
from jvgate.render.shown import RecordText
from jvgate.render.walk import Walk

__all__ = ["CONTENT_TYPE", "json_body", "record_texts"]

CONTENT_TYPE = "application/json"
<<<<<<< HEAD
=======
MAX_DAMAGE_SHOWN = 100
# Writing many records at once pays from so many on (measured); and so many hold memory down.
MANY, MOST_AT_ONCE = 256, 4096
>>>>>>> lines


def json_body(walk: Walk) -> bytes:
    """Return the answer as one JSON document."""
    data = record_texts(walk, separator=b",")
    return b'{"meta":%b,"data":[%b]}' % (orjson.dumps(walk.facts()), data)


<<<<<<< HEAD
def record_texts(walk: Walk, *, separator: bytes) -> bytes:
    """Return the JSON objects of the shown records, with *separator* between them."""
    write, texts = RecordText(walk.question.selection), []
    for item in walk.runs():
        damaged: list[Errors] = []
        if isinstance(item, Run):
            texts.append(write.run(item, damaged, separator=separator))
        else:
            errors: Errors = []
            texts.append(write(item, errors))
            damaged.append(errors)
        for errors in damaged:
            walk.note(errors)
    return separator.join(texts)
=======
@dataclass(slots=True)
class _Tally:
    """What was seen on the way through the bytes; what `meta` tells."""

    files: int = 0
    records: Counter[str] = field(default_factory=Counter)
    unknown: Counter[str] = field(default_factory=Counter)
    returned: int = 0
    damaged_records: int = 0
    damaged_fields: int = 0
    padded: int = 0
    lost_bytes: int = 0
    damage: list[dict[str, Any]] = field(default_factory=list)


def render_json(question: Question, datasets: Sequence[Dataset]) -> Rendered:
    """Return the answer to *question*: `{"meta": …, "data": [records]}`."""
    began = time.perf_counter()
    tally = _Tally()
    texts = list(_texts(datasets, question.selection, tally))
    decoded = time.perf_counter()
    meta = orjson.dumps(_meta(question, datasets, tally))
    body = b'{"meta":%b,"data":[%b]}' % (meta, b",".join(texts))
    etag = f'"{blake2b(body, digest_size=16).hexdigest()}"'
    answer = Answer(body, CONTENT_TYPE, etag, successor=_successor(question))
    return Rendered(answer, decoded - began, time.perf_counter() - decoded)


def _texts(datasets: Sequence[Dataset], selection: Selection, tally: _Tally) -> Iterator[bytes]:
    """Yield the records that *selection* shows, in the order of their files; count everything in *tally*.

    Many records of one layout that follow each other come as one text, the commas between them in it.
    """
    write = RecordText(selection)
    for layout, run in groupby(_shown(datasets, selection, tally), key=attrgetter("layout")):
        lines = write.lines(layout)
        while frames := list(islice(run, MOST_AT_ONCE)):
            tally.returned += len(frames)
            if lines is not None and len(frames) >= MANY:
                yield _many(lines, frames, tally)
            else:
                yield from _one_by_one(write, frames, tally)


def _many(lines: WriteLines, frames: Sequence[Frame], tally: _Tally) -> bytes:
    damaged: list[Errors] = []
    text = lines(b"".join([frame.raw for frame in frames]), damaged)
    tally.damaged_records += len(damaged)
    tally.damaged_fields += sum(map(len, damaged))
    return text


def _one_by_one(write: RecordText, frames: Iterable[Frame], tally: _Tally) -> Iterator[bytes]:
    for frame in frames:
        errors: Errors = []
        yield write(frame, errors)
        tally.damaged_records += bool(errors)
        tally.damaged_fields += len(errors)


def _shown(datasets: Sequence[Dataset], selection: Selection, tally: _Tally) -> Iterator[Frame]:
    end = None if selection.limit is None else selection.offset + selection.limit
    for number, frame in enumerate(_frames(datasets, selection, tally)):
        if number >= selection.offset and (end is None or number < end):
            yield frame


def _frames(datasets: Sequence[Dataset], selection: Selection, tally: _Tally) -> Iterator[Frame]:
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
                if isinstance(item, Damage):
                    _note_damage(tally, file.name, item)
                    continue
                tally.padded += item.padded > 0
                name = item.head.decode("ascii", "replace")
                (tally.records if item.layout is not None else tally.unknown)[name] += 1
                yield item
            tally.files += was_seen


def _note_damage(tally: _Tally, file: str, damage: Damage) -> None:
    tally.lost_bytes += damage.length
    if len(tally.damage) < MAX_DAMAGE_SHOWN:
        tally.damage.append({"file": file, "offset": damage.offset, "bytes": damage.length, "why": damage.why})


def _meta(question: Question, datasets: Sequence[Dataset], tally: _Tally) -> dict[str, Any]:
    first, selection = question.queries[0], question.selection
    meta: dict[str, Any] = {"dataspec": question.dataspec}
    if first.is_realtime:
        meta["key"] = first.key
    else:
        meta |= {"from_time": first.from_time, "to_time": first.to_time or None, "option": _shared_option(question)}
    meta |= {
        "last_file_timestamp": max((dataset.last_file_timestamp for dataset in datasets), default="") or None,
        "file_count": tally.files,
        "record_counts": dict(sorted(tally.records.items())),
        "unknown_record_counts": dict(sorted(tally.unknown.items())),
        "total": tally.records.total() + tally.unknown.total(),
        "offset": selection.offset,
        "returned": tally.returned,
        "damaged_records": tally.damaged_records,
        "damaged_fields": tally.damaged_fields,
        "padded_records": tally.padded,
        "lost_bytes": tally.lost_bytes,
    }
    # Places are told of whole files only: a read of some record types does not see all that lies between them.
    return meta | ({"damage": tally.damage} if tally.damage and not selection.records else {})


def _shared_option(question: Question) -> int | None:
    """Return the option of the reads; None when joined data specs were read with different ones."""
    options = {query.option for query in question.queries}
    return options.pop() if len(options) == 1 else None


def _successor(question: Question) -> str:
    """Return the data spec with the current layouts, where an older one was asked for by itself."""
    spec = dataspecs().get(question.dataspec)  # None for a joined one
    return (spec.replaced_by or "") if spec else ""
>>>>>>> lines
