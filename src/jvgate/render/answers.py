"""A question and its datasets -> the finished answer: its body, headers and neighbouring pages."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b
from itertools import chain

from jvgate.errors import DatasetTooLarge
from jvgate.records.runs import RawRecord, RecordRun
from jvgate.render.compression import compress, expand
from jvgate.render.formats.json_format import CONTENT_TYPE
from jvgate.render.formats.registry import FORMATS
from jvgate.render.walk import Walk
from jvgate.spec.spec import Spec
from jvgate.values import Answer, Dataset, Question

__all__ = ["Rendered", "content_type", "file_name", "packed", "render", "successor", "unpacked"]

# The part of a run that is written at once.  Writers of JSON text are faster from some hundred records on.
_PART_BYTES, _PART_RECORDS = 4 << 20, 256


@dataclass(frozen=True, slots=True)
class Rendered:
    """An answer and what making it took, seconds."""

    answer: Answer
    decode_s: float
    render_s: float


def render(question: Question, datasets: Sequence[Dataset], spec: Spec, *, limit_bytes: int | None = None) -> Rendered:
    """Return the answer to *question* in the format that it asks for.

    limit_bytes: of its body, None for no limit.  Raises DatasetTooLarge as soon as what is written passes that.
    """
    began = time.perf_counter()
    walk = Walk(question, datasets)
    answer = _answer(question, _body(walk, spec, limit_bytes), spec, total=walk.total)
    return Rendered(answer, walk.seconds, time.perf_counter() - began - walk.seconds)


def _body(walk: Walk, spec: Spec, limit_bytes: int | None) -> bytes:
    writer = FORMATS[walk.question.selection.format].answer(walk.question, spec)
    parts = [writer.begin()]
    written_bytes = len(parts[0])
    for item in chain.from_iterable(map(_parts, walk.runs())):
        parts.append(writer.write_item(item))
        written_bytes += len(parts[-1])
        _check_size(walk.question, written_bytes + writer.held_bytes, limit_bytes)
    parts.append(writer.end(walk.facts(writer.damaged)))
    _check_size(walk.question, written_bytes + len(parts[-1]), limit_bytes)
    return b"".join([part for part in parts if part])  # a single part is not copied


def _parts(item: RecordRun | RawRecord) -> Iterator[RecordRun | RawRecord]:
    """Yield a long run in parts, so that the limit is not passed by much."""
    if isinstance(item, RawRecord):
        yield item
        return
    step = max(_PART_RECORDS, _PART_BYTES // item.layout.length)
    for first in range(0, item.count, step):
        yield item.part(first, min(item.count, first + step))


def _check_size(question: Question, size: int, limit_bytes: int | None) -> None:
    if limit_bytes is not None and size > limit_bytes:
        what = f"{' and '.join(map(str, question.queries))} as {question.selection.format}"
        raise DatasetTooLarge(what, limit_bytes=limit_bytes, is_rendered=True)


def packed(answer: Answer, coding: str, *, level: int | None = None, is_small: bool = False) -> Answer:
    """Return *answer* packed by a content coding, with an ETag of its own.  is_small: see `compress`."""
    body = compress(coding, answer.body, level=level, is_small=is_small)
    return replace(answer, body=body, etag=_etag(body, answer.content_type), coding=coding)


def unpacked(answer: Answer) -> Answer:
    """Return *answer* without its content coding: what `packed` was given."""
    body = expand(answer.coding, answer.body)
    return replace(answer, body=body, etag=_etag(body, answer.content_type), coding="")


def _etag(body: bytes, media_type: str) -> str:
    digest = blake2b(body, digest_size=16)
    if media_type != CONTENT_TYPE:  # two formats may give the same bytes, and are still two representations
        digest.update(media_type.encode())
    return f'"{digest.hexdigest()}"'


def _answer(question: Question, body: bytes, spec: Spec, *, total: int) -> Answer:
    media_type = content_type(question)
    return Answer(
        body,
        media_type,
        etag=_etag(body, media_type),
        successor=successor(question, spec),
        pages=_pages(question, total),
        file_name=file_name(question),
    )


def file_name(question: Question) -> str:
    """Return the file name that a client should save the answer under; "" for a format that is shown."""
    suffix = FORMATS[question.selection.format].download_suffix
    return f"{_title(question)}{suffix}" if suffix else ""


def content_type(question: Question) -> str:
    """Return the media type of the answer, as the client calls it, with its charset."""
    one, selection = FORMATS[question.selection.format], question.selection
    media_type = selection.media_type or one.media_types[0]
    charset = (selection.charset or one.charsets[0]).removesuffix("-bom") if one.charsets else ""
    return f"{media_type}; charset={charset}" if charset else media_type


def _title(question: Question) -> str:
    """Return what was asked, in words that may stand in the name of a file."""
    first = question.queries[0]
    return "_".join([question.dataspec, first.key or first.jvopen_fromtime, *question.selection.records])


def _pages(question: Question, total: int) -> tuple[tuple[str, Question], ...]:
    """Return the questions for the pages around this one, where it is one of several."""
    offset, limit = question.selection.offset, question.selection.limit
    if not limit:
        return ()
    places = []
    if offset:
        places += [("first", 0, limit), ("prev", max(0, offset - limit), min(limit, offset))]
    if offset + limit < total:
        places.append(("next", offset + limit, limit))
    return tuple(
        (name, replace(question, selection=replace(question.selection, offset=at, limit=count)))
        for name, at, count in places
    )


def successor(question: Question, spec: Spec) -> str:
    """Return the data spec with the current layouts, where an older one was asked for by itself."""
    known = spec.dataspecs.get(question.dataspec)  # None for a joined one
    return (known.replaced_by or "") if known else ""
