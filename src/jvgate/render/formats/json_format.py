"""JSON: `{"meta": …, "data": [records]}`; as a stream, an array of records whose last element is `{"end": …}`."""

from __future__ import annotations

from collections.abc import Mapping

import orjson

from jvgate.records.runs import RawRecord
from jvgate.render.formats.format import Format
from jvgate.render.formats.writers import JsonTextWriter
from jvgate.spec.layouts import Layout
from jvgate.spec.spec import Spec
from jvgate.values import Question

__all__ = ["CONTENT_TYPE", "FORMAT", "JsonAnswer", "JsonDocument", "JsonStream"]

CONTENT_TYPE = "application/json"


class JsonAnswer(JsonTextWriter):
    """A finished answer.  `meta` stands first, so the texts of the records wait for it."""

    def __init__(self, question: Question, spec: Spec) -> None:
        super().__init__(question, spec)
        self._texts: list[bytes] = []

    def write(self, layout: Layout, raw: bytes, count: int) -> bytes:
        """Keep the texts."""
        return self._keep(self.texts(layout, raw, count, b","))

    def write_single(self, frame: RawRecord) -> bytes:
        """Keep the text."""
        return self._keep(self.text(frame))

    def end(self, facts: Mapping[str, object]) -> bytes:
        """Return the whole document."""
        # One join: the texts stand in memory twice, not three times.
        return b"".join([b'{"meta":', orjson.dumps(facts), b',"data":[', *self._texts, b"]}"])

    def _keep(self, text: bytes) -> bytes:
        if self._texts:
            self._texts.append(b",")
        self._texts.append(text)
        self.held_bytes += len(text) + 1
        return b""


class JsonStream(JsonTextWriter):
    """An array of all records with `{"end": {…}}` as its last element; an unfinished one is not closed."""

    def __init__(self, question: Question, spec: Spec) -> None:
        super().__init__(question, spec)
        self._separator = b""

    def begin(self) -> bytes:
        """Open the array."""
        return b"["

    def write(self, layout: Layout, raw: bytes, count: int) -> bytes:
        """Return the objects with commas between them."""
        return self._separated(self.texts(layout, raw, count, b",\n"))

    def write_single(self, frame: RawRecord) -> bytes:
        """Return the object."""
        return self._separated(self.text(frame))

    def end(self, facts: Mapping[str, object]) -> bytes:
        """Close the array."""
        return self._separated(orjson.dumps({"end": facts})) + b"]\n"

    def _separated(self, text: bytes) -> bytes:
        text, self._separator = self._separator + text, b",\n"
        return text


class JsonDocument(JsonStream):
    """The document `{"data": [records], "meta": {…}}`, written while its records come."""

    def begin(self) -> bytes:
        """Open the document."""
        return b'{"data":['

    def end(self, facts: Mapping[str, object]) -> bytes:
        """Close it."""
        return b'],"meta":%b}\n' % orjson.dumps(facts)


FORMAT = Format(
    word="json",
    media_types=(CONTENT_TYPE,),
    suffixes=(".json",),
    is_text=True,
    answer=JsonAnswer,
    stream=JsonStream,
    decoded=JsonDocument,
)
