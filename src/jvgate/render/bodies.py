"""A walk -> the bytes of an answer, for every form but JSON.

All forms that show values show the JSON's.  Records are encoded one by one as they come, so that their objects need not
be in memory together; only a pickle is made of all at once, and a table of columns.
"""

from __future__ import annotations

import pickle
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from typing import Any

import msgspec
import orjson

from jvgate.records.framing import Run
from jvgate.records.kinds import Errors
from jvgate.render.json_answer import record_texts
from jvgate.render.shown import RecordValues
from jvgate.render.tables import Writer, table_writer
from jvgate.render.walk import Facts, Walk
from jvgate.spec.spec import Spec
from jvgate.values import Question

__all__ = [
    "encoded_msgpack",
    "encoded_pickle",
    "msgpack_body",
    "msgpack_record",
    "ndjson_body",
    "ndjson_end",
    "pickle_body",
    "raw_body",
    "record_types",
    "table_body",
    "table_of",
]

RUN_BYTES = 4 << 20


def ndjson_body(walk: Walk) -> bytes:
    """Return a line for every record and a last one that proves that the others are whole."""
    texts = record_texts(walk, separator=b"\n")
    lines = texts + b"\n" if texts else b""
    return lines + ndjson_end(walk.facts(), sha256(lines).hexdigest())


def ndjson_end(facts: Facts, digest: str) -> bytes:
    """Return the last line: what `meta` of a JSON answer says, and the SHA-256 of all bytes before the line."""
    told = {name: fact for name, fact in facts.items() if name != "offset"} | {"digest": f"sha256:{digest}"}
    return orjson.dumps({"end": told}) + b"\n"


def msgpack_body(walk: Walk) -> bytes:
    """Return `{"meta": …, "data": [records]}` as MessagePack."""
    data = list(map(msgpack_record, _values(walk)))
    return encoded_msgpack(walk.facts(), data)


def msgpack_record(values: Mapping[str, Any]) -> msgspec.Raw:
    """Return the values of a record, encoded."""
    return msgspec.Raw(msgspec.msgpack.encode(values))


def encoded_msgpack(facts: Mapping[str, object], data: Sequence[msgspec.Raw]) -> bytes:
    """Return the document of *facts* and of records that are encoded already."""
    return msgspec.msgpack.encode({"meta": facts, "data": data})


def pickle_body(walk: Walk) -> bytes:
    """Return the same as a pickle of plain dicts, lists, texts and numbers.  Nothing here ever loads one.

    A pickle tells which of its objects are one and the same.  Equal texts are made so, and nothing else is, or its
    bytes would depend on what the readers happen to remember.
    """
    data = list(_values(walk))
    return encoded_pickle(walk.facts(), data)


def encoded_pickle(facts: Mapping[str, object], data: Sequence[Mapping[str, Any]]) -> bytes:
    """Return the document of *facts* and of the records' values."""
    return pickle.dumps(_rebuilt({"meta": facts, "data": data}, {}), protocol=5)


def _rebuilt(value: Any, texts: dict[str, str]) -> Any:
    """Return *value* again, with objects of its own; *texts*: those that were met."""
    if isinstance(value, str):
        return texts.setdefault(value, value)
    if isinstance(value, dict):
        return {texts.setdefault(key, key): _rebuilt(member, texts) for key, member in value.items()}
    return [_rebuilt(item, texts) for item in value] if isinstance(value, list) else value


def raw_body(walk: Walk) -> bytes:
    """Return the records as JV-Link gave them, one after another."""
    return b"".join([frame.as_it_came() for frame in walk.shown()])


def table_body(walk: Walk) -> bytes:
    """Return a walk over records of one type as a table."""
    writer = table_of(walk.question, walk.spec, is_stream=False)
    parts = [writer.begin(), *_written(writer, walk)]
    return b"".join([*parts, writer.end(walk.facts(is_decoded=False))])  # columns tell it by themselves: `_errors`


def _written(writer: Writer, walk: Walk) -> Iterator[bytes]:
    """Yield what the shown records give; one of no known layout has no place in a table."""
    for item in walk.runs():
        if isinstance(item, Run):
            step = max(1, RUN_BYTES // item.layout.length) * item.layout.length
            for at in range(0, len(item.raw), step):
                raw = item.raw[at : at + step]
                yield writer.write(item.layout, raw, len(raw) // item.layout.length)
        elif item.layout is not None:
            yield writer.write(item.layout, item.raw, 1)


def table_of(question: Question, spec: Spec, *, is_stream: bool) -> Writer:
    """Return a new writer of the table that *question* asks for.  is_stream: CSV ends with a line that proves it."""
    selection = question.selection
    (record,) = record_types(question, spec)
    return table_writer(
        selection.format, spec.layouts.current(record), selection.fields,
        charset=selection.charset.removesuffix("-bom") or "utf-8", bom=selection.charset.endswith("-bom"),
        end_line=is_stream,
    )  # fmt: skip


def record_types(question: Question, spec: Spec) -> tuple[str, ...]:
    """Return the types of the records that *question* may bring."""
    known = [found for query in question.queries if (found := spec.dataspec(query.dataspec)) is not None]
    delivered = dict.fromkeys(record for found in known for record in found.record_types)
    return question.selection.records or tuple(delivered)


def _values(walk: Walk) -> Iterator[dict[str, Any]]:
    read = RecordValues(walk.question.selection, walk.spec)
    for frame in walk.shown():
        errors: Errors = []
        yield read(frame, errors)
        if errors:
            walk.note(errors)
