"""Forms that are one document, for records that come file by file: what an answer of that form holds.

JSON is written as the records come, with `meta` behind them.  MessagePack and pickle say first how many there are, so
their records wait in memory for the end.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import orjson

from jvgate.records.framing import Frame, Run
from jvgate.records.kinds import Errors
from jvgate.render.bodies import encoded_msgpack, encoded_pickle, msgpack_record
from jvgate.render.shown import RecordValues
from jvgate.render.tally import Damaged
from jvgate.render.writers import JsonWriter, Writer
from jvgate.spec.layouts import Layout
from jvgate.spec.spec import Spec
from jvgate.values import Selection

__all__ = ["DOCUMENTS", "document_of"]


class _JsonDocument(JsonWriter):
    """`{"data": [records], "meta": {…}}`."""

    def begin(self) -> bytes:
        """Open the document."""
        return b'{"data":['

    def end(self, facts: Mapping[str, object]) -> bytes:
        """Close it."""
        return b'],"meta":%b}\n' % orjson.dumps(facts)


class _WholeDocument:
    """Gives everything at its end, by *encode*: the facts and the records -> the document.

    keep: what is kept of a record's values until then.
    """

    has_rest = False

    def __init__(
        self,
        selection: Selection,
        spec: Spec,
        encode: Callable[[Mapping[str, object], list[Any]], bytes],
        keep: Callable[[Any], Any],
    ) -> None:
        self.damaged = Damaged()
        self._values = RecordValues(selection, spec)
        self._encode = encode
        self._keep = keep
        self._data: list[Any] = []

    def begin(self) -> bytes:
        """Return nothing."""
        return b""

    def write(self, layout: Layout, raw: bytes, count: int) -> bytes:
        """Keep them."""
        return b"".join(map(self.write_alone, Run(raw, layout, 0, count).frames()))

    def write_alone(self, frame: Frame) -> bytes:
        """Keep it."""
        errors: Errors = []
        self._data.append(self._keep(self._values(frame, errors)))
        self.damaged.note(errors)
        return b""

    def rest(self) -> bytes:
        """Return nothing."""
        return b""

    def end(self, facts: Mapping[str, object]) -> bytes:
        """Return the document."""
        return self._encode(facts, self._data)

    def fail(self, problem: Mapping[str, object]) -> bytes:
        """Return nothing."""
        return b""


_MAKERS: Mapping[str, Callable[[Selection, Spec], Writer]] = {
    "json": _JsonDocument,
    "msgpack": lambda selection, spec: _WholeDocument(selection, spec, encoded_msgpack, msgpack_record),
    "pickle": lambda selection, spec: _WholeDocument(selection, spec, encoded_pickle, lambda values: values),
}

DOCUMENTS = tuple(_MAKERS)
"""The format words of what is one document."""


def document_of(selection: Selection, spec: Spec) -> Writer:
    """Return the writer of the document that *selection* asks for, one of DOCUMENTS."""
    return _MAKERS[selection.format](selection, spec)
