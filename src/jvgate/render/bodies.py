"""A walk -> the bytes of an answer, for every form but JSON.

All forms that show values show the JSON's: the same records through the same readers.  Records are encoded one by one
as they come, so that their objects need not be in memory together; only a pickle is made of all at once.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator
from hashlib import sha256
from importlib import import_module
from typing import Any, Protocol

import msgspec
import orjson

from jvgate.records.framing import CRLF, Frame
from jvgate.records.kinds import Errors
from jvgate.render.json_answer import record_texts
from jvgate.render.shown import RecordValues
from jvgate.render.walk import Facts, Walk
from jvgate.spec.layouts import Layout
from jvgate.values import Selection

__all__ = ["TableWriter", "msgpack_body", "ndjson_body", "ndjson_end", "pickle_body", "raw_body", "table_body"]

RUN_BYTES = 4 << 20
_NOT_DECODED = ("damaged_records", "damaged_fields")


class TableWriter(Protocol):
    """Writes the records of one type as a table, run by run."""

    def begin(self) -> bytes:
        """Return what stands before the first record."""

    def write(self, layout: Layout, raw: bytes, count: int) -> bytes:
        """Return what stands for *count* records of *layout*, which lie in *raw* one after another."""

    def end(self, facts: Facts) -> bytes:
        """Return what stands behind the last record."""


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
    encode = msgspec.msgpack.Encoder().encode
    data = [msgspec.Raw(encode(record)) for record in _values(walk)]
    return encode({"meta": walk.facts(), "data": data})


def pickle_body(walk: Walk) -> bytes:
    """Return the same as a pickle of plain dicts, lists, texts and numbers.  Nothing here ever loads one."""
    data = list(_values(walk))
    return pickle.dumps({"meta": walk.facts(), "data": data}, protocol=5)


def raw_body(walk: Walk) -> bytes:
    """Return the records as JV-Link gave them, one after another."""
    return b"".join([_as_it_came(frame) for frame in walk.shown()])


def table_body(form: str) -> Callable[[Walk], bytes]:
    """Return what writes a walk over records of one type as a table of *form*."""

    def body(walk: Walk) -> bytes:
        writer = _table_writer(form, walk.question.selection)
        parts = [writer.begin(), *(writer.write(layout, b"".join(run), len(run)) for layout, run in _runs(walk))]
        facts = {name: fact for name, fact in walk.facts().items() if name not in _NOT_DECODED}
        return b"".join([*parts, writer.end(facts)])

    return body


def _table_writer(form: str, selection: Selection) -> TableWriter:
    """Return a new writer.  Its module brings the data-frame library, so it is loaded when a table is asked for."""
    writer: TableWriter = import_module("jvgate.render.tables").table_writer(form, selection)
    return writer


def _runs(walk: Walk) -> Iterator[tuple[Layout, list[bytes]]]:
    """Yield neighbouring records of one layout together; what has no known layout has no place in a table."""
    layout: Layout | None = None
    run: list[bytes] = []
    for frame in walk.shown():
        if layout is not None and (frame.layout is not layout or len(run) * layout.length >= RUN_BYTES):
            yield layout, run
            run = []
        layout = frame.layout
        if layout is not None:
            run.append(frame.raw)
    if layout is not None:
        yield layout, run


def _values(walk: Walk) -> Iterator[dict[str, Any]]:
    read = RecordValues(walk.question.selection)
    for frame in walk.shown():
        errors: Errors = []
        yield read(frame, errors)
        if errors:
            walk.note(errors)


def _as_it_came(frame: Frame) -> bytes:
    """Return the record without what was put back at its end."""
    return frame.raw[: -len(CRLF) - frame.padded] + CRLF if frame.padded else frame.raw
