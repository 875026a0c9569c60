"""Forms that are written as the records come: NDJSON, a JSON array, the raw bytes, tables.

A writer is begun, gets records of one layout at a time, and is ended; what it returns goes out in that order.  So that
what was cut short cannot be taken for whole, its end tells the facts of the whole stream, or is missing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

import orjson

from jvgate.records.framing import Frame, Run
from jvgate.records.kinds import Errors
from jvgate.render.bodies import table_of
from jvgate.render.shown import RecordText
from jvgate.render.tally import Damaged
from jvgate.spec.layouts import Layout
from jvgate.spec.spec import Spec
from jvgate.values import Question, Selection

__all__ = ["STREAMED", "WRITTEN", "JsonWriter", "NdjsonWriter", "RawWriter", "TableWriter", "Writer", "writer_of"]


class Writer(Protocol):
    """One form of a stream."""

    @property
    def damaged(self) -> Damaged | None:
        """What was damaged inside the records written so far; None where nobody looked."""

    def begin(self) -> bytes:
        """Return what comes before all records."""

    def write(self, layout: Layout, raw: bytes, count: int) -> bytes:
        """Return *count* records, which stand in *raw* one after another, in this form."""

    def write_alone(self, frame: Frame) -> bytes:
        """Return one record that does not stand among its like: of an unknown type or length, padded back, …"""

    @property
    def has_rest(self) -> bool:
        """Whether records were taken and not given yet, since many are written better than few."""

    def rest(self) -> bytes:
        """Return them, for somebody who waits."""

    def end(self, facts: Mapping[str, object]) -> bytes:
        """Return what comes behind all records, and says that it is all of them."""

    def fail(self, problem: Mapping[str, object]) -> bytes:
        """Return what says that there are more records, but that they cannot be had; nothing where a form cannot."""


class _AtOnce:
    """What gives every record at once."""

    has_rest = False

    def rest(self) -> bytes:
        """Return nothing."""
        return b""


class NdjsonWriter(_AtOnce):
    """A line for each record, and at the end one more: `{"end": {…}}` or `{"error": {…}}`."""

    def __init__(self, selection: Selection, spec: Spec) -> None:
        self.damaged = Damaged()
        self._text = RecordText(selection, spec)

    def begin(self) -> bytes:
        """Return nothing: there are only lines."""
        return b""

    def write(self, layout: Layout, raw: bytes, count: int) -> bytes:
        """Return a line for each."""
        return self._texts(layout, raw, count, b"\n") + b"\n"

    def write_alone(self, frame: Frame) -> bytes:
        """Return its line; its type and its characters where nothing else is known."""
        return self._alone(frame) + b"\n"

    def end(self, facts: Mapping[str, object]) -> bytes:
        """Return the last line."""
        return b"%b\n" % orjson.dumps({"end": facts})

    def fail(self, problem: Mapping[str, object]) -> bytes:
        """Return the last line."""
        return b"%b\n" % orjson.dumps({"error": problem})

    def _alone(self, frame: Frame) -> bytes:
        errors: Errors = []
        text = self._text(frame, errors)
        self.damaged.note(errors)
        return text

    def _texts(self, layout: Layout, raw: bytes, count: int, separator: bytes) -> bytes:
        damaged: list[Errors] = []
        texts = self._text.run(Run(raw, layout, 0, count), damaged, separator=separator)
        for errors in damaged:
            self.damaged.note(errors)
        return texts


class JsonWriter(NdjsonWriter):
    """An array of all records and, as its last element, `{"end": {…}}`; without that it is not closed either."""

    def __init__(self, selection: Selection, spec: Spec) -> None:
        super().__init__(selection, spec)
        self._separator = b""

    def begin(self) -> bytes:
        """Open the array."""
        return b"["

    def write(self, layout: Layout, raw: bytes, count: int) -> bytes:
        """Return them with commas between."""
        return self._separated(self._texts(layout, raw, count, b",\n"))

    def write_alone(self, frame: Frame) -> bytes:
        """Return it as an object too."""
        return self._separated(self._alone(frame))

    def end(self, facts: Mapping[str, object]) -> bytes:
        """Close the array."""
        return self._separated(orjson.dumps({"end": facts})) + b"]\n"

    def fail(self, problem: Mapping[str, object]) -> bytes:
        """Return nothing: an array that is not closed is no JSON."""
        return b""

    def _separated(self, text: bytes) -> bytes:
        text, self._separator = self._separator + text, b",\n"
        return text


class RawWriter(_AtOnce):
    """The records as JV-Link gave them.  There is no room for facts; nothing is decoded, so no damage is seen."""

    damaged: Damaged | None = None

    def __init__(self, selection: Selection, spec: Spec) -> None:
        """Take *selection* and *spec* as the others do: what is written is written whole."""

    def begin(self) -> bytes:
        """Return nothing."""
        return b""

    def write(self, layout: Layout, raw: bytes, count: int) -> bytes:
        """Return them."""
        return raw

    def write_alone(self, frame: Frame) -> bytes:
        """Return it."""
        return frame.as_it_came()

    def end(self, facts: Mapping[str, object]) -> bytes:
        """Return nothing."""
        return b""

    def fail(self, problem: Mapping[str, object]) -> bytes:
        """Return nothing."""
        return b""


class TableWriter:
    """A table of one record type.  What is of no known layout has no place in it; what is damaged is told by itself."""

    damaged: Damaged | None = None

    def __init__(self, question: Question, spec: Spec, *, proves_end: bool) -> None:
        self._table = table_of(question, spec, is_stream=proves_end)
        self._is_stream = proves_end

    def begin(self) -> bytes:
        """Return what comes before all records."""
        return self._table.begin()

    def write(self, layout: Layout, raw: bytes, count: int) -> bytes:
        """Return what is ready."""
        return self._table.write(layout, raw, count)

    def write_alone(self, frame: Frame) -> bytes:
        """Return what is ready."""
        return self._table.write(frame.layout, frame.raw, 1) if frame.layout is not None else b""

    @property
    def has_rest(self) -> bool:
        """Whether records wait that somebody else waits for; nobody does for those of a file."""
        return self._is_stream and self._table.has_rest

    def rest(self) -> bytes:
        """Return them."""
        return self._table.rest()

    def end(self, facts: Mapping[str, object]) -> bytes:
        """Return what is left, and the facts as the form can tell them."""
        return self._table.end(facts)

    def fail(self, problem: Mapping[str, object]) -> bytes:
        """Return nothing: a table without its end is not whole."""
        return b""


_WRITERS: Mapping[str, Callable[[Selection, Spec], Writer]] = {
    "ndjson": NdjsonWriter,
    "json": JsonWriter,
    "raw": RawWriter,
}

WRITTEN = ("ndjson", "csv", "arrow", "raw", "parquet")
"""The format words of what the writers give in the form of a finished answer: not JSON, whose `meta` stands first."""

STREAMED = ("ndjson", "json", "csv", "arrow", "raw")
"""The format words of streams, in the order of preference.  A Parquet file has its table of contents at its end."""


def writer_of(question: Question, spec: Spec, *, proves_end: bool = True) -> Writer:
    """Return the writer of the form that *question* asks for, which is one that can be written as the records come.

    proves_end: whether a CSV ends with a line that says so; in a file that is whole it is in the way.
    """
    make = _WRITERS.get(question.selection.format)
    if make is None:
        return TableWriter(question, spec, proves_end=proves_end)
    return make(question.selection, spec)
