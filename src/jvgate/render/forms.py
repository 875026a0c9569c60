"""Every form that an answer can have, and how a question and its datasets become one."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b

from jvgate.errors import QueryError
from jvgate.render.bodies import msgpack_body, ndjson_body, pickle_body, raw_body, record_types, table_body
from jvgate.render.compression import compress, expand
from jvgate.render.csv_columns import too_many_columns
from jvgate.render.json_answer import CONTENT_TYPE, json_body
from jvgate.render.walk import Walk
from jvgate.spec.spec import Spec
from jvgate.values import Answer, Dataset, Question

__all__ = [
    "FORMS",
    "Form",
    "Rendered",
    "check",
    "content_type",
    "file_name",
    "offered_forms",
    "packed",
    "render",
    "successor",
    "unpacked",
    "why_not",
]

UTF_8 = "utf-8"


@dataclass(frozen=True, slots=True)
class Form:
    """One form.

    media_types: the names it goes by, its own first.  extension: of a file; "" for what is read at once, not saved.
    is_table: it holds records of one type only.  is_flat: what repeats is spread over columns of its own.
    has_values: whether fields can be chosen and shown in different ways.  charsets: those that the text may have, the
    first unless asked for.  is_free: whether it is offered without being switched on.
    """

    media_types: tuple[str, ...]
    body: Callable[[Walk], bytes]
    extension: str = ""
    is_table: bool = False
    is_flat: bool = False
    has_values: bool = True
    charsets: tuple[str, ...] = ()
    is_free: bool = True


# Format word -> form, in the order of preference.
FORMS: Mapping[str, Form] = {
    "json": Form((CONTENT_TYPE,), json_body),
    "ndjson": Form(("application/x-ndjson", "application/jsonl"), ndjson_body),
    "csv": Form(
        ("text/csv",), table_body, "csv", is_table=True, is_flat=True, charsets=(UTF_8, "utf-8-bom", "shift_jis")
    ),
    "msgpack": Form(("application/msgpack", "application/x-msgpack", "application/vnd.msgpack"), msgpack_body),
    "arrow": Form(("application/vnd.apache.arrow.stream",), table_body, "arrows", is_table=True),
    "parquet": Form(("application/vnd.apache.parquet",), table_body, "parquet", is_table=True),
    "raw": Form(("application/octet-stream",), raw_body, "jvd", has_values=False),
    "pickle": Form(("application/x-python-pickle",), pickle_body, "pickle", is_free=False),
}


# A column has one type: words beside a code, or its characters, would be another table.
_NO_TABLE = ("labels", "raw")


@dataclass(frozen=True, slots=True)
class Rendered:
    """An answer and what making it took, seconds."""

    answer: Answer
    decode_s: float
    render_s: float


def offered_forms(*, allow_pickle: bool) -> tuple[str, ...]:
    """Return the format words that may be asked for, in the order of preference."""
    return tuple(word for word, form in FORMS.items() if form.is_free or (word == "pickle" and allow_pickle))


def why_not(question: Question, spec: Spec) -> QueryError | None:
    """Return why *question* cannot be answered in its form; None when it can."""
    word, selection = question.selection.format, question.selection
    form, types = FORMS[word], record_types(question, spec)
    if form.is_table and len(types) != 1:
        why = f"{word} holds records of one type, and these are of {len(types)}."
        allowed = ", ".join(f"record={record}" for record in types)
        return QueryError("one-record-needed", why, parameter="record", value=None, allowed=allowed)
    if form.is_table and not spec.layouts.generations(types[0]):
        why = f"The layout of {types[0]} is not known, and {word} needs one."
        able = [other for other, form in FORMS.items() if not form.is_table]
        allowed = f"{types[0]} with format={', '.join(able)}"
        return QueryError("unknown-record", why, parameter="record", value=types[0], allowed=allowed)
    shown = {"fields": selection.fields, "labels": selection.labels, "raw": selection.raw}
    lacks = _NO_TABLE if form.is_table else () if form.has_values else tuple(shown)
    refused = [name for name in lacks if shown[name]]
    if selection.charset not in ("", UTF_8, *form.charsets):
        refused.append("charset")
    if not refused:
        return too_many_columns(spec.layouts.current(types[0]), selection.fields) if form.is_flat else None
    is_charset = refused[0] == "charset"
    able = [
        other for other, form in FORMS.items()
        if (form.charsets if is_charset else form.has_values and not (form.is_table and refused[0] in _NO_TABLE))
    ]  # fmt: skip
    why, allowed = f"format={word} has no {refused[0]}.", f"{refused[0]} with format={', '.join(able)}"
    return QueryError("parameter-not-allowed", why, parameter=refused[0], value=None, allowed=allowed)


def check(question: Question, spec: Spec) -> Question:
    """Return *question* when it can be answered in its form.  Raises QueryError, as `why_not` tells it."""
    if (error := why_not(question, spec)) is not None:
        raise error
    if question.selection.charset == UTF_8:  # which it is anyway: one question, however it is asked
        return replace(question, selection=replace(question.selection, charset=""))
    return question


def render(question: Question, datasets: Sequence[Dataset], spec: Spec) -> Rendered:
    """Return the answer to *question* in the form that it asks for."""
    began = time.perf_counter()
    walk = Walk(question, datasets, spec)
    body = FORMS[question.selection.format].body(walk)
    answer = _answer(question, body, spec, total=walk.total)
    return Rendered(answer, walk.seconds, time.perf_counter() - began - walk.seconds)


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
    if media_type != CONTENT_TYPE:  # two forms may be the same bytes, and are still two representations
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
    """Return how what is saved is called; "" for a form that is read at once."""
    extension = FORMS[question.selection.format].extension
    return f"{_title(question)}.{extension}" if extension else ""


def content_type(question: Question) -> str:
    """Return the media type of the answer, as the client calls it, with its charset."""
    form, selection = FORMS[question.selection.format], question.selection
    media_type = selection.media_type or form.media_types[0]
    charset = (selection.charset or form.charsets[0]).removesuffix("-bom") if form.charsets else ""
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
